"""Reads masks of segmentations, picture by picture: all of them do not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError
from loupe.brain.evaluation.labels import Labels, Side
from loupe.brain.evaluation.segmentation import MAX_CLASSES, Segmented
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import root

_CHUNK = 64


def read_masks(
    samples: SampleCollection, predictions: Sequence[str], ground_truth: str, step: Callable[[int, int], None]
) -> Labels:
    """Returns the pixels of N samples by what they are and what each model took them for.

    Pixels of a ground truth that no class of the field's mask targets stands for do not count, where there are targets.

    Raises:
        InputError: masks of colors, or of numbers above 255
    """
    with database_errors():
        ids = samples.values("id")
    targets = targets_of(samples, ground_truth)
    paths = [ground_truth, *predictions]
    known = np.zeros((len(paths), len(ids)), dtype=bool)
    broken = 0
    pairs: dict[str, list[tuple[np.ndarray, ...]]] = {path: [] for path in predictions}
    for at, held in one_by_one(samples, ids, paths, step):
        masks = [mask_of(each) for each in held]
        broken += sum(1 for each, mask in zip(held, masks, strict=True) if each is not None and mask is None)
        known[:, at] = [mask is not None for mask in masks]
        for path, mask in zip(predictions, masks[1:], strict=True):
            if masks[0] is not None and mask is not None:
                own = Segmented.of_masks([(masks[0], mask)], np.zeros(1, np.int64), MAX_CLASSES)
                pairs[path].append((np.full(len(own.image), at), own.truth, own.predicted, own.pixels))
    notes = [f"{broken:,} masks could not be read, and count as missing"] if broken else []
    made = {
        path: np.concatenate([np.zeros((4, 0), np.int64), *map(np.stack, rows)], axis=1) for path, rows in pairs.items()
    }
    if targets:
        made = {path: table[:, np.isin(table[1], list(targets))] for path, table in made.items()}
    occurring = sorted(set().union(*(np.unique(table[1:3]).tolist() for table in made.values())))
    place = np.full(MAX_CLASSES, -1)
    place[occurring] = np.arange(len(occurring))
    names = tuple(str(targets.get(code, code)) for code in occurring)
    cluster = np.arange(len(ids))
    masks_of = {
        path: Segmented(len(ids), len(names), cluster, table[0], place[table[1]], place[table[2]], table[3])
        for path, table in made.items()
    }
    models = {path: Side(known[at + 1]) for at, path in enumerate(predictions)}
    return Labels("segmentation", ids, names, cluster, Side(known[0]), models, masks_of, tuple(notes))


def one_by_one(
    samples: SampleCollection, ids: Sequence[str], paths: Sequence[str], step: Callable[[int, int], None]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yields each sample's place and what some fields hold for it; those of a few samples are in memory at a time."""
    for start in range(0, len(ids), _CHUNK):
        step(start, len(ids))
        with database_errors():
            columns = samples.select(ids[start : start + _CHUNK], ordered=True).values(list(paths))
        yield from enumerate(zip(*columns, strict=True), start)


def targets_of(samples: SampleCollection, path: str) -> Mapping[int, str]:
    """Returns the names of a field's classes by their numbers; empty where it names none."""
    dataset = root(samples)
    own = dataset.mask_targets.get(path) or dataset.default_mask_targets or {}
    return {int(code): str(name) for code, name in own.items() if isinstance(code, int)}


def mask_of(label: Any) -> np.ndarray | None:
    """Returns a mask; None where there is none, or its file cannot be read.

    Raises:
        InputError: a mask of colors
    """
    if label is None or not label.has_mask:
        return None
    try:
        mask = np.asarray(label.get_mask())
    except Exception:
        return None
    if mask.ndim == 3:
        raise InputError(
            f"expected masks of (height, width) whole numbers, got one of shape {mask.shape}: masks of colors become "
            "numbers by fiftyone.utils.labels.transform_segmentations"
        )
    return mask

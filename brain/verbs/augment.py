"""``loupe.augment``: more pictures of what is rare, made of those that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import loupe
from loupe.brain.core.errors import InputError, NotReadNow, ReadError
from loupe.brain.core.hashes import number_of
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.engine import output_folder
from loupe.brain.imaging.augmentation import GEOMETRIC, SAFE, augmented, checked
from loupe.brain.imaging.decode import decode
from loupe.brain.media import fetching
from loupe.brain.similarity.matching import pixels_hash
from loupe.brain.store import augmented as store_augmented
from loupe.brain.store import generated as store_generated
from loupe.brain.store import rows as store_rows
from loupe.brain.store.augmented import Changed, Marked, Plan
from loupe.brain.store.datasets import root
from loupe.brain.verbs.lifecycle import Lifecycle, running

if TYPE_CHECKING:
    import fiftyone as fo

#: of this way of changing pictures; with another one, keys are others
_VERSION = 1
_CHUNK = 16
_SPLIT = "split"
#: what must not be mirrored: sides that are named, and writing
_SIDED = re.compile(
    r"\b(left|right|text|letters?|numbers?|digits?|words?|signs?|logos?|clocks?|says?|reads?)\b|[\"“”]", re.I
)


def augment(
    samples: fo.Dataset | fo.DatasetView,
    *,
    per_sample: int = 1,
    target: int | None = None,
    transforms: tuple[str, ...] = SAFE,
    labels: Sequence[str] | None = None,
    split: str | None = None,
    train: tuple[str, ...] = ("train", "training"),
    output_dir: str | Path | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Adds changed copies of training samples: other light and colors, cut a little, boxes and masks moved along.

    For cells with few samples: ``loupe.augment(loupe.view_of(dataset, cell), target=50)``. Each new sample says in
    ``generation`` which sample it was made from, what was changed, and by which seed; it has the source's labels,
    split, tags, prompt, scenario and other values, and nothing of what Loupe measured. Samples of a held-out split are
    refused, whatever else is given. A copy is no new picture: what is drawn, or photographed, anew is worth more.

    The same call again adds nothing, and goes on where a stop, an error or a killed process ended it. Changed copies
    are never changed again.

    Args:
        samples: a dataset or view: what is rare
        per_sample: copies of each sample, at least 1
        target: how many samples there should be instead, copies counted, at least 1; they are shared out evenly
        transforms: which changes, out of brightness, contrast, saturation, hue, blur, crop and flip. A crop keeps 70 %
            of every box. A flip mirrors half of the copies; it leaves out samples with keypoints, and those whose
            labels or prompt name a side or writing
        labels: fields of labels to carry over; None: all whose labels have no confidence, and those that ``relabel``
            put right
        split: the field of splits; None: ``split``, where there is one
        train: the names of the splits that are for training
        output_dir: where the files go, as ``<key>.png``; the dataset's folder in FiftyOne's dataset folder by default
        seed: in [0, 2**63)
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        ``n`` samples added, ``skipped`` that were there

    Raises:
        InputError: samples of a held-out split, labels that cannot be cut, no images, or a number out of its bounds
        UnknownName: no such transform or field; the nearest name is suggested
        NoSamples: the view is empty
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        Stopped: ``progress`` asked to stop; what was made is stored

    >>> loupe.augment(loupe.view_of(dataset, cell), target=50)  # doctest: +SKIP
    Run(loupe_augment_1: 43 done, 0 already done, 0 errors, unknown: none, 2.1 s on cpu)
    """
    require_whole(per_sample=(per_sample, 1, 1000))
    require_whole(seed=(seed, 0, 2**63 - 1))
    if target is not None:
        require_whole(target=(target, 1, 10_000_000))
    names, training = checked(transforms), (train,) if isinstance(train, str) else tuple(train)
    if not names:
        raise InputError("expected at least one transform, got none")
    with running(samples, "augment", progress) as verb:
        dataset = root(verb.samples)
        field = split if split is not None else _SPLIT if dataset.has_field(_SPLIT) else None
        store_augmented.require_training(verb.samples, field, training)
        carried = store_augmented.plan(verb.samples, labels, field, bool(set(names) & set(GEOMETRIC)))
        store_augmented.prepare(verb.samples)
        items, unknown = _items(verb.samples, per_sample, target, names, carried, seed)
        folder = Path(output_dir).expanduser() if output_dir is not None else store_generated.default_folder(dataset)
        folder = folder.resolve()
        with output_folder.opened(folder):
            made, skipped, errors = _make(verb, folder, items, names, carried, seed)
        params = {"per_sample": per_sample, "target": target, "transforms": list(names), "seed": seed, "split": field}
        params |= {"labels": list(carried.labels), "output_dir": str(folder)}
        errors |= unknown
        return verb.finish(made, skipped=skipped, params=params, errors=errors, messages=dict(carried.left_out))


@dataclass(frozen=True)
class _Item:
    key: str
    source: str
    number: int


def _items(
    samples: Any, per_sample: int, target: int | None, names: Sequence[str], carried: Plan, seed: int
) -> tuple[list[_Item], dict[str, str]]:
    """Returns what is to be made: the same for the same samples, whatever is made of them already.

    Beside it the sources whose file cannot be looked at now, with the reason.
    """
    known = store_augmented.sources(samples)
    fetching.ask(path for _, path in known)
    each, more = divmod(max(0, target - len(known)), max(len(known), 1)) if target is not None else (per_sample, 0)
    made: list[_Item] = []
    unknown: dict[str, str] = {}
    for at, (sample_id, path) in enumerate(known):
        try:
            inputs = store_rows.known_key(path, {})
        except NotReadNow as error:
            unknown[sample_id] = str(error)
            continue
        for number in range(each + (at < more)):
            key = number_of([_VERSION, sample_id, inputs, list(names), list(carried.labels), seed, number], 16)
            made.append(_Item(f"{key:032x}", sample_id, number))
    return made, unknown


def _make(
    verb: Lifecycle, folder: Path, items: Sequence[_Item], names: Sequence[str], carried: Plan, seed: int
) -> tuple[int, int, dict[str, str]]:
    """Makes what is missing, chunk by chunk; returns how many it added, how many were there, and what went wrong."""
    present = store_augmented.keys(verb.samples)
    pending = [item for item in items if item.key not in present]
    skipped, made = len(items) - len(pending), 0
    errors: dict[str, str] = {}
    for start in range(0, len(pending), _CHUNK):
        verb.step(skipped + start, len(items), "changing")
        part = pending[start : start + _CHUNK]
        held = store_augmented.read(verb.samples, list(dict.fromkeys(item.source for item in part)))
        changed = []
        try:
            for source, copies in groupby(part, key=lambda item: item.source):
                try:
                    own = _opened(held[source], carried)
                except (ReadError, InputError) as error:
                    errors[source] = str(error)
                    continue
                # by the pixels and not by the id: the same picture in another database is changed in the same way
                picture = pixels_hash(own.picture.pixels)
                for item in copies:
                    drawn_by = number_of([seed, picture, item.number], 8) % 2**53
                    changed.append(_changed(folder, item, held[source], own, names, carried, drawn_by))
            output_folder.sync(folder)
        except OSError as error:
            store_augmented.add(verb.samples, carried, changed)
            kept = f"{made + len(changed)} of {len(items)} images are there, each with its sample. "
            raise output_folder.writing_error(folder, error, kept) from error
        store_augmented.add(verb.samples, carried, changed)
        made += len(changed)
    verb.step(len(items), len(items), "changed")
    return made, skipped, errors


def _opened(sample: Any, carried: Plan) -> Marked:
    pixels, _ = decode(sample.filepath)
    assert isinstance(pixels, np.ndarray)
    return store_augmented.marked(sample, pixels, carried.labels)


def _changed(
    folder: Path, item: _Item, sample: Any, own: Marked, names: Sequence[str], carried: Plan, seed: int
) -> Changed:
    from PIL import Image

    used = [name for name in names if name != "flip" or _may_flip(sample, own, carried.labels)]
    picture, drawn = augmented(own.picture, used, seed)
    moves = bool(set(used) & set(GEOMETRIC))
    labels = (
        store_augmented.moved(sample, carried.labels, own, picture)
        if moves
        else {name: store_augmented.copied(sample[name]) for name in carried.labels}
    )
    facts = {
        "generator": "augment",
        "seed": seed,
        "width": picture.pixels.shape[1],
        "height": picture.pixels.shape[0],
        "key": item.key,
        "loupe_version": loupe.__version__,
        "source": item.source,
        "transform": json.dumps(drawn),
    }
    prompt = sample["prompt"] if sample.has_field("prompt") else None
    saved = {"prompt": prompt if isinstance(prompt, str) else "", **facts}
    path = output_folder.write(folder, item.key, Image.fromarray(picture.pixels), saved)
    return Changed(path, sample, labels, facts)


def _may_flip(sample: Any, own: Marked, labels: Sequence[str]) -> bool:
    """Returns whether mirroring a picture leaves its labels and its prompt true."""
    if own.points:
        return False
    named = [sample["prompt"]] if sample.has_field("prompt") else []
    named += [name for path in labels for name in store_augmented.names_of(sample[path])]
    return not any(isinstance(text, str) and _SIDED.search(text.replace("_", " ")) for text in named)

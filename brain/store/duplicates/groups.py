"""Reads the groups of duplicates of a view, and what is known of their samples."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.core.deduplicated import Standing
from loupe.brain.core.errors import LoupeError
from loupe.brain.imaging.files import PASSING, not_now, printable
from loupe.brain.labels.duplicates import CODES, NONE, Alike, Candidate, Groups
from loupe.brain.labels.splits import merged
from loupe.brain.media import fetching
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.sets.leaks import Leaks
from loupe.brain.store import columns, plain, sets
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root, sample_documents
from loupe.brain.store.duplicates import decided as deduplicated
from loupe.brain.store.fields import DEDUPLICATED, GROUP
from loupe.brain.store.labels import given as labels
from loupe.brain.store.review.queue import source_of
from loupe.brain.store.spread import spread

#: where the splits stand: a field, or several tags
Splits = str | tuple[str, ...]
_SPLIT_NAMES = ("split", "subset", "fold")
_SPLIT_TAGS = ("train", "val", "validation", "test")
_LOSSLESS = {".png", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
_CHUNK = 2000


@dataclass(eq=False)
class Members:
    """The N samples of a view that are in groups of duplicates: at least two of each group.

    Attributes:
        ids: the samples, those of a group one after the other
        groups: what the groups are made of
        starts: (n + 1,) int64: where each group begins in ``ids``
        split_names, label_names: what the codes of ``groups`` mean
        keys: the decisions by their codes
        by_rule: (N,) bool: whether a rule decided of a sample
        splits: where the splits stand; empty where none are known
        cut_of: of the groups that have samples outside of the view: how many, by the group
    """

    ids: list[str]
    groups: Groups
    starts: np.ndarray
    split_names: list[str]
    label_names: list[str]
    keys: list[str]
    by_rule: np.ndarray
    splits: Splits = ()
    cut_of: dict[int, int] = field(default_factory=dict)

    def of(self, group: int) -> list[str]:
        """Returns the samples of a group."""
        return self.ids[self.starts[group] : self.starts[group + 1]]


def searched(samples: Samples) -> bool:
    """Returns whether anybody has looked for duplicates or leaks on the dataset."""
    with database_errors():
        named = set(root(samples).list_runs())
    return samples.has_field(GROUP) or any(sets.SAME + name in named for name in (Duplicates.name, Leaks.name))


def read(samples: Samples, splits: Splits = (), label: str = "") -> Members:
    """Returns the groups of duplicates of a view: those of ``find_duplicates``, joined by the pairs of ``find_leaks``.

    Args:
        samples: a dataset or view, each sample once and with all of its fields
        splits: a field, or tags, that name each sample's split; empty: none are known
        label: a field of one class a sample; empty: none is looked at

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, or a sample with two of the tags
    """
    leaks = [(pair.id_a, pair.id_b) for pair in sets.load_same(samples, Leaks.name)]
    grouped = samples.has_field(GROUP)
    query: list[dict[str, Any]] = [{GROUP: {"$ne": None}}] * grouped
    leaking = sorted({sample_id for pair in leaks for sample_id in pair})
    query += [{"_id": {"$in": [ObjectId(each) for each in leaking]}}] * bool(leaking)
    decided = samples.has_field(f"{DEDUPLICATED}.key")
    paths = {
        "id": plain.ID,
        "group": GROUP if grouped else "",
        "split": _split_path(samples, splits),
        "label": labels.path_of(samples, label) if label else "",
        "status": deduplicated.STATUS if decided else "",
        "key": deduplicated.KEY if decided else "",
        "rule": deduplicated.RULE if decided else "",
    }
    asked = {name: path for name, path in paths.items() if path}
    with database_errors():
        view = samples.match({"$or": query}) if query else samples.limit(0)
        values, _ = plain.read(view, list(asked.values()))
    column = dict(zip(asked, values, strict=True))
    n = len(column["id"])
    every = {name: column.get(name, [None] * n) for name in paths}
    if isinstance(splits, tuple) and splits:
        every["split"] = sets.split_by_tags(every["split"], splits)
    return _members(samples, every, leaks, splits)


def _split_path(samples: Samples, splits: Splits) -> str:
    if not isinstance(splits, str):
        return "tags" if splits else ""
    columns.require_sliceable(samples, splits)
    return splits


def _members(
    samples: Samples, every: Mapping[str, list[Any]], leaks: Sequence[tuple[str, str]], splits: Splits
) -> Members:
    ids = every["id"]
    place = {sample_id: at for at, sample_id in enumerate(ids)}
    ties = [(place[a], place[b]) for a, b in leaks if a in place and b in place]
    pair_codes = np.repeat(np.arange(len(ties)), 2)
    own, known = _codes(every["group"])
    marked = np.flatnonzero(own != NONE)
    joined = merged([(marked, own[marked]), (np.array(ties, np.int64).ravel(), pair_codes)], len(ids))
    outside = _outside(samples, every["group"], known)
    # a group of which the view shows one sample has nothing to choose from
    inside = np.flatnonzero(np.bincount(joined, minlength=1)[joined] > 1) if len(ids) else np.zeros(0, np.int64)
    _, group = np.unique(joined[inside], return_inverse=True)
    inside, group = inside[order := np.argsort(group, kind="stable")], group[order]
    n = int(group.max()) + 1 if len(group) else 0
    split, split_names = _codes(_at(every["split"], inside))
    label, label_names = _codes(_at(every["label"], inside))
    key, keys = _codes(_at(every["key"], inside))
    statuses = [CODES.get(status, NONE) for status in _at(every["status"], inside)]
    made = Groups(n, group, split, label, np.array(statuses, dtype=np.int64), key)
    cut_of: Counter[int] = Counter()
    for sample_group, name in dict.fromkeys(zip(group.tolist(), _at(every["group"], inside), strict=True)):
        cut_of[sample_group] += outside.get(name, 0)
    return Members(
        ids=_at(ids, inside),
        groups=made,
        starts=np.concatenate([[0], np.cumsum(made.sizes())]),
        split_names=split_names,
        label_names=label_names,
        keys=keys,
        by_rule=np.array([bool(rule) for rule in _at(every["rule"], inside)], dtype=bool),
        splits=splits,
        cut_of={at: count for at, count in cut_of.items() if count},
    )


def _at(values: Sequence[Any], places: np.ndarray) -> list[Any]:
    return [values[at] for at in places.tolist()]


def _codes(values: Sequence[Any]) -> tuple[np.ndarray, list[str]]:
    """Returns each value as a place in the list of those that occur; what is None, or no one value, is none."""
    names = [None if value is None or isinstance(value, list) else str(value) for value in values]
    known = sorted({name for name in names if name is not None})
    place: dict[str | None, int] = {None: NONE, **{name: at for at, name in enumerate(known)}}
    return np.array([place[name] for name in names], dtype=np.int64), known


def _outside(samples: Samples, inside: Sequence[Any], names: Sequence[str]) -> dict[Any, int]:
    """Returns how many samples of each group the view does not show."""
    if isinstance(samples, fo.Dataset) or not names:
        return {}
    with database_errors():
        (every,), _ = plain.read(root(samples).match({GROUP: {"$ne": None}}), [GROUP])
    shown = Counter(inside)
    return {name: count - shown[name] for name, count in Counter(every).items() if name is not None}


# what a group is shown and judged by


def candidates(samples: Samples, members: Members, wanted: Sequence[int]) -> Iterator[tuple[int, list[Candidate]]]:
    """Yields what decides which sample is kept, for each of the groups; read by the chunk."""
    chunk: list[int] = []
    size = 0
    for group in wanted:
        chunk.append(group)
        size += int(members.starts[group + 1] - members.starts[group])
        if size >= _CHUNK:
            yield from _candidates(samples, members, chunk)
            chunk, size = [], 0
    yield from _candidates(samples, members, chunk)


def _candidates(samples: Samples, members: Members, wanted: Sequence[int]) -> Iterator[tuple[int, list[Candidate]]]:
    facts = pictures(samples, [sample_id for group in wanted for sample_id in members.of(group)])
    split = members.groups.split
    for group in wanted:
        made = []
        for at in range(int(members.starts[group]), int(members.starts[group + 1])):
            known = facts.get(members.ids[at])
            name = None if split[at] == NONE else members.split_names[split[at]]
            facts_of = () if known is None else (known.area, known.sharpness, known.lossless, known.bytes)
            made.append(Candidate(name, *facts_of))
        yield group, made


@dataclass(frozen=True)
class Picture:
    """What is known of a sample beside its group.

    Attributes:
        path: of its file
        width, height: of the picture, in pixels; 0 where nobody knows
        area: how many pixels it has; NaN where nobody knows
        bytes: the size of its file; NaN where nobody knows
        sharpness: its score; NaN where there is none
        tags: its tags
        standing: what was decided of it; None where nothing was
    """

    path: str
    width: int = 0
    height: int = 0
    area: float = math.nan
    bytes: float = math.nan
    sharpness: float = math.nan
    tags: tuple[str, ...] = ()
    standing: Standing | None = None

    @property
    def lossless(self) -> bool:
        """Whether its format loses nothing, by the ending of its name."""
        return os.path.splitext(self.path)[1].lower() in _LOSSLESS


def pictures(samples: Samples, ids: Sequence[str]) -> dict[str, Picture]:
    """Returns what is known of samples; one that is no more is left out.

    The size comes from FiftyOne's metadata, else from the header of the file.
    """
    from loupe.brain.imaging.shown_size import shown_size

    wanted = {"_id": {"$in": [ObjectId(each) for each in ids]}}
    paths = ["filepath", "metadata", "quality.sharpness", "tags", DEDUPLICATED]
    made = {}
    with database_errors():
        for document in sample_documents(samples).find(wanted, paths):
            path = str(document.get("filepath") or "")
            metadata = document.get("metadata") or {}
            size = (metadata.get("width"), metadata.get("height"))
            if not all(map(_positive, size)):
                place = fetching.here(path)
                size = (0, 0) if place is None else shown_size(place) or (0, 0)
            width, height = (int(side or 0) for side in size)
            made[str(document["_id"])] = Picture(
                path=path,
                width=width,
                height=height,
                area=float(width * height) or math.nan,
                bytes=_bytes(path, metadata.get("size_bytes")),
                sharpness=_number((document.get("quality") or {}).get("sharpness")),
                tags=tuple(str(tag) for tag in document.get("tags") or ()),
                standing=deduplicated.standing_of(document.get(DEDUPLICATED)),
            )
    return made


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and 1 <= value < math.inf


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.nan


def _bytes(path: str, stored: Any) -> float:
    if _positive(stored):
        return float(stored)
    try:
        place = fetching.here(path)
        return math.nan if place is None else float(os.stat(place).st_size)
    except OSError as error:
        if error.errno in PASSING:
            # who is kept is decided by it, and stays decided
            raise not_now(printable(path), error) from error
        return math.nan
    except ValueError:
        return math.nan


def same(samples: Samples) -> dict[str, dict[str, Alike]]:
    """Returns how samples were found to be the same picture: for the first of each pair its others."""
    made: dict[str, dict[str, Alike]] = {}
    for name in (Leaks.name, Duplicates.name):
        for pair in sets.load_same(samples, name):
            made.setdefault(pair.id_a, {})[pair.id_b] = (pair.kind, pair.similarity)
    return made


def sources(samples: Samples, ids: Sequence[str]) -> dict[str, str]:
    """Returns where the App's server serves the pictures of samples; one that is no more is left out."""
    wanted = {"_id": {"$in": [ObjectId(each) for each in ids]}}
    with database_errors():
        documents = list(sample_documents(samples).find(wanted, ["filepath"]))
    return {str(each["_id"]): source_of(each.get("filepath")) for each in documents}


# what may say in which split a sample is


def usual_splits(samples: Samples) -> list[Splits]:
    """Returns what may say in which split a sample is: as ``find_leaks`` was told last, fields, then tags.

    Only some samples are looked at, so that it takes milliseconds.
    """
    offered: list[Splits] = []
    with database_errors():
        runs = [key for key in store_runs.listed(samples) if key.startswith("loupe_find_leaks_")]
    if runs:
        last = max(runs, key=lambda key: int(key.rpartition("_")[2]))
        given = store_runs.load(samples, last)["params"].get("splits")
        offered.append(given if isinstance(given, str) else tuple(given or ()))
    with database_errors():
        some = spread(samples)
        tags = {tag for own in some.values("tags") for tag in own or ()}
    offered += [path for path in columns.factors(samples, some) if path.rpartition(".")[2] in _SPLIT_NAMES]
    offered.append(tuple(name for name in _SPLIT_TAGS if name in tags))
    return [splits for splits in dict.fromkeys(offered) if _fits(samples, splits)]


def _fits(samples: Samples, splits: Splits) -> bool:
    if not isinstance(splits, str):
        return len(splits) > 1
    try:
        columns.require_sliceable(samples, splits)
    except LoupeError:
        return False
    return True

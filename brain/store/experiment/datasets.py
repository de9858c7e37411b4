"""What an experiment reads of its datasets, the classes that it writes to what it drew, and what is kept of it."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.hashes import json_hash
from loupe.brain.store import fields, generated, runs
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.labels import given as labels
from loupe.brain.store.realism import sides as store_realism
from loupe.brain.store.realism.sides import Side

#: the field that tells the samples of an arm
ARM = "scenario.arm"
_KEY = "loupe_experiment"
_CLASS = "scenario.class"
_COLUMNS = ("id", ARM, _CLASS, "generation.seed", "generation.fingerprint", "generation.seconds", "metadata.size_bytes")
_TAKEN = {"id", "filepath", "prompt", "tags", "metadata"}
_MAX_KEPT = 500


@dataclass(frozen=True)
class Real:
    """The real samples of an experiment.

    Attributes:
        train, test: to train on and to test on
        given: their classes, by ``"train"`` and ``"test"``; None where a sample has none
    """

    train: Samples
    test: Samples
    given: Mapping[str, Sequence[str | None]]

    def counts(self, side: str) -> Counter[str]:
        """Returns how many samples of a side each class has."""
        return Counter(name for name in self.given[side] if name is not None)


def read_real(train: Samples, test: Samples, label: str) -> Real:
    """Returns the real samples with their classes.

    Raises:
        UnknownName, InputError: no such field of one class a sample, or a sample to test on is among those to train on
    """
    if not isinstance(label, str) or not label.isidentifier() or label in _TAKEN:
        raise InputError(f"expected label to be a field of its own of one class a sample, got {label!r}")
    own = [labels.path_of(samples, label) == label for samples in (train, test)]
    if own[0] != own[1]:
        raise InputError(f"expected {label!r} to be of one kind on both real sides, got a text and a Classification")
    require_no_leak(train, test)
    named = zip(("train", "test"), (train, test), strict=True)
    return Real(train, test, {name: labels.read(samples, label).given for name, samples in named})


def require_no_leak(train: Samples, test: Samples) -> None:
    """Raises an error where a picture that is tested on is among those that are trained on.

    Raises:
        InputError: it says how many are, by id, by file, or by a group of duplicates
    """
    with database_errors():
        columns = [samples.values(["id", "filepath"]) for samples in (train, test)]
        alike = [
            set(filter(None, samples.values(fields.GROUP))) if samples.has_field(fields.GROUP) else set()
            for samples in (train, test)
        ]
    if root(train) is not root(test):  # groups of two datasets have nothing to do with each other
        alike = [set(), set()]
    shared = [
        ("samples", set(columns[0][0]) & set(columns[1][0])),
        ("files", set(columns[0][1]) & set(columns[1][1])),
        ("groups of duplicates", alike[0] & alike[1]),
    ]
    for what, common in shared:
        if common:
            raise InputError(
                f"expected real samples to test on that share nothing with those to train on, got {len(common):,} "
                f"{what} that are in both, e.g. {sorted(common)[0]}: loupe.split(…, repair=…) makes them apart"
            )


def require_no_twins(train: Side, test: Side) -> None:
    """Raises an error where a picture that is tested on has the very vector of one that is trained on.

    Raises:
        InputError: it says how many, and which
    """
    known = {row.tobytes() for row in train.vectors}
    twins = [sample_id for sample_id, row in zip(test.ids, test.vectors, strict=True) if row.tobytes() in known]
    if twins:
        raise InputError(
            f"expected real samples to test on that are not among those to train on, got {len(twins):,} with the very "
            f"same vector, e.g. {', '.join(twins[:3])}: leave them out, loupe.find_leaks shows the pairs"
        )


def captions(real: Real, path: str, classes: Iterable[str]) -> dict[str, list[str]]:
    """Returns the captions of the samples to train on, by class, each once.

    Raises:
        UnknownName: no such field of texts
    """
    kind = real.train.get_field(path) if real.train.has_field(path) else None
    if not isinstance(kind, fo.StringField):
        schema = real.train.get_field_schema(flat=True)
        named = [name for name, own in schema.items() if isinstance(own, fo.StringField)]
        raise UnknownName("field of captions", path, named)
    with database_errors():
        texts = real.train.values(path)
    made: dict[str, dict[str, None]] = {name: {} for name in classes}
    for name, text in zip(real.given["train"], texts, strict=True):
        if name in made and isinstance(text, str) and text.strip():
            made[name][text] = None
    return {name: list(own) for name, own in made.items()}


@dataclass(frozen=True)
class Drawn:
    """What a dataset has of an arm.

    Attributes:
        by_seed: (id, class, fingerprint of the model) of the samples of each seed, the oldest first
        seconds: that an image took, the median; NaN where that is not known
        size: of a file in bytes, the median; NaN where that is not known
    """

    by_seed: Mapping[int, Sequence[tuple[str, str, str | None]]] = field(default_factory=dict)
    seconds: float = math.nan
    size: float = math.nan


def drawn(dataset: fo.Dataset) -> dict[str, Drawn]:
    """Returns what a dataset has of each arm, by its name."""
    if not all(dataset.has_field(path) for path in _COLUMNS[1:4]):
        return {}
    with database_errors():
        columns = dataset.values([path for path in _COLUMNS if dataset.has_field(path)])
    present = [path for path in _COLUMNS if dataset.has_field(path)]
    by_path = dict(zip(present, columns, strict=True))
    n = len(by_path["id"])
    rows = zip(*(by_path.get(path, [None] * n) for path in _COLUMNS), strict=True)
    made: dict[str, tuple[dict[int, list[tuple[str, str, str | None]]], list[float], list[float]]] = {}
    for sample_id, arm, label, seed, fingerprint, seconds, size in rows:
        if arm is None or seed is None or label is None:
            continue
        by_seed, times, sizes = made.setdefault(arm, ({}, [], []))
        by_seed.setdefault(seed, []).append((sample_id, label, fingerprint))
        times += [] if seconds is None else [seconds]
        sizes += [] if size is None else [size]
    return {
        arm: Drawn(by_seed, median(times) if times else math.nan, median(sizes) if sizes else math.nan)
        for arm, (by_seed, times, sizes) in made.items()
    }


def put_classes(dataset: fo.Dataset, label: str, like: Samples, ids: Sequence[str], names: Sequence[str]) -> None:
    """Gives samples that were drawn the class that they were asked for; one that has a class keeps it.

    Args:
        dataset: where they are
        label: the field
        like: samples whose field of that name says of which kind it is
        ids, names: the samples and their classes

    Raises:
        InputError: the dataset has a field of that name of another kind
    """
    text = labels.path_of(like, label) == label
    if dataset.has_field(label):
        require_kind(dataset, label, like)
    path = labels.path_of(dataset, label) if dataset.has_field(label) else None
    with database_errors():
        paths = ["id", path] if path is not None else ["id"]
        held, *own = dataset.select(list(ids)).values(paths)
        given = dict(zip(held, own[0] if own else [None] * len(held), strict=True))
        missing = {
            sample_id: name if text else fo.Classification(label=name)
            for sample_id, name in zip(ids, names, strict=True)
            if given.get(sample_id, name) is None
        }
        if missing:
            dataset.set_values(label, missing, key_field="id")


def require_kind(dataset: fo.Dataset, label: str, like: Samples) -> None:
    """Raises an error where a dataset has a field of that name, and of another kind than other samples have.

    Raises:
        InputError: it says what both are
    """
    present, wanted = dataset.get_field(label), like.get_field(label)
    kinds = [getattr(each, "document_type", None) or type(each) for each in (present, wanted)]
    if present is not None and kinds[0] is not kinds[1]:
        raise InputError(
            f"expected {label!r} to be {kinds[1].__name__} as on the real samples, but here it is {kinds[0].__name__}: "
            "draw into another dataset"
        )


def require_embedder(sides: Mapping[str, Samples], path: str, facts: Mapping[str, Any]) -> None:
    """Raises an error where a side has vectors of another embedder, before anything is drawn.

    Raises:
        InputError: it names both
    """
    for name, samples in sides.items():
        known = store_vectors.made_by(samples, path)
        if known is not None and known != facts:
            raise InputError(
                f"expected vectors of {json.dumps(dict(facts))} in {path!r}, but those of the {name} are of "
                f"{json.dumps(known)}: give another field="
            )


def place(dataset: fo.Dataset, output_dir: str | Path | None) -> tuple[Path, float]:
    """Returns where images go, and how many bytes are free there; NaN where that is not known."""
    folder = Path(output_dir).expanduser() if output_dir is not None else generated.default_folder(dataset)
    standing = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
    try:
        return folder, math.nan if standing is None else float(shutil.disk_usage(standing).free)
    except OSError:
        return folder, math.nan


def signature(*parts: Any) -> str:
    """Returns what changes when any of the parts does; they are JSON-able."""
    return json_hash(parts, default=str)


def read_arm(dataset: fo.Dataset, ids: Sequence[str], path: str, label: str) -> tuple[Samples, Side, list[str | None]]:
    """Returns the samples of an arm, with their vectors and classes."""
    view = dataset.select(list(ids), ordered=True)
    (side,) = store_realism.read(path, {"arm": view})
    return view, side, store_realism.classes(view, label, side)


def keep(dataset: fo.Dataset, params: Mapping[str, Any], arms: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Keeps what is known of each arm, and what the experiment came to; empty while it goes on."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    some = dict(list(arms.items())[-_MAX_KEPT:])
    runs.put(dataset, _KEY, "experiment", dict(params), {"arms": some, "experiment": dict(result), "at": at})


def kept(dataset: fo.Dataset) -> dict[str, Any]:
    """Returns what is kept of each arm, by its name."""
    last = runs.results(dataset, _KEY)
    arms = None if last is None else last.get("arms")
    return dict(arms) if isinstance(arms, dict) else {}

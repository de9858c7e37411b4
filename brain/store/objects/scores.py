"""What stands in the mirror of a field of boxes (``store.objects.mirror``): read for all objects at once, and its
failures written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bson import ObjectId
from fiftyone.core.collections import SampleCollection
from pymongo import UpdateOne

from loupe.brain.core.errors import InputError
from loupe.brain.store import bulk, plain, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import CHECKED, FAILURES, SOURCE
from loupe.brain.store.objects.mirror import mirror_of
from loupe.brain.store.raw import Irregular

_CHUNK = 1000
#: between the failures of an object as they are read; no failure mode has a blank in its name
_AND = " "


@dataclass(frozen=True, eq=False)
class Objects:
    """M objects of N samples, those of a sample one after the other.

    Attributes:
        ids: of the N samples
        owners: (M,) int64: the sample of each object, ascending
        sources: M: the id of the label that each stands for
        scores: (M, K) float32: NaN where there is none
        failures: M: the failure modes of each, in one text; None where it was never flagged
        inputs: N: which picture and boxes a sample's objects are of; None where nothing is known of them
        failing: N: how many objects fail, as it stands there
        checked: (N, C) bool: which of the checks that were asked for have judged a sample's objects
    """

    ids: list[str]
    owners: np.ndarray
    sources: list[str]
    scores: np.ndarray
    failures: list[str | None]
    inputs: list[str | None]
    failing: list[int | None]
    checked: np.ndarray

    def places(self) -> np.ndarray:
        """Returns the place of each object among those of its sample: (M,) int64."""
        first = np.searchsorted(self.owners, np.arange(len(self.ids)))
        return np.arange(len(self.owners)) - first[self.owners]


def require(samples: SampleCollection, path: str) -> None:
    """Raises an error unless something has judged the objects of a field.

    Raises:
        InputError: nothing has
    """
    if not samples.has_field(mirror_of(path)):
        raise InputError(
            f"expected objects of {path!r} that were checked, got none: run loupe.check(samples, objects={path!r})"
        )


def read(samples: SampleCollection, path: str, outputs: Sequence[str], checks: Sequence[str] = ()) -> Objects:
    """Returns what is known of the objects of a field, in one pass over the database.

    Args:
        samples: a dataset or view of N samples
        path: the user's field of boxes
        outputs: the names of K outputs
        checks: the names of C checks

    Raises:
        InputError: nothing has judged them
    """
    require(samples, path)
    mirror = mirror_of(path)
    listed = f"{mirror}.detections"
    names = [f"{listed}.{name}" if samples.has_field(f"{listed}.{name}") else None for name in outputs]
    flags = each(listed, {"$cond": [{"$isArray": f"$$this.{FAILURES}"}, _joined(f"$$this.{FAILURES}"), None]})
    sources = each(listed, f"$$this.{SOURCE}")
    facts = [f"{mirror}.inputs", f"{mirror}.failing", *(f"{mirror}.{CHECKED}.{name}" for name in checks)]
    wanted: list[Any] = [plain.ID, *facts, flags, sources]
    numbers = [each(listed, f"$$this.{name}") for name in outputs]
    try:
        columns: list[list[Any]] = bulk.read(samples, {}, [*wanted, *numbers]).values
    except Irregular:
        columns, _ = plain.read(samples, [*wanted, *numbers])
    ids, inputs, failing, *rest = columns
    keys, (failures, own), scores = rest[: len(checks)], rest[len(checks) : len(checks) + 2], rest[len(checks) + 2 :]
    counts = [len(each or ()) for each in own]
    table = np.full((sum(counts), len(outputs)), np.nan, np.float32)
    for at, (name, column) in enumerate(zip(names, scores, strict=True)):
        if name is not None:
            flat = [value for each in column for value in each or ()]
            table[:, at] = np.array([np.nan if value is None else value for value in flat], dtype=np.float64)
    return Objects(
        ids=ids,
        owners=np.repeat(np.arange(len(ids)), counts),
        sources=[source for listed_here in own for source in listed_here or ()],
        scores=table,
        failures=[text for listed_here in failures for text in listed_here or ()],
        inputs=inputs,
        failing=failing,
        checked=np.array([[key is not None for key in column] for column in keys], dtype=bool)
        .reshape(len(checks), len(ids))
        .T,
    )


def each(listed: str, value: Any) -> dict[str, Any]:
    """Returns the expression of a value of each label of a list, ``$$this``; null where it has none."""
    return {
        "$map": {"input": {"$cond": [{"$isArray": f"${listed}"}, f"${listed}", []]}, "in": {"$ifNull": [value, None]}}
    }


def _joined(texts: str) -> dict[str, Any]:
    return {
        "$reduce": {
            "input": texts,
            "initialValue": "",
            "in": {"$cond": [{"$eq": ["$$value", ""]}, "$$this", {"$concat": ["$$value", _AND, "$$this"]}]},
        }
    }


def joined(modes: Sequence[str]) -> str:
    """Returns failure modes as ``Objects.failures`` has them."""
    return _AND.join(modes)


def parted(text: str | None) -> list[str]:
    """Returns the failure modes of an object, from what ``Objects.failures`` has."""
    return text.split(_AND) if text else []


def write_failures(
    samples: Samples, path: str, objects: Objects, failures: Sequence[str], failing: Mapping[int, int]
) -> None:
    """Writes what fails, only where it differs from what stands there.

    Args:
        samples: a dataset or view
        path: the user's field of boxes
        objects: as they were read
        failures: for each object what fails now, see ``joined``
        failing: how many objects fail, by the place of each sample among ``objects.ids``
    """
    mirror = mirror_of(path)
    places = objects.places().tolist()
    sets: dict[int, dict[str, Any]] = {}
    for owner, place, before, now in zip(objects.owners.tolist(), places, objects.failures, failures, strict=True):
        if before != now:
            sets.setdefault(owner, {})[f"{mirror}.detections.{place}.{FAILURES}"] = parted(now)
    for owner, count in failing.items():
        if objects.failing[owner] != count:
            sets.setdefault(owner, {})[f"{mirror}.failing"] = count
    ids = [objects.ids[owner] for owner in sets]
    # where others have judged another picture or other boxes since, these are no failures of those
    operations = [
        UpdateOne({"_id": ObjectId(objects.ids[owner]), f"{mirror}.inputs": objects.inputs[owner]}, {"$set": values})
        for owner, values in sets.items()
    ]
    with database_errors():
        for start in range(0, len(ids), _CHUNK):
            updates.write(samples, operations[start : start + _CHUNK], ids[start : start + _CHUNK])

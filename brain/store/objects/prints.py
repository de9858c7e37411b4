"""What is kept of the objects of a field to compare them, and what comparing them gave: all in Loupe's mirror of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.core.records import Output
from loupe.brain.core.specs import SetMeasure
from loupe.brain.engine.crops import OBJECTS
from loupe.brain.engine.reader import Row
from loupe.brain.similarity.objects import TASK, VERSION, WIDTH
from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root, sample_documents
from loupe.brain.store.fields import CHECKED, OwnField
from loupe.brain.store.objects import mirror as objects
from loupe.brain.store.objects.mirror import Change, because, mirror_of

#: beside the list of a sample's objects: what is kept of all of them
PRINTS = "fingerprints"
#: of an object
GROUP, OVERLAP = "duplicate_group", "overlap"
_CHUNK = 1000
#: a sample that holds more of them is read again each time: the database takes documents of 16 MB, and an update names
#: each value twice
_MAX_BYTES = 5_000_000


def own_fields(path: str, outputs: Sequence[Output]) -> list[OwnField]:
    """Returns the fields that comparing the objects of a field writes, with these scores."""
    mirror = mirror_of(path)
    inside = f"{mirror}.detections"
    return [
        *fields.of_objects(mirror, path, outputs),
        OwnField(f"{inside}.{GROUP}", fo.StringField, "Objects that are the same share it"),
        OwnField(f"{inside}.{OVERLAP}", fo.FloatField, "The highest IoU with another box of its picture"),
        OwnField(f"{mirror}.{PRINTS}", fo.ArrayField, "To find copies of the objects with"),
    ]


def rows(samples: Samples, path: str) -> tuple[list[Row], list[str]]:
    """Returns a row for each sample that has objects, and the ids of the samples that had some and have none any more.

    All of them: a new object can be a copy of any old one.
    """
    todo = objects.pending(samples, path, {TASK: str(VERSION)}, resume=False)
    return todo.rows, todo.emptied


def load(samples: Samples, path: str, wanted: Sequence[Row]) -> dict[str, np.ndarray]:
    """Returns what is kept of the objects whose file, boxes and classes have not changed since, by sample id."""
    mirror = mirror_of(path)
    if not root(samples).has_field(f"{mirror}.{PRINTS}"):
        return {}
    kept = {}
    with database_errors():
        for start in range(0, len(wanted), _CHUNK):
            part = {row.id: row for row in wanted[start : start + _CHUNK]}
            query: dict[str, Any] = {"_id": {"$in": [ObjectId(each) for each in part]}}
            for document in sample_documents(samples).find(query, [f"{mirror}.{PRINTS}", f"{mirror}.{CHECKED}"]):
                row, own = part[str(document["_id"])], document.get(mirror) or {}
                if (own.get(CHECKED) or {}).get(TASK) == row.keys[TASK] and own.get(PRINTS) is not None:
                    array = np.asarray(fo.ArrayField().to_python(own[PRINTS]), dtype=np.uint8)
                    if array.shape == (len(row.fields[OBJECTS]), WIDTH):
                        kept[row.id] = array
    return kept


def write(samples: Samples, path: str, rows: Sequence[Row], prints: Mapping[str, np.ndarray]) -> None:
    """Writes what is kept of the objects of one chunk in one bulk. This is the resume point."""
    changes = []
    for row in rows:
        own, nothing = prints.get(row.id), [()] * len(row.fields[OBJECTS])
        stored = own is not None and own.nbytes <= _MAX_BYTES
        facts = {PRINTS: fo.ArrayField().to_mongo(own) if stored else None}
        errors = {} if stored else {TASK: "not kept"}
        changes.append(Change(row, [{} for _ in nothing], nothing, errors, facts))
    objects.write_changes(samples, path, changes)


def write_results(
    samples: Samples,
    path: str,
    spec: SetMeasure,
    rows: Sequence[Row],
    columns: Mapping[str, np.ndarray],
    reasons: Mapping[int, str],
    groups: Mapping[int, str] | None = None,
    unchanged: Collection[str] = (),
) -> None:
    """Writes what comparing the objects gave, in bulks of a thousand samples.

    Args:
        samples: a dataset or view
        path: the user's field of boxes
        spec: the set measure
        rows: the samples, with their objects: M in all
        columns: (M,) by attribute, NaN as unknown
        reasons: why an object has not been compared, by its place among the M
        groups: the group of each by its place, where there are groups; an object without one loses an older one
        unchanged: ids of samples whose files cannot be read for the moment: what is known of their objects stays
    """
    first = 0
    for start in range(0, len(rows), _CHUNK):
        changes = []
        for row in rows[start : start + _CHUNK]:
            inputs = row.keys[TASK].rpartition(":")[2]
            own = replace(row, pending=frozenset({spec.name}), keys={spec.name: f"{spec.key}:{inputs}"})
            values, why = [], []
            for at in range(first, first + len(row.fields[OBJECTS])):
                numbers = {name: float(column[at]) for name, column in columns.items()}
                made: dict[str, Any] = {name: None if math.isnan(value) else value for name, value in numbers.items()}
                if groups is not None:
                    made[GROUP] = groups.get(at)
                values.append(made)
                why.append([because(spec.name, reasons[at])] if at in reasons else [])
            first += len(values)
            if row.id not in unchanged:
                changes.append(Change(own, values, why, {}))
        objects.write_changes(samples, path, changes)

"""What is known of the objects of a field of boxes: a field of Loupe's own that mirrors them, ``<field>_objects``.

The user's labels are never changed. The mirror holds a detection for each of theirs, in the same order: its class and
its box, the id of the label that it stands for (``source``), the scores, ``failures`` and ``unknown``. So the App draws
and filters it as any detections, and makes patches of it. Beside the list stand ``inputs``, which picture and which
boxes these are, and ``checked``, which version of which check has judged them: where either changes, the objects of the
sample are judged anew. All of a sample is one document, written in one step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.hashes import raw_hash
from loupe.brain.core.records import Output, SampleResult
from loupe.brain.core.specs import Check, ObjectMeasure
from loupe.brain.engine.crops import OBJECTS, Region
from loupe.brain.engine.objects import ObjectVerdict
from loupe.brain.engine.reader import Row
from loupe.brain.media import fetching
from loupe.brain.store import fields, plain, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import CHECKED, FAILURES, SOURCE, UNKNOWN
from loupe.brain.store.rows import inputs_key

_SUFFIX = "_objects"
_CHUNK = 1000
_BOX = ("_id", "label", "bounding_box")
#: between a check's name and the reason why it could not judge
_BECAUSE = ": "


def mirror_of(path: str) -> str:
    """Returns the name of Loupe's field for the objects of a field.

    >>> mirror_of("ground_truth"), mirror_of("labels.boxes")
    ('ground_truth_objects', 'labels_boxes_objects')
    """
    return f"{path.replace('.', '_')}{_SUFFIX}"


def fields_of(samples: Samples) -> list[str]:
    """Returns the user's own fields of boxes: those that ``objects=`` takes."""
    schema = samples.get_field_schema(flat=True)
    boxes = [path for path, field in schema.items() if _is_boxes(field)]
    return [path for path in boxes if not _is_loupes(samples, path)]


def _is_boxes(field: Any) -> bool:
    return isinstance(field, fo.EmbeddedDocumentField) and field.document_type is fo.Detections


def _is_loupes(samples: Samples, path: str) -> bool:
    # what 0.1.0 stored does not say whose it is
    return fields.is_own(samples.get_field(path)) or samples.has_field(f"{path}.detections.{fields.CHECK}")


def require(samples: Samples, path: Any) -> None:
    """Raises an error unless it is a field of boxes of the user's own.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, or one of Loupe's own
    """
    if not isinstance(path, str):
        raise InputError(f"expected objects to be the name of a field of detections, got {path!r}")
    field = samples.get_field(path) if samples.has_field(path) else None
    if field is None:
        raise UnknownName("field of detections", path, fields_of(samples))
    if not _is_boxes(field):
        kind = getattr(field, "document_type", None) or type(field)
        raise InputError(
            f"expected a field of detections, whose boxes say where the objects are, but {path!r} is {kind.__name__}"
            + (": give a field of several labels (fo.Detections)" if kind is fo.Detection else "")
        )
    if _is_loupes(samples, path):
        own = path.removesuffix(_SUFFIX)
        hint = f": give objects={own!r}" if samples.has_field(own) and own != path else ""
        raise InputError(f"expected a field of your own, but {path!r} is what Loupe has written{hint}")


def outputs_of(
    specs: Iterable[Check | ObjectMeasure | type[Check] | type[ObjectMeasure]],
) -> list[Output]:
    """Returns the outputs of checks and object measures."""
    return [output for spec in specs for output in spec.outputs]


def own_fields(path: str, specs: Iterable[Check | ObjectMeasure]) -> list[fields.OwnField]:
    """Returns the fields that these write for the objects of a field."""
    return fields.of_objects(mirror_of(path), path, outputs_of(specs))


@dataclass(frozen=True)
class Pending:
    """What is to be judged.

    Attributes:
        rows: the samples with objects that some spec has still to judge
        skipped: how many samples are done already, or have no objects
        objects: how many objects the rows have
        emptied: the ids of the samples that had objects and have none any more
    """

    rows: list[Row]
    skipped: int
    objects: int
    emptied: list[str]


def pending(samples: Samples, path: str, keys: Mapping[str, str], *, resume: bool = True) -> Pending:
    """Returns what is to be judged of the objects of a field.

    Args:
        samples: a dataset or view
        path: a field of boxes
        keys: the key of each spec by its name, see ``Spec.key``
        resume: leave out what was judged already and has not changed: neither the spec, nor the file, nor a box or a
            class of the sample
    """
    mirror = mirror_of(path)
    known = [f"{mirror}.inputs", f"{mirror}.{CHECKED}"] if samples.has_field(mirror) else []
    # what stands there need not be a list, whatever the schema says
    listed = plain.elements(f"{path}.detections", _BOX)
    listed = {"$cond": [{"$isArray": [f"${path}.detections"]}, listed, []]}
    columns, _ = plain.read(samples, [plain.ID, "filepath", listed, *known])
    ids, files, boxes, *stored = columns
    inputs_of, checked_of = stored or ([None] * len(ids), [None] * len(ids))
    fetching.ask(file for file, own in zip(files, boxes, strict=True) if own)
    rows, emptied, n = [], [], 0
    for sample_id, file, own, inputs, checked in zip(ids, files, boxes, inputs_of, checked_of, strict=True):
        if not own:
            if inputs is not None:
                emptied.append(sample_id)
            continue
        regions = tuple(_region(*facts) for facts in own)
        now = inputs_key(file, {OBJECTS: [(each.id, each.label, each.bounds) for each in regions]})
        done = (checked or {}) if resume and inputs == now else {}
        waiting = {name: f"{key}:{now}" for name, key in keys.items() if done.get(name) != f"{key}:{now}"}
        if waiting:
            rows.append(Row(sample_id, file, {OBJECTS: regions}, frozenset(waiting), waiting))
            n += len(regions)
    return Pending(rows, len(ids) - len(rows), n, emptied)


def _region(label_id: Any, label: Any, bounds: Any) -> Region:
    numbers = bounds if isinstance(bounds, list) else []
    whole = all(isinstance(value, (int, float)) for value in numbers)
    own = tuple(float(value) for value in numbers) if whole else (math.nan,) * 4
    return Region(str(label_id), label if isinstance(label, str) else None, own)


def declare(samples: Samples, path: str, specs: Iterable[Check | ObjectMeasure]) -> None:
    """Declares the fields, once, so that bulk writes need not infer a schema from every value.

    Raises:
        InputError: one of them is there, and is not Loupe's
    """
    fields.declare(samples, own_fields(path, specs))


def empty(samples: Samples, path: str, ids: Sequence[str]) -> None:
    """Takes away what is known of objects that are no more."""
    with database_errors():
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            updates.write(samples, [updates.update(each, {mirror_of(path): None}, {}) for each in part], part)


@dataclass(frozen=True)
class Change:
    """What is new of the objects of one sample.

    Attributes:
        row: the sample, with its regions, and the keys of what it waited for
        values: for each object what becomes of its attributes
        reasons: for each object why something is unknown: the name of what could not judge, a colon, and why
        errors: what broke on the sample, which counts as not run
        facts: what stands beside the list of its objects
    """

    row: Row
    values: Sequence[Mapping[str, Any]]
    reasons: Sequence[Sequence[str]]
    errors: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


def write(
    samples: Samples, path: str, verdicts: Sequence[ObjectVerdict], specs: Sequence[Check | ObjectMeasure]
) -> None:
    """Writes the verdicts in one bulk."""
    by_name = {spec.name: spec for spec in specs}
    write_changes(samples, path, [_change(verdict, by_name) for verdict in verdicts])


def write_changes(samples: Samples, path: str, changes: Sequence[Change]) -> None:
    """Writes what is new in one bulk. This is the resume point.

    What stands of the same picture and boxes stays beside it; what stands of others gives way as a whole.
    """
    mirror = mirror_of(path)
    with database_errors():
        operations = [_update(mirror, change) for change in changes]
        updates.write(samples, operations, [change.row.id for change in changes])


def _update(mirror: str, change: Change) -> UpdateOne:
    row = change.row
    inputs = next(iter(row.keys.values())).rpartition(":")[2]
    checked = {name: None if name in change.errors else key for name, key in sorted(row.keys.items())}
    whole = {
        "_cls": "Detections",
        "detections": [
            {**_detection(mirror, region), **values, UNKNOWN: list(reasons), FAILURES: None}
            for region, values, reasons in zip(row.fields[OBJECTS], change.values, change.reasons, strict=True)
        ],
        "inputs": inputs,
        **change.facts,
        CHECKED: checked,
    }
    merged = {
        "$mergeObjects": [
            f"${mirror}",
            {
                "detections": _merged(f"${mirror}.detections", sorted(row.pending), change.values, change.reasons),
                **{name: {"$literal": fact} for name, fact in change.facts.items()},
                CHECKED: {"$mergeObjects": [f"${mirror}.{CHECKED}", {"$literal": checked}]},
            },
        ]
    }
    alike = {
        "$and": [
            {"$eq": [f"${mirror}.inputs", {"$literal": inputs}]},
            {"$isArray": [f"${mirror}.detections"]},
            {"$eq": [{"$size": {"$ifNull": [f"${mirror}.detections", []]}}, len(change.values)]},
        ]
    }
    changed = {"$cond": [alike, merged, {"$literal": whole}]}
    return UpdateOne({"_id": ObjectId(row.id)}, [{"$set": {mirror: changed}}])


def _change(verdict: ObjectVerdict, specs: Mapping[str, Check | ObjectMeasure]) -> Change:
    """Returns the scores of each object, null where unknown, and why they are."""
    n = len(verdict.row.fields[OBJECTS])
    scores: list[dict[str, float | None]] = [{} for _ in range(n)]
    reasons: list[list[str]] = [[] for _ in range(n)]
    for name in sorted(verdict.row.pending):
        results = verdict.results.get(name, (SampleResult(),) * n)
        for at, result in enumerate(results):
            for output in specs[name].outputs:
                value = result.values.get(output.name, math.nan)
                scores[at][output.name] = float(value) if math.isfinite(value) else None
            if result.reason:
                reasons[at].append(because(name, result.reason))
    return Change(verdict.row, scores, reasons, verdict.errors)


def because(name: str, reason: str) -> str:
    """Returns an element of ``unknown``."""
    return f"{name}{_BECAUSE}{reason}"


def _merged(
    standing: str, own: Sequence[str], scores: Sequence[Mapping[str, Any]], reasons: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Returns the expression of the list of objects, each with its new scores, and without older reasons of ``own``."""
    others = {
        "$filter": {
            "input": {"$ifNull": [f"$$standing.{UNKNOWN}", []]},
            "as": "reason",
            "cond": {
                "$not": [{"$in": [{"$arrayElemAt": [{"$split": ["$$reason", _BECAUSE]}, 0]}, {"$literal": list(own)}]}]
            },
        }
    }
    new = [{"scores": dict(values), "reasons": list(why)} for values, why in zip(scores, reasons, strict=True)]
    return {
        "$map": {
            "input": {"$zip": {"inputs": [standing, {"$literal": new}]}},
            "as": "pair",
            "in": {
                "$let": {
                    "vars": {"standing": {"$arrayElemAt": ["$$pair", 0]}, "new": {"$arrayElemAt": ["$$pair", 1]}},
                    "in": {
                        "$mergeObjects": [
                            "$$standing",
                            "$$new.scores",
                            {UNKNOWN: {"$concatArrays": [others, "$$new.reasons"]}},
                        ]
                    },
                }
            },
        }
    }


def _detection(mirror: str, region: Region) -> dict[str, Any]:
    bounds = list(region.bounds)
    return {
        # the same each time, so that what the App has chosen or tagged stays the same object
        "_id": object_id(mirror, region.id),
        "_cls": "Detection",
        "tags": [],
        "label": region.label,
        # a box of other things than four numbers cannot be drawn
        "bounding_box": bounds if len(bounds) == 4 and all(map(math.isfinite, bounds)) else [0.0] * 4,
        SOURCE: region.id,
    }


def object_id(mirror: str, source: str) -> ObjectId:
    """Returns the id of the object that stands for a label."""
    return ObjectId(raw_hash(f"{mirror} {source}", 12))

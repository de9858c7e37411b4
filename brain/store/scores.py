"""Scores become fields: declared once, written in bulk, a chunk at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core.records import Failure, Output, Points
from loupe.brain.core.specs import Check, SetMeasure
from loupe.brain.engine.runner import Verdict
from loupe.brain.store import fields, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import CHECK, CHECKED, EMPTY, FAILURES, QUALITY, UNKNOWN, OwnField
from loupe.brain.store.updates import Elements

__all__ = ["FAILURES", "QUALITY", "UNKNOWN"]


def declare(
    samples: Samples,
    outputs: Iterable[Output],
    boxes_field: Iterable[str] = (),
    maps: Iterable[str] = (),
    points: Iterable[str] = (),
) -> None:
    """Declares the fields once, so that bulk writes need not infer a schema from every value.

    Args:
        samples: a dataset or view
        outputs: the scores
        boxes_field: the fields of boxes
        maps: the fields of maps
        points: the fields of points

    Raises:
        InputError: one of them is there, and is not Loupe's
    """
    fields.declare(samples, fields.of_scores(outputs, boxes_field, maps, points))


def fields_of(checks: Iterable[Check | SetMeasure]) -> list[OwnField]:
    """Returns the fields that checks and set measures write to."""
    specs = list(checks)
    evidence = [spec for spec in specs if isinstance(spec, Check)]
    return fields.of_scores(
        [output for spec in specs for output in spec.outputs],
        [spec.boxes_field for spec in evidence if spec.boxes_field],
        [spec.map_field for spec in evidence if spec.map_field],
        [spec.points_field for spec in evidence if spec.points_field],
    )


def write(samples: Samples, verdicts: Sequence[Verdict], checks: Sequence[Check]) -> None:
    """Writes the verdicts in one bulk: scores, evidence, reasons, which check has judged. This is the resume point.

    Each sample is one update, so that one that comes between loses nothing, and a killed run has either all of it or
    none.
    """
    by_name = {check.name: check for check in checks}
    changes = {verdict.row.id: _changes(verdict, by_name) for verdict in verdicts}
    with database_errors():
        untouched = _untouched(samples, changes)
        whole = [_whole(sample_id, changes[sample_id]) for sample_id in untouched]
        rest = changes.keys() - untouched
        # another may have written to an untouched sample since: then it is not matched, and merged as the others are
        if updates.write(samples, whole, list(untouched)) < len(whole):
            rest |= untouched
        merged = [updates.update(sample_id, *changes[sample_id]) for sample_id in rest]
        updates.write(samples, merged, list(rest))


_Change: TypeAlias = tuple[dict[str, Any], dict[str, Elements], list[str]]


def _untouched(samples: Samples, changes: Mapping[str, _Change]) -> set[str]:
    """Returns the samples on which nothing stands that a write would have to be merged with."""
    lists = {path for _, own, _ in changes.values() for path in own}
    asked = {"_id": {"$in": [ObjectId(sample_id) for sample_id in changes]}}
    documents = sample_documents(samples).find({**asked, **EMPTY, **dict.fromkeys(lists)}, ["_id"])
    return {str(document["_id"]) for document in documents}


def _whole(sample_id: str, change: _Change) -> UpdateOne:
    """Returns the update of an untouched sample by whole documents: a third less work for MongoDB."""
    values, lists, _ = change
    whole: dict[str, Any] = {QUALITY: dict(EMPTY[QUALITY])}
    for path, value in values.items():
        field, _, name = path.partition(".")
        if name:
            whole.setdefault(field, {})[name] = value
        else:
            whole[field] = value
    whole |= {path: elements.whole() for path, elements in lists.items()}
    # whoever writes beside this sets a key in ``checked``, too
    return UpdateOne({"_id": ObjectId(sample_id), CHECKED: EMPTY[CHECKED]}, {"$set": whole})


def _changes(verdict: Verdict, checks: dict[str, Check]) -> _Change:
    """Returns what single paths become, which elements are replaced, and the paths that go."""
    pending = verdict.row.pending
    values: dict[str, Any] = {
        f"{QUALITY}.{name}": None if math.isnan(score) else score for name, score in verdict.scores.items()
    }
    for name in pending - verdict.errors.keys():
        values[f"{CHECKED}.{name}"] = verdict.row.keys[name]
        if map_field := checks[name].map_field:
            values[map_field] = _heatmap(verdict.maps.get(name))
        if points_field := checks[name].points_field:
            values[points_field] = _keypoints(name, verdict.points.get(name, ()))
    lists = {UNKNOWN: updates.reasons(pending, verdict.reasons)}
    for field in {checks[name].boxes_field for name in pending} - {None}:
        own = {name for name in pending if checks[name].boxes_field == field}
        lists[str(field)] = updates.boxes(own, _detections(verdict, own))
    # an error leaves a check as if it had never run: what it said of the sample before would say otherwise
    for name in verdict.errors:
        values.update({f"{QUALITY}.{output.name}": None for output in checks[name].outputs})
        values.update({field: None for field in (checks[name].map_field, checks[name].points_field) if field})
    return values, lists, [f"{CHECKED}.{name}" for name in verdict.errors]


def _heatmap(heat: np.ndarray | None) -> dict[str, Any] | None:
    if heat is None:
        return None
    packed = fo.ArrayField().to_mongo(heat.astype(np.float32))
    return {"_id": ObjectId(), "_cls": "Heatmap", "tags": [], "map": packed, "range": [0.0, 1.0]}


def _keypoints(check: str, points_of: Sequence[Points]) -> dict[str, Any]:
    documents = [
        {
            "_id": ObjectId(),
            "_cls": "Keypoint",
            "tags": [],
            "attributes": {},
            "label": points.label,
            "points": [[float(x), float(y)] for x, y in points.points],
            "confidence": None if points.confidence is None else [points.confidence] * len(points.points),
            CHECK: check,
            **points.attributes,
        }
        for points in points_of
    ]
    return {"_cls": "Keypoints", "keypoints": documents}


def _detections(verdict: Verdict, own: set[str]) -> list[dict[str, Any]]:
    """Returns the boxes of the checks ``own``."""
    return [
        {
            "_id": ObjectId(),
            "_cls": "Detection",
            "tags": [],
            "attributes": {},
            "label": box.label,
            "bounding_box": [float(value) for value in box.bounds],
            "confidence": box.confidence,
            CHECK: name,
            **box.attributes,
        }
        for name in sorted(own)
        for box in verdict.boxes.get(name, ())
    ]


def write_failures(
    samples: Samples,
    ids: Sequence[str],
    failures: Sequence[Sequence[Failure]],
    before: Sequence[Sequence[Failure] | None] | None = None,
) -> None:
    """Writes what failures the samples of those ids have.

    Args:
        samples: a dataset or view
        ids: which samples
        failures: what each has now
        before: what each had, see ``standing.read``: only what differs is taken away and put in, so that labels which
            others put in meanwhile, and tags on labels, stay. None: all labels are replaced
    """
    operations = []
    for index, (sample_id, own) in enumerate(zip(ids, failures, strict=True)):
        if before is None:
            labels = updates.Elements("Classifications", "classifications", "label", (), _failure_labels(own))
            operations.append(UpdateOne({"_id": ObjectId(sample_id)}, {"$set": {FAILURES: labels.whole()}}))
            continue
        old, new = _by_label(before[index] or ()), _by_label(own)
        changed = tuple(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        added = _failure_labels([failure for failure in own if failure.label in changed])
        labels = updates.Elements("Classifications", "classifications", "label", changed, added)
        operations.append(updates.update(sample_id, {}, {FAILURES: labels}))
    with database_errors():
        updates.write(samples, operations, ids)


def _by_label(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    by_label: dict[str, list[Failure]] = {}
    for failure in failures:
        by_label.setdefault(failure.label, []).append(failure)
    return by_label


def _failure_labels(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    return [
        updates.label(failure.label, score=failure.score, threshold=failure.threshold, check=failure.check)
        for failure in failures
    ]

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
from loupe.brain.core.specs import Check
from loupe.brain.engine.runner import Verdict
from loupe.brain.store.connection import database_errors
from loupe.brain.store.rows import CHECKED
from loupe.brain.store.runs import root

QUALITY = "quality"
FAILURES = "failures"
UNKNOWN = "unknown"
#: on a box: the check that saw it
CHECK = "check"
#: what a sample holds that no check has judged, once the fields are declared
_EMPTY: dict[str, dict[str, Any]] = {QUALITY: {"_cls": "DynamicEmbeddedDocument"}, CHECKED: {}}

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def declare(
    samples: _Samples,
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
    """
    dataset = root(samples)
    with database_errors():
        _field(dataset, QUALITY, fo.EmbeddedDocumentField, "Raw scores of the checks", fo.DynamicEmbeddedDocument)
        for output in outputs:
            unit = "; ".join(filter(None, (output.unit, output.direction)))
            _field(dataset, f"{QUALITY}.{output.name}", fo.FloatField, f"{output.description} ({unit})")
        _labels(dataset, FAILURES, "What went wrong: scores beyond their threshold", threshold=fo.FloatField)
        _field(dataset, f"{FAILURES}.classifications.score", fo.FloatField, "The score")
        _field(dataset, f"{FAILURES}.classifications.check", fo.StringField, "The check that gave the score")
        _labels(dataset, UNKNOWN, "Checks that looked and could not judge", reason=fo.StringField)
        _field(dataset, CHECKED, fo.DictField, "Which version of which check has judged this sample")
        for name in boxes_field:
            _field(dataset, name, fo.EmbeddedDocumentField, "What the checks saw, and where", fo.Detections)
            _field(dataset, f"{name}.detections.{CHECK}", fo.StringField, "The check that saw it")
        for name in maps:
            _field(dataset, name, fo.EmbeddedDocumentField, "Where the check saw it, from 0 to 1", fo.Heatmap)
        for name in points:
            _field(dataset, name, fo.EmbeddedDocumentField, "What the checks saw, as points", fo.Keypoints)
            _field(dataset, f"{name}.keypoints.{CHECK}", fo.StringField, "The check that saw it")
        # MongoDB cannot set quality.x inside a null, which is what a declared field holds on samples without it
        for path, empty in _EMPTY.items():
            dataset._sample_collection.update_many({path: None}, {"$set": {path: empty}})


def _labels(dataset: fo.Dataset, path: str, description: str, **attributes: type[fo.Field]) -> None:
    _field(dataset, path, fo.EmbeddedDocumentField, description, fo.Classifications)
    for name, kind in attributes.items():
        _field(dataset, f"{path}.classifications.{name}", kind, name.capitalize())


def _field(
    dataset: fo.Dataset, path: str, kind: type[fo.Field], description: str, document: type[Any] | None = None
) -> None:
    if not dataset.has_field(path):
        extra = {"embedded_doc_type": document} if document else {}
        dataset.add_sample_field(path, kind, description=description, **extra)


def write(samples: _Samples, verdicts: Sequence[Verdict], checks: Sequence[Check]) -> None:
    """Writes the verdicts in one bulk: scores, evidence, reasons, which check has judged. This is the resume point."""
    dataset = root(samples)
    by_name = {check.name: check for check in checks}
    ids = [verdict.row.id for verdict in verdicts]
    with database_errors():
        before = _standing(dataset, ids, checks)
        changes = [_changes(verdict, by_name, before.get(verdict.row.id, {})) for verdict in verdicts]
        operations = [
            UpdateOne({"_id": ObjectId(sample_id)}, _folded(change, before.get(sample_id, {})))
            for sample_id, change in zip(ids, changes, strict=True)
        ]
        # FiftyOne's own batches begin with one document each
        dataset._sample_collection.bulk_write(operations, ordered=False)
        fo.Sample._reload_docs(dataset._sample_collection_name, sample_ids=ids)


def _folded(changes: dict[str, dict[str, Any]], before: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the same changes; of a sample that nothing has judged, whole documents: a third less work for MongoDB.

    Scores and what is checked are one write, so that one that comes between loses both, and a resumed run redoes them.
    """
    if any(before.get(field) != empty for field, empty in _EMPTY.items()) or "$unset" in changes:
        return changes
    whole: dict[str, Any] = {}
    for path, value in changes["$set"].items():
        field, _, name = path.partition(".")
        if name:
            whole.setdefault(field, {})[name] = value
        else:
            whole[field] = value
    return {"$set": whole}


def _standing(dataset: fo.Dataset, ids: Sequence[str], checks: Sequence[Check]) -> dict[str, dict[str, Any]]:
    """Returns what stands in the fields that checks share, by sample: what others left there is kept."""
    fields = {UNKNOWN, *_EMPTY, *(check.boxes_field for check in checks if check.boxes_field)}
    wanted = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
    documents = dataset._sample_collection.find(wanted, dict.fromkeys(fields, 1))
    return {str(document["_id"]): document for document in documents}


def _reasons(dataset: fo.Dataset, ids: list[str]) -> dict[str, dict[str, str]]:
    """Returns the reasons that stand already, by sample and check: those of checks that did not run now are kept."""
    view = dataset.select(ids)
    path = f"{UNKNOWN}.classifications"
    columns = view.values(["id", f"{path}.label", f"{path}.reason"])
    return {
        sample_id: dict(zip(labels or [], reasons or [], strict=True))
        for sample_id, labels, reasons in zip(*columns, strict=True)
    }


def unknown_after(samples: _Samples, label: str, reasons: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Returns what ``unknown`` becomes for each sample: ``label`` could not judge it for that reason, or could (None).

    What other checks left there is kept.
    """
    before = _reasons(root(samples), list(reasons))
    after = {}
    for sample_id, reason in reasons.items():
        kept = {check: text for check, text in before.get(sample_id, {}).items() if check != label}
        if reason is not None:
            kept[label] = reason
        after[sample_id] = _classifications([{"label": check, "reason": text} for check, text in sorted(kept.items())])
    return after


def _changes(verdict: Verdict, checks: dict[str, Check], before: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    judged = verdict.row.pending - verdict.errors.keys()
    values: dict[str, Any] = {f"{QUALITY}._cls": "DynamicEmbeddedDocument"}
    for name, score in verdict.scores.items():
        values[f"{QUALITY}.{name}"] = None if math.isnan(score) else score
    for name in judged:
        values[f"{CHECKED}.{name}"] = verdict.row.keys[name]
        if map_field := checks[name].map_field:
            values[map_field] = _heatmap(verdict.maps.get(name))
        if points_field := checks[name].points_field:
            values[points_field] = _keypoints(name, verdict.points.get(name, ()))
    for field in {checks[name].boxes_field for name in verdict.row.pending} - {None}:
        own = {name for name in verdict.row.pending if checks[name].boxes_field == field}
        values[str(field)] = _detections(verdict, own, (before.get(str(field)) or {}).get("detections", ()))
    reasons = {label["label"]: label["reason"] for label in (before.get(UNKNOWN) or {}).get("classifications", ())}
    kept = {check: reason for check, reason in reasons.items() if check not in verdict.row.pending}
    values[UNKNOWN] = _classifications(
        [{"label": check, "reason": reason} for check, reason in sorted({**kept, **verdict.reasons}.items())]
    )
    # an error leaves a check as if it had never run: what it said of the sample before would say otherwise
    for name in verdict.errors:
        values.update({f"{QUALITY}.{output.name}": None for output in checks[name].outputs})
        values.update({field: None for field in (checks[name].map_field, checks[name].points_field) if field})
    forgotten = {f"{CHECKED}.{name}": "" for name in verdict.errors}
    return {"$set": values, **({"$unset": forgotten} if forgotten else {})}


def _classifications(labels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    documents = [{"_id": ObjectId(), "_cls": "Classification", "tags": [], **label} for label in labels]
    return {"_cls": "Classifications", "classifications": documents}


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


def _detections(verdict: Verdict, own: set[str], before: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the boxes of the checks ``own`` beside what other checks left in the field."""
    boxes = [(name, box) for name in sorted(own) for box in verdict.boxes.get(name, ())]
    documents = [
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
        for name, box in boxes
    ]
    kept = [document for document in before if document.get(CHECK) not in own]
    return {"_cls": "Detections", "detections": [*kept, *documents]}


def read_failures(samples: _Samples) -> tuple[list[str], list[tuple[Failure, ...] | None]]:
    """Returns the sample ids and the failures that stand on each, in sample order; None: never flagged."""
    path = f"{FAILURES}.classifications"
    with database_errors():
        ids, *parts = samples.values(["id", *(f"{path}.{name}" for name in ("label", "score", "threshold", "check"))])
    return ids, [
        None if row[0] is None else tuple(Failure(*facts) for facts in zip(*row, strict=True))
        for row in zip(*parts, strict=True)
    ]


def write_failures(samples: _Samples, ids: Sequence[str], failures: Sequence[Sequence[Failure]]) -> None:
    """Replaces the failures of the samples of those ids."""
    operations = []
    for sample_id, own in zip(ids, failures, strict=True):
        labels = [failure.to_dict() for failure in own]
        operations.append(UpdateOne({"_id": ObjectId(sample_id)}, {"$set": {FAILURES: _classifications(labels)}}))
    if operations:
        with database_errors():
            root(samples)._bulk_write(operations, ids=list(ids))

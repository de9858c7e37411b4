"""Reads given and predicted boxes as arrays, and writes what is suggested of them: the boxes themselves stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.labels.box_records import BoxIssue
from loupe.brain.labels.boxes import Boxes
from loupe.brain.store import fields, plain
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import OwnField
from loupe.brain.store.labels import given as labels
from loupe.brain.store.labels import predicted

ISSUES = "box_issues"
_ROWS = 4096
_PARTS = ("_id", "label", "bounding_box", "confidence", "iscrowd")


@dataclass(frozen=True, eq=False)
class Drawn:
    """The boxes of N samples that can be compared.

    Attributes:
        boxes: cut to the picture, in shares of it
        ids: (B,) of 12 bytes each: the boxes' own
        known: (N,) bool: which samples have any, be it an empty list
        malformed: of samples with boxes of no area in the picture or of no class how many
    """

    boxes: Boxes
    ids: np.ndarray
    known: np.ndarray
    malformed: Mapping[int, int]

    def box_id(self, at: int) -> str:
        """Returns the id of a box."""
        return bytes(self.ids[at]).hex()

    def take(self, kept: np.ndarray) -> Drawn:
        """Returns those that a mask or some indexes choose."""
        return replace(self, boxes=self.boxes.take(kept), ids=self.ids[kept])


@dataclass(frozen=True, eq=False)
class BothSides:
    """What N samples hold of both: the given boxes and the predictions.

    Attributes:
        ids: the samples
        classes: the names of the classes, in the order of their codes
        declared: those that the dataset names for the field; empty where it names none
        given, predicted: the boxes
    """

    ids: list[str]
    classes: list[str]
    declared: list[str]
    given: Drawn
    predicted: Drawn


def read(samples: Samples, label: str, predictions: str) -> BothSides:
    """Returns the boxes of both fields, in one pass over the database.

    Raises:
        UnknownName: no such field of predictions
        InputError: it is a field of something else, or the given one
    """
    predicted.require(samples, label, predictions, "boxes")
    project = {"given": plain.elements(f"{label}.detections", _PARTS)}
    project |= {"predicted": plain.elements(f"{predictions}.detections", _PARTS)}
    place: dict[str, int] = {}
    ids: list[str] = []
    sides = {"given": _Side(place), "predicted": _Side(place)}
    with database_errors():
        for rows in _blocks(samples._aggregate(pipeline=[{"$project": project}])):
            for name, side in sides.items():
                side.add([row.get(name) for row in rows], len(ids))
            ids += [str(row["_id"]) for row in rows]
    return BothSides(ids, list(place), labels.declared(samples, label), *(side.drawn() for side in sides.values()))


def _blocks(cursor: Any) -> Iterator[list[dict[str, Any]]]:
    rows = iter(cursor)
    while block := list(islice(rows, _ROWS)):
        yield block


class _Side:
    """Boxes that are read block by block."""

    def __init__(self, place: dict[str, int]) -> None:
        self._place = place
        self._known: list[np.ndarray] = []
        self._columns: list[tuple[np.ndarray, ...]] = []
        self._malformed: dict[int, int] = {}

    def add(self, lists: Sequence[Any], start: int) -> None:
        """Adds the boxes of the samples from a place on."""
        self._known.append(np.array([isinstance(own, list) for own in lists], dtype=bool))
        sizes = [len(own) if isinstance(own, list) else 0 for own in lists]
        image = start + np.repeat(np.arange(len(lists)), sizes)
        values = [value for own in lists if isinstance(own, list) for value in own]
        bounds = np.array([_four(value[2]) for value in values], dtype=np.float64).reshape(-1, 4)
        low = np.clip(bounds[:, :2], 0, 1)
        corners = np.concatenate([low, np.clip(bounds[:, :2] + bounds[:, 2:], 0, 1)], axis=1)
        label = np.array([self._code(value[1]) for value in values], dtype=np.int64)
        score = np.array([_number(value[3]) for value in values], dtype=np.float64)
        crowd = np.array([_number(value[4]) > 0 for value in values], dtype=bool)
        names = np.frombuffer(b"".join(_binary(value[0]) for value in values), dtype="V12")
        sound = (corners[:, 2:] > corners[:, :2]).all(axis=1) & (label >= 0)
        for at in image[~sound].tolist():
            self._malformed[at] = self._malformed.get(at, 0) + 1
        self._columns.append(tuple(each[sound] for each in (image, label, corners, score, crowd, names)))

    def _code(self, name: Any) -> int:
        return self._place.setdefault(name, len(self._place)) if isinstance(name, str) else -1

    def drawn(self) -> Drawn:
        """Returns them all."""
        if not self._columns:
            self.add([], 0)
        image, label, corners, score, crowd, names = (np.concatenate(each) for each in zip(*self._columns, strict=True))
        return Drawn(Boxes(image, label, corners, score, crowd), names, np.concatenate(self._known), self._malformed)


def _four(value: Any) -> list[float]:
    fits = isinstance(value, (list, tuple)) and len(value) == 4
    # what is not finite has no area
    return [_number(each) for each in value] if fits else [np.nan] * 4


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else np.nan


def _binary(value: Any) -> bytes:
    return value.binary if isinstance(value, ObjectId) else bytes(12)


def own_fields() -> list[OwnField]:
    """Returns the fields of suggestions."""
    inside = f"{ISSUES}.detections"
    return [
        OwnField(
            ISSUES,
            fo.EmbeddedDocumentField,
            "Boxes that are probably wrong or missing, where and what they probably should be",
            fo.Detections,
            f"{inside}.issue",
        ),
        OwnField(f"{inside}.issue", fo.StringField, "overlooked, badly_located or swapped"),
        OwnField(f"{inside}.given", fo.StringField, "The class as it stands"),
        OwnField(f"{inside}.box_id", fo.StringField, "The id of the given box"),
        OwnField(f"{inside}.score", fo.FloatField, "How much speaks for it, from 0 to 1"),
        OwnField(f"{inside}.reason", fo.StringField, "Why"),
    ]


def write(samples: Samples, ids: Sequence[str], issues: Mapping[str, Sequence[BoxIssue]]) -> None:
    """Writes the suspicious boxes of each sample that has some; the others lose older ones."""
    fields.declare(samples, own_fields())
    labels.write_documents(samples, ids, ISSUES, lambda each: _document(issues.get(each, ())))


def _document(issues: Sequence[BoxIssue]) -> dict[str, Any] | None:
    if not issues:
        return None
    return {"_cls": "Detections", "detections": [_detection(issue) for issue in issues]}


def _detection(issue: BoxIssue) -> dict[str, Any]:
    left, top, width, height = issue.box
    return {
        "_id": ObjectId(),
        "_cls": "Detection",
        "attributes": {},
        "tags": [],
        "label": issue.suggested,
        "bounding_box": [left, top, width, height],
        "confidence": issue.confidence,
        "issue": issue.kind,
        "given": issue.given,
        "box_id": issue.box_id,
        "score": issue.score,
        "reason": issue.reason,
    }

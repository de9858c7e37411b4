"""What is known of one sample that is reviewed: its score, what the check saw and where, what was decided."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from loupe.brain.core import registry
from loupe.brain.core.records import Record
from loupe.brain.core.review import Decision
from loupe.brain.core.specs import Check
from loupe.brain.imaging.shown_size import shown_size
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, sample_documents
from loupe.brain.store.fields import CHECK, PROMPT, REVIEW
from loupe.brain.store.review import decisions as review
from loupe.brain.store.review.queue import source_of

Bounds = tuple[float, float, float, float]

_MAX_MARKS, _MAX_TEXT = 50, 400
#: points lie on what they mark: its box is that much larger on each side, as a share of theirs
_MARGIN = 0.1


@dataclass(frozen=True)
class Mark(Record):
    """Something that a check saw in a picture.

    Attributes:
        label: what
        bounds: x, y, width, height in [0, 1] of the picture
        why: what the check says of it; empty: nothing
        score: what it gave it; None: nothing
    """

    label: str
    bounds: Bounds
    why: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Evidence(Record):
    """What is known of one sample and one failure mode.

    Attributes:
        id: of the sample
        source: where the App's server serves its picture
        size: the picture's width and height as people see it; None where its file cannot be read
        score: the check's score; None where there is none
        marks: what the check saw, and where: the worst first, then what it gave no score
        prompt: what the picture was asked for; empty where it was not
        decision: what stands on the sample
        name: of the file
    """

    id: str
    source: str
    size: tuple[int, int] | None
    score: float | None
    marks: tuple[Mark, ...]
    prompt: str
    decision: Decision | None
    name: str


def evidence(samples: Samples, failure: str, sample_id: str) -> Evidence | None:
    """Returns what is known of a sample; None where it is no more."""
    check, output = registry.failures()[failure]
    spec = registry.checkable().get(check)
    is_check = spec is not None and issubclass(spec, Check)
    shown = [field for field in (spec.boxes_field, spec.points_field) if field] if is_check else []  # type: ignore[union-attr]
    paths = ["filepath", PROMPT.path, review.score_path(failure), f"{REVIEW}.{failure}", *shown]
    with database_errors():
        document = sample_documents(samples).find_one({"_id": ObjectId(sample_id)}, paths)
    if document is None:
        return None
    path = str(document.get("filepath") or "")
    field, _, name = review.score_path(failure).partition(".")
    score = _inside(document.get(field), name)
    prompt = document.get(PROMPT.path)
    marks = [mark for each in shown for mark in _marks(document.get(each), check, output.name)]
    # the worst first; as they are stored where nothing says which that is
    marks.sort(key=lambda mark: -math.inf if mark.score is None else mark.score, reverse=True)
    return Evidence(
        id=sample_id,
        source=source_of(path),
        size=None if path.startswith(("http://", "https://")) else shown_size(path),
        score=_number(score),
        marks=tuple(marks[:_MAX_MARKS]),
        prompt=prompt[:_MAX_TEXT] if isinstance(prompt, str) else "",
        decision=review.decision_of(_inside(document.get(REVIEW), failure)),
        name=path.replace("\\", "/").rpartition("/")[2],
    )


def _inside(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, Mapping) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def _marks(document: Any, check: str, output: str) -> Iterator[Mark]:
    for name, bounds_of in (("detections", _of_box), ("keypoints", _of_points)):
        listed = _inside(document, name)
        for each in listed if isinstance(listed, list) else []:
            if _inside(each, CHECK) != check or (bounds := bounds_of(each)) is None:
                continue
            # what has several failures has a score for each; a body's own is the worst of them
            score = _number(each.get(output, each.get("score")))
            why = each.get("reason")
            yield Mark(str(each.get("label") or ""), bounds, why[:_MAX_TEXT] if isinstance(why, str) else "", score)


def _of_box(label: Mapping[str, Any]) -> Bounds | None:
    bounds = label.get("bounding_box")
    if not isinstance(bounds, list) or len(bounds) != 4 or any(_number(value) is None for value in bounds):
        return None
    x, y, width, height = (float(value) for value in bounds)
    return x, y, width, height


def _of_points(label: Mapping[str, Any]) -> Bounds | None:
    """Returns the box around a label's points, as far as it lies in the picture."""
    points = label.get("points")
    pairs = [each for each in points if isinstance(each, list) and len(each) == 2] if isinstance(points, list) else []
    known = [(float(x), float(y)) for x, y in pairs if _number(x) is not None and _number(y) is not None]
    if len(known) < 2:
        return None
    sides = []
    for values in zip(*known, strict=True):
        margin = _MARGIN * (max(values) - min(values))
        sides.append((max(0.0, min(values) - margin), min(1.0, max(values) + margin)))
    (left, right), (top, bottom) = sides
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None

"""Reads one column of scores, and turns the two sides of a threshold back into views of their samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.records import Output, Threshold
from loupe.brain.store.connection import database_errors
from loupe.brain.store.runs import load_thresholds, root
from loupe.brain.store.scores import FAILURES, QUALITY

_LABELS = f"{FAILURES}.classifications.label"
_COMMENT = "loupe threshold: "

Side = Literal["failing", "passing", "examples"]


@dataclass(frozen=True)
class Scored:
    """A column of scores: N sample ids and (N,) float32 scores in sample order, NaN where unknown."""

    ids: list[str]
    scores: np.ndarray


def score_path(failure: str) -> str:
    """Returns the field of a failure mode's score.

    Raises:
        UnknownName: no such failure mode; the nearest name is suggested
    """
    return f"{QUALITY}.{_known(failure).name}"


def _known(failure: str) -> Output:
    known = registry.failures()
    if failure not in known:
        raise UnknownName("failure mode", failure, known)
    return known[failure][1]


def in_use(samples: SampleCollection, failure: str) -> tuple[Threshold, Threshold]:
    """Returns the threshold in use and the default one.

    Raises:
        UnknownName: no such failure mode; the nearest name is suggested
    """
    default = _known(failure).default_threshold
    assert default is not None
    return load_thresholds(samples).get(failure, default), default


def flagged(view: SampleCollection) -> dict[str, int]:
    """Returns how many samples have each failure, for the failure modes that at least one sample has a score for."""
    found = {}
    with database_errors():
        labels = view.count_values(_LABELS) if view.has_field(_LABELS) else {}
        for failure, (_, output) in registry.failures().items():
            path = f"{QUALITY}.{output.name}"
            if view.has_field(path) and len(view.match({path: {"$type": "number"}}).limit(1)):
                found[failure] = int(labels.get(failure, 0))
    return found


def read(view: SampleCollection, failure: str) -> Scored:
    """Returns the scores of a failure mode, and nothing else of the samples.

    Raises:
        UnknownName: no such failure mode
    """
    path = score_path(failure)
    with database_errors():
        if not view.has_field(path):
            ids = view.values("id")
            return Scored(ids, np.full(len(ids), np.nan, dtype=np.float32))
        ids, values = view.values(["id", path])
    return Scored(ids, np.array([np.nan if value is None else value for value in values], dtype=np.float32))


def boundary(threshold: Threshold) -> float:
    """Returns the number that the database has to compare with, to find just those that ``Threshold.fails`` finds.

    Scores are compared as float32, the database holds float64: the boundary lies between two float32.

    >>> Threshold("<", 0.6).fails(np.float32([0.6])).item(), float(np.float32(0.6)) < boundary(Threshold("<", 0.6))
    (False, False)
    """
    line = np.float32(threshold.value)
    if not np.isfinite(line):
        return float(line)
    beyond = np.nextafter(line, np.float32(-np.inf if threshold.op == "<" else np.inf))
    return (float(line) + float(beyond)) / 2 if np.isfinite(beyond) else float(line)


def side(view: SampleCollection, failure: str, threshold: Threshold, which: Side) -> fo.DatasetView:
    """Returns the samples of a view on one side of a threshold; those without a score are on none.

    They are matched by their score in the database, so that it costs the same for ten samples and ten thousand.

    Raises:
        UnknownName: no such failure mode
    """
    return view.match(_query(failure, threshold.op, threshold.value, which))


def examples(view: SampleCollection, failure: str, threshold: Threshold, ids: Sequence[str]) -> fo.DatasetView:
    """Returns the samples of those ids, in that order, as a view that ``widen`` can take back."""
    marked = view.match(_query(failure, threshold.op, threshold.value, "examples"))
    return marked.select(list(ids), ordered=True)


def _query(failure: str, op: str, value: float, which: str) -> dict[str, Any]:
    path = score_path(failure)
    line = Threshold(op, value)  # type: ignore[arg-type]
    below, above = {"$lt": boundary(line)}, {"$gte": boundary(line)}
    if op == ">":
        below, above = {"$lte": boundary(line)}, {"$gt": boundary(line)}
    fails, passes = (below, above) if op == "<" else (above, below)
    # a range leaves out null and what is no number, NaN too; no infinity may stand here: a view travels as JSON
    conditions: dict[str, dict[str, Any]] = {"failing": fails, "passing": passes, "examples": {"$ne": None}}
    return {"$comment": _COMMENT + json.dumps([failure, op, value, which]), path: conditions[which]}


def widen(view: SampleCollection) -> tuple[SampleCollection, Side | None]:
    """Returns the view as it was before ``side`` or ``examples``, and which of them it was; else the view and None."""
    stages = getattr(view, "_stages", [])
    for index, stage in enumerate(stages):
        which = _side_of(stage)
        if which is None:
            continue
        left_out = {index}
        if which == "examples" and index + 1 < len(stages) and isinstance(stages[index + 1], fo.Select):
            left_out.add(index + 1)
        before = root(view).view()
        for other, kept in enumerate(stages):
            if other not in left_out:
                before = before.add_stage(kept)
        return before, which
    return view, None


def _side_of(stage: fo.ViewStage) -> Side | None:
    if not isinstance(stage, fo.Match) or not isinstance(stage.filter, dict):
        return None
    comment = stage.filter.get("$comment")
    if not isinstance(comment, str) or not comment.startswith(_COMMENT):
        return None
    # a view may come from anyone: what is not just what we would write is a stage like any other
    try:
        failure, op, value, which = json.loads(comment.removeprefix(_COMMENT))
        return which if _query(failure, op, value, which) == stage.filter else None
    except (ValueError, KeyError, TypeError, AttributeError, UnknownName):
        return None


def sources(samples: SampleCollection, ids: Sequence[str]) -> dict[str, str]:
    """Returns for each sample id where the App's server serves its picture, its thumbnail where it has one."""
    if not ids:
        return {}
    dataset = root(samples)
    field = dataset.app_config.grid_media_field or "filepath"
    fields = ["id", "filepath", *([field] if field != "filepath" and dataset.has_field(field) else [])]
    with database_errors():
        found = dataset.select(list(ids)).values(fields)
    return {row[0]: _source(row[-1] or row[1]) for row in zip(*found, strict=True)}


def _source(path: str) -> str:
    return path if path.startswith(("http://", "https://")) else f"/media?filepath={quote(path, safe='')}"

"""Reads one column of scores, says what a threshold would do to it, and which samples are on either side of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.errors import UnknownName
from loupe.brain.core.records import Output, Record, Threshold
from loupe.brain.stats.histogram import Histogram, histogram, nearest, score_range
from loupe.brain.stats.intervals import wilson
from loupe.brain.store import asked
from loupe.brain.store.connection import database_errors
from loupe.brain.store.fields import ASKED
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.runs import load_thresholds, root
from loupe.brain.store.scores import FAILURES, QUALITY

_LABELS = f"{FAILURES}.classifications.label"

Which = Literal["failing", "passing", "examples"]


@dataclass(frozen=True)
class Scored:
    """A column of scores: N sample ids and (N,) float32 scores in sample order, NaN where unknown or as asked."""

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
    failing = {}
    with database_errors():
        labels = view.count_values(_LABELS) if view.has_field(_LABELS) else {}
        for failure, (_, output) in registry.failures().items():
            path = f"{QUALITY}.{output.name}"
            if view.has_field(path) and len(view.match({path: {"$type": "number"}}).limit(1)):
                failing[failure] = int(labels.get(failure, 0))
    return failing


def read(view: SampleCollection, failure: str) -> Scored:
    """Returns the scores of a failure mode, and nothing else of the samples. What a prompt asks for is unknown.

    Raises:
        UnknownName: no such failure mode
    """
    path = score_path(failure)
    with database_errors():
        if not view.has_field(path):
            ids = view.values("id")
            return Scored(ids, np.full(len(ids), np.nan, dtype=np.float32))
        ids, values = view.values(["id", path])
    scores = np.array([np.nan if value is None else value for value in values], dtype=np.float32)
    as_asked = asked.mask(view, failure)
    return Scored(ids, scores if as_asked is None else np.where(as_asked, np.float32(np.nan), scores))


def boundary(threshold: Threshold) -> float:
    """Returns the number that the database has to compare with, to find just those that ``Threshold.violates`` finds.

    Scores are compared as float32, the database holds float64: the boundary lies between two float32.

    >>> Threshold("<", 0.6).violates(np.float32([0.6])).item(), float(np.float32(0.6)) < boundary(Threshold("<", 0.6))
    (False, False)
    """
    stored = np.float32(threshold.value)
    if not np.isfinite(stored):
        return float(stored)
    beyond = np.nextafter(stored, np.float32(-np.inf if threshold.op == "<" else np.inf))
    return (float(stored) + float(beyond)) / 2 if np.isfinite(beyond) else float(stored)


@dataclass(frozen=True)
class Example(Record):
    """A sample next to a threshold: its id, its score, and where the App's server serves its picture."""

    id: str
    score: float
    source: str


@dataclass(frozen=True)
class Preview(Record):
    """What a threshold would flag of some samples, beside what the one in use does.

    Attributes:
        failure: the failure mode
        threshold: the threshold that is tried
        used: the one in use
        default: the one that stands in the check's file
        histogram: the scores, and which of them ``threshold`` fails
        failing_by_used: how many of them ``used`` fails
        rate: the share of the judged that ``threshold`` fails; NaN where none is judged
        low: the lower end of its 95 % Wilson interval
        high: the upper end
        failing: the failing samples next to ``threshold``, in the order of their scores
        passing: the passing ones
    """

    failure: str
    threshold: Threshold
    used: Threshold
    default: Threshold
    histogram: Histogram
    failing_by_used: int
    rate: float
    low: float
    high: float
    failing: tuple[Example, ...]
    passing: tuple[Example, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """The failing samples, then the passing ones."""
        return self.failing + self.passing


def preview(view: SampleCollection, failure: str, scored: Scored, *, value: float | None, examples: int) -> Preview:
    """Returns what a threshold would flag. Nothing is written, and no picture is read.

    Args:
        view: the samples
        failure: the failure mode
        scored: their scores, as ``read`` returns them
        value: where the threshold is; None: that of the threshold in use
        examples: how many samples next to it are wanted on either side

    Raises:
        InputError: the value is no finite number
        UnknownName: no such failure mode; the nearest name is suggested
    """
    output = _known(failure)
    used, default = in_use(view, failure)
    threshold = Threshold(used.op, used.value if value is None else value)
    over = score_range(output, scored.scores, default.value, used.value)
    # the range stays as it is while the threshold moves on it: the plot and the slider stand still
    if not over.low <= threshold.value <= over.high:
        over = score_range(output, scored.scores, default.value, used.value, threshold.value)
    counts = histogram(scored.scores, threshold, over)
    low, high = (float(end) for end in wilson(counts.failed, counts.judged))
    failing, passing = nearest(scored.scores, threshold, examples)
    served = sources(view, [scored.ids[index] for index in (*failing, *passing)])

    def drawn(indices: list[int]) -> tuple[Example, ...]:
        rows = [(float(scored.scores[index]), scored.ids[index]) for index in indices]
        return tuple(Example(id, score, served.get(id, "")) for score, id in sorted(rows, key=lambda row: row[0]))

    return Preview(
        failure=failure,
        threshold=threshold,
        used=used,
        default=default,
        histogram=counts,
        failing_by_used=int(used.violates(scored.scores).sum()),
        rate=counts.failed / counts.judged if counts.judged else math.nan,
        low=low,
        high=high,
        failing=drawn(failing),
        passing=drawn(passing),
    )


@dataclass(frozen=True)
class Side(Narrowing):
    """The samples on one side of a threshold; those without a score, or whose prompt asks for it, are on none.

    Attributes:
        failure: the failure mode
        op: which side of the threshold fails
        value: where the threshold is
        which: the samples that fail, those that pass, or a selection of both
    """

    failure: str
    op: Literal["<", ">"]
    value: float
    which: Which

    tag: ClassVar[str] = "threshold"

    @property
    def selects(self) -> bool:
        """Whether a selection of sample ids belongs to it: to examples."""
        return self.which == "examples"

    def query(self) -> dict[str, Any]:
        """Returns the database's query for them.

        Raises:
            InputError: the value is no finite number
            UnknownName: no such failure mode
        """
        edge = boundary(Threshold(self.op, self.value))
        below, above = {"$lt": edge}, {"$gte": edge}
        if self.op == ">":
            below, above = {"$lte": edge}, {"$gt": edge}
        fails, passes = (below, above) if self.op == "<" else (above, below)
        # a range leaves out null and what is no number, NaN too
        conditions: dict[str, dict[str, Any]] = {"failing": fails, "passing": passes, "examples": {"$ne": None}}
        return {score_path(self.failure): conditions[self.which], ASKED: {"$ne": self.failure}}

    def facts(self) -> list[Any]:
        """Returns the failure mode, the threshold's op and value, and which samples."""
        return [self.failure, self.op, self.value, self.which]

    @classmethod
    def from_facts(cls, facts: Any) -> Side:
        """Returns the side that ``facts`` was called on."""
        failure, op, value, which = facts
        return cls(failure, op, value, which)


def sources(samples: SampleCollection, ids: Sequence[str]) -> dict[str, str]:
    """Returns for each sample id where the App's server serves its picture, its thumbnail where it has one."""
    if not ids:
        return {}
    dataset = root(samples)
    field = dataset.app_config.grid_media_field or "filepath"
    fields = ["id", "filepath", *([field] if field != "filepath" and dataset.has_field(field) else [])]
    with database_errors():
        columns = dataset.select(list(ids)).values(fields)
    return {row[0]: _source(row[-1] or row[1]) for row in zip(*columns, strict=True)}


def _source(path: str) -> str:
    return path if path.startswith(("http://", "https://")) else f"/media?filepath={quote(path, safe='')}"

"""Where a slider over scores goes, the histogram over it, and how many fail at each of its steps. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from loupe.brain.core.records import Output, Record, Threshold

#: a histogram has no more bars than this, a slider no more steps than that
BARS, STEPS = 60, 1000
#: an end of the score's own bounds is taken where it is no farther off than so many times what was measured
_NEAR_BOUND = 2.0
#: bounds no farther apart than this are always taken: those of a ratio
_NARROW = 1.5
#: scores this many times farther out than the middle 99 % are counted in the last bar
_FAR = 20.0
#: a float32 is not exactly on a step: by this share of a step it may lie beside it
_DUST = 1e-3


def decimal_step(low: float, high: float) -> float:
    """Returns a power of ten of which there are at least 50 between the two.

    >>> decimal_step(0, 1)
    0.01
    """
    return 10.0 ** math.floor(math.log10((high - low) / 50)) if high > low else 1.0


@dataclass(frozen=True)
class Range(Record):
    """A slider's ends and step; ``whole``: the scores are counts."""

    low: float
    high: float
    step: float
    whole: bool = False

    @property
    def positions(self) -> int:
        """How many values the slider can have."""
        return 1 + max(0, round((self.high - self.low) / self.step))

    def at(self, position: int) -> float:
        """Returns the slider's value at a position from 0, without the dust of binary fractions."""
        return round(self.low + position * self.step, decimals(self.step))

    def nearest(self, value: float) -> float:
        """Returns the slider's value that is nearest to a number."""
        return self.at(min(max(0, round((value - self.low) / self.step)), self.positions - 1))


def decimals(step: float) -> int:
    """Returns how many decimals a number has that is a multiple of a power of ten.

    >>> decimals(0.01), decimals(1), decimals(100)
    (2, 0, 0)
    """
    return max(0, -math.floor(math.log10(step) + 1e-9))


def score_range(output: Output, scores: np.ndarray, *thresholds: float) -> Range:
    """Returns where a slider over scores goes: over all that was measured, and over the thresholds.

    The ends are the score's own bounds where these are near; a score may have bounds that no picture comes close to.
    A few scores that are very far out do not stretch it: a slider on which all others share one step is of no use.

    Args:
        output: the score
        scores: (N,) as stored; NaN is left out
        thresholds: those that have to lie on it

    >>> from loupe.brain.core import registry
    >>> score_range(registry.failures()["blur"][1], np.array([0.5, 0.9]), 0.6)
    Range(low=0.0, high=1.0, step=0.01, whole=False)
    """
    known = scores[np.isfinite(scores)].astype(np.float64)
    whole = _whole(output, known)
    if whole:
        low, high = _ends(
            known,
            [edge for threshold in thresholds for edge in (math.floor(threshold), math.ceil(threshold))],
            output.bounds,
        )
        if output.bounds[0] >= low - 1:
            low = output.bounds[0]
        step = float(10 ** max(0, math.ceil(math.log10(max(1.0, (high - low) / STEPS)))))
        high = low + step * math.ceil((max(high, low + 1) - low) / step)
        return Range(float(low), float(high), step, whole=True)
    low, high = _ends(known, thresholds, output.bounds)
    first, last = output.bounds
    near = math.inf if last - first <= _NARROW else _NEAR_BOUND * (high - low)
    if first <= 0 < low <= near:
        low = 0.0
    if math.isfinite(first) and low - first <= near:
        low = min(low, first)
    if math.isfinite(last) and last - high <= near:
        high = max(high, last)
    if high <= low:
        low, high = low - 1, high + 1
    step = decimal_step(low, high)
    # a threshold of 0.02 is not to be moved by half of it at once
    while (
        any(_off_grid(threshold, step) or 0 < abs(threshold) < 5 * step for threshold in thresholds)
        and (high - low) / step * 10 <= STEPS
    ):
        step /= 10
    digits = decimals(step)
    low, high = math.floor(low / step + _DUST) * step, math.ceil(high / step - _DUST) * step
    return Range(round(low, digits), round(high, digits), round(step, digits) if digits else step)


def _whole(output: Output, known: np.ndarray) -> bool:
    """Returns whether the scores are counts: a ratio that happens to be 0 or 1 everywhere is none."""
    counts = output.bounds[1] > 100 or output.unit == "0 or 1"
    return counts and bool((known == np.round(known)).all())


def _off_grid(threshold: float, step: float) -> bool:
    return abs(threshold / step - round(threshold / step)) > 1e-6


def _ends(known: np.ndarray, thresholds: Any, bounds: tuple[float, float]) -> tuple[float, float]:
    """Returns the lowest and the highest of the scores and thresholds, without what is very far out."""
    thresholds = list(thresholds)
    if not len(known):
        ends = thresholds or [bound for bound in bounds if math.isfinite(bound)] or [0.0]
        return min(ends), max(ends)
    low, high = float(known.min()), float(known.max())
    core_low, core_high = (float(end) for end in np.percentile(known, [0.5, 99.5]))
    core_low, core_high = min(core_low, *thresholds, core_high), max(core_high, *thresholds, core_low)
    core = core_high - core_low
    if core and high - low > _FAR * core:
        low, high = max(low, core_low - core / 4), min(high, core_high + core / 4)
    return min(low, *thresholds, high), max(high, *thresholds, low)


@dataclass(frozen=True)
class Histogram(Record):
    """Scores in bars, and what each step of the slider would flag.

    Attributes:
        range: of the slider
        start: where the first bar begins
        width: of a bar
        passing: how many scores of each bar pass
        failing: how many fail
        below: how many scores lie below the range; they are in the first bar
        above: how many lie above it; they are in the last
        judged: how many scores there are
        unknown: how many samples have none
        steps: how many fail with the threshold at each of the slider's positions
    """

    range: Range
    start: float
    width: float
    passing: tuple[int, ...]
    failing: tuple[int, ...]
    below: int
    above: int
    judged: int
    unknown: int
    steps: tuple[int, ...]

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Histogram:
        """Returns the histogram that ``to_dict`` made plain values of."""
        lists = {name: tuple(facts[name]) for name in ("passing", "failing", "steps")}
        return cls(**{**facts, **lists, "range": Range(**facts["range"])})

    @property
    def failed(self) -> int:
        """How many scores fail."""
        return sum(self.failing)


def histogram(scores: np.ndarray, threshold: Threshold, over: Range) -> Histogram:
    """Returns the histogram of scores over a range.

    Args:
        scores: (N,) float32 as stored, NaN where unknown
        threshold: which of them fail
        over: the slider's range

    >>> made = histogram(np.float32([0, 2, 2, 9, np.nan]), Threshold(">", 1), Range(0, 4, 1, whole=True))
    >>> made.passing, made.failing, made.above, made.unknown, made.steps
    ((1, 0, 0, 0, 0), (0, 0, 2, 0, 1), 1, 1, (3, 3, 1, 1, 1))
    """
    known = scores[~np.isnan(scores)]
    per_bar = over.step * max(1, math.ceil((over.positions - (not over.whole)) / BARS))
    start = over.low - over.step / 2 if over.whole else over.low
    span = over.high - over.low + (over.step if over.whole else 0)
    bars = max(1, math.ceil(span / per_bar - 1e-9))
    with np.errstate(invalid="ignore"):
        place = np.floor((np.clip(known.astype(np.float64), over.low, over.high) - start) / per_bar + 1e-9)
    place = np.clip(place, 0, bars - 1).astype(np.int64)
    fails = threshold.violates(known)
    return Histogram(
        range=over,
        start=start,
        width=per_bar,
        passing=tuple(np.bincount(place[~fails], minlength=bars).tolist()),
        failing=tuple(np.bincount(place[fails], minlength=bars).tolist()),
        below=int((known < over.low - _DUST * over.step).sum()),
        above=int((known > over.high + _DUST * over.step).sum()),
        judged=len(known),
        unknown=len(scores) - len(known),
        steps=tuple(failing_at(known, threshold.op, [over.at(step) for step in range(over.positions)])),
    )


def failing_at(scores: np.ndarray, op: Literal["<", ">"], values: list[float]) -> list[int]:
    """Returns how many scores fail with the threshold at each value: ``Threshold.violates``, of many at once.

    >>> failing_at(np.float32([0.1, 0.2, np.nan, 0.2]), "<", [0.2, 0.3])
    [1, 3]
    """
    ordered = np.sort(scores[~np.isnan(scores)])
    edges = np.asarray(values, dtype=scores.dtype)
    if op == "<":
        return [int(count) for count in np.searchsorted(ordered, edges, "left")]
    return [int(len(ordered) - count) for count in np.searchsorted(ordered, edges, "right")]


def nearest(scores: np.ndarray, threshold: Threshold, n: int) -> tuple[list[int], list[int]]:
    """Returns the indices of the n failing and the n passing scores that are nearest to the threshold, nearest first.

    >>> nearest(np.float32([0.1, 0.5, np.nan, 0.3, 0.9]), Threshold("<", 0.4), 2)
    ([3, 0], [1, 4])
    """
    fails = threshold.violates(scores)
    passes = ~fails & ~np.isnan(scores)
    distance = np.abs(scores.astype(np.float64) - threshold.value)

    def of(side: np.ndarray) -> list[int]:
        on_side = np.flatnonzero(side)
        return [int(index) for index in on_side[np.argsort(distance[on_side], kind="stable")[:n]]]

    return of(fails), of(passes)

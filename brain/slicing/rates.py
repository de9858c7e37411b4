"""Failure rates with their intervals, from columns of states. Pure arithmetic: no FiftyOne, no pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.results import MIN_N, Rate, Slice
from loupe.brain.slicing.columns import NONE as NONE
from loupe.brain.slicing.columns import Column, Slices, combine
from loupe.brain.slicing.columns import shown as shown
from loupe.brain.slicing.outcomes import State as State
from loupe.brain.stats.association import p_values, q_values
from loupe.brain.stats.effective_n import Cells, Design, effective_n_of_slices
from loupe.brain.stats.intervals import jeffreys, wilson


def rates(
    states: Mapping[str, np.ndarray],
    factors: Mapping[str, Column | Sequence[Any]] | None = None,
    *,
    confidence: float = 0.95,
    groups: Column | Sequence[Any] | None = None,
    min_n: int = MIN_N,
) -> list[Rate]:
    """Returns a rate for each slice that occurs and each outcome, slice by slice.

    Args:
        states: for each failure mode or other outcome a (N,) array of ``State``
        factors: by name a column, or N values. The slices are the combinations that occur, in the order of their
            columns' values; None or empty: one slice of all samples. A sample with several values counts in each
        confidence: of the intervals
        groups: a column or N values: samples of one value are alike, and count as fewer independent ones; one without
            a value is a group of its own. None: each sample counts by itself
        min_n: a rate of fewer is ``too_few``

    Raises:
        InputError: the confidence is not in (0, 1), there are too many slices, or a sample is in several groups

    >>> time = ["day", "day", "night"]
    >>> state = np.array([State.FAILED, State.PASSED, State.UNKNOWN])
    >>> for rate in rates({"blur": state}, {"time": time}):
    ...     print(rate)
    blur | time=day: 50.0 % [9.5 %, 90.5 %] (1 of 2, 0 unknown)
    blur | time=night: not judged (1 unknown, 0 unchecked)
    """
    columns = {name: as_column(factor) for name, factor in (factors or {}).items()}
    n = len(next(iter(states.values()), ()))
    slices = combine(columns, n=n)
    counts = np.zeros((len(slices.values), len(states), len(State)), dtype=np.int64)
    totals = np.zeros((len(states), len(State)), dtype=np.int64)
    for column, state in enumerate(states.values()):
        flat = np.bincount(slices.codes * len(State) + state[slices.samples], minlength=counts[:, column].size)
        counts[:, column] = flat.reshape(-1, len(State))
        totals[column] = np.bincount(state, minlength=len(State))
    designs = None
    if groups is not None:
        designs = _designs(slices, states.values(), _groups(as_column(groups)))
    values = [{name: shown(value) for name, value in own.items()} for own in slices.values]
    return of_counts(values, list(states), counts, totals, confidence=confidence, designs=designs, min_n=min_n)


def of_counts(
    slices: Sequence[Mapping[str, str]],
    outcomes: Sequence[str],
    counts: np.ndarray,
    totals: np.ndarray,
    *,
    confidence: float = 0.95,
    designs: Sequence[Design] | None = None,
    min_n: int = MIN_N,
) -> list[Rate]:
    """Returns a rate for each of S slices and O outcomes, slice by slice, wherever they were counted.

    Args:
        slices: the names of each one's values, by factor
        outcomes: their names
        counts: (S, O, 4) int64: how many samples of a slice are in each ``State``
        totals: (O, 4) int64: the same of all samples, each once; what a slice lacks of it is its rest
        confidence: of the intervals
        designs: for each outcome as how many independent samples the slices count; None: each sample by itself
        min_n: a rate of fewer is ``too_few``

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> night, day = of_counts([{"time": "night"}, {"time": "day"}], ["blur"], *(
    ...     np.array(of) for of in ([[[0, 0, 6, 4]], [[0, 1, 19, 1]]], [[0, 1, 25, 5]])))
    >>> night.lift, round(night.p, 4), round(night.q, 4)
    (8.0, 0.0312, 0.0312)
    """
    failures = counts[:, :, State.FAILED]
    n = failures + counts[:, :, State.PASSED]
    rest_failures = totals[:, State.FAILED] - failures
    rest_n = totals[:, State.FAILED] + totals[:, State.PASSED] - n
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rest = failures / n, rest_failures / rest_n
        lift = rate / rest
    as_n, rest_as_n = n.astype(np.float64), rest_n.astype(np.float64)
    if designs:
        as_n = np.stack([of.effective_n for of in designs], axis=1)
        rest_as_n = np.stack([of.rest_effective_n for of in designs], axis=1)
    # of an effective n the same share failed
    as_failures, rest_as_failures = (_share(rate, n) * as_n, _share(rest, rest_n) * rest_as_n)
    low, high = wilson(as_failures, as_n, confidence)
    beside = np.stack(jeffreys(as_failures, as_n, confidence), axis=-1)
    p = p_values(*(each.ravel() for each in (as_failures, as_n, rest_as_failures, rest_as_n))).reshape(n.shape)
    q = q_values(p)
    return [
        Rate(
            slice=Slice(dict(values)),
            failure=outcome,
            n=int(n[row, column]),
            failures=int(failures[row, column]),
            unknown=int(counts[row, column, State.UNKNOWN]),
            unchecked=int(counts[row, column, State.UNCHECKED]),
            rate=_number(rate[row, column]),
            low=_number(low[row, column]),
            high=_number(high[row, column]),
            jeffreys=(_number(beside[row, column, 0]), _number(beside[row, column, 1])),
            lift=_number(lift[row, column]),
            p=_number(p[row, column]),
            q=_number(q[row, column]),
            groups=int(designs[column].groups[row]) if designs else None,
            effective_n=float(as_n[row, column]) if designs else None,
            min_n=min_n,
        )
        for row, values in enumerate(slices)
        for column, outcome in enumerate(outcomes)
    ]


def as_column(factor: Column | Sequence[Any]) -> Column:
    """Returns a column as it is, and the column of N values."""
    return factor if isinstance(factor, Column) else Column.of(factor)


def _share(rate: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.where(n > 0, rate, 0)


def _number(value: float) -> float:
    # one NaN for all: records that hold it are equal
    return math.nan if math.isnan(value) else float(value)


def _groups(column: Column) -> np.ndarray:
    """Returns the (N,) int64 groups of samples; those without a value are each in one of its own."""
    if len(column.samples) != column.n:
        raise InputError(
            "expected groups that each sample is in one of, got samples in several: group by another field"
        )
    alone = np.array([value is None for value in column.values], dtype=bool)[column.codes]
    return np.where(alone, len(column.values) + np.arange(column.n), column.codes)


@dataclass(frozen=True, eq=False)
class _Crossing:
    """Which slices and groups M entries fall into: sorted once, for however many outcomes."""

    slice: np.ndarray
    group: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, slices: np.ndarray, groups: np.ndarray) -> _Crossing:
        width = int(groups.max(initial=0)) + 1
        cells, cell = np.unique(slices * width + groups, return_inverse=True)
        return cls(cells // width, cells % width, cell)

    def cells(self, state: np.ndarray) -> Cells:
        """Returns the cells with judged samples, by the (M,) states of the entries."""
        n = np.bincount(self.cell[state >= State.PASSED], minlength=len(self.slice)).astype(np.float64)
        failures = np.bincount(self.cell[state == State.FAILED], minlength=len(self.slice)).astype(np.float64)
        judged = n > 0
        return Cells(self.slice[judged], self.group[judged], n[judged], failures[judged])


def _designs(slices: Slices, states: Iterable[np.ndarray], group_of: np.ndarray) -> list[Design]:
    """Returns for each outcome as how many independent samples the slices count."""
    own = _Crossing.of(slices.codes, group_of[slices.samples])
    every = _Crossing.of(np.zeros_like(group_of), group_of)
    return [
        effective_n_of_slices(own.cells(state[slices.samples]), every.cells(state), len(slices.values))
        for state in states
    ]

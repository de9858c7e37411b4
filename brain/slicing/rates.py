"""Failure rates with their intervals, from columns of states. Pure arithmetic: no FiftyOne, no pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loupe.brain.core.results import Rate, Slice
from loupe.brain.slicing.columns import NONE as NONE
from loupe.brain.slicing.columns import Column, combine
from loupe.brain.slicing.columns import shown as shown
from loupe.brain.slicing.outcomes import State as State
from loupe.brain.stats.intervals import wilson


def rates(
    states: Mapping[str, np.ndarray],
    factors: Mapping[str, Column | Sequence[Any]] | None = None,
    *,
    confidence: float = 0.95,
) -> list[Rate]:
    """Returns a rate for each slice that occurs and each outcome, slice by slice.

    Args:
        states: for each failure mode or other outcome a (N,) array of ``State``
        factors: by name a column, or N values. The slices are the combinations that occur, in the order of their
            columns' values; None or empty: one slice of all samples. A sample with several values counts in each
        confidence: of the Wilson interval

    Raises:
        InputError: the confidence is not in (0, 1), or there are too many slices

    >>> time = ["day", "day", "night"]
    >>> state = np.array([State.FAILED, State.PASSED, State.UNKNOWN])
    >>> for rate in rates({"blur": state}, {"time": time}):
    ...     print(rate)
    blur | time=day: 50.0% [9.5%, 90.5%] (1 of 2, 0 unknown)
    blur | time=night: not judged (1 unknown, 0 unchecked)
    """
    columns = {name: as_column(factor) for name, factor in (factors or {}).items()}
    slices = combine(columns, n=len(next(iter(states.values()), ())))
    table = np.zeros((len(slices.values), len(states), len(State)), dtype=np.int64)
    for column, state in enumerate(states.values()):
        flat = np.bincount(slices.codes * len(State) + state[slices.samples], minlength=table[:, column].size)
        table[:, column] = flat.reshape(-1, len(State))
    failures = table[:, :, State.FAILED]
    n = failures + table[:, :, State.PASSED]
    low, high = wilson(failures, n, confidence)
    return [
        Rate(
            slice=Slice({name: shown(value) for name, value in values.items()}),
            failure=failure,
            n=int(n[row, column]),
            failures=int(failures[row, column]),
            unknown=int(table[row, column, State.UNKNOWN]),
            unchecked=int(table[row, column, State.UNCHECKED]),
            rate=float(failures[row, column] / n[row, column]) if n[row, column] else float("nan"),
            low=float(low[row, column]),
            high=float(high[row, column]),
        )
        for row, values in enumerate(slices.values)
        for column, failure in enumerate(states)
    ]


def as_column(factor: Column | Sequence[Any]) -> Column:
    """Returns a column as it is, and the column of N values."""
    return factor if isinstance(factor, Column) else Column.of(factor)

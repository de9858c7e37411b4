"""Failure rates with their intervals, from columns of states. Pure arithmetic: no FiftyOne, no pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from loupe.brain.core.records import Rate, Slice
from loupe.brain.stats.intervals import wilson

#: how a missing factor value is shown; it is a slice of its own
NONE = "(none)"


class State(IntEnum):
    """What is known of one sample and one failure mode. Only passed and failed are judged."""

    UNCHECKED = 0
    UNKNOWN = 1
    PASSED = 2
    FAILED = 3


def groups(values: Sequence[Any]) -> tuple[list[Any], np.ndarray]:
    """Returns the distinct values in the order in which they are shown, and for each of the N values its index there.

    Numbers stand in numeric order, then texts with the numbers in them in numeric order, and None last.

    >>> distinct, codes = groups(["day 10", None, "day 9", "day 10"])
    >>> distinct, codes.tolist()
    (['day 9', 'day 10', None], [1, 2, 0, 1])
    """
    distinct = sorted(dict.fromkeys(values), key=_natural)
    index = {value: code for code, value in enumerate(distinct)}
    return distinct, np.fromiter((index[value] for value in values), dtype=np.int64, count=len(values))


def rates(
    states: Mapping[str, np.ndarray], factors: Mapping[str, Sequence[Any]] | None = None, *, confidence: float = 0.95
) -> list[Rate]:
    """Returns a rate for each slice that occurs and each failure mode, slice by slice.

    Args:
        states: for each failure mode a (N,) array of ``State``
        factors: for each field path N values; the slices are the combinations that occur, in the order of ``groups``;
            None or empty: one slice of all samples
        confidence: of the Wilson interval

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> time = ["day", "day", "night"]
    >>> state = np.array([State.FAILED, State.PASSED, State.UNKNOWN])
    >>> for rate in rates({"blur": state}, {"time": time}):
    ...     print(rate)
    blur | time=day: 50.0% [9.5%, 90.5%] (1 of 2, 0 unknown)
    blur | time=night: not judged (1 unknown, 0 unchecked)
    """
    slices, codes = _slices(factors or {}, n=len(next(iter(states.values()), ())))
    table = np.zeros((len(slices), len(states), len(State)), dtype=np.int64)
    for column, state in enumerate(states.values()):
        flat = np.bincount(codes * len(State) + state, minlength=len(slices) * len(State))
        table[:, column] = flat.reshape(len(slices), len(State))
    failures = table[:, :, State.FAILED]
    n = failures + table[:, :, State.PASSED]
    low, high = wilson(failures, n, confidence)
    return [
        Rate(
            slice=Slice(values),
            failure=failure,
            n=int(n[row, column]),
            failures=int(failures[row, column]),
            unknown=int(table[row, column, State.UNKNOWN]),
            unchecked=int(table[row, column, State.UNCHECKED]),
            rate=float(failures[row, column] / n[row, column]) if n[row, column] else float("nan"),
            low=float(low[row, column]),
            high=float(high[row, column]),
        )
        for row, values in enumerate(slices)
        for column, failure in enumerate(states)
    ]


def _slices(factors: Mapping[str, Sequence[Any]], n: int) -> tuple[list[dict[str, str]], np.ndarray]:
    """Returns the combinations of values that occur, and for each of the n samples the index of its own."""
    if not factors:
        return [{}], np.zeros(n, dtype=np.int64)
    grouped = [groups(values) for values in factors.values()]
    shape = tuple(max(1, len(distinct)) for distinct, _ in grouped)
    occurring, codes = np.unique(np.ravel_multi_index([code for _, code in grouped], shape), return_inverse=True)
    combinations = zip(*np.unravel_index(occurring, shape), strict=True)
    return [
        {path: shown(distinct[index]) for path, (distinct, _), index in zip(factors, grouped, combination, strict=True)}
        for combination in combinations
    ], codes


def shown(value: Any) -> str:
    """Returns how a factor's value is named in a slice."""
    return NONE if value is None else str(value)


def _natural(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (2,)
    if isinstance(value, (bool, int, float)):
        return (0, value)
    parts = re.split(r"(\d+)", str(value))
    return (1, [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts], str(value))

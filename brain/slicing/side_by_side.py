"""One failure mode of two groups of samples, e.g. of two models, for each value of a factor. Arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.records import Record
from loupe.brain.core.results import MIN_N, Rate
from loupe.brain.slicing.changed import take
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import of_counts
from loupe.brain.stats import differences
from loupe.brain.stats.association import q_values


@dataclass(frozen=True)
class Pair(Record):
    """The rates of both groups in one slice.

    Attributes:
        a, b: the rates
        difference: rate of a - rate of b in [-1, 1]; above 0: a fails more often. NaN where one was not judged
        low, high: its 95 % interval, Newcombe's of independent samples
        p: two-sided, of "both fail equally often"
        q: p adjusted for all rows (Benjamini-Hochberg)
    """

    a: Rate
    b: Rate
    difference: float
    low: float
    high: float
    p: float
    q: float

    @property
    def too_few(self) -> bool:
        """Whether one of the two rates is of too few samples."""
        return self.a.too_few or self.b.too_few

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference leaves 0 out, of enough samples."""
        return not self.too_few and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class SideBySide(Record):
    """Two groups of samples side by side.

    Attributes:
        field: what the groups are told by
        a, b: which of its values they have
        failure: the outcome that is counted
        factor: what the rows are values of
        values: a value for each row, those of the table
        overall: all samples of both
        rows: the pairs, in the order of ``values``
    """

    field: str
    a: Any
    b: Any
    failure: str
    factor: str
    values: tuple[Any, ...]
    overall: Pair
    rows: tuple[Pair, ...]


def side_by_side(
    state: np.ndarray,
    failure: str,
    factor: tuple[str, Column | None],
    values: tuple[Any, ...],
    groups: tuple[str, Column],
    a: Any,
    b: Any,
    *,
    min_n: int = MIN_N,
) -> SideBySide:
    """Returns the rates of two groups of samples and their difference, for all and for each value of a factor.

    Samples of one prompt and seed in both groups are not paired: ``loupe.compare`` does that.

    Args:
        state: (N,) int8: ``State`` of one outcome
        failure: its name
        factor: its name and column; None: there is no factor, and no row
        values: the factor's values to show
        groups: the name and column of what tells the groups
        a, b: two values of it
        min_n: a rate of fewer samples is ``too_few``

    >>> state = np.repeat([State.FAILED, State.PASSED, State.FAILED, State.PASSED], [56, 14, 48, 32])
    >>> models = Column.of(["new"] * 70 + ["old"] * 80)
    >>> pair = side_by_side(state, "blur", ("", None), (), ("model", models), "new", "old").overall
    >>> [round(number, 4) for number in (pair.difference, pair.low, pair.high)]  # Newcombe's example (a)
    [0.2, 0.0524, 0.3339]
    """
    name, column = factor
    places = [column.values.index(value) for value in values] if column is not None else []
    labels = [{}, *({name: shown(value)} for value in values)]
    sides = []
    for value in (a, b):
        rows = groups[1].rows(value)
        counts = _counts(state[rows], None if column is None else take(column, rows), places)
        sides.append(of_counts(labels, [failure], counts[:, None], counts[:1], min_n=min_n))
    (fails_a, n_a), (fails_b, n_b) = (
        np.array([(rate.failures, rate.n) for rate in side], dtype=np.float64).T for side in sides
    )
    low, high = differences.unpaired(fails_a, n_a, fails_b, n_b)
    compared = (n_a > 0) & (n_b > 0)
    p = np.where(compared, differences.unpaired_p(fails_a, n_a, fails_b, n_b), np.nan)
    # what all samples say is asked once; the rows are looked at together
    q = np.concatenate([p[:1], q_values(p[1:])])
    pairs = [
        Pair(of_a, of_b, of_a.rate - of_b.rate, *(float(each[at]) for each in (low, high, p, q)))
        for at, (of_a, of_b) in enumerate(zip(*sides, strict=True))
    ]
    return SideBySide(groups[0], a, b, failure, name, values, pairs[0], tuple(pairs[1:]))


def _counts(state: np.ndarray, column: Column | None, places: list[int]) -> np.ndarray:
    """Returns (1 + V, 4) int64: how many samples are in each state, of all and of each value."""
    width = len(State)
    counts = [np.bincount(state, minlength=width)]
    if column is not None:
        flat = np.bincount(column.codes * width + state[column.samples], minlength=len(column.values) * width)
        counts += list(flat.reshape(-1, width)[places])
    return np.stack(counts).astype(np.int64)

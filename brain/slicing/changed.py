"""Two contenders of a comparison: their pairs, which of those changed, and what tells where. Arithmetic only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.comparison import Difference
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.comparison import Entries, differences_of, matched, side_of
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.regressions import Units, counts_of

#: a factor whose values differ in more of the pairs says nothing of both of their pictures
_MAX_DIFFERENT = 0.05


def units_of(
    entries: Entries, rows: np.ndarray, factors: Mapping[str, Column], new: str, old: str, *, paired: bool
) -> tuple[Units, list[str]]:
    """Returns what two contenders are compared by, and the factors that say nothing of pairs.

    Args:
        entries: N judgments
        rows: (N,) int64: the sample of each
        factors: of the samples
        new, old: two of the contenders
        paired: whether they are compared by pairs
    """
    a, b = entries.names.index(new), entries.names.index(old)
    if not paired:
        use = np.flatnonzero(entries.judged & ((entries.member == a) | (entries.member == b)))
        failed, is_new = (entries.state[use] == State.FAILED).astype(np.float64), entries.member[use] == a
        taken = {name: take(column, rows[use]) for name, column in factors.items()}
        clusters = None if entries.cluster is None else entries.cluster[use]
        failed_new, failed_old = np.where(is_new, failed, np.nan), np.where(is_new, np.nan, failed)
        return Units(new, old, failed_new, failed_old, clusters, taken, False), []
    side_a, side_b = side_of(entries, a), side_of(entries, b)
    in_a, in_b = matched(side_a, side_b)
    taken, unlike = {}, []
    for name, column in factors.items():
        of_new, of_old = (take(column, rows[side.rows[at]]) for side, at in ((side_a, in_a), (side_b, in_b)))
        if _alike(of_new, of_old):
            taken[name] = of_new
        else:
            unlike.append(name)
    clusters = None if side_a.clusters is None else side_a.clusters[in_a]
    return Units(new, old, side_a.failed[in_a], side_b.failed[in_b], clusters, taken, True), unlike


@dataclass(frozen=True, eq=False)
class Changed:
    """Two contenders, slice by slice.

    Attributes:
        values: of the factor, in the order in which they are shown; None is the missing value
        differences: the new one (``a``) against the old one there, with p-values that are corrected over all slices
        worse: how many pairs of each changed: the new one failed and the old one passed; 0 where they are not paired
    """

    values: tuple[Any, ...]
    differences: tuple[Difference, ...]
    worse: tuple[int, ...]


def by_slice(units: Units, factor: str, confidence: float = 0.95, max_values: int = 40) -> Changed:
    """Returns what two contenders differ by in each slice; the rarest beyond ``max_values`` are left out.

    Args:
        units: what they are compared by
        factor: one of its factors
        confidence: of each interval alone
        max_values: how many slices there may be
    """
    column = units.factors[factor]
    frequent = sorted(np.argsort(-column.counts(), kind="stable")[:max_values].tolist())
    rows = [column.samples[column.codes == code] for code in frequent]
    lines = [counts_of(units, own, confidence) for own in rows]
    known = [at for at, own in enumerate(rows) if len(own)]
    worse = (units.failed_new == 1) & (units.failed_old == 0)
    return Changed(
        tuple(column.values[frequent[at]] for at in known),
        tuple(differences_of([(units.new, units.old)] * len(known), [lines[at] for at in known], confidence)),
        tuple(int(worse[rows[at]].sum()) for at in known),
    )


def changed(entries: Entries, new: str, old: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pairs in which the new one failed and the old one passed, for certain: two (P,) arrays of entries.

    Args:
        entries: N judgments with keys
        new, old: two of the contenders
    """
    side_a, side_b = side_of(entries, entries.names.index(new)), side_of(entries, entries.names.index(old))
    in_a, in_b = matched(side_a, side_b)
    worse = (side_a.failed[in_a] == 1) & (side_b.failed[in_b] == 0)
    return side_a.rows[in_a[worse]], side_b.rows[in_b[worse]]


def take(column: Column, rows: np.ndarray) -> Column:
    """Returns the column of some samples, in their order.

    >>> own = take(Column.of(["day", ["day", "night"], None]), np.array([2, 1]))
    >>> own.samples.tolist(), [own.values[code] for code in own.codes]
    ([0, 1, 1], [None, 'day', 'night'])
    """
    first = np.searchsorted(column.samples, np.arange(column.n + 1))
    times = np.diff(first)[rows]
    samples = np.repeat(np.arange(len(rows)), times)
    offset = np.arange(len(samples)) - np.repeat(np.cumsum(times) - times, times)
    return Column(column.values, samples, column.codes[first[rows][samples] + offset], len(rows))


def _alike(a: Column, b: Column) -> bool:
    if len(a.samples) != len(b.samples) or (a.samples != b.samples).any():
        return False
    return not len(a.codes) or bool((a.codes != b.codes).mean() <= _MAX_DIFFERENT)

"""Puts together what ``coverage`` returns: balances, tables, and the cells that are worth naming. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.labels.balance import effective_classes, imbalance_ratio
from loupe.brain.labels.cells import Balance, Cell, CrossTable, Kind
from loupe.brain.labels.crosstab import Crossed, crossed
from loupe.brain.slicing.columns import NONE, Column, combine, shown
from loupe.brain.stats.association import q_values
from loupe.brain.stats.effective_n import design_effect
from loupe.brain.stats.intervals import Proportion, wilson

#: so many thin cells are kept; the others are counted
MAX_THIN = 1000
#: so many classes, the most frequent, are looked at in pairs
MAX_PAIRED = 300


@dataclass(frozen=True, eq=False)
class Part:
    """A factor, or several combined, with its values.

    Attributes:
        name: of the factor; of several with " × " between
        column: the value of each of N samples; of several a tuple of values
        factors: what the parts are, as ``Factor.to_dict`` gives it
    """

    name: str
    column: Column
    factors: tuple[Mapping[str, Any], ...]

    def values(self, code: int) -> tuple[tuple[str, str], ...]:
        """Returns the (factor, value) pairs of a value."""
        value = self.column.values[code]
        each = value if len(self.factors) > 1 else (value,)
        return tuple((str(facts["name"]), shown(item)) for facts, item in zip(self.factors, each, strict=True))

    def frequent(self, limit: int) -> Part:
        """Returns the factor with its most frequent values alone; the others become missing ones."""
        order = np.argsort(-self.column.counts(), kind="stable")
        known = [at for at in order.tolist() if self.column.values[at] is not None][:limit]
        place = np.full(len(self.column.values), len(known))
        place[known] = np.arange(len(known))
        values = (*(self.column.values[at] for at in known), None)
        made = Column(values, self.column.samples, place[self.column.codes], self.column.n)
        return Part(self.name, made, self.factors)

    def shown(self) -> tuple[str, ...]:
        """Returns the names of its values."""
        return tuple(" × ".join(value for _, value in self.values(code)) for code in range(len(self.column.values)))


def combined(name: str, columns: Mapping[str, Column], factors: Sequence[Mapping[str, Any]], n: int) -> Part:
    """Returns several factors as one: its values are the combinations that occur."""
    slices = combine(columns, n)
    values = tuple(tuple(own.values()) for own in slices.values)
    return Part(name, Column(values, slices.samples, slices.codes, n), tuple(factors))


@leavable
def balance_of(part: Part, groups: np.ndarray | None, declared: Sequence[str] = ()) -> Balance:
    """Returns how the values of a factor are spread; a missing value does not count.

    Args:
        part: the factor
        groups: (N,) int64: of each sample; the intervals are then of the effective n, a group counting as one sample
        declared: classes that there should be
    """
    column, names = part.column, part.shown()
    missing = [at for at, value in enumerate(column.values) if value is None]
    judged = np.zeros(column.n, dtype=bool)
    judged[column.samples[~np.isin(column.codes, missing)]] = True
    n = int(judged.sum())
    counts = column.counts()
    order = [at for at in np.argsort(-counts, kind="stable").tolist() if at not in missing]
    design = 1.0 if groups is None else design_effect(groups[judged], 1.0)
    shares = {}
    if n:
        low, high = wilson(counts[order] / design, n / design)
        ends = zip(order, low.tolist(), high.tolist(), strict=True)
        shares = {names[at]: Proportion(n, int(counts[at]), *both) for at, *both in ends}
    known = {names[at]: int(counts[at]) for at in order}
    absent = {name: 0 for name in declared if name not in known}
    sizes = counts[order]
    return Balance(
        part.name, {**known, **absent}, shares, n, column.n - n, imbalance_ratio(sizes), effective_classes(sizes)
    )


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two factors that are crossed, and what that gave.

    Attributes:
        kind: of its cells
        row: the classes
        column: the contexts; the classes again for pairs of them
        rows: (R,) int64: which values of ``row`` stand for the rows
        table: the cells
    """

    kind: Kind
    row: Part
    column: Part
    rows: np.ndarray
    table: Crossed

    @classmethod
    def of(cls, kind: Kind, row: Part, column: Part, groups: np.ndarray | None) -> Crossing:
        """Returns the cells of two factors of the same samples; raises as ``crossed`` does."""
        rows = np.array([at for at, value in enumerate(row.column.values) if value is not None], dtype=np.int64)
        table = crossed(row.column, None if kind == "pair" else column.column, groups)
        return cls(kind, row, column, rows, table)

    def cell(self, at: int, q: float) -> Cell:
        """Returns a cell by its place in the table's lists, with the interval of its ratio."""
        table = self.table
        row, column = divmod(int(table.at[at]), table.counts.shape[1])
        other = int(self.rows[column]) if self.kind == "pair" else column
        first, second = self.row.values(int(self.rows[row])), self.column.values(other)
        n, design = int(table.n[at]), float(table.design[at])
        ratio = float(table.ratio[at])
        low, high = table.interval(at)
        factors = (*self.row.factors, *self.column.factors)
        if self.kind == "object":  # the size of the boxes of this class
            factors = (*self.row.factors, *({**facts, "of": [first[0][1]]} for facts in self.column.factors))
        return Cell(
            self.kind,
            (*first, *second),
            n,
            float(table.expected[at]),
            ratio,
            low,
            high,
            float(table.p[at]),
            q,
            n / design,
            factors=factors,
        )

    def thin(self, min_samples: int) -> np.ndarray:
        """Returns which cells have few samples, and values that are all known: (L,) bool."""
        if self.kind != "context":
            return np.zeros(len(self.table.at), dtype=bool)
        whole = [
            NONE not in (value for _, value in self.column.values(at)) for at in range(len(self.column.column.values))
        ]
        columns = self.table.at % max(self.table.counts.shape[1], 1)
        return np.asarray((self.table.n < min_samples) & np.array(whole, dtype=bool)[columns])

    def plain(self) -> CrossTable:
        """Returns the counts."""
        names = self.row.shown()
        rows = tuple(names[at] for at in self.rows.tolist())
        columns = rows if self.kind == "pair" else self.column.shown()
        counts = tuple(map(tuple, self.table.counts.tolist()))
        return CrossTable(self.kind, self.row.name, self.column.name, rows, columns, counts, self.table.total)


def named_cells(
    crossings: Sequence[Crossing], min_samples: int, far: float, fdr: float
) -> tuple[tuple[Cell, ...], int, int]:
    """Returns the cells that are worth naming, how many are thin, and how many were tested.

    Named are those that are surely far from independence, all of the call corrected for (Benjamini-Hochberg), the
    surest first; and those with few samples, the emptiest first.
    """
    if not crossings:
        return (), 0, 0
    p = np.concatenate([each.table.p for each in crossings])
    ratio = np.concatenate([each.table.ratio for each in crossings])
    n = np.concatenate([each.table.n for each in crossings])
    expected = np.concatenate([each.table.expected for each in crossings])
    thin = np.concatenate([each.thin(min_samples) for each in crossings])
    q = q_values(p)
    starts = np.cumsum([0, *(len(each.table.at) for each in crossings)])

    def cell(at: int) -> Cell:
        which = int(np.searchsorted(starts, at, side="right")) - 1
        return crossings[which].cell(at - int(starts[which]), float(q[at]))

    with np.errstate(invalid="ignore"):
        surely = np.flatnonzero((q <= fdr) & ((ratio <= 1 / far) | (ratio >= far)))
    named = [
        replace(cell(at), far="below" if ratio[at] < 1 else "above")
        for at in surely[np.lexsort((n[surely], p[surely]))].tolist()
    ]
    few = np.flatnonzero(thin & ~np.isin(np.arange(len(n)), surely))
    few = few[np.lexsort((-expected[few], n[few]))]
    return (*named, *map(cell, few[:MAX_THIN].tolist())), int(thin.sum()), int((~np.isnan(p)).sum())

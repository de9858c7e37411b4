"""What ``coverage`` found: how a set covers its classes, its contexts and a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.holes import Holes, rounded
from loupe.brain.core.p_values import p_value
from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.labels import cells as parts
from loupe.brain.labels.balance import Scheme, balanced_weights, effective_weights
from loupe.brain.labels.cells import Balance, Cell, CrossTable, balanced, is_thin
from loupe.brain.slicing.columns import Column, shown


@dataclass(frozen=True, eq=False)
class Members:
    """Which sample has which classes: what sample weights are made of. It is not part of the plain values.

    Attributes:
        ids: the samples
        column: their classes
    """

    ids: list[str]
    column: Column


@dataclass(frozen=True, repr=False)
class Coverage(Tabular, Record):
    """How a set covers its classes, its contexts and a reference.

    Attributes:
        label: the field of classes; None: the factors among themselves
        n: how many samples there are
        balances: how the classes, and the values of each factor, are spread; that of the label first
        tables: how many samples have each pair of values
        cells: those that are surely far from independence, the surest first, then those with few samples
        thin: how many cells have fewer samples than ``min_samples``; at most 1,000 of them are among the cells
        tested: how many cells could show anything, and were corrected for
        holes: of a reference; None without one
        min_samples: a cell with fewer is thin
        far: how many times too few or too many are far
        fdr: the q up to which a cell is named
        groups: of how many groups the samples are
        notes: what was left out, and why
        params: the settings
    """

    label: str | None
    n: int
    balances: tuple[Balance, ...]
    tables: tuple[CrossTable, ...]
    cells: tuple[Cell, ...]
    thin: int
    tested: int
    holes: Holes | None
    min_samples: int
    far: float
    fdr: float
    groups: int
    notes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    members: Members | None = field(default=None, compare=False)

    @property
    def below(self) -> tuple[Cell, ...]:
        """The hidden imbalances: cells with surely far too few, the surest first."""
        return tuple(cell for cell in self.cells if cell.far == "below")

    @property
    def above(self) -> tuple[Cell, ...]:
        """The cells with surely far too many, the surest first."""
        return tuple(cell for cell in self.cells if cell.far == "above")

    @property
    def thin_cells(self) -> tuple[Cell, ...]:
        """The cells with few samples or none, the emptiest first, and of those the ones that expect the most."""
        few = [cell for cell in self.cells if is_thin(cell, self.min_samples)]
        return tuple(sorted(few, key=lambda cell: (cell.n, -cell.expected, cell.values)))

    def sentences(self, limit: int = 10) -> list[str]:
        """Returns what was found, in sentences with numbers: of cells at most so many of a kind."""
        lines = [balanced(balance) for balance in self.balances[: 1 if self.label is not None else None]]
        lines += [cell.sentence for cell in [*self.below[:limit], *self.above[:limit]]]
        if self.thin:
            named = "; ".join(f"{cell.where} ({cell.n:,})" for cell in self.thin_cells[: min(limit, 5)])
            have = "cell has" if self.thin == 1 else "cells have"
            lines.append(f"{self.thin:,} {have} fewer than {self.min_samples} samples: {named}")
        if self.holes is not None:
            lines += [self.holes.sentence, *(hole.sentence for hole in self.holes.holes[:limit])]
        return [*lines, *self.notes]

    def class_weights(
        self, scheme: Scheme = "balanced", *, of: str | None = None, beta: float = 0.999
    ) -> dict[str, float]:
        """Returns the weight of each class that occurs; higher for rarer ones.

        Args:
            scheme: balanced: N / (K n) as scikit-learn's ``compute_class_weight("balanced")``; effective: (1 − β) /
                (1 − βⁿ) with mean 1, of the effective number of samples (Cui et al., CVPR 2019, arXiv:1901.05555)
            of: of which field or factor; None: of the label, else of the first factor
            beta: of ``effective``, in [0, 1): 0 weighs all alike

        Raises:
            UnknownName: nothing of that name was counted
            InputError: no class at all, another scheme, or a beta outside [0, 1)
        """
        balance = self._balance(of)
        counts = {name: count for name, count in balance.counts.items() if count}
        if not counts:
            raise InputError(f"expected classes to weigh, but no sample has a value of {balance.name!r}")
        if scheme == "balanced":
            return balanced_weights(counts)
        if scheme == "effective":
            return effective_weights(counts, beta)
        raise InputError(f"expected the scheme 'balanced' or 'effective', got {scheme!r}")

    def sample_weights(self, scheme: Scheme = "balanced", *, beta: float = 0.999) -> dict[str, float]:
        """Returns by sample id the weight of its class, as scikit-learn's ``compute_sample_weight("balanced")``.

        A sample of several classes has the mean of their weights; one without a class is left out.

        Args:
            scheme, beta: as for ``class_weights``

        Raises:
            InputError: without a label, or of a record that was loaded: call ``loupe.coverage`` with ``label=``
        """
        if self.members is None:
            raise InputError("expected the classes of the samples, got none: call loupe.coverage with label=")
        weights = self.class_weights(scheme, beta=beta)
        return weights_of(self.members, weights)

    def _balance(self, of: str | None) -> Balance:
        if not self.balances:
            raise InputError("expected classes to weigh, got none: call loupe.coverage with label= or by=")
        named = {balance.name: balance for balance in self.balances}
        if of is not None and of not in named:
            raise UnknownName("field or factor", of, named)
        return self.balances[0] if of is None else named[of]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each cell that is far from chance, then the thin ones."""
        cells = [*self.below, *self.above, *(cell for cell in self.thin_cells if not cell.far)]
        rows = [
            (
                cell.where,
                {"below": "too few", "above": "too many", "": "few"}[cell.far],
                cell.n,
                rounded(cell.expected),
                f"{cell.ratio:.2g} [{cell.low:.2g}, {cell.high:.2g}]" if math.isfinite(cell.low) else "",
                "" if math.isnan(cell.q) else p_value(cell.q),
            )
            for cell in cells
        ]
        title = f"{self.n:,} samples"
        if self.balances:
            title += f"; {balanced(self.balances[0])}"
        title += (
            f"; of {self.tested:,} cells tested {len(self.below):,} far too small, {len(self.above):,} far too large"
        )
        title += f"; {self.thin:,} with fewer than {self.min_samples} samples"
        lines = [] if self.holes is None else [self.holes.sentence, *(hole.sentence for hole in self.holes.holes)]
        head = ("cell", "", "n", "expected", "times as many", "q")
        return Table.of(title, head, rows, "\n".join([*lines, *self.notes]))

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain JSON-able values, without which sample has which class."""
        facts = Record.to_dict(replace(self, members=None))
        del facts["members"]
        return facts

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Coverage:
        """Returns what ``to_dict`` made plain values of.

        Raises:
            KeyError, TypeError, ValueError: other values
        """
        known = {each.name for each in fields(cls)}
        made = {name: value for name, value in facts.items() if name in known}
        made["balances"] = tuple(map(parts.balance_of, facts["balances"]))
        made["tables"] = tuple(map(parts.table_of, facts["tables"]))
        made["cells"] = tuple(map(parts.cell_of, facts["cells"]))
        made["holes"] = None if facts["holes"] is None else Holes.from_dict(facts["holes"])
        made["notes"] = tuple(facts["notes"])
        return cls(**made)


def weights_of(members: Members, weights: Mapping[str, float]) -> dict[str, float]:
    """Returns by sample id the mean weight of its classes; a sample without one is left out."""
    column = members.column
    by_code = np.array(
        [np.nan if value is None else weights[shown(value)] for value in column.values], dtype=np.float64
    )
    known = ~np.isnan(by_code)[column.codes]
    owners = column.samples[known]
    sums = np.bincount(owners, weights=by_code[column.codes[known]], minlength=column.n)
    counts = np.bincount(owners, minlength=column.n)
    rows = np.flatnonzero(counts)
    means = (sums[rows] / counts[rows]).tolist()
    return {members.ids[at]: weight for at, weight in zip(rows.tolist(), means, strict=True)}

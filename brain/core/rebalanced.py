"""What ``rebalance`` returns: for each thing that a set lacks what was drawn for it, and how much of that counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from loupe.brain.core.experiment import duration
from loupe.brain.core.kept import KeptRecord, number
from loupe.brain.core.proportions import Proportion
from loupe.brain.core.tables import Table, Tabular

#: what a drawn sample is: it counts; it passes beyond the target; it fails; nobody can tell
Status: TypeAlias = Literal["counts", "spare", "fails", "unknown"]
STATUSES: tuple[Status, ...] = get_args(Status)
#: how it stands with a cell: not begun; its target is reached; enough were drawn in vain, none passed, none could be
#: judged, the budget is spent
End: TypeAlias = Literal["open", "reached", "limit", "hopeless", "undecided", "budget"]
#: of no sample
NOTHING = Proportion(0, 0, math.nan, math.nan)


@dataclass(frozen=True)
class RebalancedCell(KeptRecord):
    """A cell, a slice or a hole, and what was drawn for it.

    Attributes:
        where: in words
        key: what its samples have in ``rebalance.key``
        target: how many samples that count it is to have
        present: how many of them it had without those drawn for it
        prompts: what is asked for, in turn
        limit: draws at most
        end: how it stands with it
        counts, spare, fails, unknown: of what was drawn for it
        missing: requests of which no picture came
        failures: by failure mode how many of the failing have it; ``"label"``: another class is more probable
        doubts: by check how many it could not judge; ``"label"``: the class cannot be told
        rate: of the draws in order, up to the one that reached the target: how many pass. The interval is exact for a
            sequence that ends at the r-th pass, or at its limit (``stats.inverse``)
        expected: the same of the pictures of the cell that were there before, by which the draws are planned
        seconds: that drawing a picture takes; NaN where none is known
        price: of a picture in US dollars; NaN where nobody knows
        refused: answers of the language model that did not ask for the same
        unasked: whether no class was asked for, so that none was looked for
    """

    where: str
    key: str
    target: int
    present: int
    prompts: tuple[str, ...]
    limit: int
    end: End = "open"
    counts: int = 0
    spare: int = 0
    fails: int = 0
    unknown: int = 0
    missing: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    doubts: Mapping[str, int] = field(default_factory=dict)
    rate: Proportion = NOTHING
    expected: Proportion = NOTHING
    seconds: float = math.nan
    price: float = math.nan
    refused: int = 0
    unasked: bool = False

    @property
    def drawn(self) -> int:
        """How many pictures were drawn for it."""
        return self.counts + self.spare + self.fails + self.unknown

    @property
    def needed(self) -> int:
        """How many samples that count were needed beside those that it had."""
        return max(self.target - self.present, 0)

    @property
    def lacking(self) -> int:
        """How many samples that count it still lacks."""
        return max(self.needed - self.counts, 0)

    @property
    def to_draw(self) -> tuple[float, float, float]:
        """How many pictures are still to be drawn on average, and at the ends of the pass rate's interval.

        By its own draws, else by what was there; never more than the limit leaves, and NaN where nothing was judged.
        """
        if self.end not in ("open", "budget"):
            return 0.0, 0.0, 0.0
        known = self.rate if self.rate.n else self.expected
        left = float(max(self.limit - self.drawn - self.missing, 0))
        rates = (known.rate, known.high, known.low)
        mid, few, many = (
            math.nan if math.isnan(each) else min(self.lacking / each, left) if each > 0 else left for each in rates
        )
        return mid, few, many

    @property
    def sentence(self) -> str:
        """How it stands, in one sentence."""
        begins = f"{self.where}: {self.present + self.counts:,} of {self.target:,} samples count"
        if self.end == "reached":
            return begins + (f"; {self.rate} of the draws passed" if self.rate.n else "")
        if self.end == "limit":
            drawn = self.rate.n
            return f"{begins}; {self.rate.k:,} of {drawn:,} passed: this generator cannot draw this often enough"
        if self.end == "hopeless":
            return f"{begins}; none of {self.rate.n:,} passed: this generator cannot draw this"
        if self.end == "undecided":
            worst = max(self.doubts, key=lambda name: self.doubts[name], default="")
            return (
                f"{begins}; of {self.drawn:,} drawn {self.fails:,} fail, and of all others {worst} cannot tell: leave "
                "that check out, or let its silence pass with allow_unknown"
            )
        if self.end == "budget":
            return f"{begins}; the budget is spent"
        mid, few, many = self.to_draw
        if math.isnan(mid):
            return f"{begins}; how many of its pictures pass is not known yet, at most {self.limit:,} are drawn"
        text = f"{begins}; about {mid:,.0f} ({few:,.0f} to {many:,.0f}) pictures are to be drawn"
        return text + (f", which is the limit of {self.limit:,}" if mid >= self.limit else "")

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> RebalancedCell:
        """Returns what ``to_dict`` made plain values of."""
        shares = {name: Proportion.from_dict(facts[name]) for name in ("rate", "expected")}
        numbers = {name: number(facts[name]) for name in ("seconds", "price")}
        return cls(**{**facts, **shares, **numbers, "prompts": tuple(facts["prompts"])})


@dataclass(frozen=True, repr=False)
class Rebalanced(Tabular, KeptRecord):
    """What a set lacked and how far it was drawn; of a plan, how far it has to be. It prints as a table.

    Attributes:
        cells: in the order in which they were asked for
        planned: whether this is only a plan: nothing was drawn
        gate: the checks that a sample has to pass
        label: the field of classes that it has to agree with; empty: none
        agreement: how often the classifier of the label is right on the reference, left-out samples; higher is better
        view: the saved view without what does not count; empty where there is none
        notes: what no prompt was made for, and what else is to be known
    """

    cells: tuple[RebalancedCell, ...]
    planned: bool = False
    gate: tuple[str, ...] = ()
    label: str = ""
    agreement: Proportion = NOTHING
    view: str = ""
    notes: tuple[str, ...] = ()

    @property
    def drawn(self) -> int:
        """How many pictures were drawn, in this call and earlier ones."""
        return sum(cell.drawn for cell in self.cells)

    @property
    def counts(self) -> int:
        """How many of them count."""
        return sum(cell.counts for cell in self.cells)

    @property
    def reached(self) -> bool:
        """Whether every cell has its target."""
        return all(cell.end == "reached" for cell in self.cells)

    @property
    def seconds(self) -> float:
        """How long drawing what is still to be drawn takes on average; NaN where it is not known of every cell."""
        return self._sum("seconds")

    @property
    def cost(self) -> float:
        """What drawing it costs on average in US dollars; NaN where it is not known of every cell."""
        return self._sum("price")

    def _sum(self, what: str) -> float:
        waiting = [cell for cell in self.cells if cell.end in ("open", "budget") and cell.lacking]
        return math.fsum(cell.to_draw[0] * getattr(cell, what) for cell in waiting)

    def sentence(self) -> str:
        """Returns what is to be drawn, or was, in words."""
        waiting = [cell for cell in self.cells if cell.end == "open" and cell.lacking]
        if not self.cells:
            return "Nothing is lacking that can be asked for"
        if not self.planned or not waiting:
            done = sum(cell.end == "reached" for cell in self.cells)
            return (
                f"{done:,} of {len(self.cells):,} reached their target: {self.counts:,} of {self.drawn:,} drawn count"
            )
        lacking = sum(cell.lacking for cell in waiting)
        many = sum(cell.limit - cell.drawn - cell.missing for cell in waiting)
        text = f"{lacking:,} samples that count are lacking"
        if all(not math.isnan(cell.to_draw[0]) for cell in waiting):
            text += f", about {sum(cell.to_draw[0] for cell in waiting):,.0f} pictures are to be drawn"
        else:
            text += ", how many of the pictures pass is not known of all"
        text += f", at most {many:,}"
        if not math.isnan(self.seconds):
            text += f"; {duration(self.seconds)} of drawing"
        if not math.isnan(self.cost):
            text += "; no cost" if self.cost == 0 else f"; {self.cost:,.2f} US$"
        return text

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each cell."""
        notes = [cell.sentence for cell in self.cells if cell.end not in ("reached", "open")]
        note = "\n".join([*notes, *self.notes])
        if self.planned:
            head: tuple[str, ...] = ("for", "target", "count now", "to draw", "at most", "passed before", "prompt")
            rows: list[tuple[object, ...]] = [
                (
                    cell.where, cell.target, cell.present + cell.counts, _some(cell.to_draw[0]),
                    max(cell.limit - cell.drawn - cell.missing, 0) if cell.lacking else 0,
                    str(cell.rate if cell.rate.n else cell.expected), cell.prompts[0] if cell.prompts else "–",
                )
                for cell in self.cells
            ]  # fmt: skip
            return Table.of(self.sentence(), head, rows, note)
        head = ("for", "target", "count now", "drawn", "fail", "unknown", "passed", "most often")
        rows = [
            (
                cell.where, cell.target, cell.present + cell.counts, cell.drawn, cell.fails, cell.unknown,
                str(cell.rate), _commonest(cell),
            )
            for cell in self.cells
        ]  # fmt: skip
        return Table.of(self.sentence(), head, rows, note)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Rebalanced:
        """Returns what ``to_dict`` made plain values of."""
        own = {
            "cells": tuple(map(RebalancedCell.from_dict, facts["cells"])),
            "agreement": Proportion.from_dict(facts["agreement"]),
            "gate": tuple(facts["gate"]),
            "notes": tuple(facts["notes"]),
        }
        return cls(**{**facts, **own})


def _some(value: float) -> str:
    return "not known" if math.isnan(value) else f"{value:,.0f}"


def _commonest(cell: RebalancedCell) -> str:
    named = {**cell.failures, **{f"{name} silent": count for name, count in cell.doubts.items()}}
    if not named:
        return "–"
    worst = max(named, key=lambda name: named[name])
    return f"{worst} ({named[worst]:,})"

"""What is known of the values of a set: how they are spread, and which pairs of them are rare.

Records only; they are made by ``covering``, and ``coverage.Coverage`` holds them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loupe.brain.core.holes import rounded
from loupe.brain.core.p_values import equals
from loupe.brain.core.proportions import Proportion
from loupe.brain.core.records import Record
from loupe.brain.core.shown import field_name
from loupe.brain.slicing.columns import NONE

#: what the two values of a cell are: a class and a context of the sample, a class and the size or place of its boxes,
#: or two classes in one picture
Kind = Literal["context", "object", "pair"]
Far = Literal["", "below", "above"]


@dataclass(frozen=True)
class Balance(Record):
    """How the values of a field or factor are spread.

    Attributes:
        name: the field or factor
        counts: how many samples have each value, the most frequent first; classes that the dataset names and no sample
            has stand at the end, with 0
        shares: the share of each value, with its interval: of the effective n where samples come in groups
        n: how many samples have a value
        missing: how many have none
        ratio: the largest count / the smallest that is not 0: 1 is balanced; NaN without any
        effective: as how many equally frequent values they count: e to the entropy of their shares, from 1 to their
            number; higher is more even
    """

    name: str
    counts: Mapping[str, int]
    shares: Mapping[str, Proportion]
    n: int
    missing: int
    ratio: float
    effective: float

    @property
    def empty(self) -> tuple[str, ...]:
        """The values that no sample has."""
        return tuple(name for name, count in self.counts.items() if not count)


@dataclass(frozen=True)
class Cell(Record):
    """Two values together, against what independence would put there.

    Attributes:
        kind: context: a class in a context, in samples; object: a class with a size or a place, in objects; pair: two
            classes in one sample
        values: (factor, value) of each; the class first
        n: how many samples (of ``object``: objects) have all of them
        expected: how many independence would put there: the product of both counts / their total
        ratio: n / expected: below 1 there are too few
        low, high: the 95 % interval of the ratio
        p: two-sided, of independence: Fisher's exact test of the effective counts
        q: p, corrected over all cells that could show anything (Benjamini-Hochberg); NaN where the cell could not
        effective_n: as how many independent ones n counts
        far: "below" or "above" where the cell is surely far from independence
        factors: what the values are of, as ``Factor.to_dict`` gives it, for ``loupe.view_of``
    """

    kind: Kind
    values: tuple[tuple[str, str], ...]
    n: int
    expected: float
    ratio: float
    low: float
    high: float
    p: float
    q: float
    effective_n: float
    far: Far = ""
    factors: tuple[Mapping[str, Any], ...] = ()

    @property
    def where(self) -> str:
        """The cell in words, e.g. ``"cat × time=night"``."""
        (_, first), *others = self.values
        parts = [value if self.kind == "pair" else f"{short(name)}={value}" for name, value in others]
        return " × ".join([first, *parts])

    @property
    def sentence(self) -> str:
        """What is known of it, in one sentence."""
        noun = ("box" if self.n == 1 else "boxes") if self.kind == "object" else f"sample{'s' * (self.n != 1)}"
        text = f"{self.where}: {self.n:,} {noun} where {rounded(self.expected)} are expected"
        if math.isfinite(self.low):
            text += f", {self.ratio:.2g} times as many [{self.low:.2g}, {self.high:.2g}]"
        return text if math.isnan(self.q) else f"{text} (q {equals(self.q)})"

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class CrossTable(Record):
    """How many samples have each pair of values.

    Attributes:
        kind: as of ``Cell``
        row, column: the names of the two factors
        rows, columns: their values
        counts: for each row its counts by column; of a pair of classes the upper triangle alone, the rest 0
        n: how many samples (objects) were counted
    """

    kind: Kind
    row: str
    column: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n: int


def is_thin(cell: Cell, min_samples: int) -> bool:
    """Returns whether a cell is one that more samples could be made for: few are in it, and each value is known."""
    known = all(value != NONE for _, value in cell.values)
    return cell.kind == "context" and cell.n < min_samples and known


def short(name: str) -> str:
    """Returns a factor's name as people say it.

    >>> short("scenario.time"), short("ground_truth")
    ('time', 'ground_truth')
    """
    return name.removeprefix("scenario.")


def balanced(balance: Balance) -> str:
    """Returns how the values of a field or factor are spread, in one sentence."""
    known = {name: count for name, count in balance.counts.items() if count}
    text = f"{field_name(balance.name)}: {len(known):,} values, which count as {balance.effective:.1f} equally frequent"
    if len(known) > 1 and balance.ratio >= 1.05:
        names = list(known)
        text += f"; {names[0]} has {balance.ratio:.1f} times as many samples as {names[-1]}"
        text += f" ({known[names[0]]:,} and {known[names[-1]]:,})"
    text += f"; no sample has {', '.join(balance.empty[:5])}" if balance.empty else ""
    have = "sample has" if balance.missing == 1 else "samples have"
    return text + (f"; {balance.missing:,} {have} none" if balance.missing else "")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def balance_of(facts: Mapping[str, Any]) -> Balance:
    """Returns the balance that ``to_dict`` made plain values of."""
    shares = {name: Proportion.from_dict(share) for name, share in facts["shares"].items()}
    numbers = {name: _number(facts[name]) for name in ("ratio", "effective")}
    return Balance(**{**facts, **numbers, "shares": shares})


def table_of(facts: Mapping[str, Any]) -> CrossTable:
    """Returns the table that ``to_dict`` made plain values of."""
    lists = {name: tuple(facts[name]) for name in ("rows", "columns")}
    return CrossTable(**{**facts, **lists, "counts": tuple(map(tuple, facts["counts"]))})


def cell_of(facts: Mapping[str, Any]) -> Cell:
    """Returns the cell that ``to_dict`` made plain values of."""
    numbers = {name: _number(facts[name]) for name in ("expected", "ratio", "low", "high", "p", "q", "effective_n")}
    values = tuple((str(name), str(value)) for name, value in facts["values"])
    return Cell(**{**facts, **numbers, "values": values, "factors": tuple(facts["factors"])})

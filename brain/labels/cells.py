"""What is known of the values of a set: how they are spread, which pairs of them are rare, and where none are.

Records only; they are made by ``covering`` and ``holes``, and ``coverage.Coverage`` holds them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loupe.brain.core.findings import small
from loupe.brain.core.records import Record
from loupe.brain.core.shares import percent
from loupe.brain.slicing.columns import NONE
from loupe.brain.stats.intervals import Proportion

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
        return text if math.isnan(self.q) else f"{text} (q {small(self.q)})"

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


@dataclass(frozen=True)
class Hole(Record):
    """A region of the reference where the samples have none.

    Attributes:
        number: from 1, the largest first
        size: how many reference pictures lie in it, none of them near any sample
        share: of all reference pictures that were compared, with its interval
        expected: how many samples the region would have if the samples lay as the reference does
        p: how probable it is that chance leaves out a region so large anywhere: by those of relabeled sets
        ids: of its reference pictures, those in its middle first; at most 1,000
        mostly: labels of its pictures, with their share: the most frequent up to three
        texts: captions or prompts of those in its middle
    """

    number: int
    size: int
    share: Proportion
    expected: float
    p: float
    ids: tuple[str, ...]
    mostly: tuple[tuple[str, float], ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is known of it, in one sentence."""
        text = f"Hole {self.number}: {self.size:,} reference pictures ({percent(self.share.rate)}) have no sample near"
        text += f", where about {rounded(self.expected)} are expected (p {small(self.p)})"
        mostly = ", ".join(f"{name} {percent(share)}" for name, share in self.mostly)
        return f"{text}; mostly {mostly}" if mostly else text

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Holes(Record):
    """How the samples cover a reference.

    Attributes:
        covered: the reference pictures that have a sample nearer than their k-th nearest reference picture: the
            coverage of Naeem et al. (2020). Of samples in groups one of each is looked at
        expected: the coverage that samples drawn as the reference would have: in [0, 1]
        ratio: coverage / expected: 1 is as good as another draw
        k: how many neighbors make a ball
        holes: the regions without samples that chance does not explain, the largest first
        notes: what was left out, and why
    """

    covered: Proportion
    expected: float
    ratio: float
    k: int
    holes: tuple[Hole, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The coverage in one sentence."""
        return (
            f"{percent(self.covered.rate)} of {self.covered.n:,} reference pictures have a sample near; as good a draw "
            f"would cover {percent(self.expected)}"
        )


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


def rounded(number: float) -> str:
    """Returns a number of samples as people read it."""
    return f"{number:,.0f}" if number >= 9.5 else f"{number:.2g}"


def balanced(balance: Balance) -> str:
    """Returns how the values of a field or factor are spread, in one sentence."""
    known = {name: count for name, count in balance.counts.items() if count}
    text = f"{balance.name}: {len(known):,} values, which count as {balance.effective:.1f} equally frequent"
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


def holes_of(facts: Mapping[str, Any]) -> Holes:
    """Returns the holes that ``to_dict`` made plain values of."""
    holes = tuple(
        Hole(
            **{
                **each,
                "share": Proportion.from_dict(each["share"]),
                "expected": _number(each["expected"]),
                "ids": tuple(each["ids"]),
                "mostly": tuple((str(name), float(share)) for name, share in each["mostly"]),
                "texts": tuple(each["texts"]),
            }
        )
        for each in facts["holes"]
    )
    numbers = {name: _number(facts[name]) for name in ("expected", "ratio")}
    covered = Proportion.from_dict(facts["covered"])
    return Holes(**{**facts, **numbers, "covered": covered, "holes": holes, "notes": tuple(facts["notes"])})

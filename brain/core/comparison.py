"""What ``compare`` returns: a leaderboard that says where it cannot rank, each two side by side, and regressions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.p_values import equals
from loupe.brain.core.records import Record
from loupe.brain.core.results import Rate, Slice
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import html
from loupe.brain.core.tables import Table, Tabular, rate_text

#: a wider table is not read
_MAX_COLUMNS = 6


@dataclass(frozen=True)
class Difference(Record):
    """Two contenders side by side: the failure rate of ``a`` minus that of ``b``, of the samples that are compared.

    Attributes:
        a, b: their names
        paired: whether samples that belong together were compared, or all of one with all of the other
        n: paired: how many pairs; unpaired: 0
        n_a, n_b: of how many samples (paired: pairs) each rate is
        rate_a, rate_b: the rates in [0, 1]; NaN where nothing is compared
        only_a, only_b: paired: the pairs in which just that one failed; NaN where unpaired. Where several pictures of
            a contender have one key they count as shares of a pair
        left_out: pairs of which one or both pictures are unknown or unchecked; 0 where unpaired
        alone: judged samples that have no partner and count in no pair; 0 where unpaired
        difference: rate_a - rate_b in [-1, 1]; below 0: ``a`` fails less often, which is better
        low, high: its interval, 95 % unless said otherwise: Tango's score interval of pairs, Newcombe's otherwise
        effective_n: how many independent pairs (unpaired: samples of both) that is worth, for the pictures of a prompt
            are alike; n or n_a + n_b where nothing is known to belong together
        p: two-sided p-value of "they fail equally often"
        p_adjusted: the same, after Holm, over all that were compared at once
    """

    a: str
    b: str
    paired: bool
    n: int
    n_a: int
    n_b: int
    rate_a: float
    rate_b: float
    only_a: float
    only_b: float
    left_out: int
    alone: int
    difference: float
    low: float
    high: float
    effective_n: float
    p: float
    p_adjusted: float

    def reversed(self) -> Difference:
        """Returns the same with ``b`` first."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            n_a=self.n_b,
            n_b=self.n_a,
            rate_a=self.rate_b,
            rate_b=self.rate_a,
            only_a=self.only_b,
            only_b=self.only_a,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
        )

    @property
    def how(self) -> str:
        """What was compared, in words."""
        if self.paired:
            left_out = f", {self.left_out:,} left out as unknown" if self.left_out else ""
            return f"{self.n:,} pairs{left_out}"
        return f"unpaired, {self.n_a:,} and {self.n_b:,}"

    def __str__(self) -> str:
        if math.isnan(self.difference):
            return f"{self.a} and {self.b}: not compared, nothing was judged of one of them"
        points = f"{100 * self.difference:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"{self.a} against {self.b}: {points} ({self.how}; p {equals(self.p_adjusted)})"


@dataclass(frozen=True)
class Standing(Record):
    """Where a contender stands.

    Attributes:
        name: the contender
        rate: its failure rate, with its interval and with what nobody knows
        effective_n: how many independent samples its n is worth; the interval is made of it
        rank_low, rank_high: 1 is the one that fails the least; a range where it is tied with others. The true ranks of
            all lie in their ranges at once with the comparison's confidence. None where nothing of it was judged
    """

    name: str
    rate: Rate
    effective_n: float
    rank_low: int | None
    rank_high: int | None

    @property
    def rank(self) -> str:
        """The rank, or the range of it, e.g. ``"2–4"``."""
        if self.rank_low is None:
            return "not judged"
        return f"{self.rank_low}" if self.rank_low == self.rank_high else f"{self.rank_low}–{self.rank_high}"


@dataclass(frozen=True)
class Within(Record):
    """The contenders within a category: their rates there, without ranks.

    Attributes:
        value: of the factor
        standings: of all contenders; their ranks are None
    """

    value: str
    standings: tuple[Standing, ...]

    def rate(self, name: str) -> Rate:
        """Returns the rate of a contender there.

        Raises:
            UnknownName: nothing of that name was compared
        """
        for standing in self.standings:
            if standing.name == name:
                return standing.rate
        raise UnknownName("contender", name, [standing.name for standing in self.standings])


@dataclass(frozen=True)
class Regression(Record):
    """Samples in which the new one fails more often than the old one.

    Attributes:
        slice: which samples; no values: all of them
        difference: the new one (``a``) against the old one (``b``) there, on all samples
        p: one-sided, on the half that the slice was not chosen on
        q: the same after Benjamini and Hochberg, over all slices that were chosen
        confirmed: whether q is below the rate of false ones that was asked for; otherwise it is a candidate
    """

    slice: Slice
    difference: Difference
    p: float
    q: float
    confirmed: bool

    def __str__(self) -> str:
        own = self.difference
        where = "on all samples" if not self.slice.values else f"where {self.slice}"
        kind = "" if self.confirmed else "candidate: "
        return (
            f"{kind}{own.a} fails more {where}: {tenths(own.rate_a)} against {tenths(own.rate_b)}, "
            f"{100 * own.difference:+.1f} points [{100 * own.low:+.1f}, {100 * own.high:+.1f}] "
            f"({own.how}; q {equals(self.q)})"
        )


@dataclass(frozen=True, repr=False)
class Comparison(Tabular, Record):
    """Models, runs, dates … side by side. It prints as a leaderboard.

    Attributes:
        by: what was compared
        failure: what was counted: a failure mode, ``"any"``, or the name of an outcome
        standings: the contenders, the fewest failures first
        differences: each two of them
        tied: groups of contenders of which nothing tells that any two differ, in the order of the standings; any two
            that share no group differ
        paired_by: the fields whose values two samples share to be a pair; empty where none are paired
        groups: the field whose samples belong together, so that they count as fewer; empty: none
        confidence: of the intervals, and of all ranks at once
        notes: what else is to be known, a sentence each
        against: which one the others were held against; empty: none
        regressions: where another one fails more often than that one, the surest first
        categories: the factor within whose values the rates are given, too; empty: none
        within: those rates; each interval stands for itself
    """

    by: str
    failure: str
    standings: tuple[Standing, ...]
    differences: tuple[Difference, ...]
    tied: tuple[tuple[str, ...], ...]
    paired_by: tuple[str, ...] = ()
    groups: str = ""
    confidence: float = 0.95
    notes: tuple[str, ...] = ()
    against: str = ""
    regressions: tuple[Regression, ...] = ()
    categories: str = ""
    within: tuple[Within, ...] = ()

    def difference(self, a: str, b: str) -> Difference:
        """Returns the failure rate of ``a`` minus that of ``b``, and how sure that is.

        Raises:
            UnknownName: nothing of that name was compared, or it is the same twice
        """
        for known in self.differences:
            if (known.a, known.b) == (a, b):
                return known
            if (known.a, known.b) == (b, a):
                return known.reversed()
        names = [standing.name for standing in self.standings]
        raise UnknownName(f"other contender than {a!r}" if a in names else "contender", b if a in names else a, names)

    def letters(self) -> dict[str, str]:
        """Returns the letters of each contender: any two that share none differ."""
        marks: dict[str, str] = {standing.name: "" for standing in self.standings}
        for number, group in enumerate(self.tied):
            for name in group:
                marks[name] += _letter(number)
        return marks

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each contender, the fewest failures first."""
        marks = self.letters()
        rows = [
            (
                standing.rank,
                standing.name,
                f"{tenths(standing.rate.rate)}" if standing.rate.n else "not judged",
                f"{tenths(standing.rate.low)} to {tenths(standing.rate.high)}" if standing.rate.n else "",
                standing.rate.failures,
                standing.rate.n,
                standing.rate.unknown,
                standing.rate.unchecked,
                marks[standing.name],
            )
            for standing in self.standings
        ]
        head = ("rank", self.by, "rate", "interval", "failed", "judged", "unknown", "unchecked", "tied")
        title = f"{self.failure}, the fewest failures first; those that share a letter are tied"
        return Table.of(title, head, rows)

    def table_within(self) -> Table:
        """Returns the rates of each category: a column for each contender, in the order of the standings."""
        shown = self.standings[:_MAX_COLUMNS]
        more = len(self.standings) - len(shown)
        rows = [[part.value, *(_cell(part.rate(own.name)) for own in shown)] for part in self.within]
        title = f"{self.failure} by {self.categories}: rate, interval, judged"
        note = f"and {more:,} more that fail more often: .within has them" if more else ""
        return Table.of(title, [self.categories.rsplit(".", 1)[-1], *(own.name for own in shown)], rows, note)

    def _tables(self) -> list[Table]:
        return [self.table(), *([self.table_within()] if self.within else [])]

    def __repr__(self) -> str:
        return "\n".join([*(table.text() for table in self._tables()), *self._lines()])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html(line)}</p>" for line in self._lines())
        return "".join(table.html() for table in self._tables()) + lines

    def _lines(self) -> list[str]:
        lines = [*self.notes]
        if self.against:
            lines.append(f"where others fail more than {self.against}: {'' if self.regressions else 'nowhere'}".strip())
            lines += [f"  {regression}" for regression in self.regressions]
        return [" ".join(line.split()) if not line.startswith("  ") else line for line in lines]


def _cell(rate: Rate) -> str:
    """Returns a rate with its interval and of how many; in brackets where too few were judged."""
    if not rate.n:
        return "not judged"
    return f"{rate_text(rate, f'{tenths(rate.rate)}')} {tenths(rate.low)} to {tenths(rate.high)}, {rate.n:,}"


def _letter(number: int) -> str:
    """Returns a, b … z, and then the number itself in brackets."""
    return chr(ord("a") + number) if number < 26 else f"({number + 1})"

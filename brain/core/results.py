"""What a verb did and what it found: the records that come out at the end of the pipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.brain.core import tables
from loupe.brain.core.records import Record, Threshold
from loupe.brain.core.shares import tenths
from loupe.brain.core.tables import Table, Tabular


@dataclass(frozen=True)
class Slice(Record):
    """The samples that share factor values, e.g. ``{"scenario.time": "night"}``. No values: all samples."""

    values: Mapping[str, str]

    def __str__(self) -> str:
        return ", ".join(f"{path.rsplit('.', 1)[-1]}={value}" for path, value in self.values.items()) or "all"


#: with fewer independent samples than this a rate says next to nothing: tables put it in brackets, panels gray it
MIN_N = 10

_SHARES = ("rate", "low", "high", "lift", "p", "q")
_NOT_KNOWN = (math.nan, math.nan)


@dataclass(frozen=True)
class Rate(Record):
    """A failure rate, never without its n.

    Attributes:
        slice: which samples
        failure: the failure mode
        n: how many of them were judged: passed or failed
        failures: how many failed
        unknown: how many a check looked at and could not judge
        unchecked: how many no check has looked at
        rate: failures / n in [0, 1]; NaN when n is 0
        low, high: the Wilson interval of the rate, 95 % unless said otherwise; NaN when n is 0. Where samples were
            counted by groups it is that of ``effective_n``
        jeffreys: the Jeffreys interval beside it (low, high), of the same n
        lift: rate / rate of the rest, the judged samples outside the slice; above 1 is worse than the rest. Infinite
            where only the slice fails; NaN where there is no rest, or where neither fails
        p: of the slice against the rest, two-sided, in [0, 1]; NaN where there is no rest
        q: p adjusted for all that was looked at in the same call (Benjamini-Hochberg); NaN where p is
        groups: in how many groups its judged samples are, where samples were counted by groups (those of one prompt or
            one seed are alike); None: each sample counts by itself
        effective_n: as how many independent samples they count, at most n; None where ``groups`` is
        min_n: with fewer than this it is ``too_few``
    """

    slice: Slice
    failure: str
    n: int
    failures: int
    unknown: int
    unchecked: int
    rate: float
    low: float
    high: float
    jeffreys: tuple[float, float] = _NOT_KNOWN
    lift: float = math.nan
    p: float = math.nan
    q: float = math.nan
    groups: int | None = None
    effective_n: float | None = None
    min_n: int = MIN_N

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Rate:
        """Returns the rate that ``to_dict`` made plain values of, also by a version that knew fewer of them.

        >>> rate = Rate(Slice({"time": "night"}), "blur", 0, 0, 1, 2, math.nan, math.nan, math.nan)
        >>> Rate.from_dict(rate.to_dict()).to_dict() == rate.to_dict()
        True
        """
        kept: dict[str, Any] = {name: math.nan for name in _SHARES if facts.get(name, 0) is None}
        if "jeffreys" in facts:
            low, high = (math.nan if end is None else end for end in facts["jeffreys"])
            kept["jeffreys"] = (low, high)
        # JSON has no infinity: a slice that fails and has a rest has a lift
        if "lift" in kept and facts["failures"] and facts.get("p") is not None:
            kept["lift"] = math.inf
        return cls(**{**facts, **kept, "slice": Slice(facts["slice"]["values"])})

    @property
    def too_few(self) -> bool:
        """Whether so few independent samples were judged that the rate says next to nothing."""
        return (self.n if self.effective_n is None else self.effective_n) < self.min_n

    def __str__(self) -> str:
        if not self.n:
            return f"{self.failure} | {self.slice}: not judged ({self.unknown} unknown, {self.unchecked} unchecked)"
        grouped = ""
        if self.groups is not None and self.effective_n is not None:
            grouped = f" in {self.groups} groups, which count as {self.effective_n:.3g}"
        return (
            f"{self.failure} | {self.slice}: {tenths(self.rate)} [{tenths(self.low)}, {tenths(self.high)}] "
            f"({self.failures} of {self.n}{grouped}, {self.unknown} unknown)"
        )


@dataclass(frozen=True)
class Run(Record):
    """What a verb did.

    Attributes:
        key: the run's name on the dataset
        verb: which verb ran
        n: how many samples it worked on
        skipped: how many were done already and were left as they are
        errors: how many failed with an error (by sample id, in ``messages``)
        unknown: for each check how many samples it could not judge
        seconds: wall time
        device: where it ran
        params: the settings it ran with
        messages: up to 100 errors by sample id or file
        as_asked: for each failure mode that prompts ask for, for how many samples it is therefore not counted
        inapplicable: for each check that could not judge nearly all of the samples, that and the commonest reason
        left_out: what was not drawn, by kind: of prompts what the generator does not understand, samples of a source
    """

    key: str
    verb: str
    n: int
    skipped: int = 0
    errors: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = "cpu"
    params: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    as_asked: Mapping[str, int] = field(default_factory=dict)
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        line = (
            f"Run({self.key}: {self.n} done, {self.skipped} already done, {self.errors} errors, "
            f"unknown: {self.unsure() or 'none'}, {self.seconds:.1f} s on {self.device})"
        )
        return "\n".join([line, *(f"  {note}" for note in self.notes())])

    def unsure(self) -> str:
        """Returns for each check how many samples it could not judge, in one line; none for what does not apply."""
        counts = {check: count for check, count in self.unknown.items() if count and check not in self.inapplicable}
        return ", ".join(f"{check} {count}" for check, count in counts.items())

    def notes(self) -> list[str]:
        """Returns what else is to be said, a line each: which checks do not apply, what is as asked or left out.

        >>> Run("key", "check", 9, as_asked={"dark": 4}, inapplicable={"text": "does not apply to any"}).notes()
        ['text: does not apply to any', 'dark: 4 as asked']
        """
        return [
            *(f"{check}: {sentence}" for check, sentence in self.inapplicable.items()),
            *(f"{failure}: {count:,} as asked" for failure, count in self.as_asked.items() if count),
            *(f"{kind}: {sentence}" for kind, sentence in self.left_out.items()),
        ]


class Rates(Tabular, list[Rate]):
    """A list of rates that prints as a table."""

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each rate."""
        return tables.of_rates(self)


@dataclass(frozen=True, repr=False)
class Flags(Tabular, Record):
    """What ``flag`` wrote.

    Attributes:
        counts: for each failure mode how many samples have it
        unknown: for each failure mode how many samples have no score for it
        thresholds: what each failure mode was flagged with
        as_asked: for each failure mode that prompts ask for, how many samples are not flagged for that
    """

    counts: Mapping[str, int]
    unknown: Mapping[str, int]
    thresholds: Mapping[str, Threshold]
    as_asked: Mapping[str, int] = field(default_factory=dict)

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each failure mode, the most frequent first."""
        return tables.of_flags(self)


@dataclass(frozen=True)
class Pair(Record):
    """Two samples that show the same thing. ``kind`` is bytes, pixels or near; ``similarity`` in [0, 1]."""

    id_a: str
    id_b: str
    kind: str
    similarity: float


@dataclass(frozen=True, repr=False)
class DuplicatesResult(Tabular, Record):
    """What ``find_duplicates`` found.

    Attributes:
        pairs: every pair
        groups: those that the pairs connect, representative first
        loose: the representatives of groups whose others are, on average, no near duplicates of them: a is like b, and
            b like c, but c is not like a
        messages: what is to be known before any is dropped
    """

    pairs: tuple[Pair, ...]
    groups: tuple[tuple[str, ...], ...]
    loose: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each pair."""
        return tables.of_pairs(self)


@dataclass(frozen=True)
class LeaksResult(Record):
    """What ``find_leaks`` found.

    Attributes:
        pairs: every pair of the same picture in two splits
        between: for each two splits, e.g. ``"test, train"``, how many pairs they share
        samples: for each split how many of its samples stand in another one, too
        messages: what is to be known of how they were compared
    """

    pairs: tuple[Pair, ...]
    between: Mapping[str, int]
    samples: Mapping[str, int]
    messages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shared = "; ".join(f"{names}: {count}" for names, count in self.between.items()) or "none"
        return f"Leaks({len(self.pairs)} pairs; {shared})"


@dataclass(frozen=True)
class MemorizedResult(Record):
    """What ``find_memorized`` found.

    Attributes:
        pairs: every pair of a sample and a picture of the reference that show the same
        n: how many samples were looked at
        reference: with how many pictures they were compared
        messages: what is to be known of how they were compared
    """

    pairs: tuple[Pair, ...]
    n: int
    reference: int
    messages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        samples = len({pair.id_a for pair in self.pairs})
        return f"Memorized({samples} of {self.n} samples, {len(self.pairs)} pairs with {self.reference} pictures)"


@dataclass(frozen=True)
class OutliersResult(Record):
    """What ``find_outliers`` found.

    Attributes:
        ids: of the samples that fail, the farthest first
        n: how many were judged
        unknown: how many have no usable vector
        messages: what is to be known of how they were compared
    """

    ids: tuple[str, ...]
    n: int
    unknown: int
    messages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Outliers({len(self.ids)} of {self.n} samples, {self.unknown} unknown)"

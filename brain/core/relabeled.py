"""What ``relabel`` wrote, and how many labels are probably still wrong."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from loupe.brain.core.records import Record
from loupe.brain.core.shares import tenths
from loupe.brain.core.tables import Table, Tabular

#: where a corrected label comes from: it is as it was given; the suggestion was accepted, by a person or by its score;
#: somebody gave another class; somebody found that no class fits
How: TypeAlias = Literal["given", "suggested", "chosen", "none"]
HOWS: tuple[How, ...] = get_args(How)


@dataclass(frozen=True)
class Remaining(Record):
    """How many labels are still wrong where each that was decided has been put right.

    Attributes:
        n: how many labels were judged
        decided: how many of these somebody has decided; those that are unsure are open
        wrong: how many of the decided ones were wrong
        open: how many nobody has decided; of some the suggestion may have been accepted by its score
        rate: the share of the n that is probably still wrong, in [0, 1]; NaN where nothing was judged
        low, high: its 95 % interval
    """

    n: int
    decided: int = 0
    wrong: int = 0
    open: int = 0
    rate: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def wide(self) -> bool:
        """Whether the interval says little: looking at some labels at random narrows it."""
        return self.high - self.low > max(0.02, self.rate)

    def __str__(self) -> str:
        if math.isnan(self.rate):
            return "not known"
        return (
            f"{tenths(self.rate)} [{tenths(self.low)}, {tenths(self.high)}] of {self.n:,} labels, "
            f"{self.decided:,} decided"
        )


@dataclass(frozen=True)
class Correction(Record):
    """A label that differs from the given one.

    Attributes:
        id: the sample's
        given: its label; None where it had none
        corrected: what it is now; None: no class fits
        how: where that comes from
        by: who decided
        at: when: ISO 8601 in UTC
    """

    id: str
    given: str | None
    corrected: str | None
    how: How
    by: str = ""
    at: str = ""


@dataclass(frozen=True, repr=False)
class Relabeled(Tabular, Record):
    """What ``relabel`` wrote.

    Attributes:
        label: the field of the given labels, which stays as it is
        field: the field of the corrected ones
        n: how many samples have a corrected label
        changes: those whose corrected label differs from the given one
        kept: how many labels somebody has looked at and kept
        skipped: of how many somebody was unsure: they stay as they were given
        undecided: how many issues nobody has decided, and no ``accept`` took: they stay as they were given
        outdated: how many accepted suggestions are none any more, for the given label has changed since: it stays
        unlabeled: how many samples have no label, neither a given nor a corrected one
        remaining: how many labels are probably still wrong, by what was decided and by the scores
    """

    label: str
    field: str
    n: int
    changes: tuple[Correction, ...]
    kept: int
    skipped: int
    undecided: int
    outdated: int
    unlabeled: int
    remaining: Remaining

    @property
    def changed(self) -> int:
        """How many labels differ from the given ones."""
        return len(self.changes)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples whose label was changed."""
        return tuple(each.id for each in self.changes)

    def sentences(self) -> list[str]:
        """Returns what was done, a sentence each."""
        counts: Counter[str] = Counter(each.how for each in self.changes)
        kinds = {"suggested": "suggestions accepted", "chosen": "another class given", "none": "no class fits"}
        details = ", ".join(f"{counts[how]:,} {words}" for how, words in kinds.items() if counts[how])
        lines = [
            f"{self.changed:,} of {self.n:,} labels changed in {self.field}" + (f" ({details})" if details else "")
        ]
        others = {
            "looked at and kept": self.kept,
            "unsure": self.skipped,
            "issues not decided": self.undecided,
            "suggestions left out, since the label has changed": self.outdated,
            "without a label": self.unlabeled,
        }
        lines += [", ".join(f"{count:,} {words}" for words, count in others.items() if count)]
        lines += [f"still wrong, estimated: {self.remaining}"]
        return list(filter(None, lines))

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each label that was changed."""
        rows = [(each.id, each.given or "–", each.corrected or "–", each.how, each.by) for each in self.changes]
        return Table.of(". ".join(self.sentences()), ("sample", "given", "corrected", "how", "by"), rows)

"""What was decided of groups of duplicates: the records of ``deduplicate`` and of the panel "Duplicates"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.core.shown import counted

#: what stands on a sample: it is kept, another one is kept in its place, it is no duplicate of the others
Status: TypeAlias = Literal["keep", "drop", "distinct"]
STATUSES: tuple[Status, ...] = get_args(Status)
#: how they are called
STATUS_TITLES: dict[str, str] = {"keep": "kept", "drop": "dropped", "distinct": "no duplicate"}

#: what can be decided of a group: one is kept; one is kept, with the others' labels and tags beside; all are kept
Answer: TypeAlias = Literal["keep", "merge", "distinct"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

#: which picture of a group is kept
Rule: TypeAlias = Literal["best", "largest", "first"]
RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True)
class GroupDecision(Record):
    """What somebody, or a rule, decided of one group of duplicates.

    Attributes:
        answer: ``"keep"``: one is kept and the others are dropped; ``"merge"``: so, too, and the labels and tags of the
            dropped ones are noted on it; ``"distinct"``: they are no duplicates, all are kept
        keep: the id of the sample that is kept; empty where all are
        key: of this decision; no other has it
        by: who
        at: when: ISO 8601 in UTC, e.g. ``"2026-11-24T20:31:05+00:00"``
        note: in their own words
        rule: which rule decided; empty where a person did

    Raises:
        InputError: another answer, or none is kept, or one where all are
    """

    answer: Answer
    keep: str
    key: str
    by: str = ""
    at: str = ""
    note: str = ""
    rule: str = ""

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS:
            raise InputError(f"expected an answer of {', '.join(map(repr, ANSWERS))}, got {self.answer!r}")
        if bool(self.keep) == (self.answer == "distinct"):
            raise InputError(f"expected a sample to keep, or the answer 'distinct', got {self.keep!r}, {self.answer!r}")

    def status(self, sample_id: str) -> Status:
        """Returns what it says of one sample of the group."""
        if self.answer == "distinct":
            return "distinct"
        return "keep" if sample_id == self.keep else "drop"


@dataclass(frozen=True)
class Standing(Record):
    """What stands on one sample.

    Attributes:
        status: ``"keep"``, ``"drop"`` or ``"distinct"``
        key: which decision it is: the samples of one decision share it
        by: who decided
        at: when: ISO 8601 in UTC
        note: in their own words
        rule: which rule decided; empty where a person did
        kept: of a dropped one: the id of the sample that is kept in its place
        merged: of a kept one: the labels and tags of the dropped ones that were noted on it; None where that was not
            asked for
    """

    status: Status
    key: str
    by: str = ""
    at: str = ""
    note: str = ""
    rule: str = ""
    kept: str = ""
    merged: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Deduplication(Record):
    """What ``deduplicate`` decided.

    Attributes:
        rule: which picture of a group is kept; ``"none"``: what rules had decided was taken back
        groups: how many groups of duplicates these samples have
        decided: how many of these are decided now
        by_people: how many of these a person has decided; no rule changes them
        open: how many are not: nobody kept a sample of it that is still here, or somebody was deciding just then
        kept: the ids of the samples that this call keeps, one a group
        dropped: the ids of those that it drops
        taken_back: how many samples are as if no rule had decided
        n_dropped: how many samples are dropped in all, by whomever
        leaks: how many pairs of one group stand in two splits and are both kept, every pair counted: 0 is what is
            wanted; None where no splits are known
        splits: what says in which split a sample is; empty where nothing does
        cut: how many groups have samples outside of this view, of which nothing was decided
        view: the saved view of what is kept; empty where none was saved
    """

    rule: str
    groups: int
    decided: int
    by_people: int
    open: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    taken_back: int
    n_dropped: int
    leaks: int | None
    splits: tuple[str, ...]
    cut: int
    view: str

    def __repr__(self) -> str:
        did = (
            f"{counted(len(self.dropped), 'picture')} dropped"
            if self.rule != "none"
            else f"{self.taken_back:,} taken back"
        )
        parts = [f"{self.decided:,} of {counted(self.groups, 'group')} decided", f"{did} ({self.n_dropped:,} in all)"]
        if self.leaks is not None:
            parts.append(f"{counted(self.leaks, 'leak')} left")
        if self.open:
            parts.append(f"{counted(self.open, 'group')} open")
        if self.cut:
            parts.append(f"{counted(self.cut, 'group')} with more samples outside of this view")
        if self.view:
            parts.append(f"saved view {self.view!r}")
        return f"Deduplication({self.rule}: {'; '.join(parts)})"

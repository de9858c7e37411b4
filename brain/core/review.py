"""What people decided of failures, and what follows from it: the records of ``review`` and ``reviewed``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record, Threshold
from loupe.brain.core.shares import hundredths, tenths
from loupe.brain.core.tables import Table, Tabular

if TYPE_CHECKING:
    from loupe.brain.stats.intervals import Proportion

#: what can be decided of a sample and a failure mode: the picture has it, it has not, nobody can tell
Status: TypeAlias = Literal["real", "false_alarm", "unsure"]
STATUSES: tuple[Status, ...] = get_args(Status)
#: how they are called
STATUS_TITLES: dict[str, str] = {"real": "real failure", "false_alarm": "false alarm", "unsure": "unsure"}


@dataclass(frozen=True)
class Decision(Record):
    """What somebody decided of one sample and one failure mode.

    Attributes:
        status: ``"real"``: the picture has the failure; ``"false_alarm"``: it has not; ``"unsure"``: nobody can tell
        by: who
        at: when: ISO 8601 in UTC, e.g. ``"2026-11-24T20:31:05+00:00"``
        note: in their own words
        correction: of a label that is wrong: the class that it is; empty: no class fits; None: nobody said, and it is
            the suggested one

    Raises:
        InputError: another status, or a correction of something that is not real

    >>> Decision("real", by="anna").status
    'real'
    """

    status: Status
    by: str = ""
    at: str = ""
    note: str = ""
    correction: str | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise InputError(f"expected a status of {', '.join(map(repr, STATUSES))}, got {self.status!r}")
        if self.correction is not None and (not isinstance(self.correction, str) or self.status != "real"):
            raise InputError(
                f"expected a correction, a class, with the status 'real' only, got {self.correction!r} with "
                f"{self.status!r}"
            )


@dataclass(frozen=True)
class Recall(Record):
    """Which share of all failures a check flags, by what people saw of the flagged and of the passed samples.

    Attributes:
        rate: in [0, 1]; NaN where nobody knows
        low, high: its 95 % interval
        passed: how many of the passed samples were reviewed in random order
        missed: how many of these have the failure
    """

    rate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    passed: int = 0
    missed: int = 0

    def __str__(self) -> str:
        if math.isnan(self.rate):
            return "not known"
        return (
            f"{tenths(self.rate)} [{tenths(self.low)}, {tenths(self.high)}] ({self.missed} missed "
            f"among {self.passed} passed)"
        )


@dataclass(frozen=True)
class ThresholdOffer(Record):
    """A threshold from decisions: for a wanted precision, or for a guaranteed share of false alarms.

    For a precision it is chosen on one half of them and measured on the other. For a share it is chosen on all of them
    by conformal risk control, which needs no other half.

    Attributes:
        failure: the failure mode
        wanted: the precision that was asked for, in (0, 1); NaN where a share of false alarms was
        threshold: the one that is offered, as ``flag`` takes it; None where none is
        reason: why none is; empty where one is
        precision: what the offered one has on the other half; None for a share of false alarms
        current: what the one in use has there
        kept: of the real failures of the other half that the one in use flags, how many the offered one still flags;
            for a share of false alarms those of all decisions that count
        flags: how many samples it would flag
        flagged: how many the one in use flags
        max_false_alarms: the share of false alarms among all judged pictures that was asked for; NaN: a precision was
        bound: that share among further pictures of the same source, expected, is at most so much with the offered one,
            or with the one in use where none is offered; NaN where it is not known
        bound_now: the same with the one in use
    """

    failure: str
    wanted: float
    threshold: Threshold | None = None
    reason: str = ""
    precision: Proportion | None = None
    current: Proportion | None = None
    kept: Proportion | None = None
    flags: int = 0
    flagged: int = 0
    max_false_alarms: float = math.nan
    bound: float = math.nan
    bound_now: float = math.nan

    def __str__(self) -> str:
        if self.threshold is None:
            return f"no better threshold: {self.reason}"
        if not math.isnan(self.bound):
            return (
                f"{self.threshold.op} {self.threshold.value:g}: at most {hundredths(self.bound)} of "
                "all pictures are expected "
                f"to be false alarms, {hundredths(self.bound_now)} with the one in use; keeps "
                f"{self.kept} of the real ones, "
                f"flags {self.flags:,} instead of {self.flagged:,}"
            )
        return (
            f"{self.threshold.op} {self.threshold.value:g}: precision {self.precision} against {self.current}, "
            f"keeps {self.kept} of the real ones, flags {self.flags:,} instead of {self.flagged:,}"
        )


@dataclass(frozen=True)
class ReviewResult(Record):
    """What people decided of one failure mode, and how good its check is by that.

    A precision needs a random draw: whoever looks at the worst first sees more real ones. So it counts just the
    decisions on the first samples of the random order, up to the first that nobody has decided.

    Attributes:
        failure: the failure mode
        flagged: how many samples the check flags
        real, false_alarms, unsure: what was decided of these, in whichever order
        remaining: how many of them nobody has decided
        precision: of the flagged ones in random order, how many are real; those that are unsure are left out
        drawn_unsure: how many are left out
        passed: how many samples the check passes
        passed_reviewed: how many of these were decided
        recall: which share of all failures the check flags; known only where passed samples were reviewed, too
        offer: a threshold for the wanted precision
        by: who decided how many
        written: how many decisions this call wrote; 0 where it only read
        taken_back: how many decisions this call took back
    """

    failure: str
    flagged: int
    real: int
    false_alarms: int
    unsure: int
    remaining: int
    precision: Proportion
    drawn_unsure: int
    passed: int
    passed_reviewed: int
    recall: Recall
    offer: ThresholdOffer
    by: Mapping[str, int] = field(default_factory=dict)
    written: int = 0
    taken_back: int = 0

    @property
    def decided(self) -> int:
        """How many flagged samples were decided."""
        return self.real + self.false_alarms + self.unsure

    @property
    def not_drawn(self) -> int:
        """How many decisions on flagged samples do not count for the precision, for they are no random draw."""
        return self.decided - self.precision.n - self.drawn_unsure

    def __repr__(self) -> str:
        wrote = [f"{self.written:,} written"] * bool(self.written) + [f"{self.taken_back:,} taken back"] * bool(
            self.taken_back
        )
        lines = [
            f"ReviewResult({self.failure}: {self.decided:,} of {self.flagged:,} flagged reviewed: {self.real:,} real, "
            f"{self.false_alarms:,} false alarms, {self.unsure:,} unsure{''.join(f'; {each}' for each in wrote)})",
            f"  precision: {self._precision()}",
        ]
        if self.passed_reviewed:
            lines.append(f"  recall: {self.recall}")
        return "\n".join([*lines, f"  threshold: {self.offer}"])

    def _precision(self) -> str:
        left_out = [f"{self.drawn_unsure:,} unsure left out"] * bool(self.drawn_unsure)
        left_out += [f"{self.not_drawn:,} reviewed in another order left out"] * bool(self.not_drawn)
        return "; ".join([str(self.precision), *left_out])


@dataclass(frozen=True)
class AnnotationResult(Record):
    """What ``annotate`` handed over.

    Attributes:
        failure: the failure mode
        backend: to whom: ``"app"`` is FiftyOne's App
        field: where the answers stand
        n: how many samples
        key: of FiftyOne's annotation run; empty for the App, which needs none
        fields: all fields that are asked for
    """

    failure: str
    backend: str
    field: str
    n: int
    key: str = ""
    fields: tuple[str, ...] = ()

    @property
    def next(self) -> str:
        """What to do next."""
        if not self.key:
            return f'open a sample, choose the tab "Annotate" and {self.field}; what is chosen there counts at once'
        return (
            f'when it is annotated: dataset.load_annotations("{self.key}"), then '
            f'loupe.review(dataset, "{self.failure}", field="{self.field}")'
        )

    def __repr__(self) -> str:
        return f"AnnotationResult({self.n:,} samples of {self.failure} for {self.backend}; {self.next})"


class Reviews(Tabular, list[ReviewResult]):
    """A list of results that prints as a table."""

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """The offered thresholds by failure mode, as ``flag`` takes them."""
        return {each.failure: each.offer.threshold for each in self if each.offer.threshold is not None}

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each failure mode."""
        head = ("failure", "reviewed", "real", "false alarms", "unsure", "precision", "recall", "better threshold")
        rows: list[tuple[Any, ...]] = [
            (
                each.failure,
                f"{each.decided:,} of {each.flagged:,}",
                each.real,
                each.false_alarms,
                each.unsure,
                str(each.precision),
                str(each.recall),
                "none" if (better := each.offer.threshold) is None else f"{better.op} {better.value:g}",
            )
            for each in self
        ]
        return Table.of("" if rows else "nothing was reviewed yet", head, rows)

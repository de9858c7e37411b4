"""What ``find_drift`` found: each batch against the reference, quantity by quantity. Plain records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

from loupe.brain.core.p_values import equals, p_value
from loupe.brain.core.records import Record
from loupe.brain.core.results import Slice
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.tables import Table, Tabular

DRIFTED, NO_EVIDENCE, TOO_FEW = "drifted", "no evidence", "too few"
#: what is compared of the samples
Kind: TypeAlias = Literal["embeddings", "score", "unknown", "confidence", "over-confidence", "labels", "factor"]


@dataclass(frozen=True)
class Change(Record):
    """How the share of one class or value changed.

    Attributes:
        value: its name
        reference, new: its share in [0, 1] of what is known on either side
        low, high: the 95 % interval of new - reference
    """

    value: str
    reference: float
    new: float
    low: float
    high: float


@dataclass(frozen=True)
class Shift(Record):
    """How one quantity of a batch differs from the reference.

    Attributes:
        quantity: its name: a field's path, or what is made of fields
        kind: what it is
        n_reference, n: how many samples of either side have it and were compared
        verdict: drifted, no evidence, or too few
        effect: what ``value`` is: ``"difference of the mean"``, ``"difference of the share"``, ``"total variation"`` in
            [0, 1], or ``"area under the ROC curve"`` of a classifier that tells the sides apart: 0.5 cannot, 1 always
        reference, new: the means or shares of numbers; NaN of anything else
        value: the effect
        low, high: its 95 % interval
        null_low, null_high: where the effect lies in 95 of 100 permutations of the two sides: what chance alone does
        detectable: the effect that would have been seen in 4 of 5 cases, all that was looked at counted
        p: of this quantity alone, by permutation
        p_adjusted: corrected for all that was looked at, batches included
        tests: the p of each test that was made of it
        changes: of classes and values: the shares that changed the farthest
    """

    quantity: str
    kind: Kind
    n_reference: int
    n: int
    verdict: str
    effect: str = ""
    reference: float = math.nan
    new: float = math.nan
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    null_low: float = math.nan
    null_high: float = math.nan
    detectable: float = math.nan
    p: float = math.nan
    p_adjusted: float = math.nan
    tests: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    @property
    def outside(self) -> float:
        """How far the effect lies from what chance alone does, in halves of that band: 1 is its edge."""
        half = (self.null_high - self.null_low) / 2
        return (self.value - (self.null_high + self.null_low) / 2) / half if half > 0 else math.nan

    def __str__(self) -> str:
        if self.verdict == TOO_FEW:
            return f"{self.quantity}: too few to tell ({self.n_reference:,} in the reference, {self.n:,} here)"
        interval = f"95 % interval {self.low:.3g} to {self.high:.3g}"
        if self.kind == "embeddings":
            text = f"a classifier tells the two apart with an area of {self.value:.2f} ({interval}; 0.5 is chance)"
        elif self.kind in ("labels", "factor"):
            text = f"{tenths(self.value)} of the mix changed ({_percents(self.low, self.high)}){_largest(self.changes)}"
        elif self.effect == SHARE:
            text = f"{tenths(self.reference)} → {tenths(self.new)} (difference {_percents(self.low, self.high)})"
        else:
            text = f"{self.reference:.4g} → {self.new:.4g} (difference {self.value:+.3g}, {interval})"
        return f"{self.quantity}: {text}, p {equals(self.p_adjusted)}"


#: the one batch where nothing makes several
ALL = "all samples"
MEAN, SHARE = "difference of the mean", "difference of the share"
VARIATION, AREA = "total variation", "area under the ROC curve"


@dataclass(frozen=True)
class Driver(Record):
    """A slice that a quantity's shift comes from.

    Attributes:
        quantity: what shifted; of embeddings what a classifier says of the samples
        slice: where
        kind: ``"within"``: the samples of the slice changed more than the others; ``"mix"``: the slices of the factor
            changed their shares, and differ in the quantity
        share: of the whole shift, the part that comes from there; above 1 where others work against it
        shift: of ``"within"``: how much the quantity changed in the slice
        low, high: of ``"within"``: the interval of the difference to the change elsewhere, corrected for all slices
            looked at
        n_reference, n: how many samples of either side are in the slice
    """

    quantity: str
    slice: Slice
    kind: Literal["within", "mix"]
    share: float
    shift: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n_reference: int = 0
    n: int = 0

    def __str__(self) -> str:
        part = "all" if self.share >= 0.95 else f"{whole(self.share)}"
        if self.kind == "mix":
            return f"{part} of the shift of {self.quantity} is the changed mix of {', '.join(self.slice.values)}"
        return (
            f"{self.quantity} shifted in {self.slice} more than elsewhere: {part} of the shift "
            f"({self.n_reference:,} and {self.n:,} samples)"
        )


@dataclass(frozen=True)
class Confidence(Record):
    """Confidence against outcome.

    Attributes:
        n: how many predictions have a confidence and an outcome
        confidence: the mean confidence in [0, 1]
        right: the share that was right
        gap: confidence - right: above 0 is over-confidence. It is the calibration error with its sign
        low, high: its 95 % interval
        ece: the expected calibration error in [0, 1], without signs, over ten bins of about the same size; lower is
            better. It is above 0 by chance alone
    """

    n: int
    confidence: float
    right: float
    gap: float
    low: float
    high: float
    ece: float


@dataclass(frozen=True)
class DriftBatch(Record):
    """One batch against the reference.

    Attributes:
        name: the batch's
        n: how many samples it has
        used: how many of the reference's and of its own were compared: more than a cap are drawn at random
        units: how many groups of them the reference and the batch have
        verdict: drifted, no evidence, or too few
        reason: why too few; else empty
        p: corrected for all quantities and batches; NaN where there were too few
        shifts: the quantities, the surest first
        drivers: the slices that the shifts come from
        newest, oldest: ids of the samples that are the most typical of the batch and of the reference, by the
            classifier or, without vectors, by the surest shift of a number; empty unless it drifted
        calibration: of its predictions, where they have outcomes
    """

    name: str
    n: int
    used: tuple[int, int]
    units: tuple[int, int]
    verdict: str
    reason: str = ""
    p: float = math.nan
    shifts: tuple[Shift, ...] = ()
    drivers: tuple[Driver, ...] = ()
    newest: tuple[str, ...] = ()
    oldest: tuple[str, ...] = ()
    calibration: Confidence | None = None

    def drifted(self) -> list[Shift]:
        """Returns the quantities that drifted, the surest first."""
        return [shift for shift in self.shifts if shift.verdict == DRIFTED]

    def __str__(self) -> str:
        if self.verdict == TOO_FEW:
            return f"{self.name}: too few to tell: {self.reason}"
        if self.verdict == NO_EVIDENCE:
            return f"{self.name}: no evidence of drift (p {equals(self.p)}, {len(self.shifts)} quantities looked at)"
        return f"{self.name}: drifted (p {equals(self.p)}): {'; '.join(map(str, self.drifted()[:3]))}"


@dataclass(frozen=True, repr=False)
class Drift(Tabular, Record):
    """What ``find_drift`` found.

    Attributes:
        reference: what the batches were compared with
        n_reference: how many samples it has
        by: what made the batches; empty: all samples are one
        batches: in their order
        alpha: the chance that anything at all is called drifted where nothing is
        permutations: how many were made
        groups: the fields whose values were kept together
        left_out: how many samples are in no batch
        calibration: of the reference's predictions, where they have outcomes
        notes: what else is to be said, a sentence each
    """

    reference: str
    n_reference: int
    by: str
    batches: tuple[DriftBatch, ...]
    alpha: float
    permutations: int
    groups: tuple[str, ...] = ()
    left_out: int = 0
    calibration: Confidence | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Drifted, where any batch is; too few, where all are; else no evidence."""
        verdicts = {batch.verdict for batch in self.batches}
        return DRIFTED if DRIFTED in verdicts else NO_EVIDENCE if NO_EVIDENCE in verdicts else TOO_FEW

    def sentence(self) -> str:
        """Returns the verdict in one sentence."""
        drifted = [batch.name for batch in self.batches if batch.verdict == DRIFTED]
        judged = sum(batch.verdict != TOO_FEW for batch in self.batches)
        few = len(self.batches) - judged
        more = f"; {few} {'has' if few == 1 else 'have'} too few samples to tell" if few and judged else ""
        if not judged:
            return "Too few samples to tell whether anything drifted."
        if len(self.batches) == 1:
            return "Drifted." if drifted else "No evidence of drift."
        if not drifted:
            return f"No evidence of drift in {judged} batches{more}."
        named = ", ".join(drifted[:5]) + (" …" if len(drifted) > 5 else "")
        return f"{len(drifted)} of {judged} batches drifted{more}: {named}."

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each quantity of one batch, or for each of several batches."""
        title = f"{self.sentence()} Against {self.reference} ({self.n_reference:,} samples)"
        if len(self.batches) == 1:
            head = ("quantity", "verdict", "effect", "interval", "by chance", "would be seen", "p")
            return Table.of(title, head, [_row(shift) for shift in self.batches[0].shifts])
        rows = []
        for batch in self.batches:
            names = [shift.quantity for shift in batch.drifted()]
            listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            rows.append((batch.name, batch.n, batch.verdict, p_value(batch.p), listed or batch.reason))
        return Table.of(title, (self.by or "batch", "samples", "verdict", "p", "what"), rows)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Drift:
        """Returns what ``to_dict`` made plain values of."""
        batches = tuple(
            _made(
                DriftBatch,
                each,
                used=tuple(each["used"]),
                units=tuple(each["units"]),
                shifts=tuple(
                    _made(Shift, shift, changes=tuple(_made(Change, change) for change in shift["changes"]))
                    for shift in each["shifts"]
                ),
                drivers=tuple(
                    _made(Driver, driver, slice=Slice(driver["slice"]["values"])) for driver in each["drivers"]
                ),
                newest=tuple(each["newest"]),
                oldest=tuple(each["oldest"]),
                calibration=_confidence(each["calibration"]),
            )
            for each in facts["batches"]
        )
        kept = {"groups": tuple(facts["groups"]), "notes": tuple(facts["notes"])}
        return _made(cls, facts, batches=batches, calibration=_confidence(facts["calibration"]), **kept)


def _confidence(facts: Mapping[str, Any] | None) -> Confidence | None:
    return None if facts is None else _made(Confidence, facts)


def _made(cls: Any, facts: Mapping[str, Any], **given: Any) -> Any:
    values = {each.name: facts[each.name] for each in fields(cls) if each.name not in given}
    floats = {each.name for each in fields(cls) if each.type == "float"}
    plain = {name: math.nan if value is None and name in floats else value for name, value in values.items()}
    return cls(**plain, **given)


def _row(shift: Shift) -> tuple[object, ...]:
    if shift.verdict == TOO_FEW:
        return (shift.quantity, shift.verdict, "", "", "", "", "")
    return (
        shift.quantity,
        shift.verdict,
        f"{short(shift)} {shift.value:+.3g}" if shift.effect in (MEAN, SHARE) else f"{short(shift)} {shift.value:.3g}",
        f"{shift.low:.3g} to {shift.high:.3g}",
        f"{shift.null_low:.2g} to {shift.null_high:.2g}",
        f"{shift.detectable:.2g}",
        p_value(shift.p_adjusted),
    )


def short(shift: Shift) -> str:
    """Returns what a shift's effect is, in a word."""
    return {MEAN: "mean", SHARE: "share", VARIATION: "mix", AREA: "area"}.get(shift.effect, shift.effect)


def _largest(changes: Iterable[Change]) -> str:
    first = next(iter(changes), None)
    return "" if first is None else f", most of it {first.value}: {tenths(first.reference)} → {tenths(first.new)}"


def _percents(low: float, high: float) -> str:
    return f"95 % interval {tenths(low)} to {tenths(high)}"

"""What ``find_label_issues`` found of boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.shares import tenths
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.labels.box_issues import KINDS, Kind
from loupe.brain.labels.records import Confusion
from loupe.brain.stats.intervals import Proportion


@dataclass(frozen=True)
class BoxIssue(Record):
    """A box that is probably wrong, or missing.

    Attributes:
        id: the sample's
        kind: ``"overlooked"``, ``"badly_located"`` or ``"swapped"``
        box_id: the given box's; None of an overlooked object
        given: its class; None of an overlooked object
        suggested: the class that is more probable, or the same
        box: left, top, width, height in shares of the picture: where the prediction puts it
        score: in [0, 1], higher is worse
        confidence: the prediction's; None where it has none
        reason: in words
    """

    id: str
    kind: Kind
    box_id: str | None
    given: str | None
    suggested: str
    box: tuple[float, float, float, float]
    score: float
    confidence: float | None
    reason: str


@dataclass(frozen=True, repr=False)
class BoxIssues(Tabular, Record):
    """What is wrong with the boxes of a field.

    Attributes:
        label: the field
        predictions: the field of the predictions
        issues: the boxes that are probably wrong or missing, the worst first
        n: how many samples were judged
        boxes: how many given boxes they have, crowds and malformed boxes not counted
        unseen: how many of those no prediction speaks of: neither right nor wrong
        unknown: how many samples could not be judged: no label, no predictions
        flagged: the share of samples with an issue, with its interval: of what was found, which is no count of what is
            wrong
        kinds: how many issues there are of each kind
        confusions: of swapped boxes, which classes are mixed up, the most frequent first
        malformed: given boxes of no area, of no class, or outside of the picture: how many, by sample id
        same_names: class names that differ only by case, blanks, hyphens or underscores
        notes: what else is to be known of the predictions
    """

    label: str
    predictions: str
    issues: tuple[BoxIssue, ...]
    n: int
    boxes: int
    unseen: int
    unknown: int
    flagged: Proportion
    kinds: Mapping[str, int]
    confusions: tuple[Confusion, ...]
    malformed: Mapping[str, int]
    same_names: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples with an issue, the worst first."""
        return tuple(dict.fromkeys(issue.id for issue in self.issues))

    def sentences(self) -> list[str]:
        """Returns what was found, a sentence each."""
        parts = ", ".join(f"{self.kinds.get(kind, 0):,} {kind.replace('_', ' ')}" for kind in KINDS)
        lines = [
            f"{self.flagged.k:,} of {self.n:,} samples have boxes in {self.label} that are probably wrong "
            f"({tenths(self.flagged.rate)}, 95 % interval {tenths(self.flagged.low)} to {tenths(self.flagged.high)})"
            + (f"; {self.unknown:,} could not be judged" if self.unknown else ""),
            f"Of {self.boxes:,} boxes and what is missing: {parts}",
        ]
        if self.unseen:
            lines.append(f"Of {self.unseen:,} boxes {self.predictions} says nothing: they may be right or wrong")
        if self.confusions:
            lines.append(f"Most often mixed up: {', '.join(str(each) for each in self.confusions[:3])}")
        if self.malformed:
            total = sum(self.malformed.values())
            lines.append(f"Not judged: {total:,} boxes on {len(self.malformed):,} samples, of no area or of no class")
        lines += [f"Probably one class: {', '.join(map(repr, names))}" for names in self.same_names]
        return [*lines, *self.notes]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each issue, the worst first."""
        rows = [
            (each.id, each.kind.replace("_", " "), each.given or "–", each.suggested, round(each.score, 3), each.reason)
            for each in self.issues
        ]
        head = ("sample", "issue", "given", "suggested", "score", "reason")
        return Table.of(". ".join(self.sentences()), head, rows)


def counted(issues: tuple[BoxIssue, ...]) -> dict[str, int]:
    """Returns how many issues there are of each kind."""
    counts = Counter(issue.kind for issue in issues)
    return {kind: counts[kind] for kind in KINDS}

"""What ``find_label_issues`` found of masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.stats.intervals import Proportion


@dataclass(frozen=True)
class MaskIssue(Record):
    """A mask that is probably wrong.

    Attributes:
        id: the sample's
        given: the class of most of what the model takes for something else
        suggested: what it takes it for
        score: in [0, 1], higher is worse: the share of the picture that it takes for something else
        share: of the picture: what those two classes differ on
        reason: in words
    """

    id: str
    given: str
    suggested: str
    score: float
    share: float
    reason: str


@dataclass(frozen=True, repr=False)
class MaskIssues(Tabular, Record):
    """What is wrong with the masks of a field.

    Attributes:
        label: the field
        predictions: the field of the predictions
        issues: the masks that are probably wrong, the worst first
        n: how many masks were judged
        unknown: how many samples could not be judged: no mask, no prediction, or one that cannot be read
        flagged: the share of masks that are probably wrong, with its interval: of what was found, which is no count of
            what is wrong
        agreement: by class the intersection over the union of given and predicted pixels, over all pictures
    """

    label: str
    predictions: str
    issues: tuple[MaskIssue, ...]
    n: int
    unknown: int
    flagged: Proportion
    agreement: Mapping[str, float]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples whose mask is probably wrong, the worst first."""
        return tuple(issue.id for issue in self.issues)

    def sentences(self) -> list[str]:
        """Returns what was found, a sentence each."""
        worst = sorted(self.agreement.items(), key=lambda pair: (pair[1], pair[0]))[:3]
        return [
            f"{len(self.issues):,} of {self.n:,} masks in {self.label} are probably wrong "
            f"({tenths(self.flagged.rate)}, 95 % interval {tenths(self.flagged.low)} to {tenths(self.flagged.high)})"
            + (f"; {self.unknown:,} could not be judged" if self.unknown else ""),
            f"They agree least on: {', '.join(f'{name} ({whole(iou)})' for name, iou in worst)}",
        ]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each issue, the worst first."""
        rows = [(each.id, each.given, each.suggested, round(each.score, 3), each.reason) for each in self.issues]
        return Table.of(". ".join(self.sentences()), ("sample", "given", "suggested", "score", "reason"), rows)

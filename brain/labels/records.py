"""What ``find_label_issues`` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from loupe.brain.core.records import Record
from loupe.brain.core.shares import tenths
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.stats.intervals import Proportion

_PROBABLY_WRONG = {
    "class": "labels in {} are probably wrong",
    "classes": "samples have a class in {} that is probably wrong, or lack one",
    "prompt": "pictures are unlike those of other prompts that ask for the same",
}


@dataclass(frozen=True)
class LabelIssue(Record):
    """A label that is probably wrong.

    Attributes:
        id: the sample's
        given: its label
        suggested: the most probable class
        score: in [0, 1], higher is worse: the probability that the label is wrong
        probability: of the suggested class, in [0, 1]
        reason: in words
        wrong: of a sample with several classes: those that it is probably wrongly given
        missing: of a sample with several classes: those that it probably lacks
    """

    id: str
    given: str
    suggested: str
    score: float
    probability: float
    reason: str
    wrong: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Confusion(Record):
    """Two classes that are mixed up: the share of the samples labeled ``given`` that are probably ``suggested``."""

    given: str
    suggested: str
    rate: Proportion

    def __str__(self) -> str:
        return f"{self.given} → {self.suggested}: {self.rate}"


@dataclass(frozen=True)
class ClassNoise(Record):
    """How noisy a class is, where a sample has several.

    Attributes:
        name: the class
        wrong: the share of the samples with it that are probably wrongly given it
        missing: the share of the samples without it that probably lack it
        added: how often it is given where it is not, as learned of all labels, in [0, 1]
        missed: how often it is not given where it is, in [0, 1]; NaN where what is not given says nothing
    """

    name: str
    wrong: Proportion
    missing: Proportion
    added: float
    missed: float


@dataclass(frozen=True, repr=False)
class LabelIssues(Tabular, Record):
    """What is wrong with the labels of a field.

    Attributes:
        label: the field
        issues: the labels that are probably wrong, the worst first
        n: how many labels were judged
        unknown: how many samples could not be judged: no label, no usable vector
        noise: the share of labels that are probably wrong, with its interval: of what was found, which is no count of
            what is wrong
        expected: the share of labels that is expected to be wrong: the mean of all scores, in [0, 1]
        confusions: which classes are mixed up, the most frequent first
        duplicates: groups of duplicates whose samples have more than one label: the group, and its labels by sample id
        same_names: class names that differ only by case, blanks, hyphens or underscores
        rare: classes with fewer samples than folds: nobody can judge them out-of-fold
        empty: classes of the dataset that no sample has
        source: what the probabilities come from
        kind: ``"class"``: a sample has one; ``"classes"``: several, then what is counted are samples with at least one
            that is probably wrong or missing; ``"prompt"``: those that the prompt asks for
        by_class: of several classes how noisy each is, the one with the most issues first
    """

    label: str
    issues: tuple[LabelIssue, ...]
    n: int
    unknown: int
    noise: Proportion
    expected: float
    confusions: tuple[Confusion, ...]
    duplicates: Mapping[str, Mapping[str, str]]
    same_names: tuple[tuple[str, ...], ...]
    rare: tuple[str, ...]
    empty: tuple[str, ...]
    source: str
    kind: Literal["class", "classes", "prompt"] = "class"
    by_class: tuple[ClassNoise, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples whose label is probably wrong, the worst first."""
        return tuple(issue.id for issue in self.issues)

    def sentences(self) -> list[str]:
        """Returns what was found, a sentence each."""
        lines = [
            f"{len(self.issues):,} of {self.n:,} {_PROBABLY_WRONG[self.kind].format(self.label)} "
            f"({tenths(self.noise.rate)}, 95 % interval {tenths(self.noise.low)} to {tenths(self.noise.high)})"
            f", {tenths(self.expected)} expected to be"
            + (f"; {self.unknown:,} could not be judged" if self.unknown else "")
        ]
        if self.confusions:
            worst = ", ".join(str(each) for each in self.confusions[:3])
            lines.append(f"Most often mixed up: {worst}")
        for words, of in (("wrongly given", "wrong"), ("missing", "missing")):
            noisy = sorted(self.by_class, key=lambda each: -getattr(each, of).k)[:3]
            named = [f"{each.name}: {getattr(each, of)}" for each in noisy if getattr(each, of).k]
            if named and self.kind == "classes":
                lines.append(f"Most often {words}: {', '.join(named)}")
        if self.duplicates:
            lines.append(f"{len(self.duplicates):,} groups of duplicates have more than one label")
        lines += [f"Probably one class: {', '.join(map(repr, names))}" for names in self.same_names]
        if self.rare:
            lines.append(f"Too few samples to judge: {', '.join(map(repr, self.rare[:10]))}")
        if self.empty:
            lines.append(f"Classes that no sample has: {', '.join(map(repr, self.empty[:10]))}")
        return lines

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each issue, the worst first."""
        rows = [(each.id, each.given, each.suggested, round(each.score, 3), each.reason) for each in self.issues]
        return Table.of(". ".join(self.sentences()), ("sample", "given", "suggested", "score", "reason"), rows)

"""What ``find_shortcuts`` returns: properties of pictures that give a label away, and labels in an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from loupe.brain.core.p_values import equals, p_value
from loupe.brain.core.records import Record
from loupe.brain.core.shares import percent
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.stats.intervals import Proportion

#: how a class gives itself away: by higher or lower numbers, ranges of them, categories, or whether it has a value
Shape = Literal["higher", "lower", "ranges", "categories", "missing"]


@dataclass(frozen=True)
class Shortcut(Record):
    """How well one property of a picture tells one class.

    Attributes:
        name: of the property: a field, ``folder``, ``file format``, or a factor's name
        label: the class, or the split
        shape: how the class gives itself away
        auroc: how likely the property ranks a picture of the class before another one, in [.5, 1] but for chance; .5
            says nothing, 1 gives the class away. Of categories and ranges out-of-fold
        low, high: its 95 % interval
        p: of the permutation test that it says nothing, groups kept together
        q: p, corrected for all properties and classes (Benjamini-Hochberg)
        n: how many samples have the property
        k: how many of those are of the class
        detail: what its values are like in the class and elsewhere, in words
        examples: ids of pictures of the class that show it most clearly
    """

    name: str
    label: str
    shape: Shape
    auroc: float
    low: float
    high: float
    p: float
    q: float
    n: int
    k: int
    detail: str
    examples: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        what = f"whether it has a {self.name}" if self.shape == "missing" else self.name
        area = f"AUROC {self.auroc:.2f} [{self.low:.2f}, {self.high:.2f}], q {equals(self.q)}"
        return f"{what} tells {self.label!r} from the rest: {self.detail} ({area})"

    def __repr__(self) -> str:
        return f"Shortcut({self.sentence})"


@dataclass(frozen=True)
class PropertyResult(Record):
    """How well one property tells all classes.

    Attributes:
        name: of the property
        kind: a number, a category, or whether there is a value
        n: how many samples have it
        worst: the class that it tells best
        macro: the mean AUROC of the classes, each with its better side; by chance a little above .5
    """

    name: str
    kind: Literal["number", "category", "missing"]
    n: int
    worst: Shortcut
    macro: float


@dataclass(frozen=True)
class Together(Record):
    """How much of the label a model gets that sees nothing but these properties, out-of-fold.

    Attributes:
        accuracy: how many labels it gets
        guess: how many the most frequent class alone gets, in [0, 1]
        balanced: the mean recall of the classes, in [0, 1]; chance is 1 / classes
        classes: how many classes it knows
        properties: what it sees, the most telling first
        few: the one or two of them that tell most by themselves, and the accuracy with nothing but those; empty, and
            the same accuracy, where there are no more
        few_accuracy: see ``few``
        p: that the accuracy is no higher than the guess, one-sided
    """

    accuracy: Proportion
    guess: float
    balanced: float
    classes: int
    properties: tuple[str, ...]
    few: tuple[str, ...]
    few_accuracy: Proportion
    p: float

    @property
    def sentence(self) -> str:
        """What it says, in one sentence."""
        own = " and ".join(self.properties) if len(self.properties) <= 2 else f"these {len(self.properties)} properties"
        text = f"a model that sees only {own} gets {_written(self.accuracy)} of the labels"
        if self.p > 0.05:
            return f"{text}, no more than always saying the most frequent class ({percent(self.guess)})"
        text += f"; always saying the most frequent class gets {percent(self.guess)}"
        if self.few:
            text += f"; with {' and '.join(self.few)} alone {percent(self.few_accuracy.rate)}"
        return text


@dataclass(frozen=True)
class Drifting(Record):
    """A class that comes earlier or later in the order than the others: the AUROC of its place.

    Attributes:
        label: the class
        auroc: how likely a sample of it comes after another one, in [0, 1]; .5 is no drift
        low, high: its 95 % interval
        q: corrected for all classes (Benjamini-Hochberg)
    """

    label: str
    auroc: float
    low: float
    high: float
    q: float


@dataclass(frozen=True)
class Order(Record):
    """Whether the order of the samples says something of them: they are then not independent draws.

    Groups count once, by their first sample.

    Attributes:
        by: what they are ordered by
        n: how many samples, or groups of them, were put in order
        without: how many have no place in it
        repeats: how many neighbors in the order share their label
        expected: how many would by chance, in [0, 1]
        repeats_p: one-sided, of the runs test for any number of classes
        drifting: the classes whose place differs most, the surest first
        distance: how far the places of look-alike samples are nearer than chance: the Kolmogorov-Smirnov distance in
            [0, 1], 0 is chance; NaN without vectors. What Datalab calls non-IID
        distance_p: of permuting all places
        within_p: of permuting places within each class: it is small only where look-alikes of one class lie together
        vectors: the field of the vectors; empty without
    """

    by: str
    n: int
    without: int
    repeats: Proportion
    expected: float
    repeats_p: float
    drifting: tuple[Drifting, ...]
    distance: float
    distance_p: float
    within_p: float
    vectors: str

    def sentences(self, fdr: float = 0.05) -> list[str]:
        """Returns what it means and what to do; empty where the order says nothing."""
        made = []
        moved = [each for each in self.drifting if each.q <= fdr]
        if self.repeats_p <= fdr or moved:
            text = f"labels depend on {self.by}: {percent(self.repeats.rate)} of neighbors share theirs, "
            text += f"{percent(self.expected)} by chance (p {equals(self.repeats_p)})"
            if moved:
                when = "late" if moved[0].auroc > 0.5 else "early"
                text += f"; {moved[0].label!r} comes {when} (AUROC of its place {moved[0].auroc:.2f})"
            made.append(f"{text}. Never cut by position; shuffle, or loupe.split(samples, stratify=…)")
        if self.within_p <= fdr:
            made.append(
                f"look-alikes of one class lie near each other in {self.by} (KS {self.distance:.2f}, p "
                f"{equals(self.within_p)}): pictures were collected in blocks. A random split puts parts of a block on "
                "both sides: loupe.split(samples, groups=the block, scene or session), or order=a field of times"
            )
        return made


@dataclass(frozen=True, repr=False)
class Shortcuts(Tabular, Record):
    """What ``find_shortcuts`` found.

    Attributes:
        label: the field of the classes, or of the splits
        is_split: whether the classes are splits
        findings: properties that tell a class surely (q at most ``fdr``) and well (AUROC at least ``min_auroc``), the
            most telling first; of each property and class one
        properties: every property that was looked at, the most telling first
        together: a model that sees all of them; None where there is nothing to see
        order: whether the order of the samples says something; None for fewer than two groups
        n: how many samples have a label
        unlabeled: how many have none
        compared: how many samples were drawn and compared; all of them, unless they are very many
        groups: how many groups of samples that belong together those make
        classes: the classes that were tested, by how many samples they have
        notes: what was left out, and why
        params: the settings
    """

    label: str
    is_split: bool
    findings: tuple[Shortcut, ...]
    properties: tuple[PropertyResult, ...]
    together: Together | None
    order: Order | None
    n: int
    unlabeled: int
    compared: int
    groups: int
    classes: Mapping[str, int]
    notes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples to look at: the examples of all findings, each once."""
        return tuple(dict.fromkeys(each for finding in self.findings for each in finding.examples))

    def sentences(self) -> list[str]:
        """Returns what was found, sentence by sentence, with what to do; never empty."""
        fdr = float(self.params.get("fdr", 0.05))
        made = [each.sentence for each in self.findings[:_MAX_SENTENCES]]
        if len(self.findings) > len(made):
            made.append(f"and {len(self.findings) - len(made):,} more: .findings")
        if self.findings:
            made.append(_SPLIT_ADVICE if self.is_split else _ADVICE)
        else:
            made.append(f"no property of the pictures tells {self.label} surely and well")
        if self.together is not None:
            made.append(self.together.sentence)
        order = self.order.sentences(fdr) if self.order is not None else []
        if self.order is not None and not order:
            order = [f"{self.order.by} says nothing of the labels" + (" or vectors" if self.order.vectors else "")]
        return [*made, *order, *self.notes]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each property, the most telling first."""
        flagged = {(each.name, each.label) for each in self.findings}
        rows = [
            (
                each.name if each.kind != "missing" else f"{each.name}: no value",
                each.worst.label,
                f"{each.worst.auroc:.2f}",
                f"{each.worst.low:.2f} to {each.worst.high:.2f}",
                p_value(each.worst.q),
                f"{each.macro:.2f}",
                each.n,
                "finding" if (each.name, each.worst.label) in flagged else "",
                each.worst.detail,
            )
            for each in self.properties
        ]
        head = ("property", "tells best", "AUROC", "interval", "q", "mean", "samples", "", "how")
        counted = f"{len(self.findings):,} {'shortcut' if len(self.findings) == 1 else 'shortcuts'}"
        rest = self.sentences()[min(len(self.findings), _MAX_SENTENCES) :]
        return Table.of(
            f"{counted} to {self.label}, of {len(self.properties)} properties; {self.n:,} samples",
            head,
            rows,
            "\n".join(rest),
        )


def _written(share: Proportion) -> str:
    return f"{percent(share.rate)} [{percent(share.low)}, {percent(share.high)}]"


#: nobody reads more
_MAX_SENTENCES = 12
_ADVICE = (
    "a model can learn these in place of what is to be seen: collect pictures of each class across them, or weigh the "
    "samples; then look at loupe.evaluate(…, by=the property)"
)
_SPLIT_ADVICE = (
    "the splits differ in how pictures were made: a score on one says little of the other. Split anew, with "
    "loupe.split(samples, stratify=the property)"
)

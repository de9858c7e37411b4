"""What ``experiment`` returns: a plan of arms, what each of them turned out to be worth, and what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.brain.core.kept import KeptRecord, number
from loupe.brain.core.realism import Estimate, Verdict
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import html
from loupe.brain.core.tables import Table, Tabular

NOT_KNOWN = Estimate(math.nan, math.nan, math.nan)
_ESTIMATES = ("failing", "precision", "recall", "density", "coverage", "accuracy", "utility", "equivalent_real_size")


@dataclass(frozen=True)
class PlannedArm(KeptRecord):
    """A model, a prompt style and a guidance: one way to draw a set.

    Attributes:
        name: what tells it from the others; its samples have it in ``scenario.arm``
        model: which draws
        style: how it is asked
        guidance: how strongly the prompt is followed; NaN: the model's own
        seed: of its draws
        n: images
        drawn: how many of them are there already
        seconds: that an image takes, by those that are there; NaN where none was drawn yet
        price: of an image in US dollars; NaN where nobody knows
        size: of a file in bytes, by those that are there; NaN where none was drawn yet
        prompt: the first one
    """

    name: str
    model: str
    style: str
    guidance: float
    seed: int
    n: int
    drawn: int
    seconds: float
    price: float
    size: float
    prompt: str

    @property
    def missing(self) -> int:
        """Images that are still to be drawn."""
        return self.n - self.drawn


@dataclass(frozen=True)
class ByRelease(KeptRecord):
    """How a measure goes with the release date of the models.

    Attributes:
        measure: ``"utility"``, ``"precision"`` or ``"recall"``
        models: that have a date and the measure
        correlation: Spearman's, in [-1, 1], with its 95 % interval: below 0 newer models have less of it; NaN of fewer
            than five models
    """

    measure: str
    models: int
    correlation: Estimate


@dataclass(frozen=True, repr=False)
class ExperimentPlan(Tabular, KeptRecord):
    """What an experiment is going to draw: how many images, how long that takes, what it costs.

    Attributes:
        arms: in the order in which they are drawn
        label: the field of classes
        classes: that are drawn, in order
        per_class: images of each class and arm
        n_train, n_test: real samples of these classes to train on and to test on
        free: bytes that are free where the images go
        notes: what else is to be known, a sentence each
        after: seconds of what comes after drawing, by name, as far as they are known; NaN where not
    """

    arms: tuple[PlannedArm, ...]
    label: str
    classes: tuple[str, ...]
    per_class: int
    n_train: int
    n_test: int
    free: float = math.nan
    notes: tuple[str, ...] = ()
    after: Mapping[str, float] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Images in all."""
        return sum(arm.n for arm in self.arms)

    @property
    def missing(self) -> int:
        """Images that are still to be drawn."""
        return sum(arm.missing for arm in self.arms)

    @property
    def hours(self) -> float:
        """How long all of it takes, as far as that is known; NaN where it is known of no arm how long drawing takes."""
        return self.drawing_hours + self.after_hours

    @property
    def drawing_hours(self) -> float:
        """How long drawing takes, of the arms of which that is known; NaN where it is known of none."""
        return self._sum("seconds") / 3600

    @property
    def after_hours(self) -> float:
        """How long checks, vectors, comparing and training take, of those of which that is known."""
        return math.fsum(seconds for seconds in self.after.values() if not math.isnan(seconds)) / 3600

    @property
    def cost(self) -> float:
        """What drawing costs in US dollars, of the arms of which that is known; NaN where it is known of none."""
        return self._sum("price")

    @property
    def megabytes(self) -> float:
        """How large the new files are, of the arms of which that is known; NaN where it is known of none."""
        return self._sum("size") / 1e6

    def unknown(self, what: str) -> tuple[str, ...]:
        """Returns the arms to be drawn of which ``"seconds"``, ``"price"`` or ``"size"`` is not known."""
        return tuple(arm.name for arm in self.arms if arm.missing and math.isnan(getattr(arm, what)))

    def _sum(self, what: str) -> float:
        known = [arm.missing * getattr(arm, what) for arm in self.arms if not math.isnan(getattr(arm, what))]
        if known or not self.missing:
            return math.fsum(known)
        return math.nan

    def sentence(self) -> str:
        """Returns how many images, how long, how much and how large, in words."""
        images = f"{len(self.arms):,} arms × {len(self.classes):,} classes × {self.per_class:,} = {self.n:,} images"
        if self.missing < self.n:
            images += f", {self.n - self.missing:,} of them drawn already"
        if not self.missing:
            return f"{images}: nothing is left to draw"
        parts = [
            self._part("seconds", "how long drawing takes", f"{duration(self.drawing_hours * 3600)} of drawing"),
            self._part("price", "what it costs", "no cost" if self.cost == 0 else f"{self.cost:,.2f} US$"),
            self._part("size", "how large the files are", f"{self.megabytes:,.1f} MB"),
            *self._after(),
        ]
        return f"{images}: {'; '.join(parts)}"

    def _after(self) -> list[str]:
        known = [name for name, seconds in self.after.items() if not math.isnan(seconds)]
        absent = [name for name in self.after if name not in known]
        made = [f"then {duration(self.after_hours * 3600)} of {', '.join(known)}"] if known else []
        return made + [f"how long {name} take is not known" for name in absent]

    def _part(self, what: str, words: str, known: str) -> str:
        absent = self.unknown(what)
        if not absent:
            return known
        drawing = [arm for arm in self.arms if arm.missing]
        if len(absent) == len(drawing):
            return f"{words} is not known"
        return f"{known}, and of {len(absent)} of {len(drawing)} arms that is not known"

    def table(self) -> Table:
        """Returns the arms as rows, and above them what all of it takes."""
        rows = [
            (
                arm.name,
                arm.n,
                arm.missing,
                duration(arm.missing * arm.seconds),
                "–" if math.isnan(arm.price) else f"{arm.missing * arm.price:,.2f} US$",
                "–" if math.isnan(arm.size) else f"{arm.missing * arm.size / 1e6:,.1f} MB",
                arm.prompt,
            )
            for arm in self.arms
        ]
        head = ("arm", "images", "to draw", "time", "cost", "disk", "first prompt")
        return Table.of(self.sentence(), head, rows, "\n".join(self.notes))


@dataclass(frozen=True)
class ArmResult(KeptRecord):
    """What a set turned out to be.

    Attributes:
        name, model, style, guidance, seed: as planned
        n: images with a vector and a class
        failing: the share of its judged images that fail in any way
        judged: how many were judged
        precision, recall, density, coverage: over what a second real set would have: 1 is as real; with the band of
            splits
        frechet: Fréchet distance, low is near
        c2st: how often a classifier tells it from the real set, .5 is never
        accuracy: trained on it and tested on real samples, as many of each class as there are real ones
        utility: (accuracy - chance) / (that of real samples - chance): 1 is as good as real, 0 useless
        equivalent_real_size: real samples that train as well as all of it; infinite beyond the curve, 0 below
        rank_low, rank_high: by utility; 1 is the best. The true ranks of all arms lie in their ranges at once; 0: none
        findings: named, see docs/realism.md and docs/transfer.md
        reason: why there is nothing of it; empty where there is
        released: when its model came out, ISO 8601; empty where that is not known
    """

    name: str
    model: str
    style: str
    guidance: float
    seed: int
    n: int = 0
    failing: Estimate = NOT_KNOWN
    judged: int = 0
    precision: Estimate = NOT_KNOWN
    recall: Estimate = NOT_KNOWN
    density: Estimate = NOT_KNOWN
    coverage: Estimate = NOT_KNOWN
    frechet: float = math.nan
    c2st: float = math.nan
    accuracy: Estimate = NOT_KNOWN
    utility: Estimate = NOT_KNOWN
    equivalent_real_size: Estimate = NOT_KNOWN
    rank_low: int = 0
    rank_high: int = 0
    findings: tuple[Verdict, ...] = ()
    reason: str = ""
    released: str = ""

    @property
    def measured(self) -> bool:
        """Whether it is known what it is worth."""
        return not math.isnan(self.utility.value)

    @property
    def rank(self) -> str:
        """The rank, or the range of it, e.g. ``"2–4"``."""
        if not self.rank_low:
            return "–"
        return f"{self.rank_low}" if self.rank_low == self.rank_high else f"{self.rank_low}–{self.rank_high}"

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> ArmResult:
        """Returns what ``to_dict`` made plain values of."""
        estimates = {
            name: Estimate(*(number(facts[name][end]) for end in ("value", "low", "high"))) for name in _ESTIMATES
        }
        findings = tuple(
            Verdict(
                each["name"],
                each["sentence"],
                {key: number(value) for key, value in each["evidence"].items()},
                each["next"],
            )
            for each in facts["findings"]
        )
        numbers = {name: number(facts[name]) for name in ("guidance", "frechet", "c2st")}
        return cls(**{**facts, **estimates, **numbers, "findings": findings})


@dataclass(frozen=True, repr=False)
class Experiment(Tabular, KeptRecord):
    """Ways to draw a set, and what each is worth beside real pictures. It prints as a table, the most useful first.

    Attributes:
        plan: what was to be drawn
        arms: the most useful first; those that could not be drawn or measured last. Empty where only a plan was made
        real: trained on real samples and tested on real ones, as many as an arm has; NaN where nothing was measured
        chance: accuracy of guessing the most frequent class
        curve: number of real samples and the accuracy they give
        tied: groups of arms of which nothing tells that any two differ in utility, in the order of ``arms``; any two
            that share no group surely differ
        findings: what follows, a sentence each
        notes: what else is to be known
        by_release: how utility, precision and recall go with the release dates of the models; none where none is known
    """

    plan: ExperimentPlan
    arms: tuple[ArmResult, ...] = ()
    real: Estimate = NOT_KNOWN
    chance: float = math.nan
    curve: tuple[tuple[int, Estimate], ...] = ()
    tied: tuple[tuple[str, ...], ...] = ()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    by_release: tuple[ByRelease, ...] = ()

    def letters(self) -> dict[str, str]:
        """Returns the letters of each arm: any two that share none surely differ in utility."""
        marks = {arm.name: "" for arm in self.arms}
        for at, group in enumerate(self.tied):
            for name in group:
                marks[name] += chr(ord("a") + at) if at < 26 else f"({at + 1})"
        return marks

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each arm, the most useful first."""
        if not self.arms:
            return self.plan.table()
        marks = self.letters()
        dated = any(arm.released for arm in self.arms)
        rows = [_row(arm, marks[arm.name], self.size_text(arm), dated=dated) for arm in self.arms]
        head = (
            *("rank", "arm", *(("released",) if dated else ()), "images", "utility", "real size", "tied", "failing"),
            *("precision", "recall", "density", "coverage", "c2st", "findings"),
        )
        title = (
            f"{len(self.arms):,} arms by utility, against {self.plan.n_train:,} real samples; those that share a "
            "letter are tied"
        )
        note = "precision, recall, density, coverage: over a second real set, 1 is as real"
        return Table.of(title, head, rows, note)

    def __repr__(self) -> str:
        return "\n".join([self.table().text(), *self.sentences()])

    def _repr_html_(self) -> str:
        return self.table().html() + "".join(f"<p>{html(line)}</p>" for line in self.sentences())

    def size_text(self, arm: ArmResult) -> str:
        """Returns how many real samples train as well as an arm; beyond the ends of the curve nothing was measured."""
        value = arm.equivalent_real_size.value
        if math.isnan(value) or not self.curve:
            return "–"
        if math.isinf(value):
            return f"more than {self.curve[-1][0]:,}"
        return f"{value:,.0f}" if value > 0 else f"fewer than {self.curve[0][0]:,}"

    def sentences(self) -> tuple[str, ...]:
        """Returns what follows, and what else is to be known: a sentence each."""
        return tuple(" ".join(line.split()) for line in (*self.findings, *self.notes))


def _row(arm: ArmResult, tied: str, size: str, *, dated: bool) -> tuple[object, ...]:
    return (
        arm.rank,
        arm.name,
        *((arm.released or "–",) if dated else ()),
        arm.n,
        str(arm.utility) if arm.measured else "not measured",
        size,
        tied,
        tenths(arm.failing.value),
        *(
            "–" if math.isnan(each.value) else f"{each.value:.2f}"
            for each in (arm.precision, arm.recall, arm.density, arm.coverage)
        ),
        "–" if math.isnan(arm.c2st) else f"{arm.c2st:.2f}",
        arm.reason or ", ".join(dict.fromkeys(each.name for each in arm.findings)) or "–",
    )


def duration(seconds: float) -> str:
    """Returns a time in words, no more exact than an estimate is.

    >>> duration(4.2), duration(200), duration(9000), duration(math.nan)
    ('4 s', '3 min', '2.5 h', '–')
    """
    if math.isnan(seconds):
        return "–"
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"

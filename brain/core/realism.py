"""What ``compare_to_real`` and ``test_transfer`` return. Plain records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from loupe.brain.core.holes import Holes
from loupe.brain.core.kept import KeptRecord, number
from loupe.brain.core.shares import whole
from loupe.brain.core.tables import Table, Tabular

COLLAPSE, DOMAIN_SHIFT, LABEL_MISMATCH, SPECTRAL = "COLLAPSE", "DOMAIN_SHIFT", "LABEL_MISMATCH", "SPECTRAL"
MEMORIZED, USEFUL, ADDITIVE_ONLY, INSUFFICIENT_DATA = "MEMORIZED", "USEFUL", "ADDITIVE_ONLY", "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Estimate(KeptRecord):
    """A value with its 95 % interval; NaN where nothing is known.

    Attributes:
        value: the estimate
        low, high: the interval's ends
    """

    value: float
    low: float
    high: float

    def __sub__(self, other: Estimate) -> Estimate:
        """Returns the difference of independent estimates."""
        below = math.hypot(self.value - self.low, other.high - other.value)
        above = math.hypot(self.high - self.value, other.value - other.low)
        value = self.value - other.value
        return Estimate(value, value - below, value + above)

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not known"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Verdict(KeptRecord):
    """A finding.

    Attributes:
        name: ``COLLAPSE``, ``DOMAIN_SHIFT``, ``LABEL_MISMATCH``, ``SPECTRAL``, ``MEMORIZED``, ``USEFUL``,
            ``ADDITIVE_ONLY`` or ``INSUFFICIENT_DATA``
        sentence: what it is, with its figures
        evidence: the figures that decided, by name
        next: what to do
    """

    name: str
    sentence: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    next: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence}. {self.next}".strip()


#: the share that a classifier tells apart from which on two sets do not look alike
TOLD_APART = 0.60


@dataclass(frozen=True)
class RealismMetric(KeptRecord):
    """A measure of a synthetic set, beside what a second real set gives.

    Attributes:
        name: e.g. ``"recall"``
        value: of all vectors, as other tools compute it; NaN where it cannot be told
        matched: the mean over parts with as many synthetic as real samples
        null: the mean of the same measure of real samples against other real ones, as many
        null_low, null_high: where that lies in 95 of 100 splits of the real set
        ratio: the value over what a second real set of its size would have: 1 is as real; NaN where it is no ratio
        low, high: where the ratio lies in 95 of 100 splits. NaN of what is measured of the whole sets only, the clipped
            ones and ``frechet_endless``; of ``c2st``, which has its p; of ``kid`` and ``cmmd``, which make no ratio
    """

    name: str
    value: float
    matched: float = math.nan
    null: float = math.nan
    null_low: float = math.nan
    null_high: float = math.nan
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def chance(self) -> bool:
        """Whether two real sets differ as much."""
        return self.null_low <= self.matched <= self.null_high


@dataclass(frozen=True)
class MemorizedPair(KeptRecord):
    """A synthetic sample and the real one that it may be a copy of.

    Attributes:
        synthetic, real: ids
        distance: of their vectors
        usual: how far the real one is from its nearest other real one: a copy is nearer than that
    """

    synthetic: str
    real: str
    distance: float
    usual: float


@dataclass(frozen=True, repr=False)
class Realism(Tabular, KeptRecord):
    """How a synthetic set lies to a real one, by one embedder or several.

    Attributes:
        n_real, n_synthetic: samples with a usable vector
        unknown: samples without: no vector, or NaN in it
        metrics: by the field of vectors: its measures
        findings: what they say together, by the first field of vectors
        by: for each class or scenario, by name: its measures, where there are enough samples
        left_out: values of the factor with too few samples on a side, and how many they have
        alignment: by class: the share of its samples whose label a classifier of real ones gives, too; all classes
            together are the measure ``alignment`` of the first field of vectors. Empty without labels
        alone: no real sample has a value of the factor, such as a generator: each was held against all real samples
        released: when the generators among the values came out, as far as that is known: ISO 8601
        bands: median log10 power of the synthetic pictures over that of the real ones, in 16 bands from 0 to Nyquist
        bands_chance: where the same lies for two halves of the real set, low and high, in 95 of 100 splits
        texture: by measure: the medians of the real and of the synthetic pictures, their distance in [0, 1], and what
            95 of 100 splits of the real ones stay below
        pairs: the nearest synthetic and real samples that are nearer than real ones are
        holes: where the real set has no synthetic sample near, and chance does not explain it; None of fewer than 20
            real samples. ``loupe.suggest_prompts`` makes prompts of them
        warnings: what differs that should not: sizes, codecs, color modes, duplicates on both sides
        seed: of the draws
    """

    n_real: int
    n_synthetic: int
    unknown: int
    metrics: Mapping[str, tuple[RealismMetric, ...]]
    findings: tuple[Verdict, ...]
    by: Mapping[str, tuple[RealismMetric, ...]] = field(default_factory=dict)
    left_out: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    alignment: Mapping[str, RealismMetric] = field(default_factory=dict)
    alone: bool = False
    released: Mapping[str, str] = field(default_factory=dict)
    bands: tuple[float, ...] = ()
    bands_chance: tuple[tuple[float, float], ...] = ()
    texture: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    pairs: tuple[MemorizedPair, ...] = ()
    holes: Holes | None = None
    warnings: tuple[str, ...] = ()
    seed: int = 0

    def table(self) -> Table:
        """Returns the measures as rows, the findings above and the warnings below."""
        rows = [
            (
                vectors,
                each.name,
                _number(each.value),
                _number(each.matched),
                _span(each.null_low, each.null_high),
                _number(each.ratio),
            )
            for vectors, metrics in self.metrics.items()
            for each in metrics
        ]
        head = ("vectors", "measure", "value", "at equal sizes", "of real against real", "over a second real set")
        message = "; ".join(str(each) for each in self.findings) or self.without_findings()
        title = f"{self.n_synthetic:,} synthetic against {self.n_real:,} real samples. {message}"
        return Table.of(title, head, rows, note="; ".join(self.warnings))

    def without_findings(self) -> str:
        """Returns what is to be said where no finding is: that they are told apart has no name without labels."""
        apart = [each for own in list(self.metrics.values())[:1] for each in own if each.name == "c2st"]
        if not apart or apart[0].value < max(TOLD_APART, apart[0].null_high):
            return "Nothing sets them apart that two real sets would not show, too"
        return f"A classifier tells {whole(apart[0].value)} of them apart: whether that matters is known with label="

    def worst_aligned(self) -> tuple[tuple[str, RealismMetric], ...]:
        """Returns the classes whose labels fit the worst first, against real ones; unknown last."""
        own = self.alignment.items()
        return tuple(sorted(own, key=lambda each: (math.isnan(each[1].ratio), each[1].ratio, each[0])))

    def lowest(self, name: str) -> tuple[tuple[str, RealismMetric], ...]:
        """Returns one measure of each class or scenario, the farthest below a second real set first, unknown last."""
        own = [(value, each) for value, metrics in self.by.items() for each in metrics if each.name == name]
        return tuple(sorted(own, key=lambda each: (math.isnan(each[1].ratio), each[1].ratio, each[0])))

    def by_release(self, name: str) -> tuple[tuple[str, RealismMetric], ...]:
        """Returns one measure of each generator, the oldest first, and those of which no date is known at the end."""
        own = [(value, each) for value, metrics in self.by.items() for each in metrics if each.name == name]
        return tuple(sorted(own, key=lambda each: (self.released.get(each[0], "~"), each[0])))

    def ties(self, name: str) -> dict[str, tuple[str, ...]]:
        """Returns of each class, scenario or generator those that one measure does not tell it from.

        Two are told apart where what 95 of 100 splits show of them does not overlap.
        """
        own = {value: each for value, metrics in self.by.items() for each in metrics if each.name == name}
        return {
            value: tuple(
                other
                for other, theirs in own.items()
                if other != value and not (each.low > theirs.high or each.high < theirs.low)
            )
            for value, each in own.items()
        }

    def highest(self, name: str) -> str:
        """Returns which class, scenario or generator is the highest by a measure, and what cannot be told from it."""
        known = [each for each in self.lowest(name) if not math.isnan(each[1].ratio)]
        if len(known) < 2:
            return ""
        first = known[-1][0]
        tied = [value for value, _ in known if value in self.ties(name)[first]]
        if len(tied) == len(known) - 1:
            return "Nothing tells them apart"
        shown = ", ".join(tied[:5]) + (f" and {len(tied) - 5:,} more" if len(tied) > 5 else "")
        return f"The highest is {first}" + (f"; it cannot be told from {shown}" if tied else "; no other reaches it")

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Realism:
        """Returns what ``to_dict`` made plain values of; what else is in ``facts`` is left alone."""
        return cls(
            n_real=int(facts["n_real"]),
            n_synthetic=int(facts["n_synthetic"]),
            unknown=int(facts["unknown"]),
            metrics={name: _metrics(own) for name, own in facts["metrics"].items()},
            findings=_verdicts(facts["findings"]),
            by={name: _metrics(own) for name, own in facts["by"].items()},
            left_out={name: (int(real), int(other)) for name, (real, other) in facts["left_out"].items()},
            alignment={name: _metrics([own])[0] for name, own in facts.get("alignment", {}).items()},
            alone=bool(facts.get("alone", False)),
            released={str(name): str(date) for name, date in facts.get("released", {}).items()},
            bands=tuple(map(number, facts["bands"])),
            bands_chance=tuple((number(low), number(high)) for low, high in facts.get("bands_chance", ())),
            texture={name: _four(own) for name, own in facts["texture"].items()},
            pairs=tuple(
                MemorizedPair(each["synthetic"], each["real"], number(each["distance"]), number(each["usual"]))
                for each in facts["pairs"]
            ),
            holes=None if facts.get("holes") is None else Holes.from_dict(facts["holes"]),
            warnings=tuple(facts["warnings"]),
            seed=int(facts["seed"]),
        )


@dataclass(frozen=True)
class TransferArm(KeptRecord):
    """A training set and a test set.

    Attributes:
        name: e.g. ``"S→R"``: trained on synthetic, tested on real samples
        n_train, n_test: samples
        accuracy: in [0, 1]
        recall: by class; NaN of a class that the test set lacks
        calibration_error: expected calibration error in [0, 1], lower is better
    """

    name: str
    n_train: int
    n_test: int
    accuracy: Estimate
    recall: Mapping[str, float]
    calibration_error: float


@dataclass(frozen=True, repr=False)
class Transfer(Tabular, KeptRecord):
    """What a synthetic set is worth as training data.

    Attributes:
        label: the field
        classes: that both sides have, in order
        matrix: the arms
        chance: accuracy of guessing the most frequent class
        gap: R→R less S→R, higher is worse
        asymmetry: R→S less S→R
        utility: (S→R - chance) / (R→R - chance): 1 is as good as real, 0 useless
        gain: R+S→R less R→R
        curve: number of real samples and the accuracy they give
        equivalent_real_size: real samples that train as well as all synthetic ones; infinite beyond the curve, 0 below
        exchange_rate: real samples that a synthetic one is worth, added to half of the real ones
        findings: what the arms say together
        retrieved: the arms of real pictures retrieved from a pool in place of the synthetic ones, where one was given
        left_out: classes on one side only, and how many samples they have there
        learner: what learned
        seed: of the draws
    """

    label: str
    classes: tuple[str, ...]
    matrix: tuple[TransferArm, ...]
    chance: float
    gap: Estimate
    asymmetry: Estimate
    utility: Estimate
    gain: Estimate
    curve: tuple[tuple[int, Estimate], ...]
    equivalent_real_size: Estimate
    exchange_rate: Estimate
    findings: tuple[Verdict, ...]
    retrieved: tuple[TransferArm, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    learner: str = "discriminant"
    seed: int = 0

    def table(self) -> Table:
        """Returns the arms as rows, and above them what the set is worth."""
        rows = [
            (arm.name, arm.n_train, arm.n_test, str(arm.accuracy), _number(arm.calibration_error))
            for arm in (*self.matrix, *self.retrieved)
        ]
        message = "; ".join(str(each) for each in self.findings)
        size = self.equivalent_real_size
        value, low, high = (self._size(each) for each in (size.value, size.low, size.high))
        worth = f"utility {self.utility}, worth {value} real samples ({low} to {high})"
        head = ("trained→tested", "trained on", "tested on", "accuracy", "calibration error")
        return Table.of(". ".join(filter(None, (worth, message))), head, rows)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Transfer:
        """Returns what ``to_dict`` made plain values of; what else is in ``facts`` is left alone."""
        estimates = ("gap", "asymmetry", "utility", "gain", "equivalent_real_size", "exchange_rate")
        return cls(
            label=facts["label"],
            classes=tuple(facts["classes"]),
            matrix=_arms(facts["matrix"]),
            chance=number(facts["chance"]),
            curve=tuple((int(n), _estimate(own)) for n, own in facts["curve"]),
            findings=_verdicts(facts["findings"]),
            retrieved=_arms(facts["retrieved"]),
            left_out={name: int(n) for name, n in facts["left_out"].items()},
            learner=facts["learner"],
            seed=int(facts["seed"]),
            **{name: _estimate(facts[name]) for name in estimates},
        )

    def _size(self, value: float) -> str:
        """Returns a number of real samples; beyond the ends of the curve nothing was measured."""
        if math.isnan(value):
            return "an unknown number of"
        if math.isinf(value):
            return f"more than {self.curve[-1][0]:,}" if self.curve else "more than all"
        if value > 0:
            return f"{value:,.0f}"
        return f"fewer than {self.curve[0][0]:,}" if self.curve else "fewer than any"


def _four(values: Any) -> tuple[float, float, float, float]:
    first, second, third, fourth = map(number, values)
    return first, second, third, fourth


def _estimate(facts: Mapping[str, Any]) -> Estimate:
    return Estimate(number(facts["value"]), number(facts["low"]), number(facts["high"]))


def _metrics(facts: Iterable[Mapping[str, Any]]) -> tuple[RealismMetric, ...]:
    numbers = [each.name for each in fields(RealismMetric) if each.name != "name"]
    return tuple(RealismMetric(own["name"], **{name: number(own[name]) for name in numbers}) for own in facts)


def _verdicts(facts: Iterable[Mapping[str, Any]]) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(
            own["name"], own["sentence"], {name: number(each) for name, each in own["evidence"].items()}, own["next"]
        )
        for own in facts
    )


def _arms(facts: Iterable[Mapping[str, Any]]) -> tuple[TransferArm, ...]:
    return tuple(
        TransferArm(
            own["name"],
            int(own["n_train"]),
            int(own["n_test"]),
            _estimate(own["accuracy"]),
            {name: number(each) for name, each in own["recall"].items()},
            number(own["calibration_error"]),
        )
        for own in facts
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"


def _span(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{low:.3g} to {high:.3g}"

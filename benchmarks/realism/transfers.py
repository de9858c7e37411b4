"""Do the intervals of transfer tests hold what another draw of everything gives, and does the learner matter?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from benchmarks.figures import header, row, share, title
from loupe.brain.core.realism import Estimate
from loupe.brain.realism import transfer
from loupe.brain.realism.blocks import Labeled, cut
from loupe.brain.realism.curve import Curve, Point
from loupe.brain.realism.learners import LEARNERS

NAMES = ("gap", "narrowness", "foreignness", "gain", "utility", "equivalent_real_size")


@dataclass(frozen=True)
class Setting:
    """Normal classes, and how synthetic ones differ.

    Attributes:
        classes, numbers: how many
        real, test, synthetic: samples
        noise: deviation of the synthetic ones about their class, where real ones have 1
        wrong: share of their labels
        shift: how far they are moved
    """

    classes: int
    numbers: int
    real: int
    test: int
    synthetic: int
    noise: float = 1.0
    wrong: float = 0.0
    shift: float = 0.0

    def drawn(self, seed: int) -> tuple[Labeled, Labeled, Labeled]:
        """Returns real samples to train on and to test on, and synthetic ones."""
        rng = np.random.default_rng(seed)
        # the classes are the same in all draws: they are the world, and not the sample
        means = np.random.default_rng(5).normal(0, 1.8 / math.sqrt(self.numbers), (self.classes, self.numbers))
        made = []
        for n, synthetic in ((self.real, False), (self.test, False), (self.synthetic, True)):
            classes = rng.integers(0, self.classes, n)
            noise = (self.noise if synthetic else 1.0) * rng.normal(size=(n, self.numbers))
            vectors = means[classes] + noise + (self.shift * np.sin(np.arange(self.numbers)) if synthetic else 0)
            other = (classes + rng.integers(1, self.classes, n)) % self.classes
            given = np.where(rng.random(n) < self.wrong, other, classes) if synthetic else classes
            made.append(Labeled(vectors.astype(np.float32), given))
        return made[0], made[1], made[2]


SETTINGS = {
    "as real: 4 classes, 800 real, 200 synthetic": Setting(4, 48, 800, 500, 200),
    "narrow: 10 classes, 1,200 real, 300 synthetic": Setting(10, 64, 1200, 600, 300, noise=0.7),
    "a quarter of the labels wrong: 4 classes, 800 real, 500 synthetic": Setting(4, 48, 800, 500, 500, wrong=0.25),
}


def print_transfers(runs: int, pairs: int) -> None:
    """Prints how often the 95 % intervals hold the truth, and whether logistic regression orders the arms alike."""
    for name, setting in SETTINGS.items():
        _print_intervals(name, setting, runs)
    _print_orders(pairs)


def _print_intervals(name: str, setting: Setting, runs: int) -> None:
    made = [transfer.measure(*setting.drawn(seed), setting.classes, seed=seed) for seed in range(runs)]
    title(f"{name}: nominal .950; the truth is of the mean over {runs} runs")
    header("quantity", "truth", "interval holds it", "half of the mean width", "deviation of the estimate")
    for quantity in NAMES:
        known: list[Estimate] = [getattr(each, quantity) for each in made]
        truth = _truth(quantity, known, made)
        held = sum(each.low <= truth <= each.high for each in known)
        finite = [each for each in known if np.isfinite([each.value, each.low, each.high]).all()]
        half = np.mean([(each.high - each.low) / 2 for each in finite]) if finite else math.nan
        deviation = np.std([each.value for each in finite]) if finite else math.nan
        infinite = f"; {runs - len(finite)} have an end at infinity" if len(finite) < runs else ""
        row(quantity, f"{truth:.3g}", share(held, runs), f"{half:.3g}{infinite}", f"{deviation:.3g}")


def _truth(quantity: str, known: list[Estimate], made: list[transfer.Measured]) -> float:
    """Returns the mean; of a size, where the mean accuracy lies on the mean curve: sizes themselves may be infinite."""
    if quantity == "equivalent_real_size":
        points = []
        for at in zip(*(each.curve.points for each in made), strict=True):
            accuracy = np.mean([each.accuracy for each in at])
            points.append(Point(float(np.mean([each.n for each in at])), np.full(2, accuracy), np.ones(1)))
        wanted = np.full(2, np.mean([each.arms["all S→R"].accuracy.value for each in made]))
        curve = Curve(tuple(points), np.arange(2))
        return curve.size_of(wanted, 0.0, np.arange(2), np.random.default_rng(0)).value
    values = np.array([each.value for each in known])
    # a size beyond the curve is infinite: the middle of all is what a mean cannot be
    return float(np.mean(values)) if np.isfinite(values).all() else float(np.median(values))


#: test samples by which it is known whether two arms differ at all
_LARGE = 20_000
_DEVIATIONS = 1.96


def _print_orders(pairs: int) -> None:
    """Of pairs of a real and a synthetic set of random kind, all pairs of arms.

    Two arms have an order where logistic regression, the reference, tells them apart on so many test samples that what
    is left is no chance: where they do not differ there is none to agree on.
    """
    same: dict[str, list[bool]] = {
        "all pairs of arms, 1,000 test samples": [],
        "those .02 or more apart": [],
        "R→R against S→R": [],
        f"all pairs of arms, {_LARGE:,} test samples": [],
        "pairs that have an order there, 1,000 test samples": [],
        f"pairs that have an order there, {_LARGE:,} test samples": [],
    }
    all_pairs, apart, rr_sr, all_large, ordered, ordered_large = same
    for seed in range(pairs):
        rng = np.random.default_rng(10_000 + seed)
        n = int(rng.integers(200, 600))
        wrong, shift = rng.choice([0.0, 0.2, 0.4]), rng.choice([0.0, 0.5, 1.0])
        setting = Setting(6, 24, n, 1000, n, noise=float(rng.uniform(0.4, 1.6)), wrong=float(wrong), shift=float(shift))
        small = {learner: _correct(setting, seed, learner, large=False) for learner in LEARNERS}
        large = {learner: _correct(setting, seed, learner, large=True) for learner in LEARNERS}
        for a, b in combinations(small["discriminant"], 2):
            agree, gap = _agree(small, a, b)
            agree_large, _ = _agree(large, a, b)
            same[all_pairs].append(agree)
            same[all_large].append(agree_large)
            if abs(gap) >= 0.02:
                same[apart].append(agree)
            if {a, b} == {"R→R", "S→R"}:
                same[rr_sr].append(agree)
            if _differ(large["logistic"][a], large["logistic"][b], paired="R→S" not in (a, b)):
                same[ordered].append(agree)
                same[ordered_large].append(agree_large)
    title(f"Discriminant and logistic regression order the arms alike: {pairs} pairs of sets")
    header("arms", "same order")
    for name, agreed in same.items():
        row(name, share(sum(agreed), len(agreed)))


def _agree(correct: dict[str, dict[str, np.ndarray]], a: str, b: str) -> tuple[bool, float]:
    """Returns whether both learners order two arms alike, and how far these are apart by the discriminant."""
    gaps = {learner: float(own[a].mean() - own[b].mean()) for learner, own in correct.items()}
    return gaps["discriminant"] * gaps["logistic"] >= 0, gaps["discriminant"]


def _differ(a: np.ndarray, b: np.ndarray, *, paired: bool) -> bool:
    own, other = a.astype(float), b.astype(float)
    variance = (own - other).var() / len(own) if paired else own.var() / len(own) + other.var() / len(other)
    return abs(own.mean() - other.mean()) > _DEVIATIONS * math.sqrt(variance)


def _correct(setting: Setting, seed: int, learner: str, *, large: bool) -> dict[str, np.ndarray]:
    """Returns which test samples are right after training on each arm."""
    real, test, synthetic = setting.drawn(seed)
    tested = synthetic
    if large:
        test, tested = replace(setting, test=_LARGE, synthetic=_LARGE).drawn(50_000 + seed)[1:]
    rng = np.random.default_rng(seed)
    r, s = (cut(each, setting.classes, rng) for each in (real, synthetic))
    priors = np.bincount(real.classes, minlength=setting.classes) + 1e-9
    arms = {"R→R": (r, test), "S→R": (s, test), "R+S→R": ([*r, *s], test), "R→S": (r, tested)}
    return {
        name: LEARNERS[learner].scores(blocks, own.vectors, priors).argmax(axis=1) == own.classes
        for name, (blocks, own) in arms.items()
    }

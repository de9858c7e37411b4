"""Is a synthetic set any use as training data? Trained on either set, tested on either, at the same size.

"R→R" is trained on real samples and tested on real ones, "S→R" on synthetic and tested on real, and so on. All arms are
unions of blocks, so that each set is looked at once; halves of the blocks say how much another draw of the training set
would change (McCarthy, Pseudo-replication: Half Samples, 1969), the test samples how much another test set would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.realism import Estimate
from loupe.brain.realism.blocks import BLOCKS, Labeled, cut, halves, matched
from loupe.brain.realism.curve import Curve, Point
from loupe.brain.realism.estimates import deviation, difference, share
from loupe.brain.realism.learners import Block, Learner, learner
from loupe.brain.realism.moments import Moments
from loupe.brain.stats.discriminant import log_softmax

#: what ``step`` counts: seven arms, the curve, and the mixed sets
_PARTS = 9
#: samples below which nothing is said: of the test set, and of a class in training, on average
MIN_TEST, MIN_PER_CLASS = 50, 5
#: of a vector, after ``axes``
MAX_NUMBERS = 256


@dataclass(frozen=True, eq=False)
class Arm:
    """A training set and a test set.

    Attributes:
        name: e.g. ``"S→R"``
        n_train, n_test: samples
        accuracy: in [0, 1]; chance is ``Measured.chance``
        recall: (K,) share of each class that is right; NaN of a class that the test set lacks
        calibration_error: expected calibration error in [0, 1], lower is better, of probabilities that were calibrated
            on held-out samples of the training set; NaN where there are none
        correct: (n_test,) whether each test sample was right
        halves: (H, n_test) whether each was right after training on a half; none of arms tested on held-out samples
    """

    name: str
    n_train: int
    n_test: int
    accuracy: Estimate
    recall: np.ndarray
    calibration_error: float
    correct: np.ndarray
    halves: np.ndarray


@dataclass(frozen=True, eq=False)
class Measured:
    """What transfers.

    Attributes:
        arms: by name; all but ``"all S→R"`` are trained on equally many of each class
        chance: the accuracy of guessing the most frequent class
        gap: R→R less S→R: what is lost by training on synthetic samples; 0 is none, higher is worse
        asymmetry: R→S less S→R: above 0, the synthetic set is easier than the real one, or narrower
        narrowness: S→S less R→R, both on held-out samples of the training set: above 0, synthetic samples tell of each
            other more than real ones do
        foreignness: R→S less R→R, tested on held-out samples: below 0, what real samples teach does not hold there
        gain: R+S→R less R→R: what the synthetic samples add to as many real ones
        utility: (S→R - chance) / (R→R - chance): 1 is as good as real, 0 useless
        curve: R→R by the number of real samples
        equivalent_real_size: real samples that train as well as all synthetic ones
        exchange_rate: real samples that a synthetic one is worth, added to half of the real ones
    """

    arms: dict[str, Arm]
    chance: float
    gap: Estimate
    asymmetry: Estimate
    narrowness: Estimate
    foreignness: Estimate
    gain: Estimate
    utility: Estimate
    curve: Curve
    equivalent_real_size: Estimate
    exchange_rate: Estimate


@leavable
def measure(
    real: Labeled,
    test: Labeled,
    synthetic: Labeled,
    n_classes: int,
    *,
    learner_name: str = "discriminant",
    using: Learner | None = None,
    seed: int = 0,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Measured:
    """Returns what transfers from a synthetic set to a real one, and back.

    Ravuri & Vinyals, Classification Accuracy Score, NeurIPS 2019, for S→R; the other arms tell a set that is narrow
    (S→S high, R→S high) from one that is foreign (R→S low) and from one with wrong labels (S→S low).

    Args:
        real, test: real samples to train on and to test on, which share none
        synthetic: synthetic samples
        n_classes: K, at least 2
        learner_name: ``"discriminant"`` or ``"logistic"``
        using: another learner in its place
        seed: of the draws
        step: called with how many parts are done of how many

    Raises:
        InputError: fewer than two classes, or too few samples: what is expected is said
    """
    _require(real, test, synthetic, n_classes)
    rng = np.random.default_rng(seed)
    known = using if using is not None else learner(learner_name)
    if not known.side:
        to_axes = axes(real.vectors, synthetic.vectors)
        real, test, synthetic = (
            Labeled(to_axes(each.vectors), each.classes, each.groups) for each in (real, test, synthetic)
        )
    ours, theirs = matched(real, synthetic, n_classes, rng)
    r_set, s_set = real.take(ours), synthetic.take(theirs)
    r, s = cut(r_set, n_classes, rng), cut(s_set, n_classes, rng)
    drawn = halves(BLOCKS, known.plan.halves, rng)
    run = _Run(known, np.bincount(real.classes, minlength=n_classes) + 1e-9, drawn)
    # each block judged by the others: for the arms that are held out, and for how sure the others may be
    out = {"R": run.out_of_block(r, r_set), "S": run.out_of_block(s, s_set)}
    heat = {"R": temperature(out["R"], r_set.classes), "S": temperature(out["S"], s_set.classes)}
    blocks, every = _whole(real, r, n_classes, known, rng), _whole(synthetic, s, n_classes, known, rng)
    arms: dict[str, Arm] = {}
    for name, sets, tested, factor in (
        ("R→R", [r], test, heat["R"]),
        ("S→R", [s], test, heat["S"]),
        ("R+S→R", [r, s], test, heat["R"]),
        ("R→S", [r], s_set, heat["R"]),
        ("all S→R", [every], test, heat["S"]),
    ):
        arms[name] = run.arm(name, sets, tested, factor)
        step(len(arms), _PARTS)
    arms["S→S"] = _held_out("S→S", s_set, out["S"] * heat["S"], known.plan.folds)
    arms["R→R held out"] = _held_out("R→R held out", r_set, out["R"] * heat["R"], known.plan.folds)
    step(len(arms), _PARTS)
    curve = run.curve(blocks, test)
    step(_PARTS - 1, _PARTS)
    mixed = run.mixed(blocks, every, test)
    step(_PARTS, _PARTS)
    rr, sr, rs = arms["R→R"], arms["S→R"], arms["R→S"]
    guess = np.argmax(np.bincount(test.classes, minlength=n_classes))
    chance = float((test.classes == guess).mean())
    clusters, own = test.clusters(), r_set.clusters()
    held = arms["R→R held out"]
    return Measured(
        arms=arms,
        chance=chance,
        gap=_paired(rr, sr, clusters),
        asymmetry=_unpaired(rs, s_set.clusters(), sr, clusters),
        narrowness=_unpaired(arms["S→S"], s_set.clusters(), held, own, trained=(sr.halves, rr.halves)),
        foreignness=_unpaired(rs, s_set.clusters(), held, own),
        gain=_paired(arms["R+S→R"], rr, clusters, together=True),
        utility=_utility(rr, sr, chance, clusters),
        curve=curve,
        equivalent_real_size=curve.size_of(arms["all S→R"].correct, deviation(arms["all S→R"].halves), clusters, rng),
        exchange_rate=_exchange(curve, mixed, len(real.classes) / 2, len(synthetic.classes), clusters, rng),
    )


def _whole(
    labeled: Labeled, matched_blocks: list[Block], n_classes: int, known: Learner, rng: np.random.Generator
) -> list[Block]:
    """Returns all samples as blocks; of a slow learner the matched ones, where those are all: it has learned them."""
    if known.side and sum(len(block.classes) for block in matched_blocks) == len(labeled.classes):
        return matched_blocks
    return cut(labeled, n_classes, rng)


def axes(real: np.ndarray, synthetic: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Returns what brings vectors to the leading axes of both training sets together, either weighing the same.

    What is left out is the least that either varies by; an arm of 256 numbers costs a hundredth of one of 1,280. Labels
    and test samples have no part in it.
    """
    center = real.mean(axis=0)
    if real.shape[1] <= MAX_NUMBERS:
        return lambda vectors: np.asarray(vectors - center, np.float32)
    scatters = [Moments.of(each - center) for each in (real, synthetic)]
    _, directions = np.linalg.eigh(sum(each.scatter / each.n for each in scatters))
    leading = directions[:, -MAX_NUMBERS:].astype(np.float32)
    return lambda vectors: np.asarray((vectors - center) @ leading)


def _require(real: Labeled, test: Labeled, synthetic: Labeled, n_classes: int) -> None:
    if n_classes < 2:
        raise InputError(f"expected at least two classes on both sides, got {n_classes}")
    if len(test.classes) < MIN_TEST:
        raise InputError(f"expected at least {MIN_TEST} real samples to test on, got {len(test.classes)}")
    needed = MIN_PER_CLASS * n_classes
    for name, each in (("real", real), ("synthetic", synthetic)):
        if len(each.classes) < needed:
            raise InputError(
                f"expected at least {needed} {name} samples of {n_classes} classes to train on, got {len(each.classes)}"
            )


@dataclass(frozen=True, eq=False)
class _Run:
    learner: Learner
    priors: np.ndarray
    halves: list[np.ndarray]

    def _right(self, blocks: Sequence[Block], test: Labeled) -> tuple[np.ndarray, np.ndarray]:
        scores = self.learner.scores(blocks, test.vectors, self.priors)
        return scores.argmax(axis=1) == test.classes, scores

    def arm(self, name: str, sets: Sequence[list[Block]], test: Labeled, heat: float) -> Arm:
        """Trains on all blocks of some sets, and on their halves."""
        correct, scores = self._right([block for blocks in sets for block in blocks], test)
        drawn = [self._right([blocks[at] for blocks in sets for at in half.tolist()], test)[0] for half in self.halves]
        n_train = sum(len(block.classes) for blocks in sets for block in blocks)
        return _arm(name, n_train, test, correct, np.stack(drawn), scores * heat)

    def out_of_block(self, blocks: list[Block], labeled: Labeled) -> np.ndarray:
        """Returns the (N, K) scores of each block, or of each half of them, by what was trained on all others."""
        scores = np.zeros((len(labeled.classes), len(self.priors)), np.float32)
        folds = self.halves[:2] if self.learner.plan.folds == 2 else [np.array([at]) for at in range(len(blocks))]
        for fold in folds:
            others = [each for other, each in enumerate(blocks) if other not in fold]
            for block in (blocks[at] for at in fold.tolist()):
                if len(block.index):
                    scores[block.index] = self.learner.scores(others, block.vectors, self.priors)
        return scores

    def curve(self, blocks: list[Block], test: Labeled) -> Curve:
        """Returns R→R by the number of real samples, each size of several draws of blocks."""
        points, plan = [], self.learner.plan
        for count in plan.steps:
            draws = 1 if count == len(blocks) else min(plan.draws, len(blocks) // math.gcd(count, len(blocks)))
            right, n = np.zeros((draws, len(test.classes)), bool), 0
            for draw in range(draws):
                # one after another around the circle: the draws of a size overlap as little as they can
                chosen = [blocks[(draw * count + at) % len(blocks)] for at in range(count)]
                right[draw] = self._right(chosen, test)[0]
                n += sum(len(block.classes) for block in chosen)
            points.append(Point(n / draws, right.mean(axis=0), right.mean(axis=1)))
        return Curve(tuple(points), test.clusters())

    def mixed(self, real: list[Block], synthetic: list[Block], test: Labeled) -> tuple[np.ndarray, float]:
        """Returns how often each test sample is right with half of the real and all synthetic ones, and the spread."""
        drawn = self.halves[: self.learner.plan.mixed]
        right = np.stack([self._right([*(real[at] for at in half.tolist()), *synthetic], test)[0] for half in drawn])
        return right.mean(axis=0), deviation(right)


def temperature(scores: np.ndarray, classes: np.ndarray) -> float:
    """Returns the factor of held-out scores that makes the classes most probable."""
    from scipy.optimize import minimize_scalar

    scores, rows = scores.astype(np.float64), np.arange(len(classes))

    def surprise(log_factor: float) -> float:
        return -float(log_softmax(scores * math.exp(log_factor))[rows, classes].mean())

    return math.exp(float(minimize_scalar(surprise, bounds=(-5, 5), method="bounded").x))


def _held_out(name: str, labeled: Labeled, scores: np.ndarray, folds: int) -> Arm:
    correct = scores.argmax(axis=1) == labeled.classes
    n_train = len(correct) * (folds - 1) // folds
    return _arm(name, n_train, labeled, correct, np.zeros((0, len(correct)), bool), scores)


def _arm(name: str, n_train: int, test: Labeled, correct: np.ndarray, drawn: np.ndarray, scores: np.ndarray) -> Arm:
    from loupe.brain.evaluation.calibration import reliability

    n_classes = scores.shape[1]
    n = np.bincount(test.classes, minlength=n_classes)
    with np.errstate(invalid="ignore"):
        recall = np.bincount(test.classes, weights=correct, minlength=n_classes) / np.where(n, n, np.nan)
    sure = np.exp(log_softmax(scores)).max(axis=1)
    return Arm(
        name=name,
        n_train=n_train,
        n_test=len(correct),
        accuracy=share(correct, test.clusters(), drawn),
        recall=recall,
        calibration_error=reliability(np.clip(sure, 0, 1), correct).error,
        correct=correct,
        halves=drawn,
    )


def _paired(a: Arm, b: Arm, clusters: np.ndarray, *, together: bool = False) -> Estimate:
    """``together``: both were trained on the same halves."""
    drawn = [a.halves.astype(float) - b.halves] if together else [a.halves, b.halves]
    return difference(a.correct.astype(float) - b.correct, clusters, drawn)


def _unpaired(
    a: Arm,
    a_clusters: np.ndarray,
    b: Arm,
    b_clusters: np.ndarray,
    *,
    trained: tuple[np.ndarray, np.ndarray] | None = None,
) -> Estimate:
    """``trained``: the halves of other arms of the same training sets; arms tested on held-out samples have none."""
    first, second = (
        difference(arm.correct.astype(float), clusters, [halves])
        for arm, clusters, halves in zip((a, b), (a_clusters, b_clusters), trained or (a.halves, b.halves), strict=True)
    )
    return first - second


def _utility(rr: Arm, sr: Arm, chance: float, clusters: np.ndarray) -> Estimate:
    """The ratio's interval by its linearization: that of S→R - u R→R, over R→R - chance."""
    room = float(rr.correct.mean()) - chance
    if room <= 0:
        return Estimate(math.nan, math.nan, math.nan)
    value = (float(sr.correct.mean()) - chance) / room
    off = difference(sr.correct - value * rr.correct, clusters, [sr.halves, value * rr.halves])
    half = (off.high - off.low) / 2 / room
    return Estimate(value, value - half, value + half)


def _exchange(
    curve: Curve, mixed: tuple[np.ndarray, float], n_real: float, n_synthetic: int, clusters: np.ndarray,
    rng: np.random.Generator,
) -> Estimate:  # fmt: skip
    size = curve.size_of(*mixed, clusters, rng)
    return Estimate(*((each - n_real) / n_synthetic for each in (size.value, size.low, size.high)))

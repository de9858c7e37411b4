"""Do pictures show what their labels say? By a classifier of the real set, and beside the real set's own labels.

The label-image part of a set's realism, without a model of texts: the classifier is a discriminant of the real
vectors. Where it errs on real pictures, too, it is the ratio that tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.core.realism import Estimate
from loupe.brain.realism.blocks import Labeled, cut
from loupe.brain.realism.estimates import spread
from loupe.brain.realism.transfer import axes, temperature
from loupe.brain.stats.discriminant import ClassSums, fit, log_softmax

#: samples of a class on either side below which nothing is said of it
MIN_PER_CLASS = 20


@dataclass(frozen=True, eq=False)
class Agreement:
    """How often the classifier gives the label that is given.

    Attributes:
        real, synthetic: the shares, in [0, 1], 1 is always; NaN of too few samples
        real_interval: 95 %, of the real share
        ratio: synthetic over real: 1 is as real, lower is worse; NaN where the classifier is never right on real ones
    """

    real: float
    synthetic: float
    real_interval: tuple[float, float]
    ratio: Estimate


@dataclass(frozen=True, eq=False)
class Aligned:
    """The labels of two sets.

    Attributes:
        real: (N,) how probable each given label is to a classifier of the other real samples, in [0, 1]
        synthetic: (M,) the same of the synthetic samples
        all: both sets as a whole
        by: (K,) each class
    """

    real: np.ndarray
    synthetic: np.ndarray
    all: Agreement
    by: tuple[Agreement, ...]


@leavable
def aligned(real: Labeled, synthetic: Labeled, n_classes: int, seed: int = 0) -> Aligned:
    """Returns how well labels fit the pictures, of both sets by the same classifiers.

    The real set is cut into eight blocks, groups kept together. A real sample is judged by the seven other blocks, a
    synthetic one by each seven in turn: by as many samples as a real one, so that a second real set has a ratio of 1.

    Args:
        real, synthetic: with the labels that are given
        n_classes: K
        seed: of the blocks
    """
    to_axes = axes(real.vectors, synthetic.vectors)
    ours, theirs = (Labeled(to_axes(each.vectors), each.classes, each.groups) for each in (real, synthetic))
    blocks = [each for each in cut(ours, n_classes, np.random.default_rng(seed)) if len(each.index)]
    parts = [ClassSums.of(each.vectors, each.classes, n_classes) for each in blocks]
    total = sum(parts[1:], parts[0])
    scores = np.zeros((len(ours.classes), n_classes), np.float32)
    others = np.zeros((len(theirs.classes), n_classes), np.float32)
    right = np.zeros(len(theirs.classes))
    for block, own in zip(blocks, parts, strict=True):
        model = fit(total - own)
        scores[block.index] = model.scores(block.vectors)
        asked = model.scores(theirs.vectors)
        right += (asked.argmax(axis=1) == theirs.classes) / len(blocks)
        others += log_softmax(asked) / len(blocks)
    heat = temperature(scores, ours.classes)
    agrees = (scores.argmax(axis=1) == ours.classes).astype(float)
    sides = (agrees, ours.classes, ours.clusters()), (right, theirs.classes, theirs.clusters())
    return Aligned(
        real=_given(scores * heat, ours.classes),
        synthetic=_given(others * heat, theirs.classes),
        all=_agreement(*((values, clusters) for values, _, clusters in sides)),
        by=tuple(
            _agreement(*((values[classes == each], clusters[classes == each]) for values, classes, clusters in sides))
            for each in range(n_classes)
        ),
    )


def _given(scores: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(log_softmax(scores))[np.arange(len(classes)), classes], dtype=np.float64)


def _agreement(real: tuple[np.ndarray, np.ndarray], synthetic: tuple[np.ndarray, np.ndarray]) -> Agreement:
    """Returns the shares of both sides, and the ratio with its interval by its linearization."""
    if min(len(real[0]), len(synthetic[0])) < MIN_PER_CLASS:
        unknown = Estimate(math.nan, math.nan, math.nan)
        return Agreement(math.nan, math.nan, (math.nan, math.nan), unknown)
    (ours, ours_variance), (theirs, theirs_variance) = (_share(*side) for side in (real, synthetic))
    half = 1.96 * math.sqrt(ours_variance)
    interval = (max(ours - half, 0.0), min(ours + half, 1.0))
    if not ours > 0:
        return Agreement(ours, theirs, interval, Estimate(math.nan, math.nan, math.nan))
    ratio = theirs / ours
    off = 1.96 * math.sqrt(theirs_variance + ratio**2 * ours_variance) / ours
    return Agreement(ours, theirs, interval, Estimate(ratio, max(ratio - off, 0.0), ratio + off))


def _share(values: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Returns a mean and its variance; of values that are all alike as if one more had been the other way."""
    own = np.unique(clusters, return_inverse=True)[1]
    variance, _ = spread(values, own)
    n, mean = int(own.max()) + 1, float(values.mean())
    padded = (mean * n + 1) / (n + 2)
    floor = padded * (1 - padded) / (n + 2) if mean in (0.0, 1.0) else 0.0
    return mean, max(variance if math.isfinite(variance) else 0.0, floor)

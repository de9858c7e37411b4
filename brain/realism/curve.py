"""The learning curve of real samples, read backwards: how many of them train as well as something else does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.realism import Estimate
from loupe.brain.realism.estimates import share

_RESAMPLES = 400


@dataclass(frozen=True, eq=False)
class Point:
    """A size of the training set.

    Attributes:
        n: real samples
        right: (T,) how often each test sample was right, in [0, 1], over the draws
        draws: (S,) accuracy of each draw
    """

    n: float
    right: np.ndarray
    draws: np.ndarray

    @property
    def accuracy(self) -> float:
        """The mean over test samples and draws."""
        return float(self.right.mean())


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy by the number of real samples, smallest first, and the (T,) clusters of the test samples."""

    points: tuple[Point, ...]
    clusters: np.ndarray

    def rows(self) -> list[tuple[float, Estimate]]:
        """Returns each size and its accuracy with an interval."""
        return [(point.n, share(point.right, self.clusters, np.zeros((0, len(point.right))))) for point in self.points]

    def size_of(self, right: np.ndarray, spread: float, clusters: np.ndarray, rng: np.random.Generator) -> Estimate:
        """Returns how many real samples reach an accuracy, by the curve made monotone, straight in the log of the size.

        0 below the curve and infinite above it: it is not drawn beyond what was measured.

        Args:
            right: (T,) how right each of the same test samples is
            spread: standard error of its mean over draws of the training set
            clusters: (T,) int of 0 to C - 1
            rng: of the resamples: clusters of test samples, and draws of the training set
        """
        count = int(clusters.max()) + 1
        sizes = np.bincount(clusters, minlength=count).astype(float)
        totals = np.stack([
            np.bincount(clusters, weights=np.asarray(each, float), minlength=count)
            for each in (right, *(point.right for point in self.points))
        ])  # fmt: skip
        apart = [spread, *(_deviation(point.draws) for point in self.points)]
        value = self._read(totals.sum(axis=1) / sizes.sum())
        made = np.empty(_RESAMPLES)
        for at in range(_RESAMPLES):
            weights = rng.multinomial(count, np.full(count, 1 / count)).astype(float)
            drawn = totals @ weights / (sizes @ weights)
            made[at] = self._read(drawn + rng.normal(0, 1, len(drawn)) * apart)
        # a rank and no mean between two: infinity has none
        low, high = np.quantile(made, [0.025, 0.975], method="nearest")
        return Estimate(value, float(min(low, value)), float(max(high, value)))

    def _read(self, accuracies: np.ndarray) -> float:
        wanted, curve = accuracies[0], _monotone(accuracies[1:])
        if wanted < curve[0]:
            return 0.0
        if wanted > curve[-1]:
            return math.inf
        logs = np.log([point.n for point in self.points])
        return float(np.exp(np.interp(wanted, curve, logs)))


def _deviation(draws: np.ndarray) -> float:
    """Draws of a size share samples and are few: their deviation is about that of their mean, taken once more."""
    return float(np.std(draws, ddof=1) / math.sqrt(len(draws))) if len(draws) > 1 else 0.0


def _monotone(values: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import isotonic_regression

    # a flat stretch has no inverse: the least slope gives it one
    return np.asarray(isotonic_regression(values)) + np.arange(len(values)) * 1e-9

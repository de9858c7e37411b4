"""Means of test samples with intervals: for another test set, and for another draw of the training set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from loupe.brain.core.realism import Estimate


def spread(values: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Returns the variance of the mean of (N,) values that come in clusters, and its degrees of freedom.

    Args:
        values: (N,)
        clusters: (N,) int of 0 to C - 1
    """
    n = len(values)
    own = np.bincount(clusters, weights=values - values.mean())
    count = len(own)
    if count < 2:
        return math.nan, 1.0
    return float((own * own).sum() / n**2 * count / (count - 1)), float(count - 1)


def deviation(halves: np.ndarray) -> float:
    """Returns how much the mean over test samples varies over draws of a training set: a standard error.

    The variance of the means of halves is about that of the whole set over other draws of it. A part of it is the test
    set's: few samples near a border turn with each half, and not in each test set the same. That part, which an
    analysis of variance tells from the rest, is taken off: the test samples' own variance has it already.

    Args:
        halves: (H, T) how right each test sample was after training on each half; 0 where there are none
    """
    if len(halves) < 2:
        return 0.0
    values = np.asarray(halves, dtype=np.float64)
    means = values.mean(axis=1)
    rest = values - values.mean(axis=0) - (means - means.mean())[:, None]
    return math.sqrt(max(float(means.var() - (rest * rest).mean() / values.shape[1]), 0.0))


def difference(values: np.ndarray, clusters: np.ndarray, halves: Sequence[np.ndarray]) -> Estimate:
    """Returns the mean of values with its interval.

    Args:
        values: (N,) of the test samples, e.g. the difference of two arms
        clusters: (N,) int: samples of one cluster are no independent evidence
        halves: for each independent training set, (H, N) the values after training on its halves
    """
    from scipy.stats import t

    value = float(values.mean())
    total, freedom = _variance(values, clusters, halves)
    if not total > 0:
        return Estimate(value, value if total == 0 else math.nan, value if total == 0 else math.nan)
    half = float(t.ppf(0.975, freedom)) * math.sqrt(total)
    return Estimate(value, value - half, value + half)


def p_value(values: np.ndarray, clusters: np.ndarray, halves: Sequence[np.ndarray]) -> float:
    """Returns the two-sided p of "the mean is 0", by what ``difference`` makes its interval of; arguments as there."""
    from scipy.stats import t

    value = float(values.mean())
    total, freedom = _variance(values, clusters, halves)
    if not total > 0:
        return 0.0 if total == 0 and value else 1.0
    return float(2 * t.sf(abs(value) / math.sqrt(total), freedom))


def _variance(values: np.ndarray, clusters: np.ndarray, halves: Sequence[np.ndarray]) -> tuple[float, float]:
    """Returns the variance of the mean and its degrees of freedom."""
    parts = [spread(values, clusters)]
    parts += [(deviation(each) ** 2, max(len(each) - 1.0, 1.0)) for each in halves]
    total = sum(variance for variance, _ in parts)
    if not total > 0:
        return total, 1.0
    # Welch & Satterthwaite: how sure the sum of the variances is
    return total, total**2 / sum(variance**2 / known for variance, known in parts)


def share(correct: np.ndarray, clusters: np.ndarray, halves: np.ndarray) -> Estimate:
    """Returns a share in [0, 1] with its interval: Wilson's, at as many samples as its variance is worth.

    Args:
        correct: (N,) bool
        clusters, halves: as for ``difference``
    """
    from loupe.brain.stats.intervals import wilson

    n, value = len(correct), float(correct.mean())
    made = difference(correct.astype(float), clusters, [halves])
    half = (made.high - made.low) / 2 / 1.959964
    worth = min(n, value * (1 - value) / half**2) if half > 0 else n
    low, high = wilson(value * worth, worth)
    return Estimate(value, float(low), float(high))

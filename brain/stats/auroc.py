"""The area under the receiver operating characteristic, and its interval where samples come in groups. Pure arithmetic.

It is how likely a sample of the class has a higher value than another sample, ties counted half (Mann & Whitney 1947).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.stats.effective_n import clustered_variance, unsure_by

#: bisection steps: an interval's ends are then known to 2 ** -50 or so
_STEPS = 52


def auroc(values: np.ndarray, positive: np.ndarray) -> float:
    """Returns how likely a positive has the higher value: in [0, 1], .5 says nothing; NaN where a side is empty.

    Args:
        values: (N,) finite numbers
        positive: (N,) bool

    >>> auroc(np.array([1.0, 2, 2, 3]), np.array([False, False, True, True]))
    0.875
    """
    from scipy.stats import rankdata

    m = int(positive.sum())
    n = len(positive) - m
    if not m or not n:
        return float("nan")
    return float((rankdata(values)[positive].sum() - m * (m + 1) / 2) / (m * n))


def auroc_interval(
    values: np.ndarray, positive: np.ndarray, groups: np.ndarray, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Returns the area and its interval (value, low, high), all in [0, 1]; NaN where a side is empty.

    The interval is a score interval with the variance that belongs to each area (R. G. Newcombe, Statistics in Medicine
    25, 559 (2006), method 5), so that it does not collapse where the area is 0 or 1. Samples count as as many as they
    are worth by groups: divided by the ratio of the variance that groups make (N. A. Obuchowski, Biometrics 53, 567
    (1997)) to that of independent samples (DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988)).

    Args:
        values: (N,) finite numbers
        positive: (N,) bool
        groups: (N,) int: the group of each sample
        confidence: in (0, 1)

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> made = auroc_interval(np.arange(20.0), np.arange(20) >= 10, np.arange(20))
    >>> made[0], round(made[1], 3), made[2]
    (1.0, 0.8, 1.0)
    """
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    value = auroc(values, positive)
    if np.isnan(value):
        return value, value, value
    effect = _design_effect(values, positive, groups, value, confidence)
    m, n = max(positive.sum() / effect, 1.0), max((~positive).sum() / effect, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    # a lower end of the area is the upper end of its mirror image
    low = 1 - _upper(1 - value, m, n, z)
    return value, low, _upper(value, m, n, z)


def _upper(value: float, m: float, n: float, z: float) -> float:
    """Returns the largest area that is not z standard errors above the one that was seen."""
    low, high = value, 1.0
    for _ in range(_STEPS):
        area = (low + high) / 2
        more = (m + n) / 2 - 1
        spread = 1 + more * ((1 - area) / (2 - area) + area / (1 + area))
        near = (area - value) ** 2 <= z * z * area * (1 - area) * spread / (m * n)
        low, high = (area, high) if near else (low, area)
    return (low + high) / 2 if high < 1 else 1.0


def _design_effect(
    values: np.ndarray, positive: np.ndarray, groups: np.ndarray, value: float, confidence: float
) -> float:
    """Returns by how much groups inflate the variance of an area, and what few of them leave unsure; at least 1."""
    _, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if sizes.max() == 1:
        return 1.0
    clusters = len(sizes)
    unsure = float(unsure_by(clusters, confidence)) if clusters > 1 else np.inf
    alone, together = _variance(values, positive, np.arange(len(of)), value), _variance(values, positive, of, value)
    if not np.isfinite(together) or not np.isfinite(alone) or alone <= 0:
        # nothing tells how alike those of a group are: as if they were as one
        return float((sizes**2).sum() / sizes.sum()) * min(unsure, len(values))
    return max(together / alone, 1.0) * min(unsure, len(values))


def _variance(values: np.ndarray, positive: np.ndarray, of: np.ndarray, value: float) -> float:
    """Returns the variance of an area from how much each group moves it."""
    from scipy.stats import rankdata

    m, n = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(values)
    above = (ranks[positive] - rankdata(values[positive])) / n
    below = 1 - (ranks[~positive] - rankdata(values[~positive])) / m
    size = int(of.max()) + 1
    sums = np.bincount(of[positive], above - value, size), np.bincount(of[~positive], below - value, size)
    has = np.bincount(of[positive], minlength=size) > 0, np.bincount(of[~positive], minlength=size) > 0
    parts = [
        float(clustered_variance((own**2).sum(), in_it.sum())) / count**2
        for own, in_it, count in zip(sums, has, (m, n), strict=True)
    ]
    both = float(clustered_variance((sums[0] * sums[1]).sum(), size)) / (m * n)
    return sum(parts) + 2 * both

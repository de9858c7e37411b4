"""Means of two sides, their difference, and its interval where samples come in groups. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.stats.effective_n import clustered_variance


@dataclass(frozen=True)
class Difference:
    """The difference of two means.

    Attributes:
        reference, new: the means; NaN where there is no value
        value: new - reference
        low, high: its 95 % interval; NaN where a side has fewer than two groups
        error: its standard error
        p: two-sided, of there being none; NaN where the interval is
    """

    reference: float
    new: float
    value: float
    low: float
    high: float
    error: float
    p: float = math.nan


def difference_of_means(
    values: np.ndarray, new: np.ndarray, groups: np.ndarray, confidence: float = 0.95
) -> Difference:
    """Returns how much the mean of the new side differs.

    The error is the cluster-robust one of a regression on the side (Liang & Zeger, Biometrika 73, 1986): what the
    samples of a group have in common counts once, and what both sides of a group have in common drops out. With groups
    of one it is Welch's. Quantiles are Student's, with Welch's degrees of freedom by groups.

    Args:
        values: (N,) finite numbers
        new: (N,) bool
        groups: (N,) int
        confidence: of the interval

    >>> made = difference_of_means(np.array([1.0, 2, 3, 5, 6, 7]), np.arange(6) > 2, np.arange(6))
    >>> made.value, round(made.low, 2), round(made.high, 2)  # scipy.stats.ttest_ind(equal_var=False)
    (4.0, 1.73, 6.27)
    >>> round(made.p, 4)
    0.008
    """
    from scipy.stats import t as student

    mean_reference, mean_new = _mean(values[~new]), _mean(values[new])
    error, degrees = _error(_moved(values, new), new, groups)
    value = mean_new - mean_reference
    reach = float(student.ppf(0.5 + confidence / 2, degrees)) * error if error > 0 else error
    p = (
        2 * float(student.sf(abs(value) / error, degrees))
        if error > 0
        else math.nan
        if math.isnan(error)
        else float(value == 0)
    )
    return Difference(mean_reference, mean_new, value, value - reach, value + reach, error, p)


def contrast(values: np.ndarray, new: np.ndarray, inside: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Returns by how much the difference of the means inside of a slice is larger than outside of it, and its error.

    Cluster-robust, as ``difference_of_means``. NaN where one of the four parts is empty.

    Args:
        values: (N,) finite numbers
        new, inside: (N,) bool
        groups: (N,) int
    """
    parts = [(inside & new, 1), (inside & ~new, -1), (~inside & new, -1), (~inside & ~new, 1)]
    if not all(part.any() for part, _ in parts):
        return math.nan, math.nan
    value, moved = 0.0, np.zeros(len(values))
    for part, sign in parts:
        mean = _mean(values[part])
        value += sign * mean
        moved[part] = sign * (values[part] - mean) / part.sum()
    error, _ = _error(moved, new, groups)
    return value, error


def mean_interval(values: np.ndarray, groups: np.ndarray, confidence: float = 0.95) -> tuple[float, float, float]:
    """Returns the mean of (N,) finite numbers that come in groups, and its cluster-robust interval (mean, low, high).

    NaN for an interval that cannot be had: of fewer than two groups.

    >>> mean_interval(np.array([1.0, 2.0, 3.0]), np.arange(3))[0]
    2.0
    """
    from scipy.stats import t as student

    mean = _mean(values)
    _, of = np.unique(groups, return_inverse=True)
    count = int(of.max(initial=-1)) + 1
    if count < 2:
        return mean, math.nan, math.nan
    sums = np.bincount(of, weights=(values - mean) / len(values))
    error = math.sqrt(clustered_variance((sums**2).sum(), count))
    reach = float(student.ppf(0.5 + confidence / 2, count - 1)) * error
    return mean, mean - reach, mean + reach


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _moved(values: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Returns how much each sample moves the difference of the means."""
    n_new, n_reference = max(int(new.sum()), 1), max(int((~new).sum()), 1)
    means = np.where(new, _mean(values[new]), _mean(values[~new]))
    return np.asarray(np.where(new, 1 / n_new, -1 / n_reference) * (values - means))


def _error(moved: np.ndarray, new: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Returns a standard error and its degrees of freedom, from how much each sample moves a number."""
    _, of = np.unique(groups, return_inverse=True)
    sums = np.bincount(of, weights=moved)
    has_new, has_reference = np.bincount(of, weights=new) > 0, np.bincount(of, weights=~new) > 0
    if has_new.sum() < 2 or has_reference.sum() < 2:
        return math.nan, math.nan
    variance, freedom = 0.0, 0.0
    for part in (has_new & ~has_reference, has_reference & ~has_new, has_new & has_reference):
        count = int(part.sum())
        if not count:
            continue
        # a single group that one side alone has tells nothing of the spread of such groups: it is taken as it is
        squares = float((sums[part] ** 2).sum())
        own = float(clustered_variance(squares, count)) if count > 1 else squares
        variance += own
        freedom += own**2 / max(count - 1, 1)
    return math.sqrt(variance), variance**2 / freedom if freedom > 0 else math.inf

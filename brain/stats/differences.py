"""Differences of two proportions: their intervals and their tests, paired and unpaired. Pure arithmetic.

Counts may be fractions: those of clustered pictures are divided by their design effect first (``effective_n``), as
J. N. K. Rao & A. J. Scott, Biometrics 48 (1992), do it. The interval of pairs was chosen by its coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError
from loupe.brain.stats.intervals import wilson

#: bisection steps: an interval's ends are then known to 2 ** -50 or so
_STEPS = 52


def unpaired(
    k_a: ArrayLike, n_a: ArrayLike, k_b: ArrayLike, n_b: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of the difference k_a / n_a - k_b / n_b of independent samples.

    R. G. Newcombe, Statistics in Medicine 17, 873 (1998), method 10: the distances to the ends of the two Wilson
    intervals, squared and added.

    Args:
        k_a, n_a: failures and judged samples of the first; of any shape that goes with the others
        k_b, n_b: those of the second
        confidence: in (0, 1)

    Returns:
        two float64 arrays in [-1, 1]; NaN where an n is 0

    Raises:
        InputError: a count is negative, there are more failures than n, or the confidence is not in (0, 1)

    >>> low, high = unpaired(56, 70, 48, 80)  # Newcombe's example (a): 0.2, 0.0524 to 0.3339
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    low_a, high_a = wilson(k_a, n_a, confidence)
    low_b, high_b = wilson(k_b, n_b, confidence)
    share_a, share_b = _share(k_a, n_a), _share(k_b, n_b)
    difference = share_a - share_b
    low = difference - np.hypot(share_a - low_a, high_b - share_b)
    high = difference + np.hypot(high_a - share_a, share_b - low_b)
    return np.clip(low, -1, 1), np.clip(high, -1, 1)


def unpaired_p(k_a: ArrayLike, n_a: ArrayLike, k_b: ArrayLike, n_b: ArrayLike) -> np.ndarray:
    """Returns the two-sided p-value of "both proportions are the same", of independent samples.

    The chi-squared test with N - 1 in place of N, where each expected count is at least 1, and Fisher's exact test
    elsewhere: I. Campbell, Statistics in Medicine 26, 3661 (2007).

    Args:
        k_a, n_a, k_b, n_b: as for ``unpaired``; Fisher's test rounds fractions

    Returns:
        a float64 array in [0, 1]; 1 where an n is 0

    >>> round(float(unpaired_p(7, 12, 1, 9)), 4)
    0.0314
    """
    from scipy.stats import chi2

    k_a, n_a, k_b, n_b = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (k_a, n_a, k_b, n_b)))
    total, failed = n_a + n_b, k_a + k_b
    with np.errstate(divide="ignore", invalid="ignore"):
        smallest = np.minimum(n_a, n_b) * np.minimum(failed, total - failed) / total
        statistic = (k_a * (n_b - k_b) - k_b * (n_a - k_a)) ** 2 * (total - 1)
        statistic = statistic / (n_a * n_b * failed * (total - failed))
    p = np.ones(total.shape)
    enough = smallest >= 1
    p[enough] = chi2.sf(statistic[enough], 1)
    few = ~enough & (n_a > 0) & (n_b > 0)
    p[few] = _fisher(*(np.rint(each[few]) for each in (k_a, n_a, k_b, n_b)))
    return p


def _fisher(k_a: np.ndarray, n_a: np.ndarray, k_b: np.ndarray, n_b: np.ndarray) -> np.ndarray:
    """Returns the p-values of Fisher's exact test: how likely a table no likelier than this one is."""
    from scipy.stats import fisher_exact

    tables = zip(k_a, n_a, k_b, n_b, strict=True)
    return np.array([fisher_exact([[a, na - a], [b, nb - b]])[1] for a, na, b, nb in tables], dtype=np.float64)


def paired(
    only_a: ArrayLike, only_b: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of the difference (only_a - only_b) / n of two proportions in n pairs.

    T. Tango's score interval, Statistics in Medicine 17, 891 (1998). Newcombe's for pairs (``paired_newcombe``) was the
    other choice: it covers too much where failures are rare (``python -m benchmarks.slicing comparison``).

    Args:
        only_a: pairs in which only the first failed; of any shape that goes with the others
        only_b: pairs in which only the second failed
        n: pairs
        confidence: in (0, 1)

    Returns:
        two float64 arrays in [-1, 1]; NaN where n is 0

    Raises:
        InputError: a count is negative, there are more than n, or the confidence is not in (0, 1)

    >>> low, high = paired(1, 7, 21)  # Fagerland, Lydersen & Laake (2014): -0.517 to -0.026
    >>> round(float(low), 3), round(float(high), 3)
    (-0.517, -0.026)
    """
    a, b, n = _pairs(only_a, only_b, n, confidence)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    estimate = (a - b) / n

    def statistic(delta: np.ndarray) -> np.ndarray:
        # the chance of "only b failed" that is the likeliest where the difference is delta
        linear = -a - b + (2 * n - a + b) * delta
        root = np.sqrt(np.maximum(linear**2 + 8 * n * b * delta * (1 - delta), 0))
        chance = (root - linear) / (4 * n)
        variance = n * (2 * chance + delta * (1 - delta))
        return _over(a - b - n * delta, np.sqrt(np.maximum(variance, 0)))

    low = _bisect(lambda delta: statistic(delta) > z, -np.ones_like(estimate), estimate)
    high = _bisect(lambda delta: statistic(delta) >= -z, estimate, np.ones_like(estimate))
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def paired_newcombe(
    both: ArrayLike, only_a: ArrayLike, only_b: ArrayLike, neither: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of the difference (only_a - only_b) / n by Newcombe's method for pairs.

    R. G. Newcombe, Statistics in Medicine 17, 2635 (1998), method 10: Wilson's intervals of the two proportions, with
    their correlation, that of chance corrected for continuity. Kept as what ``paired`` is measured against.

    Args:
        both, only_a, only_b, neither: pairs by which of the two failed
        confidence: in (0, 1)

    Returns:
        two float64 arrays in [-1, 1]; NaN where there is no pair

    >>> low, high = paired_newcombe(1, 1, 7, 12)  # Fagerland, Lydersen & Laake (2014): -0.507 to -0.026
    >>> round(float(low), 3), round(float(high), 3)
    (-0.507, -0.026)
    """
    e, f, g, h = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (both, only_a, only_b, neither)))
    n = e + f + g + h
    (low_a, high_a), (low_b, high_b) = wilson(e + f, n, confidence), wilson(e + g, n, confidence)
    a, b = _share(e + f, n), _share(e + g, n)
    margins = (e + f) * (g + h) * (e + g) * (f + h)
    product = e * h - f * g
    corrected = np.where(product > 0, np.maximum(product - n / 2, 0), product)
    phi = np.where(margins > 0, corrected / np.sqrt(np.where(margins > 0, margins, 1)), 0)
    down_a, up_a, down_b, up_b = a - low_a, high_a - a, b - low_b, high_b - b
    low = a - b - np.sqrt(np.maximum(down_a**2 - 2 * phi * down_a * up_b + up_b**2, 0))
    high = a - b + np.sqrt(np.maximum(up_a**2 - 2 * phi * up_a * down_b + down_b**2, 0))
    return low, high


def mcnemar(only_a: ArrayLike, only_b: ArrayLike, *, mid: bool = True) -> np.ndarray:
    """Returns the two-sided p-value of "both fail equally often", of pairs.

    A binomial test of the pairs in which just one of the two failed (Q. McNemar, 1947). The mid-p-value, the default,
    counts the chance of just these counts half: the exact one is too careful, and the mid-p hardly ever exceeds its
    nominal level (M. W. Fagerland, S. Lydersen & P. Laake, BMC Medical Research Methodology 13:91, 2013).

    Args:
        only_a, only_b: pairs in which only the first, only the second failed; fractions are allowed
        mid: the mid-p-value; False: the exact one

    Returns:
        a float64 array in [0, 1]; 1 where both failed equally often

    Raises:
        InputError: a count is negative

    >>> round(float(mcnemar(1, 7)), 3), round(float(mcnemar(1, 7, mid=False)), 3)
    (0.039, 0.07)
    """
    a, b = np.broadcast_arrays(np.asarray(only_a, dtype=np.float64), np.asarray(only_b, dtype=np.float64))
    _refuse_negative(a, b)
    return np.minimum(1, 2 * _tail(np.maximum(a, b), np.minimum(a, b), mid))


def more_often_p(only_a: ArrayLike, only_b: ArrayLike) -> np.ndarray:
    """Returns the one-sided mid-p-value of "the first fails at most as often as the second", of pairs.

    Args:
        only_a, only_b: as for ``mcnemar``

    >>> round(float(more_often_p(7, 1)), 4)
    0.0195
    """
    a, b = np.broadcast_arrays(np.asarray(only_a, dtype=np.float64), np.asarray(only_b, dtype=np.float64))
    _refuse_negative(a, b)
    return _tail(a, b, mid=True)


def _tail(successes: np.ndarray, others: np.ndarray, mid: bool) -> np.ndarray:
    """Returns how likely so many successes of the sum are by a fair coin, or more."""
    from scipy.special import betainc

    # P(X >= k) = I_p(k, n - k + 1), which is defined for fractions, too
    tail = np.where(successes > 0, betainc(np.maximum(successes, 1e-12), others + 1, 0.5), 1.0)
    if not mid:
        return tail
    beyond = np.where(others > 0, betainc(successes + 1, np.maximum(others, 1e-12), 0.5), 0.0)
    return (tail + beyond) / 2


def ratio(
    k_a: ArrayLike, n_a: ArrayLike, k_b: ArrayLike, n_b: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of the ratio (k_a / n_a) / (k_b / n_b) of independent samples: of a lift.

    P. A. R. Koopman's score interval, Biometrics 40, 513 (1984).

    Args:
        k_a, n_a, k_b, n_b: as for ``unpaired``
        confidence: in (0, 1)

    Returns:
        two float64 arrays in [0, inf]: low is 0 where k_a is 0, high is inf where k_b is 0; NaN where an n is 0

    Raises:
        InputError: as for ``unpaired``

    >>> low, high = ratio(36, 40, 16, 80)  # Koopman's example: 2.94 to 7.15
    >>> round(float(low), 2), round(float(high), 2)
    (2.94, 7.15)
    """
    wilson(k_a, n_a, confidence), wilson(k_b, n_b, confidence)  # they say what is wrong with the counts
    k_a, n_a, k_b, n_b = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (k_a, n_a, k_b, n_b)))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    total, failed = n_a + n_b, k_a + k_b

    def statistic(log_ratio: np.ndarray) -> np.ndarray:
        theta = np.exp(log_ratio)
        # the chances that are the likeliest where their ratio is theta
        linear = -(n_a * theta + k_a + n_b + k_b * theta)
        root = np.sqrt(np.maximum(linear**2 - 4 * total * theta * failed, 0))
        # the smaller root, without the difference of two numbers that are nearly the same
        chance_b = _over(2 * failed, root - linear)
        chance_a = np.minimum(chance_b * theta, 1)
        variance = _over(chance_a * (1 - chance_a), n_a) + theta**2 * _over(chance_b * (1 - chance_b), n_b)
        return _over(_share(k_a, n_a) - theta * _share(k_b, n_b), np.sqrt(variance))

    end = np.full(total.shape, 40.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        middle = np.log(_share(k_a, n_a) / _share(k_b, n_b))
        middle = np.where(np.isfinite(middle), np.clip(middle, -end, end), np.where(k_a > 0, end, -end))
        low = np.exp(_bisect(lambda log: statistic(log) > z, -end, middle))
        high = np.exp(_bisect(lambda log: statistic(log) >= -z, middle, end))
    known = (n_a > 0) & (n_b > 0)
    low = np.where(known, np.where(k_a > 0, low, 0), np.nan)
    return low, np.where(known, np.where(k_b > 0, high, np.inf), np.nan)


def holm(p: ArrayLike) -> np.ndarray:
    """Returns Holm's adjusted p-values: those below 0.05 are all true but for a chance of 0.05.

    S. Holm, Scandinavian Journal of Statistics 6, 65 (1979).

    >>> [round(float(each), 3) for each in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    adjusted = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    result = np.empty_like(values)
    result[order] = np.minimum(adjusted, 1)
    return result


def _bisect(below: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Returns where ``below``, true on the left and false on the right, turns; ``low`` where it is nowhere true."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        left = below(middle)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return (low + high) / 2


def _over(number: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Returns the quotient; 0 / 0 is 0, and others by 0 are infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(number == 0, 0.0, number / by)


def _share(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    counted = np.asarray(n, dtype=np.float64)
    return np.asarray(k, dtype=np.float64) / np.where(counted > 0, counted, np.nan)


def _pairs(
    only_a: ArrayLike, only_b: ArrayLike, n: ArrayLike, confidence: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    a, b, pairs = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (only_a, only_b, n)))
    _refuse_negative(a, b)
    if (a + b > pairs * (1 + 1e-9)).any():
        raise InputError("expected only_a + only_b <= n")
    return a, b, np.where(pairs > 0, pairs, np.nan)


def _refuse_negative(*counts: np.ndarray) -> None:
    if any((count < 0).any() for count in counts):
        raise InputError("expected counts of at least 0")

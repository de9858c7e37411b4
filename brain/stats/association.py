"""Whether a slice fails more or less often than the rest: p-values, and what many of them leave. Pure arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError

#: from so many expected counts in each of the four cells on, Pearson's chi-square stands for Fisher's exact test
ENOUGH = 1000
#: tables whose probabilities differ by less are equally probable: more than rounding makes of it
_SAME = 1 + 1e-7


def p_values(failures: ArrayLike, n: ArrayLike, rest_failures: ArrayLike, rest_n: ArrayLike) -> np.ndarray:
    """Returns the two-sided p of each slice against its rest: (S,) float64 in [0, 1], low where they differ.

    Fisher's exact test, where a table counts that is no more probable than the one seen (as in R and scipy). Where all
    four cells expect 1,000 or more it is Pearson's chi-square with (N - 1) / N, which is nearly the same by then.
    NaN where a slice or its rest is empty; 1 where nothing or everything failed.

    R. A. Fisher, JRSS 85 (1922); I. Campbell, Statistics in Medicine 26 (2007), of the N - 1.

    Args:
        failures, n: of each slice: whole numbers, or effective ones, which the exact test rounds
        rest_failures, rest_n: of its rest

    Raises:
        InputError: a count is negative, or there are more failures than n

    >>> p_values([3, 0], [4, 0], [1, 1], [4, 4]).round(4).tolist()
    [0.4857, nan]
    """
    from scipy.special import chdtrc

    counts = (np.asarray(count, np.float64) for count in (failures, n, rest_failures, rest_n))
    given = [np.atleast_1d(count) for count in np.broadcast_arrays(*counts)]
    k, size, rest_k, rest_size = given
    if (k < 0).any() or (rest_k < 0).any() or (k > size).any() or (rest_k > rest_size).any():
        raise InputError("expected 0 <= failures <= n, of each slice and of its rest")
    total, failed = size + rest_size, k + rest_k
    defined = (size > 0) & (rest_size > 0)
    p = np.where(defined, 1.0, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        smallest = np.minimum(size, rest_size) * np.minimum(failed, total - failed) / total
        cross = k * (rest_size - rest_k) - rest_k * (size - k)
        square = (total - 1) * cross**2 / (size * rest_size * failed * (total - failed))
    large = defined & (smallest >= ENOUGH)
    p[large] = chdtrc(1, square[large])
    small = np.flatnonzero(defined & ~large & (smallest > 0))
    whole_k, whole_n, whole_rest_k, whole_rest_n = (np.rint(each[small]).astype(np.int64) for each in given)
    margins = np.stack([whole_n, whole_k + whole_rest_k, whole_n + whole_rest_n], axis=1)
    p[small] = _fisher(margins, whole_k)
    return p


def q_values(p: ArrayLike) -> np.ndarray:
    """Returns p adjusted for how many there are, by Benjamini and Hochberg: (S,) float64 in [0, 1]; NaN where p is.

    Of the slices with q below 5 % at most 5 % are expected to be no different from the rest. That holds for independent
    slices and for those that depend on each other positively; the slices of one factor, which share the samples out
    among them, are a little otherwise. Benjamini & Hochberg, JRSS B 57 (1995); Benjamini & Yekutieli, Annals of
    Statistics 29 (2001), of the dependent ones.

    >>> q_values([0.01, float("nan"), 0.04, 0.03]).round(3).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p, np.float64)
    q = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known], method="bh")
    return q


def _fisher(margins: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Returns p of (T,) tables by their (T, 3) margins: size of the slice, failures in all, size of all."""
    p = np.ones(len(k))
    distinct, table = np.unique(margins, axis=0, return_inverse=True)
    order = np.argsort(table, kind="stable")
    ends = np.searchsorted(table[order], np.arange(len(distinct) + 1))
    # what differs only in how many of the slice failed shares its distribution
    for at, (size, failed, total) in enumerate(distinct.tolist()):
        low, probabilities = _hypergeometric(size, failed, total)
        ascending = np.sort(probabilities)
        no_more = np.cumsum(ascending)
        rows = order[ends[at] : ends[at + 1]]
        own = probabilities[np.clip(k[rows] - low, 0, len(probabilities) - 1)] * _SAME
        p[rows] = no_more[np.searchsorted(ascending, own, side="right") - 1]
    return np.minimum(p, 1)


def _hypergeometric(size: int, failed: int, total: int) -> tuple[int, np.ndarray]:
    """Returns the smallest number of failures that a slice can have, and the probability of it and of each above."""
    from scipy.special import gammaln

    low, high = max(0, size + failed - total), min(size, failed)
    k = np.arange(low, high + 1, dtype=np.float64)
    cells = np.stack([k, size - k, failed - k, total - size - failed + k])
    margins = np.array([size, total - size, failed, total - failed], np.float64)
    logs = gammaln(margins + 1).sum() - gammaln(total + 1.0) - gammaln(cells + 1).sum(axis=0)
    return low, np.exp(logs)

"""As how many independent samples those count that come in groups: pictures of one prompt, objects of one picture.

They tend to fail together. Taken as independent their interval is too narrow: at an intra-group correlation of 0.3 and
ten pictures a prompt, one of nominal 95 % covers 75 %. So their number is divided by the design effect: by how much the
groups inflate the variance. Pure arithmetic. Which to use:

- ``effective_n_of_slices``: the rates of many slices of one call. A slice has few groups, and often no failure, so that
  how alike a group is has to be learned from all slices together. Measured by ``benchmarks.slicing coverage``, whose
  part ``estimators`` sets both side by side.
- ``effective_n_of_values``: a mean of many groups, or the mean difference of pairs: their own spread alone, and what
  few groups leave unsure of it. Measured by ``benchmarks.slicing comparison``. ``effective_n_of_ratios``: the same of
  counts by group, many at once, as recall over the objects of pictures; ``intervals.wilson_clustered`` is made of it.
  Measured by ``benchmarks.slicing evaluation``.
- ``design_effect`` at an ``intraclass`` correlation: what the counts of an exact test are divided by, where a slice is
  too small for a spread of its own. Measured by ``benchmarks.slicing discovery``.
- Of differences of means by side see ``mean_differences``: what both sides of a group have in common drops out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError

#: of fewer groups no spread is known
_MIN_GROUPS = 2


def intraclass(failed: np.ndarray, clusters: np.ndarray) -> float:
    """Returns how much alike samples of one cluster fail: the intraclass correlation, in [0, 1]; 0 where none is known.

    The estimator of the analysis of variance, for binary data: M. S. Ridout, C. G. B. Demétrio & D. Firth, Biometrics
    55 (1999). What is negative by chance is 0.

    Args:
        failed: (N,) bool
        clusters: (N,) int64 of at least 0: the cluster of each sample

    >>> intraclass(np.array([True, True, False, False]), np.array([0, 0, 1, 1]))
    1.0
    """
    _, of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    failures = np.bincount(of, weights=failed.astype(np.float64), minlength=len(sizes))
    correlation = _correlation(failures, sizes.astype(np.float64), np.zeros(len(sizes), np.int64), 1)
    return 0.0 if math.isnan(correlation) else correlation


def design_effect(clusters: np.ndarray, correlation: float) -> float:
    """Returns by how much clusters inflate the variance of a rate: 1 where they are of one sample each.

    1 + (m − 1) ρ, with m the mean size of the cluster that a sample is in (L. Kish, Survey Sampling, 1965).

    Args:
        clusters: (N,) the clusters of the samples that are counted
        correlation: ρ, the intraclass correlation, in [0, 1]

    >>> design_effect(np.array([7, 7, 8, 8]), 0.5)
    1.5
    """
    if not len(clusters):
        return 1.0
    _, sizes = np.unique(clusters, return_counts=True)
    return float(_kish(sizes.sum(), (sizes**2).sum(), correlation))


def clustered_variance(squares: ArrayLike, clusters: ArrayLike) -> np.ndarray:
    """Returns the variance of a sum that is told by its spread over clusters: G / (G − 1) Σ r².

    Linearized, as for a ratio or a mean: Liang & Zeger, Biometrika 73 (1986). Not finite where there is one cluster.

    Args:
        squares: (...) Σ r²: the squares of by how much each cluster moves the sum away from what is expected
        clusters: (...) G: how many clusters those are

    >>> float(clustered_variance(8.0, 5))
    10.0
    """
    squares, clusters = np.asarray(squares, dtype=np.float64), np.asarray(clusters, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(squares * clusters / (clusters - 1))


def effective_n_of_values(values: np.ndarray, clusters: np.ndarray | None, confidence: float = 0.95) -> float:
    """Returns how many independent values say as much of the mean as these, which come in clusters.

    As ``effective_n_of_ratios``, of the mean of any numbers.

    Args:
        values: (n,) numbers, e.g. 1 where a picture failed and 0 where it passed; or, of pairs, 1, 0 and -1
        clusters: (n,) int: the cluster of each, e.g. its prompt's number; None: each is one of its own
        confidence: of the interval that is made of it, in (0, 1)

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> effective_n_of_values(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])) < 2
    True
    >>> effective_n_of_values(np.array([1, 0, 1, 0]), np.array([0, 1, 2, 3]))
    4.0
    """
    own = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    sums, squares = (np.bincount(own, weights=each) for each in (values, np.square(values)))
    return float(_effective_n(sums, squares, np.bincount(own), confidence))


def effective_n_of_ratios(k: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> np.ndarray:
    """Returns how many independent objects say as much of sum(k) / sum(n): (...) float64, at most sum(n).

    It is sum(n) divided by the design effect, which is what clusters make of the variance of the ratio, linearized; and
    by what few clusters leave unsure of it, see ``unsure_by``: Kish, Survey Sampling (1965); Rao & Scott, JASA 76
    (1981); E. L. Korn & B. I. Graubard, Survey Methodology 24, 193 (1998). Where all objects have the same outcome
    nothing tells how alike those of a cluster are: then it is Kish's sum(n)² / sum(n²), as if they were as one.

    Args:
        k: (..., C): in each of C clusters how many objects have it; at most ``n``
        n: (..., C): how many objects each cluster has; 0 is no cluster
        confidence: of the interval that is made of it, in (0, 1)

    Raises:
        InputError: 0 <= k <= n does not hold, or the confidence is not in (0, 1)

    >>> effective_n_of_ratios([[1, 0, 1, 0], [2, 0, 2, 0]], [[1, 1, 1, 1], [2, 2, 2, 2]]).round(3).tolist()
    [4.0, 1.3]
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if (k < 0).any() or (k > n).any():
        raise InputError("expected 0 <= k <= n in each cluster")
    return _effective_n(k, k, n, confidence)


def _effective_n(sums: np.ndarray, squares: np.ndarray, n: np.ndarray, confidence: float) -> np.ndarray:
    """Returns (...) the effective n of a mean, by (..., C) the sums of values and of their squares in each cluster."""
    total, clusters = n.sum(-1), (n > 0).sum(-1)
    unsure = unsure_by(clusters, confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, all_squares = sums.sum(-1) / total, squares.sum(-1)
        moved = sums - mean[..., None] * n
        spread = all_squares - total * mean**2
        effect = clustered_variance((moved**2).sum(-1), clusters) / (spread * total / (total - 1))
        worth = total / (np.maximum(effect, 1) * unsure)
        alike = total / _kish(total, (n**2).sum(-1), 1.0)
        # all values are the same, but for rounding
        unseen = (spread <= 1e-12 * all_squares) | (clusters < _MIN_GROUPS)
        worth = np.where(unseen, alike, worth)
    worth = np.where((n <= 1).all(-1), total, worth)
    return np.asarray(np.where(total > 0, np.minimum(worth, total), 0.0))


def unsure_by(clusters: ArrayLike, confidence: float = 0.95) -> np.ndarray:
    """Returns (t / z) ** 2: by how much fewer samples count since their spread is told by few clusters; at least 1.

    Wilson's interval of n divided by it is that of n with Student's quantile in place of the normal one.

    Args:
        clusters: (...) how many there are; one is taken as two
        confidence: of the interval, in (0, 1)

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> unsure_by([2, 20, 2000]).round(2).tolist()
    [42.03, 1.14, 1.0]
    """
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    from scipy.stats import t

    tail = 0.5 + confidence / 2
    degrees = np.maximum(np.asarray(clusters) - 1, 1)
    return np.asarray((t.ppf(tail, degrees) / NormalDist().inv_cdf(tail)) ** 2)


@dataclass(frozen=True, eq=False)
class Cells:
    """How many samples were judged and failed in each group, within each of S slices; only what has judged samples.

    Attributes:
        slice: (C,) int64: the slice, in [0, S)
        group: (C,) int64: the group, in [0, G)
        n: (C,) float64: how many samples were judged
        failures: (C,) float64: how many of them failed
    """

    slice: np.ndarray
    group: np.ndarray
    n: np.ndarray
    failures: np.ndarray

    @classmethod
    def of(cls, slices: np.ndarray, groups: np.ndarray, failed: np.ndarray) -> Cells:
        """Returns the cells of M judged samples.

        Args:
            slices, groups: (M,) int64: the slice and the group of each
            failed: (M,) bool
        """
        width = int(groups.max()) + 1 if len(groups) else 1
        cells, cell = np.unique(slices * width + groups, return_inverse=True)
        n = np.bincount(cell, minlength=len(cells)).astype(np.float64)
        return cls(cells // width, cells % width, n, np.bincount(cell, weights=failed, minlength=len(cells)))


@dataclass(frozen=True, eq=False)
class Design:
    """As how many independent samples the slices and their rests count.

    Attributes:
        groups: (S,) int64: how many groups the judged samples of each slice are in
        effective_n: (S,) float64: at most n, and at least 1 where any was judged
        rest_effective_n: (S,) float64: the same of its rest
        correlation: the intra-group correlation that all slices share, in [0, 1]; 1 where nothing tells
    """

    groups: np.ndarray
    effective_n: np.ndarray
    rest_effective_n: np.ndarray
    correlation: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the groups of each slice: of how many there are, n, k, n², k n, k²."""

    groups: np.ndarray
    n: np.ndarray
    k: np.ndarray
    nn: np.ndarray
    kn: np.ndarray
    kk: np.ndarray

    def effective_n(self, correlation: float) -> np.ndarray:
        """Returns n / the larger of two design effects.

        Kish's from the sizes of the groups and the shared correlation; and that of the slice's own groups: the
        linearized variance of the ratio k / n over that of as many independent samples.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            share = self.k / self.n
            kish = _kish(self.n, self.nn, correlation)
            squares = self.kk - 2 * share * self.kn + share**2 * self.nn
            own = clustered_variance(squares, self.groups) / self.n**2 / (share * (1 - share) / self.n)
            own = np.where(np.isfinite(own), own, 1)
            return np.where(self.n > 0, self.n / np.clip(np.maximum(kish, own), 1, np.maximum(self.n, 1)), 0)


def effective_n_of_slices(cells: Cells, every: Cells, slices: int) -> Design:
    """Returns as how many independent samples the judged samples of each slice count.

    The correlation is that of the analysis of variance, pooled over the groups within slices: with few groups a slice
    alone tells little of it, and one without failures nothing. Where nothing failed anywhere, or everything, it is 1: a
    group counts as one sample. L. Kish, Survey Sampling (1965), the design effect; Ridout, Demétrio & Firth, Biometrics
    55 (1999), the correlation of binary data; Dean & Pagano, Int. Stat. Review 83 (2015), Wilson's interval of an
    effective n.

    Args:
        cells: of the slices
        every: of all samples, as one slice: what a rest is taken from
        slices: how many slices there are

    >>> groups, failed = np.repeat(np.arange(6), 4), np.repeat([True, False, False, True, False, False], 4)
    >>> alike = Cells.of(np.zeros(24, np.int64), groups, failed)
    >>> effective_n_of_slices(alike, alike, 1).effective_n.tolist()  # the four of a group are as one
    [5.0]
    """
    own = _sums(cells, slices)
    correlation = _correlation(cells.failures, cells.n, cells.slice, slices)
    correlation = 1.0 if math.isnan(correlation) else correlation
    whole = _sums(every, 1)
    order = np.zeros(int(every.group.max()) + 1 if len(every.group) else 0, np.int64)
    order[every.group] = np.arange(len(every.group))
    group_n, group_k = every.n[order[cells.group]], every.failures[order[cells.group]]

    def less(total: np.ndarray, taken: np.ndarray) -> np.ndarray:
        return np.asarray(total[0] - np.bincount(cells.slice, weights=taken, minlength=slices))

    n, k = cells.n, cells.failures
    rest = _Sums(
        groups=less(whole.groups, group_n == n),
        n=less(whole.n, n),
        k=less(whole.k, k),
        nn=less(whole.nn, n * (2 * group_n - n)),
        kn=less(whole.kn, group_k * n + group_n * k - k * n),
        kk=less(whole.kk, k * (2 * group_k - k)),
    )
    return Design(own.groups.astype(np.int64), own.effective_n(correlation), rest.effective_n(correlation), correlation)


def _sums(cells: Cells, slices: int) -> _Sums:
    n, k = cells.n, cells.failures
    return _Sums(
        *(np.bincount(cells.slice, weights=each, minlength=slices) for each in (n > 0, n, k, n * n, k * n, k * k))
    )


def _kish(n: ArrayLike, squares: ArrayLike, correlation: float) -> np.ndarray:
    """Returns Kish's design effect, 1 + (Σn² / Σn − 1) ρ, of groups of sizes that sum up to these."""
    return np.asarray(1 + (np.asarray(squares) / np.asarray(n) - 1) * correlation)


def _correlation(k: np.ndarray, n: np.ndarray, stratum: np.ndarray, strata: int) -> float:
    """Returns the intraclass correlation, in [0, 1], pooled over groups within strata; NaN where nothing tells it.

    Args:
        k, n: (C,) float64: how many samples failed in each group, and how many it has
        stratum: (C,) int64: the slice that the group is counted in, in [0, strata)
    """
    sizes, failures, squares, known = (
        np.bincount(stratum, weights=each, minlength=strata) for each in (n, k, n * n, k * k / np.maximum(n, 1))
    )
    used = sizes > 0
    free, within = len(n) - used.sum(), n.sum() - len(n)
    if not free or not within:
        return math.nan
    inside = (k - k * k / n).sum() / within
    between = (known[used] - failures[used] ** 2 / sizes[used]).sum() / free
    typical = (sizes[used] - squares[used] / sizes[used]).sum() / free
    spread = between + (typical - 1) * inside
    return float(np.clip((between - inside) / spread, 0, 1)) if spread > 0 else math.nan

"""Samples in groups that are alike: as how many independent samples they count. Pure arithmetic.

Pictures of one prompt, or of one seed, tend to fail together. Taken as independent their interval is too narrow: at an
intra-group correlation of 0.3 and ten pictures a prompt, one of nominal 95 % covers 75 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
            kish = 1 + (self.nn / self.n - 1) * correlation
            spread = (self.kk - 2 * share * self.kn + share**2 * self.nn) * self.groups / (self.groups - 1) / self.n**2
            own = spread / (share * (1 - share) / self.n)
            own = np.where(np.isfinite(own), own, 1)
            return np.where(self.n > 0, self.n / np.clip(np.maximum(kish, own), 1, np.maximum(self.n, 1)), 0)


def design(cells: Cells, every: Cells, slices: int) -> Design:
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
    >>> design(alike, alike, 1).effective_n.tolist()  # the four of a group are as one
    [5.0]
    """
    own = _sums(cells, slices)
    correlation = _correlation(cells, own)
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
    return Design(
        own.groups.astype(np.int64), own.effective_n(correlation), rest.effective_n(correlation), float(correlation)
    )


def _sums(cells: Cells, slices: int) -> _Sums:
    n, k = cells.n, cells.failures
    return _Sums(
        *(np.bincount(cells.slice, weights=each, minlength=slices) for each in (n > 0, n, k, n * n, k * n, k * k))
    )


def _correlation(cells: Cells, sums: _Sums) -> float:
    n, k = cells.n, cells.failures
    judged = sums.n > 0
    free = len(n) - judged.sum()
    within = n.sum() - len(n)
    if not free or not within:
        return 1.0
    inside = (k - k * k / n).sum() / within
    between = (
        np.bincount(cells.slice, k * k / n, len(sums.n))[judged] - (sums.k**2 / np.maximum(sums.n, 1))[judged]
    ).sum() / free
    size = (sums.n[judged] - sums.nn[judged] / sums.n[judged]).sum() / free
    spread = between + (size - 1) * inside
    return float(np.clip((between - inside) / spread, 0, 1)) if spread > 0 else 1.0

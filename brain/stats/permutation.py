"""Permutation tests of two samples: which side each sample might have been on, groups kept together, and how much.

Both sides are permuted: a test that redraws one side only takes the noise of the other for a difference, and always
fires. Statistics are handed over as values of the permuted sides; all of them share the same permutations, so that
they can be corrected together without being taken for independent (Westfall & Young, Resampling-Based Multiple Testing,
1993).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: a statistic that moves by less than so much of its size is the same: sums in another order differ by that
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Permutations:
    """Which samples are on the new side, as it was and P times permuted.

    Attributes:
        sides: (N, 1 + P) bool: True on the new side; column 0 is how it was
        units: how many things are permuted on the reference's and on the new side: samples, or groups of them
        exchanged: how many of the N samples stand in groups that both sides have
        distinct: about how many different outcomes there are, capped at 1e9
    """

    sides: np.ndarray
    units: tuple[int, int]
    exchanged: int
    distinct: float


def permute(new: np.ndarray, groups: np.ndarray, permutations: int, rng: np.random.Generator) -> Permutations:
    """Returns permuted sides that keep groups together.

    A group that is on one side only changes sides as a whole; of a group that both sides have, the samples are permuted
    among themselves, so that what sets groups apart is no difference of the sides. With groups of one sample it is the
    ordinary permutation test.

    Args:
        new: (N,) bool: which samples are on the new side; some are, and some are not
        groups: (N,) int: the group of each sample
        permutations: P
        rng: decides them

    >>> made = permute(np.array([True, True, False, False]), np.array([0, 0, 1, 2]), 99, np.random.default_rng(0))
    >>> bool((made.sides[0] == made.sides[1]).all()), made.units
    (True, (2, 1))
    """
    permuted, distinct = labelings(new, groups)
    sides = np.empty((len(new), 1 + permutations), dtype=bool)
    sides[:, 0] = new
    for column in range(1, 1 + permutations):
        sides[:, column] = permuted(rng)
    _, of = np.unique(groups, return_inverse=True)
    has_reference, has_new = (np.bincount(of, weights=side) > 0 for side in (~new, new))
    units = int(has_reference.sum()), int(has_new.sum())
    return Permutations(sides, units, int((has_reference & has_new)[of].sum()), distinct)


def labelings(labels: np.ndarray, groups: np.ndarray) -> tuple[Callable[[np.random.Generator], np.ndarray], float]:
    """Returns what permutes labels of any number of classes and keeps groups together, and how many outcomes it has.

    As ``permute``: a group of one label gets that of another such group as a whole; in a group of several labels they
    are permuted among its samples.

    Args:
        labels: (N,) int64 or bool
        groups: (N,) int: the group of each sample

    Returns:
        permuted: gives (N,) labels by a random generator
        distinct: about how many different outcomes there are, capped at 1e9

    >>> permuted, distinct = labelings(np.array([0, 0, 1, 1]), np.array([5, 5, 6, 6]))
    >>> sorted({tuple(permuted(np.random.default_rng(seed)).tolist()) for seed in range(20)}), round(distinct)
    ([(0, 0, 1, 1), (1, 1, 0, 0)], 2)
    """
    _, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(of, kind="stable")
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    lowest, highest = (each.reduceat(labels[order], starts) for each in (np.minimum, np.maximum))
    pure = np.flatnonzero(lowest == highest)
    was = lowest[pure]
    place = np.full(len(sizes), -1)
    place[pure] = np.arange(len(pure))
    loose, inside = np.flatnonzero(place[of] >= 0), order[place[of[order]] < 0]
    where = place[of[loose]]

    def permuted(rng: np.random.Generator) -> np.ndarray:
        made = np.empty_like(labels)
        made[loose] = rng.permutation(was)[where]
        if len(inside):
            # a random order within each group: sorted by the group, then by chance
            made[inside[np.lexsort((rng.random(len(inside)), of[inside]))]] = labels[inside]
        return made

    return permuted, _orders(was, of[inside], labels[inside])


def _orders(was: np.ndarray, groups: np.ndarray, labels: np.ndarray) -> float:
    """Returns how many different orders labels have among whole groups, times those within the others; at most 1e9."""
    from scipy.special import gammaln

    def log_orders(sizes: np.ndarray, counts: np.ndarray) -> float:
        return float(gammaln(sizes + 1).sum() - gammaln(counts + 1).sum())

    logs = log_orders(np.array([len(was)]), np.unique(was, return_counts=True)[1])
    if len(groups):
        pairs = np.unique(np.stack([groups, labels]), axis=1, return_counts=True)[1]
        logs += log_orders(np.unique(groups, return_counts=True)[1], pairs)
    return float(np.exp(min(logs, np.log(1e9))))


def tail_p(statistics: np.ndarray, distinct: float = np.inf) -> np.ndarray:
    """Returns the p of each of some statistics by their permuted values: (K,) float64, not below 1 / ``distinct``.

    The share of the permutations that are as far, where at least ten of them are. Beyond those it is the tail of a
    scaled chi-square with the mean and the variance of the permuted values (F. E. Satterthwaite, Biometrics Bulletin 2
    (1946)), or of a Pearson type III with their skewness, too, whichever is heavier (of tails of permutations in
    general: A. M. Winkler et al., NeuroImage 141, 502 (2016)): a thousand permutations alone cannot tell p of .00001
    from .001, which correcting for hundreds of tests needs.

    Args:
        statistics: (K, 1 + P), at least 0, larger is farther, squares of what is about normal or sums of such; column 0
            is how it was
        distinct: how many different permutations there are

    >>> rng = np.random.default_rng(0)
    >>> values = np.r_[30.0, rng.chisquare(1, 999)][None]
    >>> bool(1e-10 < tail_p(values)[0] < 1e-5)
    True
    """
    from scipy.stats import chi2, pearson3

    seen, permuted = statistics[:, :1], statistics[:, 1:]
    tie = _SAME * np.maximum(np.abs(seen), 1e-12)
    reached = 1 + (permuted >= seen - tie).sum(axis=1)
    p = reached / statistics.shape[1]
    mean, variance = permuted.mean(axis=1), permuted.var(axis=1)
    moves = (variance > 0) & (mean > 0)
    scale = np.where(moves, variance, 1) / (2 * np.where(moves, mean, 1))
    degrees = np.where(moves, mean, 1) / scale
    deviation = np.sqrt(np.where(moves, variance, 1))
    skew = (((permuted - mean[:, None]) / deviation[:, None]) ** 3).mean(axis=1)
    heavy = pearson3.sf((seen[:, 0] - mean) / deviation, np.maximum(skew, 0))
    beyond = np.maximum(chi2.sf(seen[:, 0] / scale, degrees), heavy)
    far = moves & (reached <= 10)
    p = np.where(far, np.minimum(beyond, 11 / statistics.shape[1]), np.where(moves, p, 1.0))
    return np.asarray(np.maximum(p, 1 / distinct))


@dataclass(frozen=True, eq=False)
class Corrected:
    """What permutations say of K statistics.

    Attributes:
        p: (K,) the permutation p of each by itself, at least 1 / (1 + P)
        adjusted: (K,) the same corrected for all K: the chance that any of those that are no farther would be as far
        overall: the chance that anything would be as far as the farthest: the smallest of ``adjusted``
        tail: the p that a single statistic has to reach for ``overall`` to be as small as asked for
    """

    p: np.ndarray
    adjusted: np.ndarray
    overall: float
    tail: float


def surprise(statistics: np.ndarray) -> np.ndarray:
    """Returns how far out each value of some statistics is: (K, 1 + P), comparable between them; higher is farther.

    The minus logarithm of the tail of a Pearson type III distribution with the mean, the standard deviation and the
    skewness of the values (Minas & Montana, Distance-based analysis of variance, 2014). It only sets
    statistics side by side: the p values are those of permutations whatever it is. What permuting does not move is 0.

    Args:
        statistics: (K, 1 + P), larger is farther; column 0 is how it was
    """
    from scipy.stats import pearson3

    # the moments are of all columns, how it was among them: were it left out, it would be taken for farther out than a
    # permutation with the same value, and the p of several statistics together would be too small
    values = statistics.astype(np.float64)
    mean, deviation = values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True)
    moves = deviation > _SAME * np.maximum(np.abs(mean), 1e-12)
    scaled = np.where(moves, (values - mean) / np.where(moves, deviation, 1), 0.0)
    skew = np.clip((scaled**3).mean(axis=1, keepdims=True), -4, 4)
    tail = -np.asarray(pearson3.logsf(scaled, np.broadcast_to(skew, scaled.shape)))
    # beyond the end of a bounded tail, and where it underflows: by the distance
    tail = np.where(np.isfinite(tail), tail, 700.0 + np.maximum(scaled, 0))
    return np.where(moves, tail, 0.0)


def correct(far: np.ndarray, alpha: float = 0.05) -> Corrected:
    """Returns the p values of K statistics, each alone and all together.

    Step-down by the largest (Westfall & Young 1993, algorithm 4.1). It is to permutations what Holm's correction is to
    p values, as strict as needed for the statistics as they hang together.

    Args:
        far: (K, 1 + P): how far out each is, comparable between them; column 0 is how it was
        alpha: what ``tail`` is for

    >>> far = np.vstack([np.r_[5.0, np.linspace(0, 4, 99)], np.r_[1.0, np.linspace(4, 0, 99)]])
    >>> correct(far).p.round(2).tolist(), correct(far).adjusted.round(2).tolist()
    ([0.01, 0.75], [0.01, 0.75])
    """
    if not len(far):
        return Corrected(np.zeros(0), np.zeros(0), 1.0, alpha)
    tie = _SAME * np.maximum(np.abs(far[:, :1]), 1e-12)
    p = (far >= far[:, :1] - tie).mean(axis=1)
    order = np.argsort(far[:, 0], kind="stable")  # the least far first
    highest = np.maximum.accumulate(far[order], axis=0)
    reached = (highest >= far[order, :1] - tie[order]).mean(axis=1)
    adjusted = np.empty(len(far))
    adjusted[order] = np.maximum.accumulate(reached[::-1])[::-1]
    limit = float(np.quantile(far[:, 1:].max(axis=0), 1 - alpha))
    # how far out a value is, is the minus logarithm of its tail: see ``surprise``
    return Corrected(p, adjusted, float(adjusted.min()), min(float(np.exp(-max(limit, 0.0))), alpha))

"""Whether the order of samples says something of them: labels in blocks, and look-alikes near each other. Arithmetic.

Samples that depend on their order are not independent: the "non-IID" of cleanlab's Datalab, whose statistic this is, of
samples drawn where there are very many, and with a p that permutations give and not a density fitted to 25 of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBORS = 10
#: samples whose neighbors are looked for; among all of them
ANCHORS = 2_000
_CHUNK = 500
#: with more classes sorting by chance within each is quicker than permuting one after the other
_MANY_CLASSES = 500


@dataclass(frozen=True, eq=False)
class Nearness:
    """How near in the order look-alikes are.

    Attributes:
        distance: Kolmogorov and Smirnov's, in [0, 1], of the places between look-alikes from those of any two samples
        p: of permuting all places
        within_p: of permuting places within each class
    """

    distance: float
    p: float
    within_p: float


def first_of_groups(groups: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Returns the sample of each group that comes first, in order: (G,) int64.

    >>> first_of_groups(np.array([0, 1, 0, 1]), np.array([3.0, 2.0, 1.0, 4.0])).tolist()
    [2, 1]
    """
    order = np.argsort(position, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    return order[np.sort(first)]


def repeats_p(labels: np.ndarray) -> tuple[int, float, float]:
    """Returns how many neighbors in an order share their label, how many are expected, and the one-sided p.

    The runs test for any number of classes: A. M. Mood, Annals of Mathematical Statistics 11, 367 (1940). A
    neighbor of the same label is one run less.

    Args:
        labels: (N,) int64 in their order

    >>> same, expected, p = repeats_p(np.array([0] * 20 + [1] * 20))
    >>> same, round(expected, 1), p < 1e-6
    (38, 19.0, True)
    """
    n = len(labels)
    if n < 3:
        return 0, float("nan"), 1.0
    sizes = np.unique(labels, return_counts=True)[1].astype(np.float64)
    squares, cubes = (sizes**2).sum(), (sizes**3).sum()
    mean = (squares - n) / n
    variance = (squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3) / (n**2 * (n - 1))
    same = int((labels[1:] == labels[:-1]).sum())
    if variance <= 0:
        return same, float(mean), 1.0
    from scipy.stats import norm

    return same, float(mean), float(norm.sf((same - 0.5 - mean) / np.sqrt(variance)))


def nearness(
    unit: np.ndarray, place: np.ndarray, labels: np.ndarray, *, permutations: int = 999, seed: int = 0
) -> Nearness:
    """Returns how near look-alikes are in the order, and whether that is chance, over all and within classes.

    Args:
        unit: (N, D) float32 of unit length
        place: (N,) int64: 0 to N - 1, each once
        labels: (N,) int64
        permutations: P
        seed: of the permutations, and of the samples drawn
    """
    n = len(unit)
    rng = np.random.default_rng(seed)
    if n < 3:
        return Nearness(float("nan"), 1.0, 1.0)
    anchors = np.arange(n) if n <= ANCHORS else np.sort(rng.choice(n, ANCHORS, replace=False))
    neighbors = _neighbors(unit, anchors, min(NEIGHBORS, n - 1))
    background = background_of(n)

    def distance(places: np.ndarray) -> float:
        return ks_distance(np.abs(places[neighbors] - places[anchors][:, None]).ravel(), background)

    seen = distance(place)
    order = np.argsort(labels, kind="stable")
    own, ends = place[order], np.cumsum(np.unique(labels, return_counts=True)[1])
    reached = [1, 1]
    for _ in range(permutations):
        reached[0] += distance(rng.permutation(n)) >= seen
        shuffled = np.empty(n, dtype=np.int64)
        shuffled[order] = _within(own, ends, rng)
        reached[1] += distance(shuffled) >= seen
    return Nearness(seen, reached[0] / (permutations + 1), reached[1] / (permutations + 1))


def _within(places: np.ndarray, ends: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns (N,) places permuted within parts that end at these."""
    if len(ends) > _MANY_CLASSES:
        part = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        return places[np.lexsort((rng.random(len(places)), part))]
    return np.concatenate([rng.permutation(part) for part in np.split(places, ends[:-1])])


def background_of(n: int) -> np.ndarray:
    """Returns the distribution function of how far two of n places are apart: (n,) float64, at 0 to n - 1."""
    apart = np.arange(n)
    return np.r_[0.0, np.cumsum((n - apart[1:]) / (n * (n - 1) / 2))]


def ks_distance(apart: np.ndarray, background: np.ndarray) -> float:
    """Returns the largest difference of the distribution of (M,) places apart from that of any two samples."""
    counts = np.bincount(apart, minlength=len(background))
    return float(np.abs(np.cumsum(counts) / len(apart) - background).max())


def _neighbors(unit: np.ndarray, anchors: np.ndarray, k: int) -> np.ndarray:
    """Returns the k nearest of each anchor, itself left out: (A, k) int64."""
    made = np.empty((len(anchors), k), dtype=np.int64)
    for start in range(0, len(anchors), _CHUNK):
        part = anchors[start : start + _CHUNK]
        cosines = unit[part] @ unit.T
        cosines[np.arange(len(part)), part] = -np.inf
        made[start : start + _CHUNK] = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    return made

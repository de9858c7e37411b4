"""Regions of a reference where the samples have none, and whether chance explains that. Pure arithmetic.

A reference vector is covered where a sample is nearer than its k-th nearest reference vector: the coverage of M. F.
Naeem, S. J. Oh, Y. Uh, Y. Choi & J. Yoo, ICML 2020 (arXiv:2002.09797). That is so unless the first k of its neighbors
among both sets together are all of the reference. So all it takes is the neighbors of both sets together, and what
chance leaves uncovered is seen by dealing out the names "reference" and "sample" anew, on the same neighbors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.numbers import require_whole
from loupe.brain.similarity.neighbors import nearest
from loupe.brain.slicing.clusters import k_means
from loupe.brain.stats import ball_coverage

#: of each side so many vectors are compared: beyond it they are drawn
MAX_VECTORS = 20_000
#: of fewer reference vectors no region can be told
MIN_REFERENCE = 20
#: as many neighbors make a ball as let chance cover this share, but no fewer and no more than these
_EXPECTED, _MIN_K, _MAX_K = 0.95, 5, 100
#: uncovered vectors are of one region where one is among so many nearest ones of the other
_LINKS = 5
_DEALS = 199
#: a region of more than this share of the reference is told in parts of about this size
_PART = 0.25
_MAX_PARTS = 20


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the reference that no sample is near to.

    Attributes:
        rows: (S,) int64: which reference vectors, those in its middle first
        p: how probable it is that the largest region by chance is at least as large
    """

    rows: np.ndarray
    p: float


@dataclass(frozen=True, eq=False)
class Uncovered:
    """What of a reference the samples cover.

    Attributes:
        compared: how many reference vectors were looked at
        covered: how many of them are covered
        expected: the share that samples drawn as the reference would cover
        k: how many neighbors make a ball
        samples: how many samples were compared: of each group one, at most ``MAX_VECTORS``
        regions: the largest first
    """

    compared: int
    covered: int
    expected: float
    k: int
    samples: int
    regions: tuple[Region, ...]


def enough_neighbors(reference: int, samples: int) -> int:
    """Returns for how many neighbors chance leaves few uncovered: 5 for as many samples as reference vectors.

    >>> enough_neighbors(1000, 1000), enough_neighbors(10_000, 1000)
    (5, 32)
    """
    k = _MIN_K
    while k < min(_MAX_K, reference - 1) and ball_coverage.coverage(reference, samples, k) < _EXPECTED:
        k += 1
    return k


@dataclass(frozen=True, eq=False)
class Looked:
    """What is looked at.

    Attributes:
        reference: sorted rows of the reference: at most ``MAX_VECTORS``, drawn
        samples: sorted rows of the samples: of each group one, at most as many
        k: how many neighbors make a ball
        rng: what is drawn later
    """

    reference: np.ndarray
    samples: np.ndarray
    k: int
    rng: np.random.Generator


@leavable
def looked_at(n: int, m: int, groups: np.ndarray | None = None, *, k: int | None = None, seed: int = 0) -> Looked:
    """Returns which of N reference vectors and M samples are compared; arguments as for ``uncovered``."""
    rng = np.random.default_rng(seed)
    kept = np.arange(n) if n <= MAX_VECTORS else _drawn(rng, n)
    rows = np.arange(m)
    if groups is not None:
        order = rng.permutation(m)
        rows = np.sort(order[np.unique(groups[order], return_index=True)[1]])
    if len(rows) > MAX_VECTORS:
        rows = rows[_drawn(rng, len(rows))]
    return Looked(kept, rows, enough_neighbors(len(kept), len(rows)) if k is None else k, rng)


def uncovered(
    reference: np.ndarray,
    samples: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    k: int | None = None,
    fdr: float = 0.05,
    seed: int = 0,
    neighbors: np.ndarray | None = None,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Uncovered:
    """Returns what of a reference the samples cover, and the regions without samples that chance does not explain.

    The test counts one sample of each group: more pictures of a prompt cover no other places by chance. A region keeps
    only what all samples together do not cover.

    Args:
        reference: (N, D) float32 of unit length
        samples: (M, D) float32 of unit length
        groups: (M,) int64: the group of each sample; None: each is one of its own
        k: how many neighbors make a ball; None: as many as let chance cover 95 %, 5 to 100
        fdr: regions of a larger p are none
        seed: of what is drawn
        neighbors: (n + m, k) int64, where they are known: the nearest of what ``looked_at`` says, among the reference
            and, counted on from there, the samples
        step: called with how much is done

    Raises:
        InputError: fewer than 20 reference vectors, no sample, vectors of two sizes, or a k that is not below N
    """
    _require(reference, samples, k)
    looked = looked_at(len(reference), len(samples), groups, k=k, seed=seed)
    kept, rows, size, rng = looked.reference, looked.samples, looked.k, looked.rng
    n, m = len(kept), len(rows)
    total = n + m + _DEALS
    if neighbors is None:
        both = np.concatenate([reference[kept], samples[rows]])
        neighbors, _ = nearest(both, size, step=lambda done: step(done, total))
    is_sample = np.arange(n + m) >= n
    open_rows = _open(is_sample, neighbors)
    regions: tuple[Region, ...] = ()
    if open_rows.any():
        parts = _components(open_rows, neighbors)
        largest = np.zeros(_DEALS, dtype=np.int64)
        for deal in range(_DEALS):
            step(n + m + deal, total)
            other = _open(rng.permutation(is_sample), neighbors)
            largest[deal] = max(map(len, _components(other, neighbors)), default=0)
        known = [(part, float((1 + (largest >= len(part)).sum()) / (1 + _DEALS))) for part in parts]
        regions = _regions(reference[kept], samples, [(part, p) for part, p in known if p <= fdr], size, seed)
    named = tuple(Region(kept[region.rows], region.p) for region in regions)
    return Uncovered(n, int(n - open_rows[:n].sum()), ball_coverage.coverage(n, m, size), size, m, named)


def _require(reference: np.ndarray, samples: np.ndarray, k: int | None) -> None:
    if len(reference) < MIN_REFERENCE:
        raise InputError(f"expected at least {MIN_REFERENCE} reference pictures with a vector, got {len(reference):,}")
    if not len(samples):
        raise InputError("expected samples with a vector to compare with the reference, got none")
    if reference.shape[1] != samples.shape[1]:
        raise InputError(
            f"expected vectors of one embedder, got {samples.shape[1]} numbers a sample and {reference.shape[1]} a "
            "reference picture: embed both alike"
        )
    if k is not None:
        require_whole(k=(k, 1, len(reference) - 1))


def _drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.sort(rng.choice(n, MAX_VECTORS, replace=False))


def _open(is_sample: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Returns which vectors are of the reference and have nothing but reference among their nearest: (N + M,) bool."""
    return ~is_sample & ~is_sample[neighbors].any(axis=1)


def _components(open_rows: np.ndarray, neighbors: np.ndarray) -> list[np.ndarray]:
    """Returns the rows of each region of uncovered vectors that are near each other, the largest first."""
    rows = np.flatnonzero(open_rows)
    if not len(rows):
        return []
    place = np.full(len(open_rows), -1)
    place[rows] = np.arange(len(rows))
    ends = place[neighbors[rows, :_LINKS]]
    starts = np.repeat(np.arange(len(rows)), ends.shape[1])
    both = ends.ravel() >= 0
    graph = coo_array((np.ones(both.sum(), np.int8), (starts[both], ends.ravel()[both])), shape=(len(rows), len(rows)))
    _, part = connected_components(graph, directed=False)
    order = np.argsort(part, kind="stable")
    parts = np.split(rows[order], np.cumsum(np.bincount(part))[:-1])
    return sorted(parts, key=lambda own: (-len(own), int(own[0])))


def _regions(
    reference: np.ndarray, samples: np.ndarray, parts: list[tuple[np.ndarray, float]], k: int, seed: int
) -> tuple[Region, ...]:
    """Returns the regions with what all samples leave uncovered of them; a very large one in parts."""
    made = []
    for rows, p in parts:
        radius = nearest(reference[rows], k + 1, reference)[1][:, -1]  # the first is the vector itself
        rest = rows[nearest(reference[rows], 1, samples)[1][:, 0] < radius]
        made += [Region(_middle_first(reference, own), p) for own in _split(reference, rest, seed) if len(own)]
    return tuple(sorted(made, key=lambda region: (-len(region.rows), int(region.rows[0]))))


def _split(reference: np.ndarray, rows: np.ndarray, seed: int) -> list[np.ndarray]:
    parts = min(_MAX_PARTS, math.ceil(len(rows) / (_PART * len(reference))))
    if parts < 2 or len(np.unique(reference[rows], axis=0)) < parts:
        return [rows]
    labels = k_means(reference[rows], parts, seed)
    return [rows[labels == label] for label in range(parts)]


def _middle_first(reference: np.ndarray, rows: np.ndarray) -> np.ndarray:
    near = reference[rows] @ reference[rows].mean(axis=0)
    return np.asarray(rows[np.argsort(-near, kind="stable")])

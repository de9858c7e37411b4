"""How typical a vector is: of its class, or of its surroundings."""

from __future__ import annotations

import numpy as np

from loupe.brain.similarity.neighbors import nearest

#: nearest neighbors that density is the mean similarity to, and how many vectors they are looked for among
NEIGHBORS, REFERENCE = 20, 10_000


def to_class(unit: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Returns the cosine of each vector to the mean of its class: (N,) float32 in [-1, 1], higher is more typical.

    Args:
        unit: (N, D) float32 of unit length
        given: (N,) int64 classes
    """
    order = np.argsort(given, kind="stable")
    _, first, own = np.unique(given[order], return_index=True, return_inverse=True)
    sums = np.add.reduceat(unit[order], first, axis=0)
    means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    made = np.empty(len(unit), np.float32)
    made[order] = np.einsum("nd,nd->n", unit[order], means[np.ravel(own)])
    return made


def of_class(unit: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Returns the share of its class that is less typical than each: (N,) in (0, 1), so that the first are of each.

    Args:
        unit: (N, D) float32 of unit length
        given: (N,) int64 classes
    """
    order = np.lexsort((to_class(unit, given), given))
    own = given[order]
    first, last = np.searchsorted(own, own, side="left"), np.searchsorted(own, own, side="right")
    made = np.empty(len(unit))
    made[order] = (np.arange(len(own)) - first + 0.5) / (last - first)
    return made


def density(unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the mean cosine of each vector to its 20 nearest others: (N,) float32, higher is in a denser place.

    With more than 10,000 vectors the neighbors are looked for among so many, drawn. The measure of typicality of
    Hacohen, Dekel & Weinshall, Active learning on a budget, ICML 2022 (arXiv:2202.02794).
    """
    n = len(unit)
    if n < 2:
        return np.ones(n, np.float32)
    if n <= REFERENCE:
        return np.asarray(nearest(unit, min(NEIGHBORS, n - 1))[1].mean(axis=1))
    drawn = np.sort(rng.choice(n, REFERENCE, replace=False))
    indices, cosines = nearest(unit, NEIGHBORS + 1, unit[drawn])
    itself = drawn[indices] == np.arange(n)[:, None]
    # one that was drawn is among its own neighbors; of the others the farthest goes
    itself[~itself.any(axis=1), -1] = True
    return np.asarray(cosines[~itself].reshape(n, NEIGHBORS).mean(axis=1))

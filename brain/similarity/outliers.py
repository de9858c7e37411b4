"""How far vectors lie from their nearest: among all of them, or, of very many, among some drawn by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.similarity import cells
from loupe.brain.similarity.neighbors import nearest

#: of very many vectors the nearest are looked for among so many
REFERENCE = 50_000


def distances(unit: np.ndarray, k: int, *, seed: int = 0, step: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """Returns the cosine distances of each vector to its k nearest: (N, k) float32 of at least 0, nearest first.

    Up to 150,000 vectors these are the nearest of all. Of more they are those of 50,000, drawn by chance: how far
    vectors lie from a few of their set says as well which are odd (Sugiyama and Borgwardt, Rapid distance-based outlier
    detection via sampling, NIPS 2013), and takes time with N, not with its square.

    Args:
        unit: (N, D) float32 of unit length
        k: how many, at most all others
        seed: of the draw
        step: called with the number of vectors done
    """
    n = len(unit)
    if n <= cells.EXACT_UP_TO:
        _, cosines = nearest(unit, k, step=step)
        return np.asarray(np.maximum(1 - cosines, 0))
    chosen = np.sort(np.random.default_rng(seed).choice(n, min(REFERENCE, n), replace=False))
    # one more: those that were drawn find themselves, as nothing is nearer
    _, cosines = nearest(unit, k + 1, unit[chosen], step=step)
    drawn = np.zeros(n, dtype=bool)
    drawn[chosen] = True
    return np.asarray(np.maximum(1 - np.where(drawn[:, None], cosines[:, 1:], cosines[:, :-1]), 0))


def message(n: int) -> str:
    """Returns what is to be known of how n vectors are compared; empty where all are with all.

    >>> message(1_000_000)[:62]
    'the nearest of the 1,000,000 vectors were looked for among 50,'
    """
    if n <= cells.EXACT_UP_TO:
        return ""
    return f"the nearest of the {n:,} vectors were looked for among {REFERENCE:,} of them, drawn by chance"

"""Facility location: the chosen that all others are, added up, the most similar to.

Each greedy step takes what raises the sum most; it comes to at least 1 - 1/e of the best possible (Nemhauser, Wolsey &
Fisher, Mathematical Programming 14, 1978), lazily (Minoux 1978). Large sets are cut into parts of similar vectors that
are covered from within, and the parts' steps are merged by what they gain (after Mirzasoleiman et al., Distributed
submodular maximization, NIPS 2013).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.selection.distances import to_nearest
from loupe.brain.selection.parts import SIZE, parts

#: gains that are looked at together
_AT_ONCE = 16


def facility_location(
    unit: np.ndarray,
    n: int,
    *,
    taken: np.ndarray | None = None,
    size: int = SIZE,
    seed: int = 0,
    step: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Returns the (n,) int64 places of the chosen, the one that gains most first. The similarity is (1 + cosine) / 2.

    Args:
        unit: (N, D) float32 of unit length
        n: how many beside those that are taken
        taken: (N,) bool: those that count as chosen already
        size: of a part: up to so many vectors it is the exact greedy
        seed: of the parts
        step: called with how many vectors are done
    """
    taken = np.zeros(len(unit), dtype=bool) if taken is None else taken
    orders, gains, seen = [], [], 0
    free = int((~taken).sum())
    for part in parts(unit, size, seed):
        kernel = unit[part] @ unit[part].T
        kernel = np.clip((kernel + 1) / 2, 0, 1)
        own = taken[part]
        cover = kernel[own].max(axis=0) if own.any() else np.zeros(len(part), np.float32)
        left = int((~own).sum())
        # twice its share is enough: the steps of all parts are merged by what they gain
        depth = left if free == left else min(left, 2 * int(np.ceil(n * left / max(free, 1))) + _AT_ONCE)
        order, gain = greedy(kernel, min(depth, n), cover, own)
        orders.append(part[order])
        gains.append(gain)
        seen += len(part)
        step(seen)
    place, gain = np.concatenate(orders), np.concatenate(gains)
    return np.asarray(place[np.argsort(-gain, kind="stable")[:n]])


def greedy(
    kernel: np.ndarray, n: int, cover: np.ndarray | None = None, taken: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (n,) places in the order of the greedy steps, and what each gained, falling.

    Args:
        kernel: (M, M) similarities of at least 0: of a customer (column) to a facility (row)
        n: at most as many as are not taken
        cover: (M,) how similar each is to the most similar that is taken; 0 by default
        taken: (M,) bool
    """
    cover = np.zeros(kernel.shape[1], kernel.dtype) if cover is None else cover.copy()
    bound = np.maximum(kernel - cover, 0).sum(axis=1, dtype=np.float64)
    if taken is not None:
        bound[taken] = -np.inf
    order, gains = np.empty(n, dtype=np.int64), np.empty(n)
    at_once = min(_AT_ONCE, len(bound))
    for at in range(n):
        while True:
            top = np.argpartition(-bound, at_once - 1)[:at_once]
            top = np.sort(top[np.isfinite(bound[top])])
            gain = np.maximum(kernel[top] - cover, 0).sum(axis=1, dtype=np.float64)
            bound[top] = gain
            best = int(bound.argmax())
            if best in top:
                break
        order[at], gains[at] = best, bound[best]
        np.maximum(cover, kernel[best], out=cover)
        bound[best] = -np.inf
    return order, np.minimum.accumulate(gains) if n else gains


def coverage(unit: np.ndarray, chosen: np.ndarray) -> float:
    """Returns the mean similarity of each vector to the most similar chosen: in [0, 1], higher is better."""
    return float(1 - to_nearest(unit, unit[chosen]).mean(dtype=np.float64) / 4)

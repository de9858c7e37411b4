"""Diverse vectors: each next one is the farthest from all before it (k-center greedy), exactly and fast.

Gonzalez, Clustering to minimize the maximum intercluster distance, TCS 38 (1985): the radius is at most twice the best
possible. Sener & Savarese, Active learning for convolutional neural networks, ICLR 2018 (arXiv:1708.00489), start from
what is labeled already.

A distance to the nearest center only falls as centers come. So what is known of a vector from earlier is an upper
bound, and only those with the highest bounds need looking at: most vectors are brought up to date seldom, and then with
many centers in one matrix product. The order is that of the plain algorithm, but for ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loupe.brain.selection.distances import SAME, blocks, squared, to_nearest

#: vectors that are looked at together: 2048 of 512 numbers fit into a processor's cache
_CANDIDATES = 2048
#: those whose bounds are about as old are brought up to date together
_AGES = 8
_TILE = 4096


@dataclass(frozen=True, eq=False)
class Centers:
    """What ``k_center`` chose.

    Attributes:
        order: (n,) int64 places of the chosen, in their order
        radius: the largest distance of any vector to the nearest chosen (or start), in [0, 2]; lower is better
        copies: how many of the chosen, the last ones, are copies of others: nothing else was left
    """

    order: np.ndarray
    radius: float
    copies: int


def k_center(
    unit: np.ndarray,
    n: int,
    rng: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    step: Callable[[int], None] = lambda done: None,
) -> Centers:
    """Returns n vectors of which each is the farthest from those before it; the first is the nearest to the mean.

    Args:
        unit: (N, D) float32 of unit length
        n: how many, in [1, N]
        rng: the order of what are copies of others
        start: (M, D) float32 of unit length: vectors that count as chosen already
        step: called with how many are chosen

    >>> k_center(np.array([[1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32), 2, np.random.default_rng(0)).order.tolist()
    [2, 1]
    """
    size = len(unit)
    chosen = np.empty(n, dtype=np.int64)
    done, upto = 0, np.zeros(size, dtype=np.int64)
    if start is not None and len(start):
        bound = to_nearest(unit, start)
    else:
        mean = unit.mean(axis=0, dtype=np.float64).astype(np.float32)
        chosen[0] = first = int(np.argmax(unit @ mean))
        bound = squared(unit, unit[first][None])[:, 0]
        bound[first] = -1
        done = 1
        upto[:] = 1
    radius = 0.0
    while True:
        top, rest = _candidates(bound)
        _update(unit, bound, upto, top, chosen[:done])
        own, held = unit[top], bound[top]
        while done < n:
            best = int(held.argmax())
            if held[best] < rest or held[best] <= SAME:
                break
            chosen[done] = top[best]
            np.minimum(held, squared(own, own[best][None])[:, 0], out=held)
            held[best] = -1
            done += 1
        bound[top], upto[top] = held, done
        step(done)
        highest = float(held.max())
        if max(highest, rest) <= SAME:  # copies are left
            break
        if done == n and highest >= rest:
            radius = float(np.sqrt(max(highest, 0.0)))
            break
    copies = n - done
    if copies:
        free = np.ones(size, dtype=bool)
        free[chosen[:done]] = False
        chosen[done:] = rng.permutation(np.flatnonzero(free))[:copies]
    return Centers(chosen, radius, copies)


def _candidates(bound: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the places with the highest bounds, ascending, and the highest bound of the others."""
    if len(bound) <= _CANDIDATES:
        return np.arange(len(bound)), -1.0
    order = np.argpartition(-bound, _CANDIDATES)
    return np.sort(order[:_CANDIDATES]), float(bound[order[_CANDIDATES]])


def _update(unit: np.ndarray, bound: np.ndarray, upto: np.ndarray, top: np.ndarray, centers: np.ndarray) -> None:
    """Brings the bounds of some vectors up to date, by the centers that came since."""
    old = top[(upto[top] < len(centers)) & (bound[top] >= 0)]
    for part in np.array_split(old[np.argsort(upto[old], kind="stable")], _AGES):
        if not len(part):
            continue
        own, new = unit[part], centers[upto[part].min() :]
        for tile in blocks(len(new), _TILE):
            bound[part] = np.minimum(bound[part], squared(own, unit[new[tile]]).min(axis=1))
        upto[part] = len(centers)

"""Exact nearest neighbours of vectors by cosine, tile by tile: memory never grows with N².

Exact search is right up to about a hundred thousand vectors, as the products of two tiles run at the processor's full
speed. The pairs of more are looked for in cells (``near_pairs``), and how many that finds is measured each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.similarity import cells
from loupe.brain.similarity.cells import Thoroughness
from loupe.brain.similarity.gathered import Gathered, Vectors

#: vectors a side of a tile: 4096² floats are 64 MiB
_TILE = 4096
#: cells that a vector is looked for in at first: many numbers have more borders than the few of a hash
_PROBES = 16


def usable(given: Sequence[np.ndarray | None]) -> Vectors:
    """Returns the vectors that can be compared with each other, scaled to unit length, and why the others cannot.

    Of vectors of different sizes, those of the most frequent size are taken. The arrays given are not changed.

    >>> usable([np.array([3.0, 4.0]), None, np.array([np.nan, 1.0])]).reasons
    {1: 'no vector', 2: 'a vector with NaN or infinity'}
    """
    gathered = Gathered(len(given))
    for place, vector in enumerate(given):
        gathered.put(place, vector)
    return gathered.vectors()


@leavable
def nearest(
    unit: np.ndarray, k: int, others: np.ndarray | None = None, *, step: Callable[[int], None] = lambda _: None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each vector the indices and the cosines of its k nearest: (N, k) int64 and float32, nearest first.

    Args:
        unit: (N, D) float32 of unit length
        k: how many, at most all others
        others: (M, D), where to look; the vectors themselves by default, each but itself
        step: called with the number of vectors done after each row of tiles
    """
    import torch

    searched = unit if others is None else others
    k = min(k, len(searched) - (others is None))
    where, which = torch.from_numpy(unit), torch.from_numpy(searched)
    indices, cosines = np.zeros((len(unit), max(k, 0)), np.int64), np.zeros((len(unit), max(k, 0)), np.float32)
    if k < 1:
        return indices, cosines
    side = _TILE // 4
    for top in range(0, len(unit), side):
        rows = where[top : top + side]
        best = torch.full((len(rows), 0), -2.0)
        index = torch.zeros((len(rows), 0), dtype=torch.int64)
        for left in range(0, len(searched), 4 * _TILE):
            tile = rows @ which[left : left + 4 * _TILE].T
            if others is None:
                own = torch.arange(top, top + len(rows)) - left
                inside = (own >= 0) & (own < tile.shape[1])
                tile[inside.nonzero()[:, 0], own[inside]] = -2.0
            values, columns = tile.topk(min(k, tile.shape[1]), dim=1)
            best, index = torch.cat([best, values], 1), torch.cat([index, columns + left], 1)
            best, order = best.topk(min(k, best.shape[1]), dim=1)
            index = index.gather(1, order)
        indices[top : top + len(rows)], cosines[top : top + len(rows)] = index.numpy(), best.numpy()
        step(top + len(rows))
    return indices, cosines


def nearest_to(query: np.ndarray, unit: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the indices and the cosines of the k vectors nearest to one, nearest first, without torch's start.

    >>> unit = np.eye(3, dtype=np.float32)
    >>> nearest_to(np.array([0.8, 0.6, 0.0], np.float32), unit, 2)[0].tolist()
    [0, 1]

    Args:
        query: (D,) float32 of unit length
        unit: (N, D) float32 of unit length
        k: how many, at most N
    """
    cosines = unit @ query
    indices = np.argsort(-cosines, kind="stable")[:k]
    return indices, cosines[indices]


def pairs_above(
    unit: np.ndarray,
    minimum: float,
    *,
    maximum: int | None = None,
    groups: np.ndarray | None = None,
    step: Callable[[int], None] = lambda _: None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns every pair whose cosine is above ``minimum``: (P,) int64 a < b, and their (P,) float32 cosines.

    Args:
        unit: (N, D) float32 of unit length
        minimum: in [-1, 1]
        maximum: when given, of a vector that has more in a tile of 4096 others, its nearest ones
        groups: (N,) ints; when given, only pairs across two groups
        step: called with the number of vectors done after each row of tiles
    """
    import torch

    vectors = torch.from_numpy(unit)
    of = None if groups is None else torch.from_numpy(np.asarray(groups))
    first, second, cosine = [], [], []
    for top in range(0, len(unit), _TILE):
        rows = vectors[top : top + _TILE]
        for left in range(top, len(unit), _TILE):
            tile = rows @ vectors[left : left + _TILE].T
            if top == left:
                tile.masked_fill_(torch.ones_like(tile, dtype=torch.bool).tril_(), -2.0)
            if of is not None:
                tile.masked_fill_(of[top : top + _TILE, None] == of[left : left + _TILE], -2.0)
            # nothing above the minimum is the rule: the highest is found faster than every place
            near = (tile.amax(1) > minimum).nonzero()[:, 0]
            tile = tile[near]
            if maximum is not None and tile.shape[1] > maximum:
                kth = tile.topk(maximum, dim=1).values[:, -1:]
                tile = tile.masked_fill_(tile < kth, -2.0)
            row, column = (tile > minimum).nonzero(as_tuple=True)
            first.append(near[row] + top)
            second.append(column + left)
            cosine.append(tile[row, column])
        step(min(top + _TILE, len(unit)))
    if not first:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    return torch.cat(first).numpy(), torch.cat(second).numpy(), torch.cat(cosine).numpy()


@leavable
def near_pairs(
    unit: np.ndarray, minimum: float, per_vector: int, *, seed: int = 0, step: Callable[[int], None] = lambda _: None
) -> tuple[np.ndarray, np.ndarray, Thoroughness]:
    """Returns the pairs of near vectors, for each its nearest: all of up to 150,000, nearly all of more.

    Of more, vectors are compared within cells (``similarity.cells``). How many pairs that finds is measured on 2,000
    vectors that are compared with all others; where it is less than .99, more cells are looked into.

    Args:
        unit: (N, D) float32 of unit length
        minimum: a pair's cosine is above it
        per_vector: how many pairs of one vector are wanted: of more, its nearest ones, and with all some more
        seed: of where the cells lie, and of the vectors that are compared with all others
        step: called with the number of vectors done

    Returns:
        two (P,) arrays of indices a < b, each pair once, and how it was searched
    """
    n = len(unit)
    if n <= cells.EXACT_UP_TO:
        a, b, _ = pairs_above(unit, minimum, maximum=per_vector, step=step)
        return a, b, Thoroughness()
    placed = cells.Cells.of(unit, seed)

    def search_with(probes: int) -> cells.Nearest:
        held = cells.Nearest(n, per_vector, minimum)
        cells.search(placed, [unit], held, probes=probes, step=lambda at: step(at * n // len(placed)))
        return held

    controls = np.sort(np.random.default_rng(seed + 1).choice(n, cells.CONTROLS, replace=False))
    expected = _of_controls(unit, controls, minimum, per_vector)
    held, how = cells.until_found(search_with, expected, controls, len(placed), _PROBES)
    row, other, _ = held.pairs()
    pairs = np.unique(np.minimum(row, other) * n + np.maximum(row, other))
    return pairs // n, pairs % n, how


def _of_controls(unit: np.ndarray, controls: np.ndarray, minimum: float, keep: int) -> cells.Expected:
    """Returns the nearest of some vectors among all others that are above the minimum."""
    indices, cosines = nearest(unit[controls], min(keep + 1, len(unit)), unit)
    place, column = np.nonzero((cosines > minimum) & (indices != controls[:, None]))
    return cells.Expected(place, indices[place, column], cosines[place, column])

"""How many are taken of what: whole numbers by shares, evenly over cells, and at most so many of a group."""

from __future__ import annotations

import numpy as np


def in_proportion(sizes: np.ndarray, n: int, room: np.ndarray | None = None) -> np.ndarray:
    """Returns how many are taken of each cell: (C,) int64 of sum n, in proportion to the sizes (largest remainders).

    Args:
        sizes: (C,) numbers of at least 0, one above 0
        n: at most the sum of the room
        room: (C,) how many there are of each, the sizes by default; what a full cell cannot take, the others do

    >>> in_proportion(np.array([60, 30, 10]), 5).tolist()
    [3, 2, 0]
    """
    room = np.asarray(sizes if room is None else room, dtype=np.int64)
    weights = np.asarray(sizes, dtype=np.float64)
    made = np.zeros(len(weights), dtype=np.int64)
    open_ = (room > 0) & (weights > 0)
    while True:
        left = n - int(made.sum())
        if not open_.any():  # only cells without a weight have room
            open_, weights = made < room, np.ones(len(weights))
        wanted = np.where(open_, weights, 0) / max(float(weights[open_].sum()), 1e-300) * left
        full = open_ & (wanted >= room)
        if not full.any():
            break
        made[full] = room[full]
        open_ &= ~full
        if int(made.sum()) >= n or not (made < room).any():
            return made
    whole = np.floor(wanted).astype(np.int64)
    first = np.lexsort((np.arange(len(wanted)), whole - wanted))
    whole[first[: left - int(whole.sum())]] += 1
    return np.asarray(made + whole)


def evenly(room: np.ndarray, n: int, held: np.ndarray | None = None) -> np.ndarray:
    """Returns how many are taken of each cell: (C,) int64 of sum n, so that all come to as much as they can.

    Water-filling: small cells give all they have, the others are filled to one level.

    Args:
        room: (C,) how many there are of each
        n: at most their sum
        held: (C,) how many are chosen already

    >>> evenly(np.array([100, 2, 100]), 10).tolist()
    [4, 2, 4]
    """
    room = np.asarray(room, dtype=np.int64)
    held = np.zeros(len(room), dtype=np.int64) if held is None else np.asarray(held, dtype=np.int64)

    def filled(level: int) -> np.ndarray:
        return np.clip(level - held, 0, room)

    low, high = 0, int((held + room).max(initial=0))
    while low < high:  # the highest level that n fill
        middle = (low + high + 1) // 2
        low, high = (middle, high) if int(filled(middle).sum()) <= n else (low, middle - 1)
    made = filled(low)
    more = np.flatnonzero((made < room) & (held + made <= low))
    made[more[: n - int(made.sum())]] += 1
    return np.asarray(made)


def thinned(places: np.ndarray, groups: np.ndarray, rank: np.ndarray, maximum: int, taken: np.ndarray) -> np.ndarray:
    """Returns those of some places that at most so many of each group leave, ascending.

    Args:
        places: (P,) int64
        groups: (N,) int64: the group of each of all N
        rank: (N,) of a group those with the lowest stay
        maximum: of a group, those that are taken included
        taken: (T,) int64 places that are chosen already
    """
    count = np.bincount(groups[taken], minlength=int(groups.max(initial=-1)) + 1)
    order = places[np.lexsort((places, rank[places], groups[places]))]
    own = groups[order]
    first = np.searchsorted(own, own, side="left")
    return np.sort(order[np.arange(len(order)) - first < maximum - count[own]])

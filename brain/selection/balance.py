"""As many of each cell as there can be: classes, or classes by context; also where a sample is in several."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from loupe.brain.selection.budget import evenly


def balanced(cells: sparse.csr_matrix, n: int, rng: np.random.Generator, held: np.ndarray | None = None) -> np.ndarray:
    """Returns the (n,) int64 places of the chosen, so that every cell comes to as many as it can.

    Of samples in one cell each it is exact (water-filling), in any order within a cell. Of samples in several cells
    each step takes one for whose cells, on average, the fewest are chosen so far: an average of 1 / (1 + chosen).

    Args:
        cells: (N, C) which cells each sample is in, at least one
        n: at most N
        rng: decides among equals
        held: (C,) how many of each cell are chosen already
    """
    held = np.zeros(cells.shape[1], dtype=np.int64) if held is None else held
    lengths = np.diff(cells.indptr)
    order = rng.permutation(cells.shape[0])
    if (lengths == 1).all():
        own = cells.indices[order]
        take = evenly(np.bincount(own, minlength=cells.shape[1]), n, held)
        by_cell = np.argsort(own, kind="stable")
        own = own[by_cell]
        rank = np.arange(len(own)) - np.searchsorted(own, own, side="left")
        # level by level, so that the first of the chosen are balanced, too
        level = held[own] + rank
        kept = rank < take[own]
        return np.asarray(order[by_cell[kept]][np.argsort(level[kept], kind="stable")])
    return _of_several(cells, n, order, held)


def _of_several(cells: sparse.csr_matrix, n: int, order: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Samples in the same cells are alike: the steps choose among kinds of samples."""
    kinds, kind_of = _kinds(cells)
    share = kinds.multiply(1 / np.maximum(np.diff(kinds.indptr), 1)[:, None]).tocsr()
    waiting: list[list[int]] = [[] for _ in range(kinds.shape[0])]
    for place in order[::-1].tolist():
        waiting[kind_of[place]].append(place)
    count = held.astype(np.float64)
    left = np.array([len(each) for each in waiting])
    chosen = np.empty(n, dtype=np.int64)
    gain = share @ (1 / (1 + count))
    by_cell = share.tocsc()
    for at in range(n):
        best = int(np.where(left > 0, gain, -1).argmax())
        chosen[at] = waiting[best].pop()
        left[best] -= 1
        for cell in kinds.indices[kinds.indptr[best] : kinds.indptr[best + 1]].tolist():
            rows = slice(by_cell.indptr[cell], by_cell.indptr[cell + 1])
            gain[by_cell.indices[rows]] += by_cell.data[rows] * (1 / (2 + count[cell]) - 1 / (1 + count[cell]))
            count[cell] += 1
    return chosen


def _kinds(cells: sparse.csr_matrix) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Returns the (K, C) different rows, and the kind of each: (N,) int64."""
    known: dict[bytes, int] = {}
    kind_of = np.empty(cells.shape[0], dtype=np.int64)
    first = []
    for row in range(cells.shape[0]):
        own = np.sort(cells.indices[cells.indptr[row] : cells.indptr[row + 1]]).tobytes()
        if own not in known:
            known[own] = len(known)
            first.append(row)
        kind_of[row] = known[own]
    return cells[first], kind_of

"""The nearest of very many vectors, looked for in cells: the vectors around some centers, compared exactly.

Each vector lies in the cell of its nearest center, and is compared with those of the cells of its ``probes`` nearest
centers: an inverted file (Sivic and Zisserman 2003, doi:10.1109/ICCV.2003.1238663; Jégou et al. 2011,
doi:10.1109/TPAMI.2010.57), whose products are done cell by cell, as large ones. What lies near a border may be missed:
how much, ``found_of`` tells, by vectors that are compared with all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.proportions import Proportion
from loupe.brain.core.records import Record

if TYPE_CHECKING:
    from torch import Tensor

#: vectors up to which all are compared with all
EXACT_UP_TO = 150_000
#: centers are so many times the square root of the vectors; so many vectors each are looked at to place them
_CENTERS, _PER_CENTER, _ROUNDS = 1.5, 48, 6
#: cells that each vector is compared with, at first and at most
PROBES, MAX_PROBES = 8, 64
#: what the search has to find; what was found is looked at again with twice as many cells
WANTED = 0.99
#: vectors that are compared with all others to tell what was found
CONTROLS = 2_000
#: cosines that differ by less are the same, as of products in another order
_SAME = 1e-5
#: rows of a product, and its numbers at most: 64 MiB
_ROWS, _TILE = 8192, 2**24

Step = Callable[[int], None]


@dataclass(frozen=True)
class Thoroughness(Record):
    """How pairs were looked for among very many.

    Attributes:
        probes: in how many cells each was looked for; 0: all were compared with all
        recall: of the pairs of some that were compared with all others, how many the search had found; None where all
            were compared with all
    """

    probes: int = 0
    recall: Proportion | None = None

    def message(self, n: int, what: str) -> str:
        """Returns what is to be known of it; empty where all were compared with all.

        >>> Thoroughness(8, Proportion.of(398, 400)).message(1_000_000, "pictures")[:59]
        'the 1,000,000 pictures were compared within cells, not all '
        """
        if self.recall is None:
            return ""
        start = f"the {n:,} {what} were compared within cells, not all with all: "
        if not self.recall.n:
            return f"{start}how much that misses is not known, as none of {CONTROLS:,} of them has a like one"
        return f"{start}of the like pairs of {CONTROLS:,} of them that were, it found {self.recall}"


@dataclass(frozen=True, eq=False)
class Cells:
    """N vectors, sorted into C cells.

    Attributes:
        centers: (C, D) float32 of unit length
        members: (N,) int64: the vectors, those of a cell one after the other, ascending in each
        starts: (C + 1,) int64: where in ``members`` each cell begins
        vectors: (N, D) float32 of unit length, or 0: in the order of ``members``
    """

    centers: np.ndarray
    members: np.ndarray
    starts: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, seed: int = 0) -> Cells:
        """Returns the cells of (N, D) float32 vectors, by k-means of some of them."""
        centers = _centers(vectors, max(1, round(_CENTERS * len(vectors) ** 0.5)), seed)
        own = nearest_centers(vectors, centers, 1)[:, 0]
        members = np.argsort(own, kind="stable")
        starts = np.searchsorted(own[members], np.arange(len(centers) + 1))
        return cls(centers, members, starts, vectors[members])

    def __len__(self) -> int:
        return len(self.centers)


class Nearest:
    """The ``keep`` nearest of each of N vectors that were seen so far, of those above a minimum.

    Attributes:
        cosines: (N, keep) float32: the highest first; -2: nothing
        indices: (N, keep) int64: of which vector; -1: nothing
    """

    def __init__(self, n: int, keep: int, minimum: float) -> None:
        self.cosines = np.full((n, keep), -2.0, np.float32)
        self.indices = np.full((n, keep), -1, np.int64)
        self._minimum, self._keep = np.float32(minimum), keep

    def offer(self, rows: np.ndarray, tile: Tensor, columns: np.ndarray) -> None:
        """Takes what is nearer than what is held.

        Args:
            rows: (R,) which vectors, each once
            tile: (R, M) their cosines
            columns: (M,) whose they are
        """
        import torch

        needed = np.maximum(self.cosines[rows, -1], self._minimum)
        # most rows hold nearer ones already: the highest is found faster than every place
        near = (tile.amax(1) > torch.from_numpy(needed)).nonzero()[:, 0]
        if not len(near):
            return
        values, places = tile[near].topk(min(self._keep, tile.shape[1]), dim=1)
        at = rows[near.numpy()]
        cosines = np.concatenate([self.cosines[at], values.numpy()], 1)
        indices = np.concatenate([self.indices[at], columns[places.numpy()]], 1)
        cosines[cosines <= self._minimum] = -2.0
        order = np.lexsort((-cosines, indices), axis=1)
        cosines, indices = np.take_along_axis(cosines, order, 1), np.take_along_axis(indices, order, 1)
        # one vector may have come by several of its views: the highest counts
        cosines[:, 1:][indices[:, 1:] == indices[:, :-1]] = -2.0
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : self._keep]
        cosines, indices = np.take_along_axis(cosines, order, 1), np.take_along_axis(indices, order, 1)
        self.cosines[at], self.indices[at] = cosines, np.where(cosines > -2.0, indices, -1)

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns all of them: (P,) rows, (P,) indices and (P,) cosines."""
        row, column = np.nonzero(self.indices >= 0)
        return row, self.indices[row, column], self.cosines[row, column]


def search(
    cells: Cells,
    views: Sequence[np.ndarray],
    into: Nearest,
    *,
    probes: int = PROBES,
    chosen: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    step: Step = lambda _: None,
) -> None:
    """Looks for the nearest of vectors, each by the highest cosine of its views.

    Args:
        cells: where to look
        views: V (M, D) float32 arrays: the vectors, as they are and otherwise; where M is N, each but itself
        into: what is found
        probes: how many cells each view is looked for in
        chosen: (M,) which of the N vectors these are; all of them by default
        groups: (N,) or (G, N) ints; when given, only others of another group, by each row
        step: called with the number of cells done
    """
    which = np.arange(len(views[0])) if chosen is None else chosen
    visits = _visits([nearest_centers(view, cells.centers, probes) for view in views], len(cells))
    for cell, rows in enumerate(visits):
        for start in range(cells.starts[cell], cells.starts[cell + 1], _ROWS):
            stop = min(start + _ROWS, int(cells.starts[cell + 1]))
            _compare(views, rows, cells, slice(start, stop), which, groups, into)
        step(cell + 1)


def _compare(
    views: Sequence[np.ndarray],
    rows: np.ndarray,
    cells: Cells,
    part: slice,
    which: np.ndarray,
    groups: np.ndarray | None,
    into: Nearest,
) -> None:
    import torch

    columns = cells.members[part]
    base = torch.from_numpy(cells.vectors[part]).T
    side = max(1, _TILE // len(columns))
    for top in range(0, len(rows), side):
        some = rows[top : top + side]
        tile = torch.from_numpy(views[0][some]) @ base
        for view in views[1:]:
            tile = torch.maximum(tile, torch.from_numpy(view[some]) @ base)
        own = which[some]
        place = np.minimum(np.searchsorted(columns, own), len(columns) - 1)
        itself = np.flatnonzero(columns[place] == own)
        tile[itself, place[itself]] = -2.0
        if groups is not None:
            tile[torch.from_numpy(in_one_group(groups, own, columns))] = -2.0
        into.offer(own, tile, columns)


def in_one_group(groups: np.ndarray, rows: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
    """Returns (R, C) bool: whether a row and a column are in one group, by some row of (N,) or (G, N) ints.

    >>> in_one_group(np.array([[0, 0, 1], [5, 6, 5]]), np.array([0]), np.array([1, 2]))
    array([[ True,  True]])
    """
    by_row = np.atleast_2d(groups)
    return np.logical_or.reduce([each[rows][:, None] == each[columns] for each in by_row])


def _visits(probed: Sequence[np.ndarray], n_cells: int) -> Iterator[np.ndarray]:
    """Yields for each cell the rows that look into it by any of their views, ascending."""
    n, width = probed[0].shape
    # a number for each cell and row: one sort puts the rows of a cell together, and equal ones side by side
    keys = np.unique(np.concatenate([view.ravel() * n + np.repeat(np.arange(n), width) for view in probed]))
    starts = np.searchsorted(keys, np.arange(n_cells + 1) * n)
    for cell in range(n_cells):
        yield keys[starts[cell] : starts[cell + 1]] - cell * n


def nearest_centers(vectors: np.ndarray, centers: np.ndarray, k: int) -> np.ndarray:
    """Returns the k nearest centers of each vector: (N, k) int64, fewer where there are fewer centers."""
    import torch

    k = min(k, len(centers))
    places = np.zeros((len(vectors), k), np.int64)
    side = max(1, _TILE // len(centers))
    columns = torch.from_numpy(centers).T
    for top in range(0, len(vectors), side):
        tile = torch.from_numpy(vectors[top : top + side]) @ columns
        places[top : top + side] = tile.topk(k, dim=1).indices.numpy()
    return places


def _centers(vectors: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Returns n centers of unit length, by k-means of some of the vectors (by cosine)."""
    rng = np.random.default_rng(seed)
    some = vectors[np.sort(rng.choice(len(vectors), min(len(vectors), n * _PER_CENTER), replace=False))]
    centers = some[rng.choice(len(some), n, replace=False)].copy()
    for _ in range(_ROUNDS):
        own = nearest_centers(some, centers, 1)[:, 0]
        order = np.argsort(own, kind="stable")
        filled = np.unique(own)
        sums = np.add.reduceat(some[order], np.searchsorted(own[order], filled), axis=0)
        centers[filled] = sums
        empty = np.setdiff1d(np.arange(n), filled)
        centers[empty] = some[rng.choice(len(some), len(empty), replace=False)]
        centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-12)
    return centers


@dataclass(frozen=True, eq=False)
class Expected:
    """The P pairs that some vectors have, compared with all others.

    Attributes:
        places: (P,) int64: which of the vectors
        others: (P,) int64: the index of the other one
        cosines: (P,) of the two
    """

    places: np.ndarray
    others: np.ndarray
    cosines: np.ndarray


def found_of(expected: Expected, nearest: Nearest, controls: np.ndarray) -> Proportion:
    """Returns how many of the pairs of some vectors a search has found.

    A pair is found where either of its two has the other, or as many that are as near: of a hundred copies of one
    vector, eight are as good as any.

    Args:
        expected: the pairs that there are
        nearest: what the search found
        controls: (C,) which vectors were compared with all others
    """
    own = controls[expected.places]
    mine = (nearest.indices[own] == expected.others[:, None]).any(1)
    theirs = (nearest.indices[expected.others] == own[:, None]).any(1)
    as_near = nearest.cosines[own, -1] >= expected.cosines - _SAME
    return Proportion.of(int((mine | theirs | as_near).sum()), len(own))


def until_found(
    search_with: Callable[[int], Nearest],
    expected: Expected,
    controls: np.ndarray,
    n_cells: int,
    first: int | None = None,
) -> tuple[Nearest, Thoroughness]:
    """Searches with more and more cells until ``WANTED`` of what there is is found.

    Args:
        search_with: searches in so many cells a vector
        expected, controls: as for ``found_of``
        n_cells: how many there are
        first: in how many to look at first
    """
    probes = min(first or PROBES, n_cells)
    while True:
        nearest = search_with(probes)
        recall = found_of(expected, nearest, controls)
        if not recall.n or recall.rate >= WANTED or probes >= min(MAX_PROBES, n_cells):
            return nearest, Thoroughness(probes, recall)
        probes = min(2 * probes, MAX_PROBES, n_cells)

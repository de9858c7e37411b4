"""Who lies in whose ball: the counts that precision, recall, density and coverage are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

#: sorted indices of real and of synthetic vectors, and the squared radii of either
Members: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
#: of a tile so many pairs in any ball are gone through one by one; of more the whole tile is compared for each part
_FEW = 1 / 16


class Counts:
    """The counts of a part of both sets, in the order of its own indices.

    A ball is closed: with an open one a set whose vectors are all alike would not even cover itself.

    Attributes:
        held: (A,) int64: synthetic vectors in each real one's ball
        near: (B,) int64: real vectors whose clipped ball holds each synthetic one
        inside: (B,) bool: whether a synthetic vector lies in the ball of any real one
        recalled: (A,) bool: whether a real vector lies in the ball of any synthetic one
    """

    def __init__(self, real: int, synthetic: int) -> None:
        """``real``, ``synthetic``: how many vectors of either."""
        self.held, self.near = np.zeros(real, np.int64), np.zeros(synthetic, np.int64)
        self.inside, self.recalled = np.zeros(synthetic, bool), np.zeros(real, bool)


class Balls:
    """Counts for several parts of both sets at once, while tiles of real rows and synthetic columns stream by.

    Few pairs lie in any ball at all: they are taken out of a tile once, and each part looks at these alone.
    """

    def __init__(self, parts: list[Members], sizes: tuple[int, int], clipped: np.ndarray) -> None:
        """Prepares the counts.

        Args:
            parts: with their vectors and radii
            sizes: N and M, of both sets
            clipped: of the first part, (A,) squared radii of its real vectors, clipped
        """
        self.counts = [Counts(len(real), len(synthetic)) for real, synthetic, _, _ in parts]
        self._parts, self._clipped = parts, clipped
        n, m = sizes
        # of every vector its place in each part, and its radius there: below 0 where it is no member
        self._place = np.full((len(parts), n), -1), np.full((len(parts), m), -1)
        self._radius = np.full((len(parts), n), -1, np.float32), np.full((len(parts), m), -1, np.float32)
        for at, members in enumerate(parts):
            for side in (0, 1):
                self._place[side][at, members[side]] = np.arange(len(members[side]))
                self._radius[side][at, members[side]] = members[2 + side]
        self._reach = tuple(own.max(axis=0) for own in self._radius)

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        import torch

        reach, others = (torch.from_numpy(own).to(squared.device) for own in self._reach)
        near = (squared <= reach[rows, None]) | (squared <= others[None, columns])
        if int(near.sum()) > _FEW * near.numel():
            for at in range(len(self._parts)):
                self._compare(at, rows, columns, squared)
            return
        row, column = near.nonzero(as_tuple=True)
        distance = squared[row, column].cpu().numpy()
        self._go_through(row.cpu().numpy() + rows.start, column.cpu().numpy() + columns.start, distance)

    def _go_through(self, real: np.ndarray, synthetic: np.ndarray, distance: np.ndarray) -> None:
        for at, counts in enumerate(self.counts):
            rows, columns = self._place[0][at][real], self._place[1][at][synthetic]
            within = (distance <= self._radius[0][at][real]) & (columns >= 0)
            counts.held += np.bincount(rows[within], minlength=len(counts.held))
            counts.inside[columns[within]] = True
            counts.recalled[rows[(distance <= self._radius[1][at][synthetic]) & (rows >= 0)]] = True
            if at == 0:
                clipped = within.copy()
                clipped[within] = distance[within] <= self._clipped[rows[within]]
                counts.near += np.bincount(columns[clipped], minlength=len(counts.near))

    def _compare(self, at: int, rows: slice, columns: slice, squared: Tensor) -> None:
        """Compares every pair of a part in a tile."""
        import torch

        where = squared.device
        (real, synthetic, radii, other_radii), counts = self._parts[at], self.counts[at]
        own = slice(*np.searchsorted(real, [rows.start, rows.stop]))
        others = slice(*np.searchsorted(synthetic, [columns.start, columns.stop]))
        chosen = squared[torch.from_numpy(real[own] - rows.start).to(where)]
        chosen = chosen[:, torch.from_numpy(synthetic[others] - columns.start).to(where)]
        within = chosen <= torch.from_numpy(radii[own]).to(where)[:, None]
        counts.held[own] += within.sum(1).cpu().numpy()
        counts.inside[others] |= within.any(0).cpu().numpy()
        recalled = chosen <= torch.from_numpy(other_radii[others]).to(where)[None]
        counts.recalled[own] |= recalled.any(1).cpu().numpy()
        if at == 0:
            clipped = chosen <= torch.from_numpy(self._clipped[own]).to(where)[:, None]
            counts.near[others] += clipped.sum(0).cpu().numpy()

"""The nearest vectors of another set, or of the same, kept while the tiles stream by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Nearest:
    """Keeps the ``k`` nearest of the right set for each vector of the left one.

    Attributes:
        squared: (N, k) float32 tensor of squared distances, the nearest first; infinite where there are fewer
        index: (N, k) int64 tensor: which they are; -1 where there are fewer
    """

    def __init__(self, n: int, k: int, *, of_itself: bool = False) -> None:
        """``of_itself``: both sets are the same, and a vector is no neighbor of its own."""
        import torch

        self.of_itself = of_itself
        self.squared = torch.full((n, k), float("inf"))
        self.index = torch.full((n, k), -1, dtype=torch.int64)

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        import torch

        k = self.squared.shape[1]
        if self.of_itself:
            first, last = max(rows.start, columns.start), min(rows.stop, columns.stop)
            if first < last:
                own = torch.arange(first, last)
                squared = squared.clone()
                squared[own - rows.start, own - columns.start] = float("inf")
        # a sorted few of each tile: whatever the order of the tiles, the nearest of all are the nearest of these
        near, at = squared.topk(min(k, squared.shape[1]), dim=1, largest=False)
        near, at = near.cpu(), at.cpu() + columns.start
        every = torch.cat([self.squared[rows], near], 1)
        index = torch.cat([self.index[rows], at], 1)
        self.squared[rows], order = every.topk(k, dim=1, largest=False)
        self.index[rows] = index.gather(1, order)

    def lists(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the (N, k) float32 squared distances and the (N, k) int64 indices; index -1 where there are fewer."""
        squared = self.squared.numpy()
        return squared, np.where(np.isfinite(squared), self.index.numpy(), -1)


class Turned(Nearest):
    """Keeps the ``k`` nearest of the left set for each vector of the right one; else as ``Nearest``."""

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        super().read(columns, rows, squared.T.contiguous())


def radii(squared: np.ndarray, index: np.ndarray, inside: np.ndarray, k: int) -> np.ndarray:
    """Returns the squared distance of each vector to its ``k``-th nearest among a part of the set: (N,) float32.

    Args:
        squared, index: lists of the nearest, see ``Nearest.lists``
        inside: (M,) bool: the part
        k: at least 1. Where a list holds fewer of the part, its last distance stands in: lists are to be long enough
    """
    part = inside[index] & (index >= 0)
    rank = part.cumsum(axis=1)
    held = rank >= k
    place = np.where(held.any(axis=1), held.argmax(axis=1), squared.shape[1] - 1)
    return np.asarray(np.take_along_axis(squared, place[:, None], axis=1)[:, 0])

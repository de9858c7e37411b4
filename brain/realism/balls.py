"""Who lies in whose ball: the counts that precision, recall, density and coverage are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Balls:
    """Counts, while tiles of real rows and synthetic columns stream by.

    A ball is closed: with an open one a set whose vectors are all alike would not even cover itself.

    Attributes:
        held: (N,) int64: synthetic vectors in each real one's ball
        near: (M,) int64: real vectors whose clipped ball holds each synthetic one
        inside: (M,) bool: whether a synthetic vector lies in the ball of any real one
        recalled: (N,) bool: whether a real vector lies in the ball of any synthetic one
        nearest: (M,) int64: the real vector that is nearest to each synthetic one
        squared: (M,) float32: how far that is, squared
    """

    def __init__(self, real: np.ndarray, synthetic: np.ndarray, clipped: np.ndarray | None = None) -> None:
        """Prepares the counts.

        Args:
            real: (N,) float32 squared radii of the real vectors' balls
            synthetic: (M,) of the synthetic vectors' balls
            clipped: (N,) of the real ones, clipped; by default they are not
        """
        import torch

        self._real, self._synthetic = torch.from_numpy(real)[:, None], torch.from_numpy(synthetic)[None, :]
        self._clipped = None if clipped is None else torch.from_numpy(clipped)[:, None]
        self.held, self.near = np.zeros(len(real), np.int64), np.zeros(len(synthetic), np.int64)
        self.inside, self.recalled = np.zeros(len(synthetic), bool), np.zeros(len(real), bool)
        self.nearest, self.squared = np.full(len(synthetic), -1), np.full(len(synthetic), np.inf, np.float32)

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        within = squared <= self._real[rows].to(squared.device)
        self.held[rows] += within.sum(1).cpu().numpy()
        self.inside[columns] |= within.any(0).cpu().numpy()
        if self._clipped is not None:
            clipped = squared <= self._clipped[rows].to(squared.device)
            self.near[columns] += clipped.sum(0).cpu().numpy()
        near, at = squared.min(0)
        closer = near.cpu().numpy() < self.squared[columns]
        self.squared[columns] = np.where(closer, near.cpu().numpy(), self.squared[columns])
        self.nearest[columns] = np.where(closer, at.cpu().numpy() + rows.start, self.nearest[columns])
        self.recalled[rows] |= (squared <= self._synthetic[:, columns].to(squared.device)).any(1).cpu().numpy()


class BallsOfParts:
    """Counts as ``Balls`` does, for parts of both sets: a quarter of each tile is looked at for each pair of halves."""

    def __init__(self, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]) -> None:
        """``parts``: for each the (A,) sorted real and (B,) synthetic indices, and the squared radii of either."""
        self._parts = [(real, synthetic, Balls(r, s)) for real, synthetic, r, s in parts]

    @property
    def counts(self) -> list[Balls]:
        """The counts of each part, in the order of its own indices."""
        return [balls for _, _, balls in self._parts]

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        import torch

        for real, synthetic, balls in self._parts:
            top, bottom = np.searchsorted(real, [rows.start, rows.stop])
            left, right = np.searchsorted(synthetic, [columns.start, columns.stop])
            if top == bottom or left == right:
                continue
            own = torch.from_numpy(real[top:bottom] - rows.start).to(squared.device)
            others = torch.from_numpy(synthetic[left:right] - columns.start).to(squared.device)
            balls.read(slice(top, bottom), slice(left, right), squared[own][:, others])

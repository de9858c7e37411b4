"""Hashes of thumbnails: of whole pictures, of what is left of a crop, of parts, and turned. Alike ones lie near."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from loupe.brain.similarity.thumbnail_similarity import SIDE, WINDOWS

_HASHED = 32
#: four parts that are compared each with the same one of the other picture: one logo near an edge is hardly in all
PARTS = ((0.0, 0.0, 0.6), (0.4, 0.0, 0.6), (0.0, 0.4, 0.6), (0.4, 0.4, 0.6))
TURNS = range(1, 8)


@cache
def _hash_matrix(start: float, side: float) -> np.ndarray:
    """Returns the (8, 64) matrix that resamples a window of one axis to 32 and takes its 8 lowest cosines."""
    edges = (start + side * np.arange(_HASHED + 1) / _HASHED) * SIDE
    pixel = np.arange(SIDE)
    cover = np.clip(np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel), 0, None)
    cover /= cover.sum(1, keepdims=True)
    cosines = np.cos(np.pi * np.arange(8)[:, None] * (np.arange(_HASHED) + 0.5) / _HASHED)
    cosines[0] /= np.sqrt(2)
    return (cosines @ cover).astype(np.float32)


def hashes(luma: np.ndarray, window: tuple[float, float, float] = WINDOWS[0]) -> np.ndarray:
    """Returns the hash of a window of each (N, 64, 64) thumbnail: (N, 63) float32 of unit length, zero if flat.

    Args:
        luma: (N, 64, 64) uint8
        window: left, top, side in [0, 1]
    """
    left, top, side = window
    rows, columns = _hash_matrix(top, side), _hash_matrix(left, side)
    coefficients = np.concatenate(
        [rows @ luma[start : start + 4096].astype(np.float32) @ columns.T for start in range(0, len(luma), 4096)]
        or [np.zeros((0, 8, 8), np.float32)]
    ).reshape(len(luma), 64)[:, 1:]
    length = np.linalg.norm(coefficients, axis=1, keepdims=True)
    return np.where(length > 1, coefficients / np.maximum(length, 1), 0).astype(np.float32)


def turned_hashes(coefficients: np.ndarray, turn: int) -> np.ndarray:
    """Returns what (N, 63) hashes of whole pictures become when the pictures are ``turned``, without reading them."""
    full = np.concatenate([np.zeros((len(coefficients), 1), coefficients.dtype), coefficients], 1).reshape(-1, 8, 8)
    odd = np.where(np.arange(8) % 2, -1, 1).astype(coefficients.dtype)
    if turn & 1:
        full = full * odd
    if turn & 2:
        full = full * odd[:, None]
    if turn & 4:
        full = full.swapaxes(1, 2)
    return full.reshape(len(coefficients), 64)[:, 1:]


@dataclass(frozen=True, eq=False)
class Views:
    """The hashes of N pictures as they are compared: W windows of one with the other one, P parts with the same part.

    Attributes:
        windows: (N, 63) each; the first is that of the whole picture
        parts: (N, 63) each
    """

    windows: tuple[np.ndarray, ...]
    parts: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, luma: np.ndarray) -> Views:
        """Returns the hashes of (N, 64, 64) thumbnails."""
        return cls(cls.of_windows(luma), tuple(hashes(luma, at) for at in PARTS))

    @staticmethod
    def of_windows(luma: np.ndarray) -> tuple[np.ndarray, ...]:
        """Returns the hashes of the windows alone."""
        return tuple(hashes(luma, at) for at in WINDOWS)

    def likeness(
        self, rows: np.ndarray, columns: np.ndarray | slice, product: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns how alike pictures are upright, by which window or part, and turned, by which turn less one.

        Args:
            rows, columns: which pictures
            product: of their hashes: of each with each, or of pairs
        """
        whole = self.windows[0][columns]
        upright, window = highest(
            [product(view[rows], whole) for view in self.windows]
            + [product(part[rows], part[columns]) for part in self.parts]
        )
        own = self.windows[0][rows]
        turned, turn = highest([product(turned_hashes(own, at), whole) for at in TURNS])
        return upright, window, turned, turn


def highest(tiles: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the element-wise highest of some arrays, and which one it is from: the first of equals."""
    best, which = tiles[0].copy(), np.zeros(tiles[0].shape, np.int8)
    for index, tile in enumerate(tiles[1:], 1):
        better = tile > best + 1e-4
        best[better], which[better] = tile[better], index
    return best, which

"""Distances of unit vectors, block by block: memory never grows with N²."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: vectors a side of a block: 2048 x 8192 floats are 64 MiB
ROWS, COLUMNS = 2048, 8192
#: squared distances up to this are the rounding of float32: the vectors are copies of each other
SAME = 1e-6


def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the (A, B) float32 squared Euclidean distances of unit vectors, in [0, 4]: 2 - 2 cosine."""
    made = a @ b.T
    made *= -2
    made += 2
    return np.asarray(np.clip(made, 0, 4, out=made))


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yields the slices that n rows are worked on in."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def to_nearest(unit: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the squared distance of each vector to the nearest of some others: (N,) float32.

    Args:
        unit: (N, D) float32 of unit length
        others: (M, D) float32 of unit length; with none of them all is infinite

    >>> to_nearest(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[:1]).tolist()
    [0.0, 2.0]
    """
    nearest = np.full(len(unit), np.inf, np.float32)
    for rows in blocks(len(unit), ROWS):
        for columns in blocks(len(others), COLUMNS):
            np.minimum(nearest[rows], squared(unit[rows], others[columns]).min(axis=1), out=nearest[rows])
    return nearest

"""Splits vectors into small parts of similar ones, so that what needs all pairs is done within a part."""

from __future__ import annotations

import numpy as np

#: vectors in a part at most: their kernel is 16 MB
SIZE = 2000
_STEPS = 4


def parts(unit: np.ndarray, size: int = SIZE, seed: int = 0) -> list[np.ndarray]:
    """Returns the places of each part, ascending: every vector is in one, and none has more than ``size``.

    A set that is too large is halved where its vectors lie along the direction in which they vary most (a principal
    direction tree: Verma, Kpotufe & Dasgupta, UAI 2009).

    Args:
        unit: (N, D) float32
        size: at least 2
        seed: of the power iteration's start
    """
    made: list[np.ndarray] = []
    waiting = [np.arange(len(unit))] if len(unit) else []
    rng = np.random.default_rng(seed)
    while waiting:
        rows = waiting.pop()
        if len(rows) <= size:
            made.append(rows)
            continue
        own = unit[rows]
        along = _along(own, rng)
        order = np.argsort(along, kind="stable")
        # so that no part is much smaller than the others
        half = len(rows) // 2
        waiting += [np.sort(rows[order[half:]]), np.sort(rows[order[:half]])]
    return made


def _along(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns where each vector lies along the direction of the highest variance, about: (N,) float32."""
    mean: np.ndarray = own.mean(axis=0)
    direction: np.ndarray = rng.normal(size=(own.shape[1],)).astype(np.float32)
    for _ in range(_STEPS):
        along = own @ direction - mean @ direction
        direction = along @ own - along.sum() * mean
        length = float(np.linalg.norm(direction))
        if not length > 0:  # copies of each other
            break
        direction /= np.float32(length)
    return np.asarray(own @ direction)

"""How well a selection stands for what it was chosen from, against choices of the same size by chance."""

from __future__ import annotations

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.core.selections import Against
from loupe.brain.selection.distances import ROWS, blocks, to_nearest
from loupe.brain.selection.herding import width

#: vectors that the distances are measured from, and waves that the distributions are compared by
MEASURED, WAVES = 5000, 512
DRAWS = 5


@leavable
def against_random(
    unit: np.ndarray, chosen: np.ndarray, rng: np.random.Generator, kept: np.ndarray | None = None
) -> tuple[tuple[Against, ...], int]:
    """Returns each measure of the chosen beside those of random choices, and of how many vectors they are measured.

    Args:
        unit: (N, D) float32 of unit length: all that could be chosen
        chosen: (n,) int64 places
        rng: of the random choices
        kept: (M, D) float32: what was chosen already; it counts for both
    """
    n = len(unit)
    measured = np.arange(n) if n <= MEASURED else np.sort(rng.choice(n, MEASURED, replace=False))
    own = unit[measured]
    base = to_nearest(own, kept) if kept is not None and len(kept) else np.full(len(own), np.inf, np.float32)
    frequencies = rng.normal(size=(unit.shape[1], WAVES)) * np.sqrt(2 / width(unit))
    frequencies = frequencies.astype(np.float32)
    every, before = _waves(unit, frequencies) / n, np.zeros(2 * WAVES)
    count = 0 if kept is None else len(kept)
    if kept is not None and count:
        before = _waves(kept, frequencies)
    draws = [rng.choice(n, len(chosen), replace=False) for _ in range(DRAWS)]
    table = []
    for places in (chosen, *draws):
        distance = np.sqrt(np.minimum(base, to_nearest(own, unit[places])))
        mean = (before + _waves(unit[places], frequencies)) / (count + len(places))
        apart = float(np.sqrt(((mean - every) ** 2).sum() / WAVES))
        table.append((float(distance.max()), float(distance.mean()), apart))
    names = ("radius", "mean distance", "discrepancy")
    made = []
    for name, (own_value, *others) in zip(names, zip(*table, strict=True), strict=True):
        made.append(Against(name, own_value, float(np.mean(others)), min(others), max(others)))
    return tuple(made), len(measured)


def _waves(unit: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Returns the sums of the cosines and sines of vectors along random directions: (2 W,) float64.

    The distance of two means of them approximates the maximum mean discrepancy of a Gaussian kernel (Rahimi & Recht,
    Random features for large-scale kernel machines, NIPS 2007), of all vectors and in one pass.
    """
    total = np.zeros(2 * WAVES)
    for rows in blocks(len(unit), ROWS):
        angles = unit[rows] @ frequencies
        total[:WAVES] += np.cos(angles).sum(axis=0, dtype=np.float64)
        total[WAVES:] += np.sin(angles).sum(axis=0, dtype=np.float64)
    return total

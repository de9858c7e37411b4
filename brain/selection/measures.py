"""How well a selection stands for what it was chosen from, against choices of the same size by chance."""

from __future__ import annotations

import numpy as np

from loupe.brain.core.selections import Against
from loupe.brain.selection.distances import COLUMNS, ROWS, blocks, squared, to_nearest
from loupe.brain.selection.herding import width

#: vectors that the distances are measured from, and of a choice those that its distribution is measured by
MEASURED, DISTRIBUTION = 5000, 3000
DRAWS = 5


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
    scale = width(unit)
    within = _mean_kernel(own, own, scale)
    draws = [rng.choice(n, len(chosen), replace=False) for _ in range(DRAWS)]
    table = []
    for places in (chosen, *draws):
        distance = np.sqrt(np.minimum(base, to_nearest(own, unit[places])))
        sample = places if len(places) <= DISTRIBUTION else rng.choice(places, DISTRIBUTION, replace=False)
        few = unit[sample]
        if kept is not None and len(kept):
            few = np.concatenate([few, kept[rng.permutation(len(kept))[:DISTRIBUTION]]])
        apart = _mean_kernel(few, few, scale) + within - 2 * _mean_kernel(few, own, scale)
        table.append((float(distance.max()), float(distance.mean()), float(np.sqrt(max(apart, 0.0)))))
    names = ("radius", "mean distance", "discrepancy")
    made = []
    for name, (own_value, *others) in zip(names, zip(*table, strict=True), strict=True):
        made.append(Against(name, own_value, float(np.mean(others)), min(others), max(others)))
    return tuple(made), len(measured)


def _mean_kernel(a: np.ndarray, b: np.ndarray, scale: float) -> float:
    total = 0.0
    for rows in blocks(len(a), ROWS):
        for columns in blocks(len(b), COLUMNS):
            total += float(np.exp(squared(a[rows], b[columns]) / np.float32(-scale)).sum(dtype=np.float64))
    return total / (len(a) * len(b))

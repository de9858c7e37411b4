"""Representative vectors: the chosen are distributed as all are.

Within parts of similar vectors, each in proportion to its size, every step takes what brings the chosen nearest to the
part in the mean of a Gaussian kernel: kernel herding, or greedy minimization of the maximum mean discrepancy (Chen,
Welling & Smola, Super-samples from kernel herding, UAI 2010).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.selection.budget import in_proportion
from loupe.brain.selection.distances import squared
from loupe.brain.selection.parts import SIZE, parts

_PAIRS = 20_000


def width(unit: np.ndarray, seed: int = 0) -> float:
    """Returns twice the square of the kernel's width: the median squared distance of two vectors (Gretton 2012)."""
    if len(unit) < 2:
        return 1.0
    a, b = np.random.default_rng(seed).integers(0, len(unit), (2, _PAIRS))
    apart = 2 - 2 * np.einsum("nd,nd->n", unit[a[a != b]], unit[b[a != b]])
    median = float(np.median(apart))
    if median <= 1e-6:  # more than half of the pairs are alike
        median = float(apart.mean())
    return 2 * median if median > 1e-6 else 1.0


def herd(
    unit: np.ndarray,
    n: int,
    rng: np.random.Generator,
    *,
    taken: np.ndarray | None = None,
    size: int = SIZE,
    step: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Returns the (n,) int64 places of the chosen.

    Args:
        unit: (N, D) float32 of unit length
        n: how many beside those that are taken
        rng: of the parts
        taken: (N,) bool: those that count as chosen already
        size: of a part
        step: called with how many vectors are done
    """
    taken = np.zeros(len(unit), dtype=bool) if taken is None else taken
    scale, seed = width(unit), int(rng.integers(2**31))
    made = parts(unit, size, seed)
    sizes = np.array([len(part) for part in made])
    held = np.array([int(taken[part].sum()) for part in made])
    wanted = in_proportion(sizes, n + int(held.sum()))
    # a part that has more of the taken than its share leaves the others less
    quota = in_proportion(np.maximum(wanted - held, 0), n, sizes - held)
    chosen, when, seen = [], [], 0
    for part, number in zip(made, quota.tolist(), strict=True):
        order = _herd(np.exp(squared(unit[part], unit[part]) / np.float32(-scale)), number, taken[part])
        chosen.append(part[order])
        when.append((np.arange(number) + 0.5) / max(number, 1))
        seen += len(part)
        step(seen)
    # so that the first of the chosen come from all parts
    return np.asarray(np.concatenate(chosen)[np.argsort(np.concatenate(when), kind="stable")])


def _herd(kernel: np.ndarray, n: int, taken: np.ndarray) -> np.ndarray:
    mean = kernel.mean(axis=0)
    own = kernel[taken].sum(axis=0)
    closed, count = taken.copy(), int(taken.sum())
    order = np.empty(n, dtype=np.int64)
    for at in range(n):
        score = mean - own / (count + at + 1)
        score[closed] = -np.inf
        order[at] = best = int(score.argmax())
        closed[best] = True
        own += kernel[best]
    return order

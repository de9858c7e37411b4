"""Both sets of vectors in one plane, to be looked at: the two directions in which they are spread the widest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.core.interrupts import leavable

#: points of a side that are drawn: more are a blot
MAX_POINTS = 1000


@dataclass(frozen=True, eq=False)
class Plane:
    """Some vectors of both sets in a plane.

    Attributes:
        real, synthetic: (P,) and (Q,) int64: which vectors
        real_at, synthetic_at: (P, 2) and (Q, 2) float64: where they lie
        share: of the spread of all of them, how much the plane shows, in [0, 1]
    """

    real: np.ndarray
    synthetic: np.ndarray
    real_at: np.ndarray
    synthetic_at: np.ndarray
    share: float


@leavable
def plane(real: np.ndarray, synthetic: np.ndarray, seed: int, max_points: int = MAX_POINTS) -> Plane:
    """Returns the first two principal components of both sets together (Pearson 1901), of up to so many of each.

    Both sets count the same, however many vectors they have, so that the larger does not decide alone. The sign of an
    axis is such that its largest loading is above 0: the same vectors always give the same picture.

    Args:
        real, synthetic: (N, D) and (M, D) float32, finite, at least one each
        seed: decides which vectors are drawn
        max_points: vectors of a side
    """
    rng = np.random.default_rng(seed)
    ours, theirs = (np.sort(rng.permutation(len(each))[:max_points]) for each in (real, synthetic))
    a, b = real[ours].astype(np.float64), synthetic[theirs].astype(np.float64)
    center = (a.mean(axis=0) + b.mean(axis=0)) / 2
    a, b = a - center, b - center
    scatter = a.T @ a / len(a) + b.T @ b / len(b)
    spread, axes = np.linalg.eigh(scatter)
    axes = axes[:, ::-1][:, :2]
    if axes.shape[1] < 2:
        axes = np.hstack([axes, np.zeros((len(axes), 1))])
    top = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None, :], 0)[0]
    axes = axes * np.where(top < 0, -1.0, 1.0)
    total = float(spread.sum())
    share = float(spread[::-1][:2].sum() / total) if total > 0 else 0.0
    return Plane(ours, theirs, a @ axes, b @ axes, min(max(share, 0.0), 1.0))

"""Means and covariances: the Fréchet distance, and what it would be of endless sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError

#: vectors for each of their numbers, below which the bias of the distance does not follow 1/n and nothing is
#: extrapolated: the fit goes down to half of them
MIN_PER_NUMBER = 4
_SIZES = 8
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over vectors: they add up.

    Attributes:
        n: how many vectors
        sum: (D,) float64
        scatter: (D, D) float64: of the products
    """

    n: int
    sum: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> Moments:
        """Returns the sums over (N, D) vectors, in float64."""
        size = vectors.shape[1]
        scatter = np.zeros((size, size))
        for start in range(0, len(vectors), _CHUNK):
            part = vectors[start : start + _CHUNK].astype(np.float64)
            scatter += part.T @ part
        return cls(len(vectors), vectors.sum(axis=0, dtype=np.float64), scatter)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.sum + other.sum, self.scatter + other.scatter)

    @property
    def mean(self) -> np.ndarray:
        """The (D,) mean."""
        return self.sum / self.n

    @property
    def covariance(self) -> np.ndarray:
        """The (D, D) covariance, over n - 1."""
        return (self.scatter - self.n * np.outer(self.mean, self.mean)) / (self.n - 1)


def frechet(a: Moments, b: Moments) -> float:
    """Returns the squared Fréchet distance of two Gaussians: 0 for the same, lower is closer.

    |m - m'|² + Tr(C + C' - 2 (C C')^½): Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017. The
    root's trace is the sum of the roots of the eigenvalues of C^½ C' C^½, which are never negative.

    Raises:
        InputError: fewer than two vectors on a side
    """
    if min(a.n, b.n) < 2:
        raise InputError(f"expected at least two vectors on each side, got {a.n} and {b.n}")
    first, second = a.covariance, b.covariance
    values, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    gap = a.mean - b.mean
    return float(max(gap @ gap + np.trace(first) + np.trace(second) - 2 * shared, 0.0))


def frechet_of(a: np.ndarray, b: np.ndarray) -> float:
    """Returns ``frechet`` of (N, D) and (M, D) vectors, in the way that costs less.

    Of fewer vectors than numbers the root's trace is the sum of the singular values of the (N, M) products.

    Raises:
        InputError: fewer than two vectors on a side
    """
    n, m, size = len(a), len(b), a.shape[1]
    if max(n, m) >= size or min(n, m) < 2:
        return frechet(Moments.of(a), Moments.of(b))
    first, second = a.mean(axis=0, dtype=np.float64), b.mean(axis=0, dtype=np.float64)
    own, other = (a - first) / np.sqrt(n - 1), (b - second) / np.sqrt(m - 1)
    shared = np.linalg.svd(own @ other.T, compute_uv=False).sum()
    gap = first - second
    return float(max(gap @ gap + (own**2).sum() + (other**2).sum() - 2 * shared, 0.0))


def extrapolated(real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> float:
    """Returns the Fréchet distance of endless sets; NaN where there are too few vectors to tell.

    The distance of n vectors is too large by about c / n, and c differs between sets: Chong & Forsyth, Effectively
    Unbiased FID, CVPR 2020. Distances of eight sizes, from half of n to all, are fitted by a line in 1 / n.

    Args:
        real, synthetic: (N, D) and (M, D); n is the smaller of the two
        rng: decides who is left out
    """
    n, size = min(len(real), len(synthetic)), real.shape[1]
    if n < MIN_PER_NUMBER * size:
        return float("nan")
    sizes = np.unique(np.linspace(n // 2, n, _SIZES).astype(int))
    first, second = rng.permutation(len(real)), rng.permutation(len(synthetic))
    values: list[float] = []
    for count in sizes:
        # the two ends take turns, so that the sizes do not all stand on the same vectors
        start = 0 if len(values) % 2 else n - count
        own, others = first[start : start + count], second[start : start + count]
        values.append(frechet_of(real[own], synthetic[others]))
    return float(np.polynomial.polynomial.polyfit(1 / sizes, values, 1)[0])

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
        total, scatter = np.zeros(size), np.zeros((size, size))
        for start in range(0, len(vectors), _CHUNK):
            part = vectors[start : start + _CHUNK].astype(np.float64)
            total += part.sum(axis=0)
            scatter += part.T @ part
        return cls(len(vectors), total, scatter)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.sum + other.sum, self.scatter + other.scatter)

    def __sub__(self, part: Moments) -> Moments:
        return Moments(self.n - part.n, self.sum - part.sum, self.scatter - part.scatter)

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
    root's trace is the sum of the roots of the eigenvalues of R' C' R, which are never negative, for any R with
    R R' = C: Cholesky's where it exists, else the root of C.

    Raises:
        InputError: fewer than two vectors on a side
    """
    if min(a.n, b.n) < 2:
        raise InputError(f"expected at least two vectors on each side, got {a.n} and {b.n}")
    first, second = a.covariance, b.covariance
    root = _root(first)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root.T @ second @ root), 0)).sum()
    gap = a.mean - b.mean
    return float(max(gap @ gap + np.trace(first) + np.trace(second) - 2 * shared, 0.0))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Returns a square root R of a positive semidefinite matrix: R R' is the matrix."""
    try:
        return np.asarray(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        values, axes = np.linalg.eigh(matrix)
        return np.asarray((axes * np.sqrt(np.maximum(values, 0))) @ axes.T)


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
    first, second = rng.permutation(len(real))[:n], rng.permutation(len(synthetic))[:n]
    # the two ends take turns, so that the sizes do not all stand on the same vectors
    spans = [(0, count) if at % 2 else (n - count, n) for at, count in enumerate(sizes.tolist())]
    ends = sorted({end for span in spans for end in span} - {0})
    own, others = _running(real, first, ends), _running(synthetic, second, ends)
    values = [frechet(own[stop] - own[start], others[stop] - others[start]) for start, stop in spans]
    return float(np.polynomial.polynomial.polyfit(1 / sizes, values, 1)[0])


def _running(vectors: np.ndarray, order: np.ndarray, ends: list[int]) -> dict[int, Moments]:
    """Returns the sums over the first vectors of an order, up to each of its ends, and up to 0: one pass."""
    size = vectors.shape[1]
    made = {0: Moments(0, np.zeros(size), np.zeros((size, size)))}
    for start, end in zip([0, *ends], ends, strict=False):
        made[end] = made[start] + Moments.of(vectors[order[start:end]])
    return made

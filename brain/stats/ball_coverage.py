"""What coverage would be if both sets were of one distribution: closed forms, whatever that distribution is.

The share of the distribution that lies in a ball to the k-th of N - 1 others is Beta(k, N - k), so that the number of M
more in it is beta-binomial.
"""

from __future__ import annotations

import numpy as np


def holds(n_real: int, n_synthetic: int, k: int) -> np.ndarray:
    """Returns the probabilities that a ball holds 0 … k - 1 synthetic vectors: (k,) float64.

    Args:
        n_real: N, more than k
        n_synthetic: M
        k: which nearest real vector the ball reaches to
    """
    from scipy.special import betaln, gammaln

    held = np.arange(min(k, n_synthetic + 1), dtype=np.float64)
    choose = gammaln(n_synthetic + 1) - gammaln(held + 1) - gammaln(n_synthetic - held + 1)
    logs = choose + betaln(held + k, n_synthetic - held + n_real - k) - betaln(k, n_real - k)
    return np.pad(np.exp(logs), (0, k - len(held)))


def coverage(n_real: int, n_synthetic: int, k: int) -> float:
    """Returns the expected coverage of two draws of one distribution: in [0, 1].

    1 - Π (N - i) / (M + N - i) over i from 1 to k.

    >>> round(coverage(10_000, 10_000, 5), 4), round(coverage(100_000, 10_000, 5), 3)
    (0.9688, 0.379)
    """
    return float(1 - holds(n_real, n_synthetic, k)[0])


def clipped_coverage(n_real: int, n_synthetic: int, k: int) -> float:
    """Returns the expected mean of min(1, synthetic vectors in a ball / k) of two draws of one distribution."""
    short = 1 - np.arange(k) / k
    return float(1 - short @ holds(n_real, n_synthetic, k))


def good_share(clipped: float, n_real: int, n_synthetic: int, k: int) -> float:
    """Returns the share of synthetic vectors that would cover as much if they were real ones and the others nothing.

    The calibration of Salvy, Talbot & Thirion, Enhanced Generative Model Evaluation with Clipped Density and Coverage,
    arXiv:2507.01761: the inverse of what m of M good vectors are expected to cover. In [0, 1].

    Args:
        clipped: the measured mean of min(1, count / k), in [0, 1]
        n_real, n_synthetic, k: as for ``holds``
    """
    from bisect import bisect_right

    # how many whole good vectors cover no more than this; between them and one more, a straight line
    whole = bisect_right(range(1, n_synthetic + 1), clipped, key=lambda m: clipped_coverage(n_real, m, k))
    if whole == n_synthetic:
        return 1.0
    below, above = (clipped_coverage(n_real, m, k) if m else 0.0 for m in (whole, whole + 1))
    return (whole + max(clipped - below, 0.0) / (above - below)) / n_synthetic

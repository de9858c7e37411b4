"""How many independent pictures those of a few prompts are worth. Pure arithmetic."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from loupe.brain.core.errors import InputError


def effective_n(values: np.ndarray, clusters: np.ndarray | None, confidence: float = 0.95) -> float:
    """Returns how many independent values say as much of the mean as these, which come in clusters.

    n divided by the design effect, which is what clusters make of the mean's variance, and by (t / z) ** 2, since few
    clusters do not tell it well: E. L. Korn & B. I. Graubard, Survey Methodology 24, 193 (1998). Never more than n.
    Where all values are the same nothing tells how alike those of a cluster are: then each cluster counts once.

    Args:
        values: (n,) numbers, e.g. 1 where a picture failed and 0 where it passed; or, of pairs, 1, 0 and -1
        clusters: (n,) int: the cluster of each, e.g. its prompt's number; None: each is one of its own
        confidence: of the interval that is made of it, in (0, 1)

    Raises:
        InputError: the confidence is not in (0, 1)

    >>> effective_n(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])) < 2
    True
    >>> effective_n(np.array([1, 0, 1, 0]), np.array([0, 1, 2, 3]))
    4.0
    """
    n = len(values)
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    if clusters is None or n < 2:
        return float(n)
    _, own = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(own)
    number = len(sizes)
    if number == n:
        return float(n)
    mean = values.mean()
    spread = float(((values - mean) ** 2).sum())
    if number < 2 or spread == 0:
        return float(number)
    from scipy.stats import t

    sums = np.bincount(own, weights=values) - mean * sizes
    of_clusters = number / (number - 1) * float((sums**2).sum())
    design_effect = of_clusters / (spread * n / (n - 1))
    tail = 0.5 + confidence / 2
    unsure = (t.ppf(tail, number - 1) / NormalDist().inv_cdf(tail)) ** 2
    return float(min(n, n / (max(design_effect, 1) * unsure)))

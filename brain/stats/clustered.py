"""Ratios of sums over clusters, e.g. recall over the objects of images, with intervals that know the clusters.

The objects of one image share its light, its camera and its place: they are less worth than as many objects of images
of their own. Pure arithmetic.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError

#: with fewer clusters their variance is too uncertain to make an interval narrower than that of independent objects
_MIN_CLUSTERS = 2


def effective_n(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Returns how many independent objects the objects of clusters are worth: (...) float64, at most their number.

    It is n / (design effect): the variance of the ratio of sums, linearized over the clusters, against that of as many
    independent objects (Kish, Survey Sampling, 1965; Rao & Scott, JASA 76, 1981). Where every object has the same
    outcome no variance can be seen: then it is Kish's sum(n)² / sum(n²), as if a cluster's objects were all alike. It
    is never above the number of objects.

    Args:
        k: (..., C): in each of C clusters how many objects have it; at most ``n``
        n: (..., C): how many objects each cluster has; 0 is no cluster

    Raises:
        InputError: 0 <= k <= n does not hold

    >>> effective_n([[1, 0, 1, 0], [2, 0, 2, 0]], [[1, 1, 1, 1], [2, 2, 2, 2]]).round(3).tolist()
    [3.0, 3.0]
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if (k < 0).any() or (k > n).any():
        raise InputError("expected 0 <= k <= n in each cluster")
    total, clusters = n.sum(-1), (n > 0).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = k.sum(-1) / total
        residual = k - share[..., None] * n
        few = np.maximum(clusters - 1, 1)
        variance = clusters / few * (residual**2).sum(-1) / total**2
        alike = total**2 / (n**2).sum(-1)
        worth = share * (1 - share) / variance
        unseen = (share == 0) | (share == 1) | (clusters < _MIN_CLUSTERS) | ~np.isfinite(worth)
        worth = np.where(unseen, alike, worth)
    return np.where(total > 0, np.minimum(worth, total), 0.0)


def wilson_clustered(k: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of sum(k) / sum(n) in [0, 1]: Wilson's at the effective number of objects.

    The quantile is Student's with as many degrees of freedom as there are clusters but one, since the effective number
    is estimated; where each cluster is one object it is Wilson's own interval. NaN where there are no objects. E. L.
    Korn & B. I. Graubard, Survey Methodology 24 (1998), with Wilson's interval in place of the exact one.

    Args:
        k, n: as for ``effective_n``
        confidence: in (0, 1)

    Raises:
        InputError: as for ``effective_n``, or the confidence is not in (0, 1)

    >>> low, high = wilson_clustered([0, 1, 1], [1, 1, 1])  # each object an image of its own
    >>> round(float(low), 3), round(float(high), 3)
    (0.208, 0.939)
    """
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    from scipy.stats import t as student

    k, n = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    total, clusters = n.sum(-1), (n > 0).sum(-1)
    single = (n <= 1).all(-1)
    worth = np.where(single, total, effective_n(k, n))
    normal = NormalDist().inv_cdf(0.5 + confidence / 2)
    z = np.where(single, normal, student.ppf(0.5 + confidence / 2, np.maximum(clusters - 1, 1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = k.sum(-1) / total
        worth = np.where(total > 0, worth, np.nan)
        scale = 1 + z * z / worth
        middle = (share + z * z / (2 * worth)) / scale
        half = z / scale * np.sqrt(share * (1 - share) / worth + z * z / (4 * worth * worth))
    low = np.where(share == 0, worth * 0, np.maximum(middle - half, 0))
    high = np.where(share == 1, worth * 0 + 1, np.minimum(middle + half, 1))
    return low, high

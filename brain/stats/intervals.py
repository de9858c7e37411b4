"""Further intervals of proportions, beside Wilson's of ``core/proportions.py``. Pure arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.proportions import Proportion as Proportion
from loupe.brain.core.proportions import counts
from loupe.brain.core.proportions import wilson as wilson
from loupe.brain.stats.effective_n import effective_n_of_ratios


def jeffreys(failures: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Returns the Jeffreys interval (low, high) of a proportion: float64 arrays of the arguments' shape, in [0, 1].

    The equal-tailed credible interval under the prior Beta(1/2, 1/2), with low = 0 for no failures and high = 1 for
    nothing but failures. NaN where n is 0. Brown, Cai & DasGupta, Statistical Science 16 (2001).

    Raises:
        InputError: as for ``wilson``

    >>> low, high = jeffreys(0, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.0, 0.217)
    """
    from scipy.special import betaincinv

    k, n = counts(failures, n, confidence)
    tail = (1 - confidence) / 2
    judged = np.where(n > 0, n, np.nan)
    low = np.where(k == 0, judged * 0, betaincinv(k + 0.5, judged - k + 0.5, tail))
    high = np.where(k == n, judged * 0 + 1, betaincinv(k + 0.5, judged - k + 0.5, 1 - tail))
    return low, high


def wilson_clustered(k: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval (low, high) of sum(k) / sum(n) in [0, 1]: Wilson's at the effective number of objects.

    The objects of one image share its light, its camera and its place: they are less worth than as many objects of
    images of their own. Where each cluster is one object it is Wilson's own interval. NaN where there are no objects.
    E. L. Korn & B. I. Graubard, Survey Methodology 24 (1998), with Wilson's interval in place of the exact one.

    Args:
        k, n: as for ``effective_n_of_ratios``
        confidence: in (0, 1)

    Raises:
        InputError: as for ``effective_n_of_ratios``, or the confidence is not in (0, 1)

    >>> low, high = wilson_clustered([0, 1, 1], [1, 1, 1])  # each object an image of its own
    >>> round(float(low), 3), round(float(high), 3)
    (0.208, 0.939)
    """
    worth = effective_n_of_ratios(k, n, confidence)
    k, n = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    total = n.sum(-1)
    # rounding must not make more of them fail than there are
    failed = np.minimum(k.sum(-1) / np.maximum(total, 1) * worth, worth)
    return wilson(failed, worth, confidence)

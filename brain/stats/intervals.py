"""Proportions and their intervals. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.stats.effective_n import effective_n_of_ratios


@dataclass(frozen=True)
class Proportion(Record):
    """A proportion, never without its n: ``k`` of ``n``.

    Attributes:
        n: of how many
        k: how many
        low, high: the Wilson interval of k / n, 95 % unless another was asked for; NaN when n is 0

    >>> str(Proportion.of(57, 60)), str(Proportion.of(0, 0))
    ('95.0% [86.3%, 98.3%] (57 of 60)', 'not known')
    """

    n: int
    k: int
    low: float
    high: float

    @classmethod
    def of(cls, k: int, n: int, confidence: float = 0.95) -> Proportion:
        """Returns the proportion k / n with its Wilson interval.

        Raises:
            InputError: as for ``wilson``
        """
        low, high = wilson(k, n, confidence)
        return cls(int(n), int(k), float(low), float(high))

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Proportion:
        """Returns the proportion that ``to_dict`` made plain values of, also in the form that 0.1.0 gave it.

        Raises:
            KeyError, TypeError: other values
        """
        low, high = (math.nan if facts[name] is None else float(facts[name]) for name in ("low", "high"))
        return cls(int(facts["n"]), int(facts["count" if "count" in facts else "k"]), low, high)

    @property
    def rate(self) -> float:
        """k / n in [0, 1]; NaN when n is 0."""
        return self.k / self.n if self.n else math.nan

    def __str__(self) -> str:
        if not self.n:
            return "not known"
        return f"{self.rate:.1%} [{self.low:.1%}, {self.high:.1%}] ({self.k} of {self.n})"


def wilson(failures: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Returns the Wilson score interval (low, high) of a proportion: float64 arrays of the arguments' shape, in [0, 1].

    It keeps close to its nominal coverage for rare failures and small n, where the textbook interval collapses to a
    point. NaN where n is 0. E. B. Wilson, JASA 22 (1927); recommended by Brown, Cai & DasGupta, Statistical Science 16
    (2001).

    Raises:
        InputError: a count is negative, there are more failures than n, or the confidence is not in (0, 1)

    >>> low, high = wilson(0, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.0, 0.278)
    """
    k, n = _counts(failures, n, confidence)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    judged = np.where(n > 0, n, np.nan)
    share = k / judged
    scale = 1 + z * z / judged
    middle = (share + z * z / (2 * judged)) / scale
    half = z / scale * np.sqrt(share * (1 - share) / judged + z * z / (4 * judged * judged))
    # the ends are exactly 0 and 1 for no failures and for nothing but failures; rounding would miss them
    low = np.where(k == 0, judged * 0, np.maximum(middle - half, 0))
    high = np.where(k == n, judged * 0 + 1, np.minimum(middle + half, 1))
    return low, high


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

    k, n = _counts(failures, n, confidence)
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


def _counts(failures: ArrayLike, n: ArrayLike, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    k, n = np.broadcast_arrays(np.asarray(failures, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if (k < 0).any() or (k > n).any():
        raise InputError("expected 0 <= failures <= n")
    return k, n

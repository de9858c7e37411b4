"""A proportion with its n and its interval: what rates, precisions and holes hold. Pure arithmetic."""

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
from loupe.brain.core.shares import tenths


@dataclass(frozen=True)
class Proportion(Record):
    """A proportion, never without its n: ``k`` of ``n``.

    Attributes:
        n: of how many
        k: how many
        low, high: the Wilson interval of k / n, 95 % unless another was asked for; NaN when n is 0

    >>> str(Proportion.of(57, 60)), str(Proportion.of(0, 0))
    ('95.0 % [86.3 %, 98.3 %] (57 of 60)', 'not known')
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
        return f"{tenths(self.rate)} [{tenths(self.low)}, {tenths(self.high)}] ({self.k} of {self.n})"


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
    k, n = counts(failures, n, confidence)
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


def counts(failures: ArrayLike, n: ArrayLike, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns failures and n as float64 arrays of one shape.

    Raises:
        InputError: a count is negative, there are more failures than n, or the confidence is not in (0, 1)
    """
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence!r}: 0.95 asks for a 95 % interval")
    k, n = np.broadcast_arrays(np.asarray(failures, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if (k < 0).any() or (k > n).any():
        raise InputError("expected 0 <= failures <= n")
    return k, n

"""How many samples have each class, and how much each class has to count so that all count alike. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real

#: how classes are weighed
Scheme = Literal["balanced", "effective"]


def imbalance_ratio(counts: np.ndarray) -> float:
    """Returns the largest count / the smallest that is not 0, at least 1; NaN where there is none.

    >>> imbalance_ratio(np.array([90, 0, 10]))
    9.0
    """
    known = counts[counts > 0]
    return float(known.max() / known.min()) if len(known) else math.nan


def effective_classes(counts: np.ndarray) -> float:
    """Returns as how many equally frequent classes they count: e to the entropy of their shares; NaN without any.

    The Hill number of order 1: M. O. Hill, Ecology 54 (1973).

    >>> effective_classes(np.array([10, 10, 10])), round(effective_classes(np.array([98, 1, 1])), 2)
    (3.0, 1.12)
    """
    known = counts[counts > 0]
    if not len(known):
        return math.nan
    shares = known / known.sum()
    return round(float(np.exp(-(shares * np.log(shares)).sum())), 12)


def balanced_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Returns N / (K n) for each class of n samples: every class then has the same weight in all, and the mean is 1.

    As scikit-learn's ``compute_class_weight("balanced")`` (G. King & L. Zeng, Political Analysis 9, 2001).

    >>> balanced_weights({"cat": 3, "dog": 1})
    {'cat': 0.6666666666666666, 'dog': 2.0}
    """
    total = sum(counts.values())
    return {name: total / (len(counts) * count) for name, count in counts.items()}


def effective_weights(counts: Mapping[str, int], beta: float = 0.999) -> dict[str, float]:
    """Returns (1 − β) / (1 − βⁿ) for each class of n samples, scaled to a mean of 1 over the classes.

    Y. Cui, M. Jia, T.-Y. Lin, Y. Song & S. Belongie, CVPR 2019 (arXiv:1901.05555).

    Args:
        counts: of each class, above 0
        beta: in [0, 1): 0 weighs all classes alike, near 1 it is the inverse of n

    Raises:
        InputError: another beta

    >>> effective_weights({"cat": 3, "dog": 1}, beta=0.0)
    {'cat': 1.0, 'dog': 1.0}
    """
    if not is_real(beta) or not 0 <= beta < 1:
        raise InputError(f"expected beta to be at least 0 and below 1, got {beta!r}")
    if not beta:
        return dict.fromkeys(counts, 1.0)
    # 1 − βⁿ loses its digits near β = 1
    raw = {name: 1 / -math.expm1(count * math.log(beta)) for name, count in counts.items()}
    mean = sum(raw.values()) / len(raw)
    return {name: weight / mean for name, weight in raw.items()}

"""Pictures far from all others of their set, by their vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core import specs
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetMeasure

#: the least spread of the log distances: where all are alike, a thousandth more is no outlier
_MIN_SPREAD = 0.05


def robust_deviations(values: np.ndarray, min_spread: float) -> np.ndarray:
    """Returns how many robust standard deviations each value is above the median: (N,) float64.

    The deviation from the median over 1.4826 times the median absolute deviation, which is the standard deviation of
    normal values and is not moved by outliers (Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993).

    Args:
        values: (N,) finite numbers, N at least 1
        min_spread: the least standard deviation that is divided by

    >>> robust_deviations(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), 0.1).round(1).tolist()
    [-1.3, -0.7, 0.0, 0.7, 65.4]
    """
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    return (values - middle) / max(float(spread), min_spread)


def outlyingness(distances: np.ndarray) -> np.ndarray:
    """Returns how far each sample is from the others, set against its set: (N,) float32, higher is farther.

    The robust standard deviations (``robust_deviations``) of the logarithm of the mean distance to the nearest
    neighbors (Ramaswamy, Rastogi & Shim, SIGMOD 2000): distances are of any scale and skewed.

    Args:
        distances: (N, k) to the k nearest, at least 0
    """
    mean = distances.mean(1, dtype=np.float64)
    return robust_deviations(np.log(np.maximum(mean, 1e-6)), _MIN_SPREAD).astype(np.float32)


@dataclass(frozen=True)
class Outliers(SetMeasure):
    """Outliers.

    The mean cosine distance to the nearest neighbors by a field of vectors, told in robust standard deviations of its
    set: the threshold is relative to the set, whatever the embedder. A few copies of an outlier hide it, once there are
    more of them than neighbors. Samples without a usable vector are unknown.
    """

    name: ClassVar[str] = "outliers"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Ramaswamy, Rastogi & Shim 2000, doi:10.1145/342009.335437; Iglewicz & Hoaglin 1993 (3.5 deviations)"
    )
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="outlier",
            unit="robust standard deviations",
            higher_is_better=False,
            bounds=(-math.inf, math.inf),
            description="How far its nearest neighbors are, against those of the other samples of the set",
            default_threshold=Threshold(
                ">", 3.5, source="default", provenance="relative to the set, as Iglewicz & Hoaglin recommend"
            ),
            failure="outlier",
        ),
        Output(
            "neighbour_distance", "cosine distance", False, (0.0, 2.0), "The mean distance to the nearest neighbors"
        ),
    )

    neighbors: int = specs.param(10, "How many nearest neighbors count", low=1, high=1000)

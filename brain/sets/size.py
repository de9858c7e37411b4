"""Pictures far smaller or larger than the rest of their set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetCheck

#: octaves: the least spread of the sizes that is divided by. Most sets have a usual size and some pictures of half or
#: twice its side, which nobody calls odd: with 0.3 octaves, 4 of 100 ImageNet photos were
_MIN_SPREAD = 0.55
#: samples, below which a set has no usual size
_MIN = 5


def size_deviation(width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Returns how far each size is from the set's median, in robust standard deviations: (N,) float32, at least 0.

    Of the binary logarithm of the side of a square of the same area, so that half and twice the size are as far; the
    spread is 1.4826 times the median absolute deviation, and at least 0.55 octaves. NaN where a size is NaN, and
    everywhere where there are fewer than five.

    Args:
        width, height: (N,) pixels

    >>> size_deviation(np.array([512.0] * 9 + [64.0]), np.array([512.0] * 9 + [64.0])).tolist()[-2:]
    [0.0, 5.454545497894287]
    """
    octaves = np.log2(np.maximum(width.astype(np.float64) * height, 1)) / 2
    known = octaves[~np.isnan(octaves)]
    if len(known) < _MIN:
        return np.full(len(octaves), math.nan, dtype=np.float32)
    middle = np.median(known)
    spread = max(1.4826 * float(np.median(np.abs(known - middle))), _MIN_SPREAD)
    return (np.abs(octaves - middle) / spread).astype(np.float32)


@dataclass(frozen=True)
class Size(SetCheck):
    """Size: far from the rest of the set.

    The set is the whole dataset, as far as its sizes are known. A set of two usual sizes has a wide spread, and neither
    of them is odd.
    """

    name: ClassVar[str] = "size"
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "Iglewicz & Hoaglin, How to Detect and Handle Outliers (1993): 3.5 robust deviations"
    license: ClassVar[str] = "Apache-2.0"
    after: ClassVar[str] = "geometry"
    reads: ClassVar[tuple[str, ...]] = ("width", "height")
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="size_deviation",
            unit="robust standard deviations",
            higher_is_better=False,
            bounds=(0.0, math.inf),
            description="How far the size is from the set's median, on a scale of octaves.",
            default_threshold=Threshold(
                ">", 3.5, provenance="relative to the set; 3.8 times the side where most are of one size"
            ),
            failure="odd_size",
        ),
    )

    def score(self, columns: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str]:
        deviations = size_deviation(columns["width"], columns["height"])
        return {"size_deviation": deviations}, f"its size is unknown, or there are fewer than {_MIN} samples"

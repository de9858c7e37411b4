"""Whether an object reaches the border of its picture, so that a part of it may be missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import ObjectMeasure
from loupe.brain.imaging.boxes import areas, areas_inside


def border_distance(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns how far each box stays from the nearest side of its picture, in pixels: (M,) float64, 0 where it touches.

    Args:
        boxes: (M, 4) float64: left, top, right, bottom in pixels
        sizes: (M, 2) float64: width and height of each one's picture

    >>> border_distance(np.array([[0, 5, 9, 9], [3, 5, 9, 9.5]]), np.array([[100, 10], [100, 10]])).tolist()
    [0.0, 0.5]
    """
    before, behind = boxes[:, :2], sizes - boxes[:, 2:]
    return np.asarray(np.maximum(np.minimum(before, behind).min(1), 0))


def outside(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns how much of each box lies beyond its picture: (M,) float64 in [0, 1).

    >>> outside(np.array([[-5, 0, 5, 10.0]]), np.array([[20, 10.0]])).tolist()
    [0.5]
    """
    return np.asarray(1 - areas_inside(boxes, sizes) / areas(boxes))


@dataclass(frozen=True)
class Cut(ObjectMeasure):
    """Cut off: whether an object reaches the border of its picture.

    A box that touches the border is that of an object of which a part may lie beyond it. Annotators draw to the pixel,
    and labels are rounded: within one pixel counts as touching. An object that ends just there is whole, and one that
    something else hides is cut off without touching the border: neither can be told by a box.
    """

    name: ClassVar[str] = "cut"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Truncation as in Everingham et al., PASCAL VOC, IJCV (2010), by the box alone"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="border_distance",
            unit="pixels",
            higher_is_better=True,
            bounds=(0.0, math.inf),
            description="How far the box stays from the nearest side of the picture.",
            default_threshold=Threshold("<", 1.0, provenance="what annotators and rounding leave of a touch"),
            failure="cut",
        ),
        Output("outside", "share of the box", None, (0.0, 1.0), "How much of the box lies beyond the picture."),
    )

    def score(self, boxes: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
        return {"border_distance": border_distance(boxes, sizes), "outside": outside(boxes, sizes)}

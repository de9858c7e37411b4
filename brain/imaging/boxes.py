"""Boxes: overlap and containment, the one place for it.

A box is (left, top, right, bottom), y downwards; in pixels unless said otherwise.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

#: left, top, right, bottom in pixels
Corners: TypeAlias = tuple[float, float, float, float]


def corners(bounds: tuple[float, float, float, float], width: float, height: float) -> Corners | None:
    """Returns x, y, width, height in shares of a picture as corners in pixels, or None where there is no such box.

    Parts beyond the picture are cut off. No box: something is not finite, or nothing of it lies in the picture.

    Args:
        bounds: x, y, width, height in [0, 1]
        width: of the picture in pixels
        height: of the picture in pixels

    >>> corners((0.5, 0.0, 0.5, 0.5), 200, 100)
    (100.0, 0.0, 200.0, 50.0)
    >>> corners((0.5, 0.0, float("nan"), 0.5), 200, 100) is None
    True
    """
    if len(bounds) != 4 or not all(math.isfinite(value) for value in bounds):
        return None
    x, y, wide, high = bounds
    left, top = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
    right, bottom = min(max(x + wide, 0.0), 1.0), min(max(y + high, 0.0), 1.0)
    if not (right > left and bottom > top and width > 0 and height > 0):
        return None
    return left * width, top * height, right * width, bottom * height


def from_bounds(bounds: tuple[float, ...]) -> Corners:
    """Returns x, y, width, height as corners, in the same unit.

    >>> from_bounds((0.5, 0.0, 0.25, 1.0))
    (0.5, 0.0, 0.75, 1.0)
    """
    x, y, wide, high = bounds
    return x, y, x + wide, y + high


def area(box: Corners) -> float:
    """Returns the area in square pixels; 0 for a box that is turned inside out."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def intersection(a: Corners, b: Corners) -> float:
    """Returns the area that both have in common, in square pixels."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def iou(a: Corners, b: Corners) -> float:
    """Returns the intersection over the union, in [0, 1]; 0 where the union is empty.

    >>> iou((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    common = intersection(a, b)
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


def containment(a: Corners, b: Corners) -> float:
    """Returns how much of the smaller one lies in the other one, in [0, 1].

    >>> containment((0, 0, 10, 10), (8, 0, 12, 5))
    0.5
    """
    smaller = min(area(a), area(b))
    return intersection(a, b) / smaller if smaller > 0 else 0.0


def center(box: Corners) -> tuple[float, float]:
    """Returns the middle of a box, in pixels."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the intersections over the unions, in [0, 1], of boxes of (..., 4) numbers each, in their float type.

    One with many, or each with its own, as arrays are broadcast. 0 where the union is empty, as of ``iou``.

    >>> ious(np.array([0, 0, 2, 2.0]), np.array([[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 5, 5.0]])).round(3).tolist()
    [0.333, 1.0, 0.0]
    """
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), -1)
    union = areas(a) + areas(b) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def areas_inside(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns the areas of what of boxes of (..., 4) numbers lies in pictures of (..., 2): their widths and heights.

    >>> areas_inside(np.array([[-5, 0, 5, 10.0], [30, 0, 40, 10]]), np.array([20, 10.0])).tolist()
    [50.0, 0.0]
    """
    inner = np.concatenate([np.maximum(boxes[..., :2], 0), np.minimum(boxes[..., 2:], sizes)], -1)
    return areas(inner)


def areas(boxes: np.ndarray) -> np.ndarray:
    """Returns the areas of boxes of (..., 4) numbers; 0 of one that is turned inside out."""
    return np.asarray(np.prod(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None), -1))

"""Rotated squares of a picture: cut out for a model, and the model's points put back into the picture.

All positions are continuous: the first pixel spans 0 to 1, its center is at 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record


@dataclass(frozen=True)
class Roi(Record):
    """A square region of interest.

    Attributes:
        x, y: its center, in pixels of the picture
        side: in pixels of the picture
        angle: how far its own x axis is turned from the picture's, clockwise as seen, in radians
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether something can be cut out of it: finite numbers, and at least a pixel wide."""
        return all(math.isfinite(value) for value in (self.x, self.y, self.side, self.angle)) and self.side >= 1

    def shifted(self, x: float, y: float) -> Roi:
        """Returns it moved along its own axes, in multiples of its side."""
        dx, dy = turned(np.array([x, y]) * self.side, self.angle)
        return Roi(self.x + float(dx), self.y + float(dy), self.side, self.angle)

    def scaled(self, factor: float) -> Roi:
        """Returns it with its side multiplied, around the same center."""
        return Roi(self.x, self.y, self.side * factor, self.angle)


def whole(picture: np.ndarray) -> Roi:
    """Returns the smallest upright square around the picture: what is cut out of it is letterboxed."""
    height, width = picture.shape[:2]
    return Roi(width / 2, height / 2, float(max(width, height)))


def checked(picture: np.ndarray) -> np.ndarray:
    """Returns the picture, contiguous.

    Raises:
        InputError: it is not (H, W, 3) uint8 with a pixel at least
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
        raise InputError(f"expected a picture of (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    return np.ascontiguousarray(picture)


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Returns (..., 2) points turned around the origin, clockwise as seen (y points down), angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]], dtype=points.dtype))


def project(points: np.ndarray, roi: Roi) -> np.ndarray:
    """Returns where points of the region lie in the picture.

    Args:
        points: (..., 2) in [0, 1] over the region, from its own top left corner
        roi: the region

    Returns:
        (..., 2), in pixels of the picture

    >>> project(np.array([[0.5, 0.0]]), Roi(x=10, y=10, side=4, angle=math.pi / 2)).round(3).tolist()
    [[12.0, 10.0]]
    """
    return turned((points - 0.5) * roi.side, roi.angle) + np.array([roi.x, roi.y], dtype=points.dtype)


def unproject(points: np.ndarray, roi: Roi) -> np.ndarray:
    """Returns where (..., 2) points of the picture lie in the region: the inverse of ``project``."""
    return turned(points - np.array([roi.x, roi.y], dtype=points.dtype), -roi.angle) / roi.side + 0.5


def cut(picture: np.ndarray, roi: Roi, size: int, *, border: bool = False) -> np.ndarray:
    """Returns the region as an upright picture.

    What is more than one and a half times too large is averaged down first: sampling it would alias.

    Args:
        picture: (H, W, 3) uint8
        roi: where, ``usable``
        size: the side of the result, in pixels
        border: what lies outside the picture: black (letterboxing), or with True the nearest pixel of the picture

    Returns:
        (size, size, 3) uint8
    """
    import cv2

    height, width = picture.shape[:2]
    corners = project(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), roi)
    step = roi.side / size
    margin = 2 + step
    low = np.clip(np.floor(corners.min(0) - margin), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(corners.max(0) + margin), low + 1, [width, height]).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    ratio = np.ones(2)
    if step > 1.5:
        part_size = np.maximum(np.round((high - low) / step), 1).astype(int)
        ratio = part_size / (high - low)
        part = cv2.resize(part, (int(part_size[0]), int(part_size[1])), interpolation=cv2.INTER_AREA)
    # three corners of the region, as positions in the part; cv2 counts from the center of the first pixel
    source = (corners[[0, 1, 3]] - low) * ratio - 0.5
    target = np.array([[0, 0], [size, 0], [0, size]]) - 0.5
    matrix = cv2.getAffineTransform(source.astype(np.float32), target.astype(np.float32))
    mode = cv2.BORDER_REPLICATE if border else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(part, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=mode))


def tiles(picture: np.ndarray, levels: int, smallest: int) -> list[Roi]:
    """Returns the regions to look for things of all sizes in.

    The whole with as much black around it again, because the detectors miss what fills their input; the whole; then
    squares of half its side, of a quarter, ... Neighbors overlap by a third: what is smaller is whole in one of them.

    Args:
        picture: (H, W, 3)
        levels: how many sizes, the whole included, at least 1
        smallest: no square has a smaller side, in pixels
    """
    height, width = picture.shape[:2]
    regions = [whole(picture).scaled(2), whole(picture)]
    for level in range(1, levels):
        side = max(height, width) / 2**level
        if side < smallest:
            break
        regions += [Roi(x, y, side) for y in _centers(height, side) for x in _centers(width, side)]
    return regions


def _centers(length: int, side: float) -> list[float]:
    if length <= side:
        return [length / 2]
    count = math.ceil((length - side) / (side * 2 / 3) - 1e-9) + 1
    return [float(start + side / 2) for start in np.linspace(0, length - side, count)]

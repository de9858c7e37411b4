"""What the landmark models have in common: points in a picture, and telling two of the same thing from two things."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from loupe.brain.core.records import Points
from loupe.brain.perception.landmarks.crop import Roi, turned


@dataclass(frozen=True, eq=False)
class Figure:
    """A hand, a face or a body. Pixels are the picture's, counted from its top left corner.

    Attributes:
        points: (N, 2) float32: x and y in pixels; may lie outside the picture
        z: (N,) float32: depth in about the same unit, smaller is nearer; 0 at the wrist, within the head, at the hips
        presence: how sure the landmark model is that it looked at such a thing, in [0, 1]
        score: how sure the detector was, in [0, 1]
        roi: the region that the landmark model looked at
        size: width and height of the picture in pixels
    """

    points: np.ndarray
    z: np.ndarray
    presence: float
    score: float
    roi: Roi
    size: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The tight box of the points: x, y, width and height in pixels, from its top left corner."""
        low, high = self.points.min(0), self.points.max(0)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])

    @property
    def relative(self) -> np.ndarray:
        """(N, 2) float32: the points in [0, 1] over the picture."""
        return self.points / np.array(self.size, np.float32)

    def to_points(self, label: str, **attributes: str | float) -> Points:
        """Returns it as evidence, with ``presence`` as its confidence."""
        places = tuple((float(x), float(y)) for x, y in self.relative)
        return Points(label, places, self.presence, attributes)


AnyFigure = TypeVar("AnyFigure", bound=Figure)


def distinct(figures: list[AnyFigure], *, parts: bool = False, apart: float = 0.15) -> list[AnyFigure]:
    """Returns them without those that are a surer one again, the surest first.

    Boxes alone cannot tell: two clasped hands have the same. Points can: those of another hand lie elsewhere.

    Args:
        figures: in any order
        parts: also without what is much smaller than a surer one and lies in it: four fingers taken for a hand
        apart: two are the same if their points are on average nearer than that many sides of the larger one's box
    """
    kept: list[AnyFigure] = []
    for figure in sorted(figures, key=lambda item: -item.presence * item.score):
        if not any(_distance(figure, other) < apart or (parts and _is_part(figure, other)) for other in kept):
            kept.append(figure)
    return kept


def _distance(first: Figure, second: Figure) -> float:
    side = max(*first.box[2:], *second.box[2:], 1e-6)
    return float(np.linalg.norm(first.points - second.points, axis=1).mean()) / side


def _is_part(figure: Figure, whole: Figure) -> bool:
    low, high = whole.points.min(0), whole.points.max(0)
    inside = ((figure.points >= low) & (figure.points <= high)).all(1).mean()
    return bool(figure.roi.side < 0.6 * whole.roi.side and inside > 0.7)


def upright(start: np.ndarray, end: np.ndarray, wanted: float) -> float:
    """Returns the angle of a region in which the way from start to end points as wanted.

    Args:
        start, end: (2,) x and y in pixels
        wanted: in radians, counter-clockwise as seen from the x axis: 0 is to the right, pi / 2 is up

    Returns:
        radians in [-pi, pi), clockwise as seen
    """
    angle = wanted - math.atan2(float(start[1] - end[1]), float(end[0] - start[0]))
    return (angle + math.pi) % (2 * math.pi) - math.pi


def around(points: np.ndarray, angle: float) -> Roi:
    """Returns the smallest square at that angle, in radians, that has all (N, 2) points in it."""
    level = turned(points, -angle)
    low, high = level.min(0), level.max(0)
    center = turned((low + high) / 2, angle)
    return Roi(float(center[0]), float(center[1]), float((high - low).max()), angle)

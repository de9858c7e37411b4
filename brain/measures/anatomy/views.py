"""The same thing looked at again: mirrored, turned, moved and scaled. Points that wander between views are not sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from loupe.brain.core.records import Record
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.figure import Figure

_Figure_co = TypeVar("_Figure_co", bound=Figure, covariant=True)


class LandmarkModel(Protocol[_Figure_co]):
    """Draws the points of what is in one region: ``Faces.at``, ``Poses.at``, ``Hands.at``."""

    def __call__(self, picture: np.ndarray, roi: Roi) -> _Figure_co | None: ...


@dataclass(frozen=True)
class View(Record):
    """How a region is changed.

    Attributes:
        mirror: whether the picture is mirrored
        angle: how far the region is turned, in radians
        scale: its side is multiplied by that
        x, y: how far it is moved, in sides
    """

    mirror: bool = False
    angle: float = 0.0
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0


VIEWS = (
    View(mirror=True),
    View(angle=0.15),
    View(angle=-0.15),
    View(scale=1.12, x=0.04, y=0.03),
    View(mirror=True, scale=0.92, x=-0.03, y=-0.03),
)


def figures(model: LandmarkModel[_Figure_co], picture: np.ndarray, roi: Roi) -> list[tuple[View, _Figure_co | None]]:
    """Returns what a landmark model finds in each of ``VIEWS``; None where it finds nothing.

    What it found in a mirrored view lies in the mirrored picture: ``back`` puts its points in their places.

    Args:
        model: finds it in one region
        picture: (H, W, 3) uint8 RGB
        roi: the region, ``usable``
    """
    other = np.ascontiguousarray(picture[:, ::-1])
    by_view = []
    for view in VIEWS:
        start = Roi(picture.shape[1] - roi.x, roi.y, roi.side, -roi.angle) if view.mirror else roi
        changed = start.shifted(view.x, view.y).scaled(view.scale)
        region = Roi(changed.x, changed.y, changed.side, changed.angle + view.angle)
        by_view.append((view, model(other if view.mirror else picture, region)))
    return by_view


def back(points: np.ndarray, view: View, width: int) -> np.ndarray:
    """Returns (..., 2) points of a view in their places in the picture; left and right are not swapped.

    >>> back(np.array([[1.0, 2.0]]), View(mirror=True), 10).tolist()
    [[9.0, 2.0]]
    """
    return points * np.array([-1, 1], points.dtype) + np.array([width, 0], points.dtype) if view.mirror else points

"""Pupils: how large, where in the iris and how long each is, and flaws put into them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.anatomy.people_defects import bump, grid, iris_moved, sampled
from loupe.brain.measures.anatomy import face_shape
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face

#: an iris is cut out to that radius, of a square of that side, in pixels
_RADIUS, _SIDE = 24, 64
#: irises of a smaller radius, in pixels of the picture, do not show their pupil
MIN_RADIUS = 5.0
#: of an iris so much has to be seen between the lids, and its pupil has to be so much darker, in luma
_VISIBLE, _DARKER = 0.5, 6.0
NAMES = ("pupil_sizes", "pupil_place", "pupil_long", "iris_size", "gaze", "gaze_height")


def iris_radius(face: Face) -> float:
    """Returns the radius of the smaller iris in pixels, by its rim; 0 without irises."""
    if face.irises is None:
        return 0.0
    return min(float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()) for iris in face.irises)


def pupil(picture: np.ndarray, iris: np.ndarray, lids: np.ndarray) -> tuple[float, float, float] | None:
    """Returns a pupil's radius, its distance from the iris's middle, both in radii of the iris, and length over width.

    None where too little of the iris is seen, or nothing in it is darker.

    Args:
        picture: (H, W, 3) uint8 RGB
        iris: (5, 2) its middle and its rim, in pixels
        lids: (N, 2) the eye's outline, in pixels
    """
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    roi = Roi(float(iris[0, 0]), float(iris[0, 1]), max(radius, 1.0) * _SIDE / _RADIUS)
    luma = cv2.cvtColor(crop.cut(picture, roi, _SIDE, border=True), cv2.COLOR_RGB2GRAY).astype(np.float32)
    luma = cv2.GaussianBlur(luma, (0, 0), 1.5)
    seen = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(seen, [np.round(crop.unproject(lids, roi) * _SIDE).astype(np.int32)], 1)
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.5 - _SIDE / 2
    disc = np.hypot(x, y) < 0.95 * _RADIUS
    inside = (seen > 0) & disc
    if inside.sum() < _VISIBLE * disc.sum():
        return None
    dark, middle = np.percentile(luma[inside], [5, 60])
    if middle - dark < _DARKER:
        return None
    parts = ((luma < (dark + middle) / 2) & inside).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(parts, connectivity=4)
    part = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    places = np.column_stack([x[part], y[part]])
    if len(places) < 12:
        return None
    spread = np.linalg.eigvalsh(np.cov(places.T))
    size = float(np.sqrt(len(places) / np.pi)) / _RADIUS
    return size, float(np.linalg.norm(places.mean(0))) / _RADIUS, float(np.sqrt(spread[1] / max(spread[0], 1e-6)))


def measures(picture: np.ndarray, face: Face) -> np.ndarray | None:
    """Returns what is odd about the eyes of a face, (6,) in the order of ``NAMES``, each worse where higher.

    None where the irises are too small, the eyes are shut, or a pupil cannot be seen.
    """
    if face.irises is None or iris_radius(face) < MIN_RADIUS:
        return None
    known = face_shape.measures(face, [], picture)
    pupils = [
        pupil(picture, iris, face.points[list(eye)]) for iris, eye in zip(face.irises, face_shape.EYES, strict=True)
    ]
    if "gaze" not in known or pupils[0] is None or pupils[1] is None:
        return None
    (size, off, long), (other, other_off, other_long) = pupils[0], pupils[1]
    return np.array(
        [
            abs(float(np.log(size / other))),
            max(off, other_off),
            float(np.log(max(long, other_long))),
            known["iris_size"],
            known["gaze"],
            known["gaze_height"],
        ]
    )


def _scaled(picture: np.ndarray, face: Face, factors: tuple[float, float], reach: float) -> np.ndarray:
    """One eye's iris larger by these factors along x and y, as far as so many of its radii."""
    assert face.irises is not None
    iris = face.irises[1]
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()) * reach
    at = grid(picture)
    away = at - iris[0]
    shrunk = away * (1 - 1 / np.array(factors, np.float32))
    return sampled(picture, at - bump(away, (radius, radius)) * shrunk)


def pupil_larger(picture: np.ndarray, face: Face) -> np.ndarray:
    """One pupil larger."""
    return _scaled(picture, face, (1.8, 1.8), 1.0)


def pupil_long(picture: np.ndarray, face: Face) -> np.ndarray:
    """One pupil long and narrow."""
    return _scaled(picture, face, (0.6, 1.8), 1.0)


def iris_larger(picture: np.ndarray, face: Face) -> np.ndarray:
    """One iris larger than the other, with its pupil."""
    return _scaled(picture, face, (1.5, 1.5), 2.2)


def iris_aside(picture: np.ndarray, face: Face) -> np.ndarray:
    """One iris moved sideways by a quarter of the eye's width."""
    return iris_moved(picture, face, 0.25)


FLAWS: dict[str, Callable[[np.ndarray, Face], np.ndarray]] = {
    "pupil larger": pupil_larger,
    "pupil long": pupil_long,
    "iris larger": iris_larger,
    "iris aside": iris_aside,
}

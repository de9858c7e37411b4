"""Faces as a whole: do several looks agree, how far is the shape from real ones, and what is seen at each part.

A row for each face; ``scores`` puts the rows of generated faces beside those of real ones. No rating is seen here.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sklearn.covariance import LedoitWolf

from benchmarks import data
from benchmarks.anatomy.hands import read
from benchmarks.anatomy.people import find_faces
from loupe.brain.measures.anatomy import face_shape, views
from loupe.brain.measures.anatomy.anomaly import most_anomalous
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.face import Face, face_region
from training.anatomy import places
from training.anatomy.agreement import changed, logit
from training.anatomy.by_picture import Rows

#: faces are left out whose eyes' outer corners are nearer to each other than that, in pixels of at most 1280
MIN_SIZE = 16
#: what ``_looks`` gives, in its order; all are worse where higher
LOOKS = ("eyes", "mouth", "nose", "outline", "irises", "absent", "worst_absent", "networks", "second_unsure")
#: where the embedder's layers are read: eyes, brows, nose, mouth, chin, cheeks, forehead, ears
PLACES = (33, 133, 159, 145, 362, 263, 386, 374, 105, 334, 6, 1, 98, 327, 61, 291, 13, 14, 152, 205, 425, 10, 234, 454)
#: the second network's five points: the right eye, the left one, the nose, the right corner of the mouth, the left one
_SECOND = ((33, 133), (362, 263), (1,), (61,), (291,))
_SECOND_SIDE = 320
_CHANGES = ("darker", "lighter", "blurred", "grey")
#: so many principal directions of real faces' shapes are kept
_DIRECTIONS = 12


@cache
def _second() -> Any:
    path = str(data.required("9_weights/onnx/yunet.onnx"))
    return cv2.FaceDetectorYN.create(path, "", (_SECOND_SIDE, _SECOND_SIDE), 0.05)


def rows_of(path: Path) -> list[Rows]:
    """Returns the rows of one picture's faces."""
    picture = read(path)
    faces = [face for face in find_faces()(picture) if face_shape.unit(face_shape.solid(face)) >= MIN_SIZE]
    return [_row(picture, face) for face in faces]


def _row(picture: np.ndarray, face: Face) -> Rows:
    points = face_shape.solid(face)
    region = face_region(face.points)
    looks = views.figures(find_faces().at, picture, region)
    others = [
        face_shape.unmirrored(other, picture.shape[1]) if view.mirror else other
        for view, other in looks
        if other is not None
    ]
    measures = face_shape.measures(face, others, picture)
    if len(others) < len(looks):
        measures["doubt"] = 1.0
    old, _ = most_anomalous(measures, face_shape.LIMITS, face_shape.turn(points).yaw)
    shown = crop.cut(picture, region, places.INPUT, border=True)
    spots = crop.unproject(face.points[list(PLACES)], region)
    return {
        "old": np.array(old),
        "size": np.array(-math.log(face_shape.unit(points))),
        "blur": np.array(-places.sharpness(shown)),
        "looks": _looks(picture, face, others, len(looks) - len(others)),
        "shape": face_shape.frontal(points).astype(np.float32),
        "parts": places.at_places([shown], [spots])[0],
    }


def _looks(picture: np.ndarray, face: Face, others: list[Face], lost: int) -> np.ndarray:
    """How far the looks at a face disagree: (9,) float64 in the order of ``LOOKS``."""
    size = face_shape.unit(face_shape.solid(face))
    # a part around the face is changed, not the picture
    side = max(8, round(1.6 * face.roi.side))
    around = crop.Roi(face.roi.x, face.roi.y, float(side))
    part = crop.cut(picture, around, side, border=True)
    region = face_region(face.points)
    inner = crop.Roi(side / 2 + region.x - around.x, side / 2 + region.y - around.y, region.side, region.angle)
    back = np.array([around.x - side / 2, around.y - side / 2], np.float32)
    seen = [(view.points, view.irises, view.presence) for view in (face, *others)]
    for how in _CHANGES:
        other = find_faces().at(changed(part, how), inner)
        if other is None:
            lost += 1
        else:
            seen.append((other.points + back, None if other.irises is None else other.irises + back, other.presence))
    points = np.array([view[0] for view in seen])
    off = np.linalg.norm(points - np.median(points, 0), axis=-1).mean(0) / size
    groups = (face_shape.EYES, face_shape.LIPS, face_shape.NOSE, face_shape.OUTLINE)
    spread = [off[[at for half in group for at in half]].mean() for group in groups]
    irises = np.array([view[1][:, 0] for view in seen if view[1] is not None])
    spread.append(np.linalg.norm(irises - np.median(irises, 0), axis=-1).mean() / size if len(irises) else 1.0)
    absent = [-logit(view[2]) for view in seen] + [-logit(0.0)] * lost
    second, unsure = _apart(picture, face, size)
    return np.array(
        [
            *(math.log(float(value) + 1e-3) for value in spread),
            float(np.mean(absent)),
            float(np.max(absent)),
            math.log(second + 1e-3),
            unsure,
        ]
    )


def _apart(picture: np.ndarray, face: Face, size: float) -> tuple[float, float]:
    """How far the second network's five points are from the first one's, in eye distances, and how unsure it is.

    Where it sees no face there, an eye distance and all its doubt.
    """
    roi = face_region(face.points).scaled(1.6)
    part = crop.cut(picture, roi, _SECOND_SIDE, border=True)
    _, rows = _second().detect(cv2.cvtColor(part, cv2.COLOR_RGB2BGR))
    first = np.array([face.points[list(numbers)].mean(0) for numbers in _SECOND])
    best = (1.0, -logit(0.0))
    for row in () if rows is None else rows:
        points = crop.project(row[4:14].reshape(5, 2) / _SECOND_SIDE, roi)
        off = float(np.linalg.norm(points - first, axis=1).mean()) / size
        if off < best[0]:
            best = (off, -logit(float(row[14])))
    return best


class Shapes:
    """What is usual of real faces' shapes, by their principal directions, and how unusual another one is.

    Args:
        real: (N, P, 3) frontal points
    """

    def __init__(self, real: np.ndarray) -> None:
        both = np.concatenate([real, np.array([face_shape.mirrored(points) for points in real])])
        flat = both.reshape(len(both), -1)
        self._middle = flat.mean(0)
        _, _, ways = np.linalg.svd(flat - self._middle, full_matrices=False)
        self._ways = ways[:_DIRECTIONS]
        self._fit = LedoitWolf().fit((flat - self._middle) @ self._ways.T)

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Returns the logarithms of a face's distance within the directions and off them: (2,)."""
        off = points.reshape(-1) - self._middle
        inside = off @ self._ways.T
        within = float(self._fit.mahalanobis(inside[None])[0]) / 2
        return np.log([max(within, 1e-9), float(np.linalg.norm(off - inside @ self._ways)) + 1e-6])


def scores(rated: Rows, real: Rows) -> dict[str, np.ndarray]:
    """Returns the scores of the rated faces by name, each worse where higher; single terms have a colon."""
    looks = (rated["looks"] - real["looks"].mean(0)) / (real["looks"].std(0) + 1e-9)
    shapes = Shapes(real["shape"])
    far = np.array([shapes.distances(points) for points in rated["shape"]])
    own = np.array([shapes.distances(points) for points in real["shape"]])
    far = (far - own.mean(0)) / own.std(0)
    bank = places.Bank(real["parts"])
    parts = np.log([bank.distances(face) for face in rated["parts"]])
    return {
        "old rule": rated["old"],
        "size": rated["size"],
        "blur": rated["blur"],
        "agreement": looks.mean(1),
        "shape": far.mean(1),
        "parts": parts.mean(1),
        **{f"agreement: {name}": looks[:, at] for at, name in enumerate(LOOKS)},
        **{f"shape: {name}": far[:, at] for at, name in enumerate(("within", "off"))},
        "parts: worst": np.sort(parts, 1)[:, -4:].mean(1),
        "parts: eyes": parts[:, :8].mean(1),
        "parts: mouth": parts[:, 14:18].mean(1),
    }

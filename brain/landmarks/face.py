"""Faces: 468 points each, and the irises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loupe.brain.landmarks import crop, detector
from loupe.brain.landmarks.crop import Roi
from loupe.brain.landmarks.figure import Figure, around, distinct, upright
from loupe.brain.landmarks.litert import Model

#: the corners of the eyes among the points, from left to right in an upright face that looks at you
EYE_CORNERS = (33, 133, 362, 263)


@dataclass(frozen=True, eq=False)
class Face(Figure):
    """A face, by 468 points of MediaPipe's face mesh.

    Attributes:
        irises: (2, 5, 2) float32, in pixels, or None without an iris model. Of each eye the centre of its iris, then
            four points on its rim, a quarter turn apart. The first eye is the person's right one, between points 33 and
            133. They mean little for an eye that is shut or turned away: the model always draws an iris
    """

    irises: np.ndarray | None = None


class Faces:
    """Finds faces.

    Args:
        detection: face_detection_short_range.tflite, for faces within 2 m of the camera, or
            face_detection_full_range_sparse.tflite, within 5 m
        landmark: face_landmark.tflite
        iris: iris_landmark.tflite, or None
        levels: how many sizes of regions the detector looks at, see ``crop.tiles``
        threshold: how sure the detector has to be, in [0, 1]
        presence: how sure the landmark model has to be, in [0, 1]
        most: how many faces a picture has at most; the surest are kept
        passes: 2 looks again, at a region put around the first look's points

    Raises:
        ModelError: a file is not there or is another model
        MissingDependency: ai-edge-litert is not installed

    Source: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019,
        https://arxiv.org/abs/1907.06724; Ablavatski et al., Real-time Pupil Tracking from Monocular Video, 2020,
        https://arxiv.org/abs/2006.11341; models Apache-2.0

    Example:
        >>> faces = Faces("face_detection_short_range.tflite", "face_landmark.tflite")  # doctest: +SKIP
        >>> [face.points.shape for face in faces(picture)]  # doctest: +SKIP
        [(468, 2)]
    """

    def __init__(
        self,
        detection: str | Path,
        landmark: str | Path,
        iris: str | Path | None = None,
        *,
        levels: int = 1,
        threshold: float = 0.5,
        presence: float = 0.5,
        most: int = 64,
        passes: int = 2,
    ) -> None:
        layouts = (detector.FACE_SHORT_RANGE, detector.FACE_FULL_RANGE)
        self._detector = detector.Detector(detection, layouts, threshold=threshold, levels=levels)
        self._model = Model(landmark)
        self._model.expect([(1, 1, 1, 1404), (1, 1, 1, 1)])
        self._iris = Model(iris) if iris is not None else None
        if self._iris is not None:
            self._iris.expect([(1, 213), (1, 15)])
        self._presence = presence
        self._most = most
        self._passes = passes

    def __call__(self, picture: np.ndarray) -> list[Face]:
        """Returns the faces, the surest first.

        Args:
            picture: (H, W, 3) uint8 RGB

        Raises:
            InputError: it is not such a picture
        """
        picture = crop.checked(picture)
        found = self._detector(picture)[: self._most]
        faces = []
        for box, keypoints, score in zip(found.boxes, found.keypoints, found.scores, strict=True):
            face = self.at(picture, detected_region(box, keypoints), float(score))
            for _ in range(self._passes - 1):
                again = face and self.at(picture, face_region(face.points), float(score))
                face = again or face
            if face:
                faces.append(face)
        return distinct(faces, parts=True)

    def at(self, picture: np.ndarray, roi: Roi, score: float = 1.0) -> Face | None:
        """Returns the face in one region, or None where the landmark model sees none.

        Args:
            picture: (H, W, 3) uint8 RGB
            roi: a square around the whole face, upright in it
            score: what the face's ``score`` is to be
        """
        if not roi.usable:
            return None
        numbers, logit = self._model(crop.cut(picture, roi, self._model.size, border=True))
        presence = 1 / (1 + float(np.exp(-np.clip(logit.item(), -80, 80))))
        if presence < self._presence:
            return None
        mesh = numbers.reshape(468, 3) / self._model.size
        points = crop.project(mesh[:, :2], roi)
        return Face(
            points=points,
            z=mesh[:, 2] * roi.side,
            presence=presence,
            score=score,
            roi=roi,
            size=(picture.shape[1], picture.shape[0]),
            irises=self._irises(picture, points),
        )

    def _irises(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray | None:
        if self._iris is None:
            return None
        found = np.full((2, 5, 2), np.nan, np.float32)
        for eye, corners in enumerate((EYE_CORNERS[:2], EYE_CORNERS[2:])):
            roi = eye_region(points[corners[0]], points[corners[1]])
            if not roi.usable:
                continue
            # the model knows one eye; the other one is shown to it in a mirror
            part = crop.cut(picture, roi, self._iris.size, border=True)
            _, iris = self._iris(part[:, ::-1] if eye else part)
            places = iris.reshape(5, 3)[:, :2] / self._iris.size
            if eye:
                places[:, 0] = 1 - places[:, 0]
            found[eye] = crop.project(places, roi)
        return found


def detected_region(box: np.ndarray, keypoints: np.ndarray) -> Roi:
    """Returns the region of a face, as the detector found it.

    Args:
        box: (4,) left, top, right, bottom in pixels
        keypoints: (6, 2) in pixels: the eyes first
    """
    middle = (box[:2] + box[2:]) / 2
    side = float((box[2:] - box[:2]).max())
    return Roi(float(middle[0]), float(middle[1]), side, upright(keypoints[0], keypoints[1], 0.0)).scaled(1.5)


def face_region(points: np.ndarray) -> Roi:
    """Returns the region of a face, by its own (468, 2) points in pixels."""
    return around(points, upright(points[EYE_CORNERS[0]], points[EYE_CORNERS[3]], 0.0)).scaled(1.5)


def eye_region(left: np.ndarray, right: np.ndarray) -> Roi:
    """Returns the region of an eye, by its two corners, (2,) in pixels, as they lie in an upright face."""
    middle = (left + right) / 2
    side = float(np.linalg.norm(right - left))
    return Roi(float(middle[0]), float(middle[1]), side, upright(left, right, 0.0)).scaled(2.3)

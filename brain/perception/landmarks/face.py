"""Faces: 468 points each, and the irises."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception.landmarks import crop, detector
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.figure import Figure, around, upright
from loupe.brain.perception.landmarks.finder import Finder
from loupe.brain.perception.landmarks.litert import Model

#: the corners of the eyes among the points, from left to right in an upright face that looks at you
EYE_CORNERS = (33, 133, 362, 263)


@dataclass(frozen=True, eq=False)
class Face(Figure):
    """A face, by 468 points of MediaPipe's face mesh.

    Attributes:
        irises: (2, 5, 2) float32, in pixels, or None without an iris model. Of each eye the center of its iris, then
            four points on its rim, a quarter turn apart. The first eye is the person's right one, between points 33 and
            133. They mean little for an eye that is shut or turned away: the model always draws an iris
    """

    irises: np.ndarray | None = None


class Faces(Finder[Face]):
    """Finds faces.

    Args:
        detection: face_detection_short_range.tflite, for faces within 2 m of the camera, or
            face_detection_full_range_sparse.tflite, within 5 m
        landmark: face_landmark.tflite
        iris: iris_landmark.tflite, or None
        levels: how many sizes of regions the detector looks at, see ``crop.tiles``
        threshold: how sure the detector has to be, in [0, 1]
        presence: how sure the landmark model has to be, in [0, 1]
        max_figures: how many faces a picture has at most; the surest are kept
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

    layouts = (detector.FACE_SHORT_RANGE, detector.FACE_FULL_RANGE)
    shapes: ClassVar[list[tuple[int, ...]]] = [(1, 1, 1, 1404), (1, 1, 1, 1)]

    def __init__(
        self,
        detection: str | Path,
        landmark: str | Path,
        iris: str | Path | None = None,
        *,
        levels: int = 1,
        threshold: float = 0.5,
        presence: float = 0.5,
        max_figures: int = 64,
        passes: int = 2,
    ) -> None:
        super().__init__(
            detection,
            landmark,
            levels=levels,
            threshold=threshold,
            presence=presence,
            max_figures=max_figures,
            passes=passes,
        )
        # decides which faces are found, and their points
        self._key = (str(detection), str(landmark), levels, threshold, presence, max_figures, passes)
        self._iris = Model(iris) if iris is not None else None
        if self._iris is not None:
            self._iris.expect([(1, 213), (1, 15)])

    def __call__(self, picture: np.ndarray) -> list[Face]:
        """Returns the faces, the surest first.

        Args:
            picture: (H, W, 3) uint8 RGB

        Raises:
            InputError: it is not such a picture
        """
        return self._with_irises(picture, super().__call__(picture))

    def at(self, picture: np.ndarray, roi: Roi, score: float = 1.0) -> Face | None:
        """Returns the face in one region, or None where the landmark model sees none.

        Args:
            picture: (H, W, 3) uint8 RGB
            roi: a square around the whole face, upright in it
            score: what the face's ``score`` is to be
        """
        face = super().at(picture, roi, score)
        return None if face is None else self._with_irises(picture, [face])[0]

    def of_batch(self, batch: ImageBatch, long_side: int) -> list[tuple[np.ndarray, list[Face]]]:
        """Returns each picture of a batch, (H, W, 3) uint8 RGB, with its faces, the surest first.

        The faces are kept for as long as the batch is: another ``Faces`` with the same settings, with or without an
        iris model, does not look for them again.

        Args:
            batch: the pictures
            long_side: what they are scaled down to first, in pixels
        """
        pictures = batch.at(long_side).pixels.permute(0, 2, 3, 1).cpu().numpy()
        kept = _kept(batch)
        if (self._key, long_side) not in kept:
            kept[self._key, long_side] = [super(Faces, self).__call__(picture) for picture in pictures]
        faces_by_picture = zip(pictures, kept[self._key, long_side], strict=True)
        return [(picture, self._with_irises(picture, faces)) for picture, faces in faces_by_picture]

    def _landmarks(self, picture: np.ndarray, roi: Roi, score: float) -> tuple[Face, Roi] | None:
        numbers, logit = self._model(crop.cut(picture, roi, self._model.size, border=True))
        presence = 1 / (1 + float(np.exp(-np.clip(logit.item(), -80, 80))))
        if presence < self._presence:
            return None
        mesh = numbers.reshape(468, 3) / self._model.size
        face = Face(
            points=crop.project(mesh[:, :2], roi),
            z=mesh[:, 2] * roi.side,
            presence=presence,
            score=score,
            roi=roi,
            size=(picture.shape[1], picture.shape[0]),
        )
        return face, face_region(face.points)

    def _first(self, box: np.ndarray, keypoints: np.ndarray) -> Roi:
        return detected_region(box, keypoints)

    def _with_irises(self, picture: np.ndarray, faces: list[Face]) -> list[Face]:
        if self._iris is None:
            return faces
        picture = crop.checked(picture)
        return [replace(face, irises=self._irises(self._iris, picture, face.points)) for face in faces]

    def _irises(self, model: Model, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        irises = np.full((2, 5, 2), np.nan, np.float32)
        for eye, corners in enumerate((EYE_CORNERS[:2], EYE_CORNERS[2:])):
            roi = eye_region(points[corners[0]], points[corners[1]])
            if not roi.usable:
                continue
            # the model knows one eye; the other one is shown to it in a mirror
            part = crop.cut(picture, roi, model.size, border=True)
            _, iris = model(part[:, ::-1] if eye else part)
            places = iris.reshape(5, 3)[:, :2] / model.size
            if eye:
                places[:, 0] = 1 - places[:, 0]
            irises[eye] = crop.project(places, roi)
        return irises


#: what was found in the batches that are in use, by their ``id``: a batch cannot be hashed
_KEPT: dict[int, dict[Hashable, list[list[Face]]]] = {}


def _kept(batch: ImageBatch) -> dict[Hashable, list[list[Face]]]:
    if id(batch) not in _KEPT:
        _KEPT[id(batch)] = {}
        weakref.finalize(batch, _KEPT.pop, id(batch), None).atexit = False
    return _KEPT[id(batch)]


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

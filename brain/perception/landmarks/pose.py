"""Bodies: 33 points each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.perception.landmarks import crop, detector
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.figure import Figure, upright
from loupe.brain.perception.landmarks.finder import Finder

#: the points' names; left and right are the person's own
NAMES = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_little", "right_little", "left_index", "right_index"),
    *("left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot", "right_foot"),
)


@dataclass(frozen=True, eq=False)
class Pose(Figure):
    """A body, by 33 points (``NAMES``).

    Attributes:
        world: (33, 3) float32: x, y and z in meters from the middle of the hips, turned like the picture
        visibility: (33,) float32 in [0, 1]: how sure it is that a point is in the picture and nothing hides it
        inside: (33,) float32 in [0, 1]: how sure it is that a point is in the picture
    """

    world: np.ndarray
    visibility: np.ndarray
    inside: np.ndarray


class Poses(Finder[Pose]):
    """Finds people. The detector is made for one or a few of them, whose faces can be seen.

    Args:
        detection: pose_detection.tflite
        landmark: pose_landmark_full.tflite or pose_landmark_lite.tflite
        levels: how many sizes of regions the detector looks at, see ``crop.tiles``
        threshold: how sure the detector has to be, in [0, 1]
        presence: how sure the landmark model has to be, in [0, 1]
        max_figures: how many people a picture has at most; the surest are kept
        passes: 2 looks again, at a region put around the first look's points

    Raises:
        ModelError: a file is not there or is another model
        MissingDependency: ai-edge-litert is not installed

    Source: Bazarevsky et al., BlazePose, 2020, https://arxiv.org/abs/2006.10204; models Apache-2.0

    Example:
        >>> poses = Poses("pose_detection.tflite", "pose_landmark_full.tflite")  # doctest: +SKIP
        >>> [dict(zip(NAMES, pose.visibility))["left_wrist"] for pose in poses(picture)]  # doctest: +SKIP
        [0.98]
    """

    layouts = (detector.POSE,)
    shapes: ClassVar[list[tuple[int, ...]]] = [(1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117)]
    parts = False

    def _first(self, box: np.ndarray, keypoints: np.ndarray) -> Roi:
        return body_region(keypoints[0], keypoints[1])

    def _landmarks(self, picture: np.ndarray, roi: Roi, score: float) -> tuple[Pose, Roi] | None:
        numbers, presence, _, heat, world = self._model(crop.cut(picture, roi, self._model.size, border=True))
        if presence.item() < self._presence:
            return None
        body = numbers.reshape(39, 5)
        places = refined(body[:, :2] / self._model.size, heat[0])
        points = crop.project(places, roi)
        metres = world.reshape(39, 3)[:33].copy()
        metres[:, :2] = crop.turned(metres[:, :2], roi.angle)
        sure = 1 / (1 + np.exp(-np.clip(body[:33, 3:], -80, 80)))
        pose = Pose(
            points=points[:33],
            z=body[:33, 2] / self._model.size * roi.side,
            presence=presence.item(),
            score=score,
            roi=roi,
            size=(picture.shape[1], picture.shape[0]),
            world=metres,
            visibility=sure[:, 0],
            inside=sure[:, 1],
        )
        return pose, body_region(points[33], points[34])  # two further points say where the next region is


def body_region(hips: np.ndarray, end: np.ndarray) -> Roi:
    """Returns the region of a body: a square around the middle of the hips.

    Args:
        hips: (2,) in pixels
        end: (2,) in pixels: above the head by as much as the circle around the whole body is wide
    """
    side = 2 * float(np.linalg.norm(end - hips))
    return Roi(float(hips[0]), float(hips[1]), side, upright(hips, end, math.pi / 2)).scaled(1.25)


def refined(places: np.ndarray, heat: np.ndarray, kernel: int = 7) -> np.ndarray:
    """Returns the points moved to the middle of the heat around them, where the heat is sure.

    Args:
        places: (N, 2) float32 in [0, 1] over the region
        heat: (h, w, N) float32, before the sigmoid
        kernel: how many cells wide the neighborhood is, odd
    """
    height, width = heat.shape[:2]
    reach = kernel // 2
    moved = places.copy()
    for number, (x, y) in enumerate(places * np.array([width, height], np.float32)):
        if not (0 <= x < width and 0 <= y < height):
            continue
        left, top = max(int(x) - reach, 0), max(int(y) - reach, 0)
        logits = heat[top : int(y) + reach + 1, left : int(x) + reach + 1, number]
        sure = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
        if sure.max() >= 0.5:
            rows, columns = np.indices(sure.shape)
            moved[number] = (
                ((columns + left) * sure).sum() / sure.sum() / width,
                ((rows + top) * sure).sum() / sure.sum() / height,
            )
    return moved

"""The first stage of MediaPipe's solutions: boxes with a few key points, from a single-shot detector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from loupe.brain.core.errors import ModelError
from loupe.brain.imaging.boxes import ious
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.litert import Model


@dataclass(frozen=True)
class Layout:
    """How a detector's numbers are to be read. Its anchors are points: every box is relative to the input's side.

    Attributes:
        size: the side of the input, in pixels
        grids: for each grid of anchors the pixels between two of them, and how many stand at one point
        keypoints: how many key points come with a box
        signed: whether the input is in [-1, 1]
    """

    size: int
    grids: tuple[tuple[int, int], ...]
    keypoints: int
    signed: bool


#: after mediapipe/modules/{palm_detection,face_detection,pose_detection}/*.pbtxt, Apache-2.0
PALM = Layout(192, ((8, 2), (16, 6)), 7, signed=False)
FACE_SHORT_RANGE = Layout(128, ((8, 2), (16, 6)), 6, signed=True)
FACE_FULL_RANGE = Layout(192, ((4, 1),), 6, signed=True)
POSE = Layout(224, ((8, 2), (16, 2), (32, 6)), 4, signed=True)


@dataclass(frozen=True, eq=False)
class Detections:
    """N things found, the surest first.

    Attributes:
        boxes: (N, 4) float32: left, top, right, bottom
        keypoints: (N, K, 2) float32
        scores: (N,) float32 in [0, 1]
    """

    boxes: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: np.ndarray | slice) -> Detections:
        return Detections(self.boxes[chosen], self.keypoints[chosen], self.scores[chosen])


@lru_cache
def anchors(layout: Layout) -> np.ndarray:
    """Returns the (N, 2) float32 anchors, x and y in [0, 1], in the order of the model's outputs: row by row.

    >>> [len(anchors(layout)) for layout in (PALM, FACE_SHORT_RANGE, FACE_FULL_RANGE, POSE)]
    [2016, 896, 2304, 2254]
    """
    grids = []
    for stride, count in layout.grids:
        centers = (np.arange(layout.size // stride, dtype=np.float32) + 0.5) * stride / layout.size
        grid = np.stack(np.meshgrid(centers, centers), -1).reshape(-1, 2)
        grids.append(np.repeat(grid, count, axis=0))
    return np.concatenate(grids)


def decode(raw: np.ndarray, logits: np.ndarray, layout: Layout, threshold: float) -> Detections:
    """Returns what is at least as sure as the threshold, in [0, 1] over the input, unsorted.

    Args:
        raw: (N, 4 + 2 K): for each anchor x, y, width, height and the key points, in pixels from the anchor
        logits: (N,) before the sigmoid
        layout: the detector's
        threshold: in [0, 1]
    """
    # logits far out say nothing more than 0 or 1, and would overflow
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float32), -80, 80)))
    chosen = scores >= threshold
    centers = anchors(layout)[chosen]
    numbers = raw[chosen].astype(np.float32) / layout.size
    middle = numbers[:, :2] + centers
    half = numbers[:, 2:4] / 2
    keypoints = numbers[:, 4:].reshape(-1, layout.keypoints, 2) + centers[:, None]
    return Detections(np.concatenate([middle - half, middle + half], 1), keypoints, scores[chosen])


def merged(detections: Detections, threshold: float) -> Detections:
    """Returns one detection for each thing: of those that overlap, the mean weighted by score, with the highest score.

    Non-maximum suppression, but the suppressed have their say about the place; it trembles less. The surest box takes
    all that overlap it; so does the surest of those left, until none is left.

    Args:
        detections: in any order
        threshold: the intersection over union above which two are the same thing
    """
    rest = np.argsort(-detections.scores, kind="stable")
    boxes, keypoints, scores = [], [], []
    while len(rest):
        same = ious(detections.boxes[rest[0]], detections.boxes[rest]) > threshold
        same[0] = True  # also where the box is empty
        group = rest[same]
        weights = detections.scores[group] / detections.scores[group].sum()
        boxes.append(weights @ detections.boxes[group])
        keypoints.append(np.tensordot(weights, detections.keypoints[group], 1))
        scores.append(detections.scores[rest[0]])
        rest = rest[~same]
    if not scores:
        return detections
    return Detections(np.stack(boxes), np.stack(keypoints), np.array(scores, np.float32))


class Detector:
    """Finds palms, faces or people.

    Args:
        path: a .tflite file of a detector
        layouts: how its numbers may have to be read; its input and outputs decide which one it is
        threshold: how sure it has to be, in [0, 1]
        levels: how many sizes of regions it looks at, see ``crop.tiles``: 1 is the whole picture; with each further one
            it finds things of half the size, at four times the cost

    Raises:
        ModelError: the file is no such detector
    """

    def __init__(
        self, path: str | Path, layouts: tuple[Layout, ...], *, threshold: float = 0.5, levels: int = 1
    ) -> None:
        self._model = Model(path)
        fitting = [layout for layout in layouts if _fits(self._model, layout)]
        if not fitting:
            raise ModelError(
                f"{str(path)!r} is another model: its input has {self._model.size} px, its outputs {self._model.shapes}"
            )
        self.layout = fitting[0]
        self._threshold = threshold
        self._levels = levels

    def __call__(self, picture: np.ndarray) -> Detections:
        """Returns what it finds, in pixels of the picture, the surest first.

        Args:
            picture: (H, W, 3) uint8 RGB
        """
        layout = self.layout
        parts = []
        for roi in crop.tiles(picture, self._levels, layout.size // 2):
            outputs = self._model(crop.cut(picture, roi, layout.size), signed=layout.signed)
            raw, logits = sorted(outputs, key=lambda output: -output.shape[-1])
            detections = decode(raw[0], logits[0, :, 0], layout, self._threshold)
            detections = detections[_inside(detections.boxes, roi, picture)]
            corners = detections.boxes.reshape(-1, 2, 2)
            parts.append(
                Detections(
                    crop.project(corners, roi).reshape(-1, 4),
                    crop.project(detections.keypoints, roi),
                    detections.scores,
                )
            )
        together = Detections(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.keypoints for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )
        return merged(together, 0.3)


def _fits(model: Model, layout: Layout) -> bool:
    count = len(anchors(layout))
    return model.size == layout.size and sorted(model.shapes) == sorted(
        [(1, count, 1), (1, count, 4 + 2 * layout.keypoints)]
    )


def _inside(boxes: np.ndarray, roi: crop.Roi, picture: np.ndarray) -> np.ndarray:
    """Which boxes no edge of the tile cuts, unless it is the picture's edge, too: another tile has the rest."""
    height, width = picture.shape[:2]
    half = roi.side / 2
    open_low = np.array([roi.x - half <= 0.5, roi.y - half <= 0.5])
    open_high = np.array([roi.x + half >= width - 0.5, roi.y + half >= height - 0.5])
    low = (boxes[:, :2] >= 0) | open_low
    high = (boxes[:, 2:] <= 1) | open_high
    return np.asarray((low & high).all(1))

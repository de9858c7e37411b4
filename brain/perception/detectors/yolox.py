"""Finds the 80 classes of COCO with a small YOLOX model, on the CPU and without a download of its own.

YOLOX (Ge et al. 2021, https://github.com/Megvii-BaseDetection/YOLOX, Apache-2.0): the picture is scaled into the top
left corner of a gray square, as BGR values from 0 to 255. Each cell of three grids (strides 8, 16, 32) gives an
offset, a log size, how sure it is of an object, and how sure of each class; overlapping boxes of one class are dropped.

    find = load(Path("yolox_nano.onnx")).find
    boxes = find(picture, ())       # (H, W, 3) uint8 sRGB
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from loupe.brain.core.errors import MissingDependency, ModelError
from loupe.brain.core.records import Box
from loupe.brain.imaging.boxes import ious
from loupe.brain.perception import onnx
from loupe.brain.perception.detectors.detection import Detector
from loupe.brain.perception.detectors.vocabulary import COCO_80

STRIDES = (8, 16, 32)
#: the value of the square beside the picture
_GRAY = 114
#: the confidence below which a box is not given
FLOOR = 0.05
#: the IoU above which two boxes of one class are one object
MAX_IOU = 0.45


def letterbox(picture: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Returns a picture scaled into the top left corner of a gray square, and by how much it was scaled.

    Args:
        picture: (H, W, 3) uint8 sRGB
        side: of the square in pixels

    Returns:
        (1, 3, side, side) float32 BGR in [0, 255], and pixels of the square per pixel of the picture
    """
    import cv2

    height, width = picture.shape[:2]
    scale = min(side / height, side / width)
    small = cv2.resize(
        picture, (max(1, int(width * scale)), max(1, int(height * scale))), interpolation=cv2.INTER_LINEAR
    )
    square = np.full((side, side, 3), _GRAY, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return np.ascontiguousarray(square[None, :, :, ::-1].transpose(0, 3, 1, 2), np.float32), scale


def cells(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (N, 2) places of all cells on their grids, x before y, and the (N, 1) strides of these, float32.

    >>> cells(416)[0].shape
    (3549, 2)
    """
    places, strides = [], []
    for stride in STRIDES:
        count = side // stride
        y, x = np.mgrid[:count, :count]
        places.append(np.stack([x, y], -1).reshape(-1, 2))
        strides.append(np.full((count * count, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode(raw: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the boxes and the scores that a model's output stands for.

    Args:
        raw: (N, 5 + C) float32: offset, log size, objectness, C classes for each cell
        side: of the square in pixels

    Returns:
        boxes: (N, 4) float32 pixels of the square: left, top, right, bottom
        scores: (N, C) float32 in [0, 1]
    """
    places, strides = cells(side)
    middle = (raw[:, :2] + places) * strides
    half = np.exp(np.clip(raw[:, 2:4], -20, 20)) * strides / 2
    return np.concatenate([middle - half, middle + half], 1), raw[:, 4:5] * raw[:, 5:]


def suppress(boxes: np.ndarray, scores: np.ndarray, max_iou: float = MAX_IOU) -> list[int]:
    """Returns the places of the boxes that stay when each one that overlaps a better one is dropped, best first.

    Args:
        boxes: (N, 4) left, top, right, bottom
        scores: (N,)
        max_iou: the IoU above which a box is dropped

    >>> suppress(np.array([[0, 0, 9, 9], [0, 0, 9, 10], [20, 0, 29, 9.0]]), np.array([0.8, 0.9, 0.1]))
    [1, 2]
    """
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(left):
        kept.append(int(left[0]))
        left = left[1:][ious(boxes[left[0]], boxes[left[1:]]) <= max_iou]
    return kept


class _Yolox:
    def __init__(self, path: Path, threads: int) -> None:
        self._model = _model(path, threads)
        self._side = int(self._model.inputs[0].shape[-1])

    def __call__(self, picture: np.ndarray, nouns: Sequence[str] = ()) -> tuple[Box, ...]:
        height, width = picture.shape[:2]
        square, scale = letterbox(picture, self._side)
        raw = np.asarray(self._model(square)[0][0], np.float32)
        boxes, scores = decode(raw, self._side)
        size = np.array([width, height, width, height], np.float32)
        boxes = np.clip(boxes / scale, 0, size) / size
        kept = []
        for label in np.flatnonzero((scores >= FLOOR).any(0)):
            of_label = np.flatnonzero(scores[:, label] >= FLOOR)
            for place in suppress(boxes[of_label] * size, scores[of_label, label]):
                left, top, right, bottom = (float(value) for value in boxes[of_label[place]])
                confidence = float(min(scores[of_label[place], label], 1.0))
                if right > left and bottom > top:
                    kept.append(Box(COCO_80[label], (left, top, right - left, bottom - top), confidence))
        return tuple(sorted(kept, key=lambda box: -(box.confidence or 0.0)))


def _model(path: Path, threads: int) -> onnx.Model:
    if not path.is_file():
        raise ModelError(f"expected a YOLOX model as an .onnx file, found nothing at {path}")
    try:
        model = onnx.Model(path, threads)
        given, made = model.inputs, model.outputs
        side = given[0].shape[-1]
        right = len(given) == 1 and list(given[0].shape[1:]) == [3, side, side] and isinstance(side, int)
        right = (
            right and side % max(STRIDES) == 0 and list(made[0].shape[1:]) == [len(cells(side)[0]), 5 + len(COCO_80)]
        )
    except ImportError as error:
        raise MissingDependency("YOLOX needs onnxruntime: pip install onnxruntime") from error
    except Exception as error:  # onnxruntime has no base class of its own for what a broken file brings
        raise ModelError(f"{path} cannot be loaded as an ONNX model: {error}") from error
    if not right:
        shapes = [list(tensor.shape) for tensor in (*given, *made)]
        raise ModelError(f"expected a YOLOX model of 80 classes, {path} has inputs and outputs of {shapes}")
    return model


def load(path: Path, threads: int = 1) -> Detector:
    """Returns a YOLOX model as a detector of COCO's 80 classes.

    Args:
        path: an .onnx file with raw outputs, e.g. the release's ``yolox_nano.onnx``
        threads: that one picture may use

    Raises:
        ModelError: the file is not there, or is no such model
        MissingDependency: onnxruntime is not installed
    """
    return Detector(f"yolox:{Path(path).stem}", COCO_80, _Yolox(Path(path), threads), FLOOR)

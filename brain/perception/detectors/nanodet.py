"""Finds the 80 classes of COCO with NanoDet-g, whose weights a package index carries: for where YOLOX-nano is not.

NanoDet (Lyu 2020, https://github.com/RangiLyu/nanodet, Apache-2.0): each cell of three grids (strides 8, 16, 32) gives
how sure it is of each class, and for each side of the box a distribution of its distance over 0 to 10 strides.

Its confidences are put on the scale of YOLOX-nano's, so that what is calibrated for that one holds for this one, too:
both have a logistic regression of presence on the logit of a label's best score (``measures/composition/calibrated``),
fitted on the same half of ImageNet photos; on the other half the AUROC of presence is .985 here and .968 there
(``python -m benchmarks.composition detectors``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from loupe.brain.core.records import Box
from loupe.brain.perception.detectors.detection import Detector
from loupe.brain.perception.detectors.graph_model import GraphModel
from loupe.brain.perception.detectors.vocabulary import COCO_80
from loupe.brain.perception.detectors.yolox import FLOOR, STRIDES, suppress

#: the side of the square that it looks at, in pixels
SIDE = 416
#: of the BGR values
_MEAN, _DEVIATION = np.array([(103.53, 116.28, 123.675), (57.375, 57.12, 58.395)], np.float32)
#: how many distances a distribution is over
_DISTANCES = 11
#: the IoU above which two boxes of one class are one object
MAX_IOU = 0.6
#: slope and intercept, in logits, from NanoDet's confidences to YOLOX-nano's: of (5.52, 4.05) and (7.36, 3.28)
TO_YOLOX = (4.05 / 3.28, (5.52 - 7.36) / 3.28)
_CLASSES = tuple(f"PartitionedCall/onnx_tf_prefix_Sigmoid_{number}" for number in (154, 165, 176))
_SIDES = tuple(f"PartitionedCall/onnx_tf_prefix_Split_{number}:1" for number in (153, 164, 175))


def square(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns a picture scaled into the top left corner of a square of the mean color, and by how much it was scaled.

    Args:
        picture: (H, W, 3) uint8 sRGB

    Returns:
        (1, 3, SIDE, SIDE) float32, normalized BGR, and pixels of the square per pixel of the picture
    """
    import cv2

    height, width = picture.shape[:2]
    scale = min(SIDE / height, SIDE / width)
    small = cv2.resize(picture, (max(1, int(width * scale)), max(1, int(height * scale))))
    values = (small[..., ::-1].astype(np.float32) - _MEAN) / _DEVIATION
    made = np.zeros((1, 3, SIDE, SIDE), np.float32)
    made[0, :, : small.shape[0], : small.shape[1]] = values.transpose(2, 0, 1)
    return made, scale


def decode(sides: np.ndarray, stride: int) -> np.ndarray:
    """Returns the boxes of a grid's cells.

    Args:
        sides: (44, N) float32: eleven logits for each of left, top, right, bottom
        stride: of the grid

    Returns:
        (N, 4) pixels of the square: left, top, right, bottom
    """
    count = SIDE // stride
    logits = sides.reshape(4, _DISTANCES, -1)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    distances = (weights * np.arange(_DISTANCES)[:, None]).sum(1) / weights.sum(1) * stride
    y, x = np.mgrid[:count, :count]
    middle = np.stack([x, y]).reshape(2, -1) * stride + (stride - 1) / 2
    return np.concatenate([middle - distances[:2], middle + distances[2:]]).T


def rescaled(confidences: np.ndarray) -> np.ndarray:
    """Returns confidences of NanoDet's as those that YOLOX-nano would have.

    >>> rescaled(np.array([0.2, 0.5, 0.8])).round(2).tolist()
    [0.09, 0.36, 0.76]
    """
    slope, intercept = TO_YOLOX
    clipped = np.clip(confidences, 1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + np.exp(-(intercept + slope * np.log(clipped / (1 - clipped))))))


class _NanoDet:
    def __init__(self, constants: Path, graph: Path) -> None:
        self._run = GraphModel(graph, constants, (*_CLASSES, *_SIDES))
        self._lock = threading.Lock()

    def __call__(self, picture: np.ndarray, nouns: Sequence[str] = ()) -> tuple[Box, ...]:
        import torch

        height, width = picture.shape[:2]
        values, scale = square(picture)
        with self._lock, torch.inference_mode():
            outputs = [output.flatten(2)[0].numpy() for output in self._run(input_1=torch.from_numpy(values))]
        boxes = np.concatenate([decode(sides, stride) for sides, stride in zip(outputs[3:], STRIDES, strict=True)])
        scores = rescaled(np.concatenate(outputs[:3], 1).T)
        size = np.array([width, height, width, height])
        boxes = np.clip(boxes / scale, 0, size)
        kept = []
        for label in np.flatnonzero((scores >= FLOOR).any(0)):
            of_label = np.flatnonzero(scores[:, label] >= FLOOR)
            for place in suppress(boxes[of_label], scores[of_label, label], MAX_IOU):
                left, top, right, bottom = (float(value) for value in boxes[of_label[place]] / size)
                if right > left and bottom > top:
                    confidence = float(scores[of_label[place], label])
                    kept.append(Box(COCO_80[label], (left, top, right - left, bottom - top), confidence))
        return tuple(sorted(kept, key=lambda box: -(box.confidence or 0.0)))


def load(constants: Path, graph: Path) -> Detector:
    """Returns NanoDet-g as a detector of COCO's 80 classes.

    Args:
        constants: its weights, ``nanodet`` in ``loupe weights list``
        graph: ``nanodet_graph``

    Raises:
        ModelError: the files are not there, or hold something else
    """
    return Detector("nanodet", COCO_80, _NanoDet(Path(constants), Path(graph)), FLOOR)

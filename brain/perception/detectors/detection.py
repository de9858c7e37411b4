"""What a detector is, and what a list of detections has to go through before it is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from loupe.brain.core.records import Box
from loupe.brain.imaging.boxes import Corners, corners

if TYPE_CHECKING:
    import numpy as np

#: more boxes than this in one picture are no list of objects but the noise below a detector's threshold
MAX_BOXES = 300


#: maps an (H, W, 3) uint8 sRGB picture and nouns to boxes, the most confident first
ObjectFinder: TypeAlias = "Callable[[np.ndarray, Sequence[str]], tuple[Box, ...]]"


@dataclass(frozen=True)
class Detector:
    """A loaded detector.

    Attributes:
        name: for the record
        labels: what it can see; None where it is asked for nouns
        find: maps an (H, W, 3) uint8 sRGB picture and nouns (which a detector with labels does not read) to its boxes,
            the most confident first
        floor: the confidence below which it gives no boxes
    """

    name: str
    labels: tuple[str, ...] | None
    find: ObjectFinder
    floor: float


@dataclass(frozen=True)
class Detection:
    """One usable detection.

    Attributes:
        label: as the detector has it
        score: in [0, 1]; 1 for a detection without a confidence: somebody drew it
        corners: in pixels
        bounds: x, y, width, height in [0, 1], cut to the picture
    """

    label: str
    score: float
    corners: Corners
    bounds: tuple[float, float, float, float]


def usable(boxes: Sequence[Box], width: int, height: int) -> tuple[Detection, ...]:
    """Returns the detections that can be used, the most confident first, at most 300.

    Left out are boxes without a label, without an area in the picture, or with a number that is not finite.

    >>> box = Box("dog", (0.5, 0.5, 0.25, 0.5), 0.8)
    >>> usable([box, Box("cat", (0.1, 0.1, -0.5, 0.2), 0.9)], 100, 100)[0].corners
    (50.0, 50.0, 75.0, 100.0)
    """
    detections = []
    for box in boxes:
        place = corners(box.bounds, width, height)
        score = 1.0 if box.confidence is None else float(box.confidence)
        if place is None or not math.isfinite(score) or not isinstance(box.label, str) or not box.label.strip():
            continue
        left, top, right, bottom = place
        bounds = (left / width, top / height, (right - left) / width, (bottom - top) / height)
        detections.append(Detection(box.label, min(max(score, 0.0), 1.0), place, bounds))
    return tuple(sorted(detections, key=lambda detection: -detection.score)[:MAX_BOXES])

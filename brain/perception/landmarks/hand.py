"""Hands: 21 points each, and whether it is a right or a left one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from loupe.brain.perception.landmarks import crop, detector
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.figure import Figure, around, upright
from loupe.brain.perception.landmarks.finder import Finder

#: the points' names: the wrist, then each finger from the palm to its tip
NAMES = (
    *("wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip"),
    *("index_mcp", "index_pip", "index_dip", "index_tip", "middle_mcp", "middle_pip", "middle_dip", "middle_tip"),
    *("ring_mcp", "ring_pip", "ring_dip", "ring_tip", "little_mcp", "little_pip", "little_dip", "little_tip"),
)
# the hand without its last two joints: what the next region is put around, so that a bent finger does not move it
_STEADY = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]


@dataclass(frozen=True, eq=False)
class Hand(Figure):
    """A hand, by 21 points (``NAMES``).

    Attributes:
        world: (21, 3) float32: x, y and z in meters from the middle of the hand, turned like the picture
        handedness: how sure it is that this is a right hand, in [0, 1], in a picture that is not mirrored
    """

    world: np.ndarray
    handedness: float

    @property
    def side(self) -> Literal["left", "right"]:
        """Which hand it is more likely to be."""
        return "right" if self.handedness >= 0.5 else "left"


class Hands(Finder[Hand]):
    """Finds hands.

    The models always draw 21 points: they cannot see a sixth finger, and a malformed hand gets those of a sound one.

    Args:
        detection: palm_detection_full.tflite or palm_detection_lite.tflite
        landmark: hand_landmark_full.tflite or hand_landmark_lite.tflite
        levels: how many sizes of regions the palm detector looks at, see ``crop.tiles``; hands smaller than a sixth of
            the picture's longer side need 2, smaller than a twelfth 3
        threshold: how sure the palm detector has to be, in [0, 1]
        presence: how sure the landmark model has to be, in [0, 1]
        max_figures: how many hands a picture has at most; the surest are kept
        passes: 2 looks again, at a region put around the first look's points: for palms that were found badly

    Raises:
        ModelError: a file is not there or is another model
        MissingDependency: ai-edge-litert is not installed

    Source: Zhang et al., MediaPipe Hands, 2020, https://arxiv.org/abs/2006.10214; models Apache-2.0

    Example:
        >>> hands = Hands("palm_detection_full.tflite", "hand_landmark_full.tflite")  # doctest: +SKIP
        >>> [hand.side for hand in hands(picture)]  # doctest: +SKIP
        ['right', 'left']
    """

    layouts = (detector.PALM,)
    shapes: ClassVar[list[tuple[int, ...]]] = [(1, 63), (1, 1), (1, 1), (1, 63)]

    def _first(self, box: np.ndarray, keypoints: np.ndarray) -> Roi:
        return palm_region(box, keypoints)

    def _landmarks(self, picture: np.ndarray, roi: Roi, score: float) -> tuple[Hand, Roi] | None:
        numbers, presence, handedness, world = self._model(crop.cut(picture, roi, self._model.size, border=True))
        if presence.item() < self._presence:
            return None
        points = numbers.reshape(21, 3) / self._model.size
        metres = world.reshape(21, 3)
        metres[:, :2] = crop.turned(metres[:, :2], roi.angle)
        hand = Hand(
            points=crop.project(points[:, :2], roi),
            z=points[:, 2] / 0.4 * roi.side,  # the model was trained with z shrunk to that
            presence=presence.item(),
            score=score,
            roi=roi,
            size=(picture.shape[1], picture.shape[0]),
            world=metres,
            handedness=handedness.item(),
        )
        return hand, hand_region(hand.points)


def palm_region(box: np.ndarray, keypoints: np.ndarray) -> Roi:
    """Returns the region of a hand, by its palm.

    Args:
        box: (4,) left, top, right, bottom of the palm in pixels
        keypoints: (7, 2) in pixels: the wrist first, the middle finger's knuckle third
    """
    angle = upright(keypoints[0], keypoints[2], math.pi / 2)
    middle = (box[:2] + box[2:]) / 2
    roi = Roi(float(middle[0]), float(middle[1]), float((box[2:] - box[:2]).max()), angle)
    return roi.shifted(0, -0.5).scaled(2.6)


def hand_region(points: np.ndarray) -> Roi:
    """Returns the region of a hand, by its own (21, 2) points in pixels."""
    knuckles = (points[5] + points[13]) / 4 + points[9] / 2
    roi = around(points[_STEADY], upright(points[0], knuckles, math.pi / 2))
    return roi.shifted(0, -0.1).scaled(2.0)

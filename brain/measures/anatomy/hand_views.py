"""Looks for hands in a picture, also at the wrists of people, and looks at each hand from several sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.imaging.boxes import Corners, iou
from loupe.brain.measures.anatomy.hand_shape import Steadiness, View, steadiness
from loupe.brain.perception import weights
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.detector import PALM, Detector
from loupe.brain.perception.landmarks.figure import distinct, upright
from loupe.brain.perception.landmarks.hand import Hand, Hands, hand_region
from loupe.brain.perception.landmarks.pose import NAMES, Pose, Poses

if TYPE_CHECKING:
    from loupe.brain.core.records import Box
    from loupe.brain.perception.detectors.detection import ObjectFinder

#: the model files that ``HandViews`` reads, see brain/perception/weights.py
FILES = ("palm_detection_full", "hand_landmark_full", "pose_detection", "pose_landmark_full")
#: the views beside the first one and the mirrored one: by how many radians turned, and how far scaled
_VIEWS = ((0.26, 1.0), (-0.26, 1.0), (0.0, 0.85), (0.0, 1.2))
#: how sure the palm detector and the landmark model have to be
_DETECTION, _PRESENCE = 0.4, 0.5
#: how visible a wrist has to be
_VISIBLE = 0.6
#: so many people, the largest, are looked at one by one for their wrists; how sure the detector has to be of them
_MAX_PEOPLE, _PERSON = 8, 0.3
#: what was drawn into a person's box is that person from here on, as in checks/body.py: by how sure the body model is,
#: how many points can be seen, and how well they fill the box
_PRESENCE_OF_BODY, _MIN_SHOWN, _MIN_IOU = 0.8, 8, 0.4
#: the side of what the palm detector looks at again, in sides of the hand's region; how near, in lengths of the palm,
#: the middle of what it finds has to be to that of the palm
_AGAIN, _SAME_PALM = 1.3, 0.6


@dataclass(frozen=True, eq=False)
class Scene:
    """What of a picture matters to its hands.

    Attributes:
        hands: the surest first
        missed: how many visible wrists of people have none
        wrists: (N, 2) in pixels: the visible wrists of people
        objects: what a detector of COCO's classes sees; empty without one
    """

    hands: list[Hand]
    missed: int
    wrists: np.ndarray
    objects: tuple[Box, ...] = ()


class HandViews:
    """Finds hands, and says how steady each of them is.

    Args:
        levels: how many sizes of regions the palm detector looks at, see ``crop.tiles``
        max_hands: how many hands a picture has at most; the surest are kept
        find_objects: a detector of COCO's classes: its people are looked at one by one for their wrists; None: the body
            model finds people by itself, which it does for one or two that are near

    Raises:
        MissingWeights: the weights of the four models are not here
        MissingDependency: ai-edge-litert is not installed

    Example:
        >>> hands, missed = HandViews(levels=3, max_hands=24).find(picture)  # doctest: +SKIP
    """

    def __init__(
        self,
        levels: int,
        max_hands: int,
        find_objects: ObjectFinder | None = None,
    ) -> None:
        palm, hand, body, points = (weights.path(name) for name in FILES)
        self._max_hands = max_hands
        self._finder = Hands(
            palm, hand, levels=levels, threshold=_DETECTION, presence=_PRESENCE, max_figures=2 * max_hands
        )
        # at a hand that was found, it has to say something
        self._viewer = Hands(palm, hand, presence=0.0)
        self._again = Detector(palm, (PALM,), threshold=0.1)
        self._bodies = Poses(body, points, max_figures=16)
        self._find_objects = find_objects

    def find(self, picture: np.ndarray) -> tuple[list[Hand], int]:
        """Returns the hands, the surest first, and how many visible wrists of people have none.

        Args:
            picture: (H, W, 3) uint8 RGB
        """
        scene = self.scene(picture)
        return scene.hands, scene.missed

    def scene(self, picture: np.ndarray) -> Scene:
        """Returns the hands, the wrists and what else is seen.

        Args:
            picture: (H, W, 3) uint8 RGB
        """
        hands = self._finder(picture)
        objects = () if self._find_objects is None else self._find_objects(picture, ("person",))
        missed: list[Roi] = []
        wrists = []
        for pose in self._poses(picture, objects):
            for side in ("left", "right"):
                region = wrist_region(pose, side)
                if region is None:
                    continue
                wrists.append(pose.points[NAMES.index(f"{side}_wrist")])
                if any(_near(hand, region) for hand in hands):
                    continue
                # the detector was not sure of it: it counts as its threshold
                hand = self._finder.at(picture, region, _DETECTION)
                if hand is not None:
                    hands = distinct([*hands, hand], parts=True)
                elif not any(_same_place(region, other) for other in missed):
                    missed.append(region)
        places = np.array(wrists, np.float32).reshape(-1, 2)
        return Scene(hands[: self._max_hands], len(missed), places, objects)

    def _poses(self, picture: np.ndarray, objects: Sequence[Box]) -> list[Pose]:
        height, width = picture.shape[:2]
        people = [box for box in objects if box.label == "person" and (box.confidence or 0.0) >= _PERSON]
        people.sort(key=lambda box: -box.bounds[2] * box.bounds[3])
        poses = self._bodies(picture)
        for box in people[:_MAX_PEOPLE]:
            x, y, wide, high = (value * size for value, size in zip(box.bounds, (width, height) * 2, strict=True))
            pose = self._bodies.at(picture, Roi(x + wide / 2, y + high / 2, 1.25 * max(wide, high)))
            if pose is not None and _fits(pose, (x, y, x + wide, y + high)):
                poses = distinct([*poses, pose])
        return poses

    def palm_again(self, picture: np.ndarray, hand: Hand) -> float:
        """Returns how sure the palm detector is of a hand's palm in its crop, in [0, 1]: the less sure of two looks.

        It looks at the crop, upright and enlarged or reduced to its input, as it is and mirrored.

        Args:
            picture: (H, W, 3) uint8 RGB
            hand: found in it
        """
        side = self._again.layout.size
        roi = hand_region(hand.points).scaled(_AGAIN)
        part = crop.cut(picture, roi, side, border=True)
        points = crop.unproject(hand.points, roi) * side
        mirrored = points * np.array([-1, 1], np.float32) + np.array([side, 0], np.float32)
        other = np.ascontiguousarray(part[:, ::-1])
        return min(self._palm_at(part, points), self._palm_at(other, mirrored))

    def _palm_at(self, part: np.ndarray, points: np.ndarray) -> float:
        detections = self._again(part)
        middles = (detections.boxes[:, :2] + detections.boxes[:, 2:]) / 2
        off = np.linalg.norm(middles - points[[0, 5, 9, 13, 17]].mean(0), axis=1)
        near = off < _SAME_PALM * float(np.linalg.norm(points[9] - points[0]))
        return float(detections.scores[near].max(initial=0.0))

    def steadiness(self, picture: np.ndarray, hand: Hand) -> Steadiness:
        """Returns how far the landmark model's passes over one hand disagree.

        Args:
            picture: (H, W, 3) uint8 RGB
            hand: found in it
        """
        roi = hand_region(hand.points)
        first = _view(hand)
        others = [
            self._viewer.at(picture, Roi(roi.x, roi.y, roi.side * scale, roi.angle + angle)) for angle, scale in _VIEWS
        ]
        # a part around the hand is mirrored: mirroring the picture would cost more
        side = max(8, round(1.5 * roi.side))
        around = Roi(roi.x, roi.y, float(side))
        part = np.ascontiguousarray(crop.cut(picture, around, side, border=True)[:, ::-1])
        seen = self._viewer.at(part, Roi(side / 2, side / 2, roi.side, -roi.angle))
        mirrored = first if seen is None else _unmirrored(_view(seen), around)
        return steadiness(first, mirrored, [_view(other) for other in others if other is not None])


def wrist_region(pose: Pose, side: str) -> Roi | None:
    """Returns the region of the hand at a wrist, or None where the wrist cannot be seen.

    Args:
        pose: a person
        side: "left" or "right", the person's own
    """
    at = NAMES.index(f"{side}_wrist")
    if min(pose.visibility[at], pose.inside[at]) < _VISIBLE:
        return None
    wrist = pose.points[at]
    knuckles = (pose.points[NAMES.index(f"{side}_index")] + pose.points[NAMES.index(f"{side}_little")]) / 2
    forearm = float(np.linalg.norm(wrist - pose.points[NAMES.index(f"{side}_elbow")]))
    width = max(2.6 * float(np.linalg.norm(knuckles - wrist)), 0.7 * forearm)
    region = Roi(float(knuckles[0]), float(knuckles[1]), width, upright(wrist, knuckles, math.pi / 2))
    return region if region.usable else None


def patch_of(picture: np.ndarray, hand: Hand, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns a hand cut out upright, the points in it, and which of its pixels lie in the picture.

    (S, S, 3) uint8, (21, 2) in pixels of it and (S, S) bool.

    Args:
        picture: (H, W, 3) uint8 RGB
        hand: found in it
        side: of the patch, in pixels
    """
    roi = hand_region(hand.points).scaled(1.1)
    corners = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1) + 0.5
    places = crop.project(corners / side, roi)
    inside = np.all((places >= 0) & (places <= np.array(hand.size)), axis=-1)
    return crop.cut(picture, roi, side, border=True), crop.unproject(hand.points, roi) * side, inside


def _near(hand: Hand, region: Roi) -> bool:
    middle = np.array([region.x, region.y])
    return bool(
        min(np.linalg.norm(hand.points[0] - middle), np.linalg.norm(hand.points.mean(0) - middle)) < 0.85 * region.side
    )


def _fits(pose: Pose, box: Corners) -> bool:
    """Whether a body that was drawn into a person's box is that person: the model draws one over anything."""
    shown = pose.points[pose.visibility >= _VISIBLE]
    if pose.presence < _PRESENCE_OF_BODY or len(shown) < _MIN_SHOWN:
        return False
    low, high = shown.min(0), shown.max(0)
    around = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return iou(around, box) > _MIN_IOU


def _same_place(first: Roi, second: Roi) -> bool:
    """Whether two regions may be of one hand: the body model may have drawn one arm twice."""
    return math.hypot(first.x - second.x, first.y - second.y) < 0.85 * max(first.side, second.side)


def _view(hand: Hand) -> View:
    return View(hand.points, hand.world, hand.presence)


def _unmirrored(view: View, around: Roi) -> View:
    points = view.points.copy()
    points[:, 0] = around.side - points[:, 0]
    points += np.array([around.x - around.side / 2, around.y - around.side / 2], np.float32)
    return View(points, view.world * np.array([-1, 1, 1], np.float32), view.presence)

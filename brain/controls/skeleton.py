"""A pose drawn as OpenPose draws it, by points of people: what the ControlNets of poses were trained on.

Body: Cao, Hidalgo, Simon, Wei & Sheikh, "OpenPose", TPAMI 2021, https://arxiv.org/abs/1812.08008: 18 points, 17 limbs.
Colors go around the wheel of hues, a step a limb; limbs are ellipses of six tenths of their color, joints full dots.
Hands are 20 bones in colors of their own wheel with blue joints, faces white dots. This is how the pictures were drawn
that L. Zhang, A. Rao & M. Agrawala, "Adding Conditional Control to Text-to-Image Diffusion Models", ICCV 2023,
https://arxiv.org/abs/2302.05543, trained with; widths are those of a picture whose shorter side has 512 pixels.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points

#: OpenPose's 18 points of a body, left and right the person's own
BODY = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
#: its limbs, in the order of their colors, by the places of both ends in ``BODY``
LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
#: the bones of a hand: from the wrist along each finger
BONES = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1) for finger in range(5) for joint in range(4)
)
# a point of MediaPipe's 33 or of COCO's 17 for each of the 18; the neck is the middle of the shoulders
_MEDIAPIPE = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
_COCO = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
# of MediaPipe's 468 points those of the 68 that faces are usually marked by: jaw, brows, nose, eyes, mouth
_FACE = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
_LAYOUTS = "17 (COCO), 18 (OpenPose) or 33 (MediaPipe) points of a body, 21 of a hand, 68, 70 or 468 of a face"
# widths in pixels where the shorter side has 512
_SIDE, _STICK, _BONE, _JOINT, _DOT = 512, 4, 2, 4, 3
_SHADE = 0.6


def draw(
    figures: Sequence[Points], size: tuple[int, int], window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
) -> np.ndarray:
    """Returns the pose of people as a picture.

    Args:
        figures: bodies, hands and faces, told apart by how many points they have: 17 (COCO's order), 18 (OpenPose's) or
            33 (MediaPipe's) of a body, 21 of a hand, 68, 70 or 468 (MediaPipe's mesh) of a face. Points that are not
            seen are NaN; those outside of the picture are left out
        size: (width, height) in pixels of what is drawn
        window: left, top, right and bottom of what is drawn of the picture, in [0, 1]: a limb that leaves it is cut off

    Returns:
        (H, W, 3) uint8 RGB, black where nothing is

    Raises:
        InputError: another number of points, or nothing to draw

    >>> draw([Points("hand", tuple((0.1 + 0.04 * at, 0.5) for at in range(21)))], (64, 64)).shape
    (64, 64, 3)
    """
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    placed = [_placed(figure, size, window) for figure in figures]
    bodies, hands, faces = ([points for points, own in placed if own == kind] for kind in ("body", "hand", "face"))
    width = min(size) / _SIDE
    for points in bodies:
        _draw_limbs(canvas, points, width)
    for points in bodies:
        _draw_dots(canvas, points, _wheel(len(BODY)), _JOINT * width)
    for points in hands:
        _draw_hand(canvas, points, width)
    for points in faces:
        _draw_dots(canvas, points, [(255, 255, 255)] * len(points), _DOT * width)
    if not canvas.any():
        raise InputError(
            "expected a person, a hand or a face to draw a pose of, got none in the picture: leave this sample out, or "
            "give points of your own"
        )
    return canvas


def _placed(figure: Points, size: tuple[int, int], window: tuple[float, float, float, float]) -> tuple[np.ndarray, str]:
    """Returns a figure's points in pixels, (N, 2), NaN for those that are not in the picture, and what it is."""
    given = np.asarray(figure.points, np.float64).reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        inside: np.ndarray = np.all((given >= 0) & (given <= 1), axis=1, keepdims=True)
    low, high = np.array(window[:2]), np.array(window[2:])
    points = (np.where(inside, given, np.nan) - low) / (high - low) * np.array(size)
    orders = {17: _COCO, 33: _MEDIAPIPE}
    if len(points) in orders:
        return _as_openpose(points, orders[len(points)]), "body"
    if len(points) == len(BODY):
        return points, "body"
    if len(points) == 21:
        return points, "hand"
    if len(points) == 468:
        return points[list(_FACE)], "face"
    if len(points) in (68, 70):
        return points, "face"
    raise InputError(f"expected {_LAYOUTS}, got {len(points)} points of {figure.label!r}: name another field")


def _as_openpose(points: np.ndarray, order: Sequence[int | None]) -> np.ndarray:
    made = np.array([[np.nan, np.nan] if at is None else points[at] for at in order])
    made[1] = (made[2] + made[5]) / 2  # NaN where a shoulder is not seen, as OpenPose's own neck
    return made


def _wheel(count: int) -> list[tuple[int, int, int]]:
    """Returns that many colors around the wheel of hues, from red on.

    >>> _wheel(18)[:3]
    [(255, 0, 0), (255, 85, 0), (255, 170, 0)]
    """
    hues = (colorsys.hsv_to_rgb(at / count, 1, 1) for at in range(count))
    return [(round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in hues]


def _draw_limbs(canvas: np.ndarray, points: np.ndarray, width: float) -> None:
    import cv2

    for (start, end), color in zip(LIMBS, _wheel(len(BODY)), strict=False):
        first, second = points[start], points[end]
        if np.isnan(first).any() or np.isnan(second).any():
            continue
        middle, along = (first + second) / 2, second - first
        axes = (max(1, round(math.hypot(*along) / 2)), max(1, round(_STICK * width)))
        angle = round(math.degrees(math.atan2(along[1], along[0])))
        outline = cv2.ellipse2Poly((int(middle[0]), int(middle[1])), axes, angle, 0, 360, 1)
        cv2.fillConvexPoly(canvas, outline, tuple(int(_SHADE * level) for level in color))


def _draw_hand(canvas: np.ndarray, points: np.ndarray, width: float) -> None:
    import cv2

    thick = max(1, round(_BONE * width))
    for (start, end), color in zip(BONES, _wheel(len(BONES)), strict=True):
        if np.isfinite(points[[start, end]]).all():
            first, second = points[start].astype(int).tolist(), points[end].astype(int).tolist()
            cv2.line(canvas, first, second, color, thickness=thick)
    _draw_dots(canvas, points, [(0, 0, 255)] * len(points), _JOINT * width)


def _draw_dots(canvas: np.ndarray, points: np.ndarray, colors: Sequence[tuple[int, int, int]], radius: float) -> None:
    import cv2

    for point, color in zip(points, colors, strict=True):
        if np.isfinite(point).all():
            cv2.circle(canvas, point.astype(int).tolist(), max(1, round(radius)), color, thickness=-1)

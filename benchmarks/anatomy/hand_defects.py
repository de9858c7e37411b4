"""Puts a sixth finger, a missing one and two grown together into a picture of an open hand before a plain ground.

And puts a glove on any hand, by its color. For the benchmarks alone: it needs to know where the fingers are.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

#: the fingers without the thumb: knuckle, middle joints, tip
_LONG = {"index": (5, 6, 7, 8), "middle": (9, 10, 11, 12), "ring": (13, 14, 15, 16), "little": (17, 18, 19, 20)}


def skin(picture: np.ndarray) -> np.ndarray:
    """Returns (H, W) bool: what differs in hue from the picture's upper border, by Otsu's threshold."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate([lab[:3].reshape(-1, 3), lab[:20, :3].reshape(-1, 3), lab[:20, -3:].reshape(-1, 3)])
    off = np.linalg.norm((lab - np.median(border, 0))[..., 1:], axis=2)
    scaled = np.clip(off * 6, 0, 255).astype(np.uint8)
    _, mask = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(cv2.medianBlur(mask, 3) > 0)


def band(shape: tuple[int, ...], points: np.ndarray, finger: str, start: float, width: float) -> np.ndarray:
    """Returns (H, W) bool: the finger from ``start`` of its first bone on, ``width`` pixels wide, the tip included."""
    path = points[list(_LONG[finger])].astype(np.float32)
    path = np.concatenate([[path[0] + (path[1] - path[0]) * start], path[1:]])
    end = path[-1] - path[-2]
    path = np.concatenate([path, [path[-1] + 0.45 * end]])
    drawn = np.zeros(shape[:2], np.uint8)
    cv2.polylines(drawn, [np.round(path * 8).astype(np.int32)], False, 1, max(1, round(width)), cv2.LINE_8, 3)
    return drawn > 0


def finger_width(points: np.ndarray) -> float:
    """Returns about how wide a finger is, in pixels: the knuckles' mean distance."""
    return float(np.linalg.norm(points[5] - points[17]) / 3)


def sixth(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the picture with a copy of a finger beside it: the little one's outside, or the index's at the thumb."""
    name = str(rng.choice(["little", "index"]))
    knuckle = points[_LONG[name][0]]
    other = points[_LONG["ring" if name == "little" else "middle"][0]]
    # away from the next finger
    (ux, uy), (vx, vy) = points[_LONG[name][3]] - knuckle, other - knuckle
    side = np.sign(ux * vy - uy * vx)
    matrix = cv2.getRotationMatrix2D((float(knuckle[0]), float(knuckle[1])), float(side * rng.uniform(24, 32)), 1.0)
    shift = (knuckle - other) * 0.35
    matrix[:, 2] += shift
    own = (band(picture.shape, points, name, 0.0, 1.5 * finger_width(points)) & skin(picture)).astype(np.float32)
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(cv2.GaussianBlur(own, (3, 3), 0), matrix, size)[..., None]
    return np.asarray((picture * (1 - alpha) + moved * alpha).round().astype(np.uint8))


def missing(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the picture without one of the four long fingers: its ground is continued where it was."""
    name = str(rng.choice(list(_LONG)))
    wide = 1.9 * finger_width(points)
    mine = band(picture.shape, points, name, 0.45, wide)
    for other in _LONG:
        if other != name:
            mine &= ~band(picture.shape, points, other, 0.0, 1.05 * finger_width(points))
    hole = cv2.dilate(
        (mine & cv2.dilate(skin(picture).astype(np.uint8), np.ones((5, 5))).astype(bool)).astype(np.uint8),
        np.ones((3, 3)),
    )
    # the ground alone is continued: what is left of the skin beside it is put back
    around = cv2.dilate(skin(picture).astype(np.uint8), np.ones((5, 5)))  # its soft edge, too
    ground = cv2.inpaint(picture, np.maximum(hole, around), 3, cv2.INPAINT_TELEA)
    alpha = cv2.GaussianBlur(hole.astype(np.float32), (3, 3), 0)[..., None]
    return np.asarray((picture * (1 - alpha) + ground * alpha).round().astype(np.uint8))


def fused(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the picture with the gap between two neighboring long fingers filled with skin, up to the tips."""
    names = list(_LONG)
    first = int(rng.integers(3))
    left, right = (points[list(_LONG[names[index]])] for index in (first, first + 1))
    gap = np.zeros(picture.shape[:2], np.uint8)
    outline = np.concatenate([left, right[::-1]])
    cv2.fillPoly(gap, [np.round(outline).astype(np.int32)], 1)
    hole = (gap > 0) & ~cv2.erode(skin(picture).astype(np.uint8), np.ones((3, 3))).astype(bool)
    inner = cv2.erode(skin(picture).astype(np.uint8), np.ones((3, 3)))
    _, labels = cv2.distanceTransformWithLabels(1 - inner, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colors = np.zeros((labels.max() + 1, 3), np.float32)
    colors[labels[inner > 0]] = picture[inner > 0]
    filled = cv2.GaussianBlur(colors[labels], (5, 5), 0)
    alpha = cv2.GaussianBlur(hole.astype(np.float32), (3, 3), 0)[..., None]
    return np.asarray((picture * (1 - alpha) + filled * alpha).round().astype(np.uint8))


KINDS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "sixth": sixth,
    "missing": missing,
    "fused": fused,
}


#: gloves by the middle of their colors in CIELAB: nitrile, cloth, leather, latex, wool
GLOVES: dict[str, tuple[float, float, float]] = {
    "blue": (50.0, -6.0, -34.0),
    "green": (50.0, -36.0, 18.0),
    "black": (14.0, 0.0, 0.0),
    "white": (86.0, 0.0, 3.0),
    "red": (42.0, 52.0, 30.0),
}


def gloved(picture: np.ndarray, points: np.ndarray, color: str, rng: np.random.Generator) -> np.ndarray:
    """Returns the picture with a hand in another color, its shading kept: lightness is multiplied, not replaced.

    Args:
        picture: (H, W, 3) uint8 RGB
        points: (21, 2) of the hand, in pixels
        color: of ``GLOVES``; its lightness varies by a fifth, up to 92, its chroma from 0.6 to 1.1
        rng: decides that
    """
    wide = max(1.0, finger_width(points), 0.25 * float(np.linalg.norm(points[9] - points[0])))
    area = np.zeros(picture.shape[:2], np.uint8)
    for finger in range(5):
        path = points[[0, *range(1 + 4 * finger, 5 + 4 * finger)]]
        cv2.polylines(area, [np.round(path).astype(np.int32)], False, 1, max(1, round(1.2 * wide)))
    hull = cv2.convexHull(np.round(points[[0, 1, 5, 9, 13, 17]]).astype(np.int32))
    cv2.fillConvexPoly(area, hull, 1)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    middle = np.array(GLOVES[color]) * [rng.uniform(0.8, 1.2), *[rng.uniform(0.6, 1.1)] * 2]
    middle[0] = min(middle[0], 92.0)
    shading = lab[..., 0] / max(float(np.median(lab[area > 0][:, 0])), 1.0)
    # what is brighter than white is white
    made = shading[..., None] * middle + [0.0, *rng.normal(0, 1, 2)]
    made[..., 0] = made[..., 0].clip(0, 98)
    made = 255 * cv2.cvtColor(made.astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1)
    alpha = cv2.GaussianBlur(area.astype(np.float32), (0, 0), max(0.5, 0.08 * wide))[..., None]
    return np.asarray((picture * (1 - alpha) + made * alpha).round().astype(np.uint8))

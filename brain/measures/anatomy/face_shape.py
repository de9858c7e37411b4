"""What the points of a face say of its shape: how its head is turned, and how far its halves differ once it is not.

The unit of length is the distance between the outer corners of the eyes, in three dimensions. "Right" and "left" are
the person's own. The points are those of MediaPipe's face mesh (``landmarks.face``): a model that has seen real faces
only and draws a likely face over anything, so that small flaws are smoothed away before they can be measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from loupe.brain.measures.anatomy.anomaly import Limit
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import EYE_CORNERS, Face, eye_region

# fmt: off
#: the person's right side and, at the same places, the left one, after MediaPipe's face_mesh_connections, Apache-2.0
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
BROWS = ((70, 63, 105, 66, 107, 46, 53, 52, 65, 55), (300, 293, 334, 296, 336, 276, 283, 282, 295, 285))
LIPS = (
    (61, 146, 91, 181, 84, 185, 40, 39, 37, 78, 95, 88, 178, 87, 191, 80, 81, 82),
    (291, 375, 321, 405, 314, 409, 270, 269, 267, 308, 324, 318, 402, 317, 415, 310, 311, 312),
)
OUTLINE = (
    (109, 67, 103, 54, 21, 162, 127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148),
    (338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
)
NOSE = ((98, 97), (327, 326))
#: on the plane between the sides: forehead, nose, lips, chin
MIDDLE = (10, 168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 0, 13, 14, 17, 152)
# fmt: on

_GROUPS = (EYES, BROWS, LIPS, OUTLINE, NOSE)
_RIGHT = tuple(at for group in _GROUPS for at in group[0])
_LEFT = tuple(at for group in _GROUPS for at in group[1])
#: the points that are measured, and at the same places those that they become in a mirror
CHOSEN = np.array(_RIGHT + _LEFT + MIDDLE)
MIRRORED = np.array(_LEFT + _RIGHT + MIDDLE)
_ROWS = {int(number): row for row, number in enumerate(CHOSEN)}
_SWAP = np.array([_ROWS[int(number)] for number in MIRRORED])
_RIGHT_ROWS, _LEFT_ROWS = np.arange(len(_RIGHT)), np.arange(len(_RIGHT), 2 * len(_RIGHT))
#: the lids of each eye: upper, lower
_LIDS = ((159, 145), (386, 374))
_CORNERS = (EYE_CORNERS[:2], EYE_CORNERS[2:])
_EYE = 64  # the side of an eye that is compared, in pixels


@dataclass(frozen=True)
class Turn:
    """How a head is turned, in degrees, 0 each for a face that looks straight at the camera.

    Attributes:
        yaw: to the side, positive where the left half of the face is farther away than the right one
        pitch: positive where the chin is farther away than the forehead
        roll: clockwise as seen
    """

    yaw: float
    pitch: float
    roll: float


def solid(face: Face) -> np.ndarray:
    """Returns the (N, 3) float64 points ``CHOSEN`` in pixels; z grows away from the camera."""
    return np.column_stack([face.points, face.z])[CHOSEN].astype(np.float64)


def turn(points: np.ndarray) -> Turn:
    """Returns how the head is turned, by its (N, 3) points ``CHOSEN``."""
    across, down = _axes(points)
    yaw = math.degrees(math.atan2(across[2], math.hypot(across[0], across[1])))
    pitch = math.degrees(math.atan2(down[2], math.hypot(down[0], down[1])))
    return Turn(yaw, pitch, math.degrees(math.atan2(across[1], across[0])))


def frontal(points: np.ndarray) -> np.ndarray:
    """Returns (N, 3) points ``CHOSEN`` turned to look straight at the camera, around their mean, in eye distances."""
    across, down = _axes(points)
    axes = np.stack([across, down, np.cross(across, down)])
    return np.asarray((points - points.mean(0)) @ axes.T / unit(points))


def unit(points: np.ndarray) -> float:
    """Returns the distance between the outer corners of the eyes, by (N, 3) points ``CHOSEN``; at least 1e-6."""
    return max(float(np.linalg.norm(points[_place(EYE_CORNERS[3])] - points[_place(EYE_CORNERS[0])])), 1e-6)


def mirrored(points: np.ndarray) -> np.ndarray:
    """Returns (N, 3) points ``CHOSEN`` as the mirror image of the face would have them, x turned round."""
    return points[_SWAP] * np.array([-1.0, 1.0, 1.0])


def difference(points: np.ndarray) -> np.ndarray:
    """Returns how far each of (N, 3) points ``CHOSEN`` lies from its mirror image, in eye distances: (N,) float64.

    The mirror image is moved, turned and scaled onto the face first (Procrustes): a turned head alone gives zeros.
    """
    other = mirrored(points)
    return np.asarray(np.linalg.norm(points - fitted(other, points), axis=1) / unit(points))


def fitted(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Returns (N, D) points moved, turned and scaled onto others with the least squared distance; never mirrored.

    Source: S. Umeyama, IEEE PAMI 13 (1991)

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> fitted(2 * square[:, ::-1] * [1, -1] + 3, square).round(6).tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    """
    a, b = points - points.mean(0), onto - onto.mean(0)
    left, sizes, right = np.linalg.svd(b.T @ a)
    signs = np.ones(len(sizes))
    signs[-1] = np.sign(np.linalg.det(left @ right)) or 1.0
    rotation = (left * signs) @ right
    scale = float((sizes * signs).sum() / max(float((a**2).sum()), 1e-12))
    return np.asarray(scale * a @ rotation.T + onto.mean(0))


def _axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors from the right side to the left one, and from the forehead to the chin, at a right angle to it."""
    across = (points[_LEFT_ROWS] - points[_RIGHT_ROWS]).mean(0)
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    down = points[_place(152)] - points[_place(10)]
    down = down - (down @ across) * across
    return across, down / max(float(np.linalg.norm(down)), 1e-9)


def _place(number: int) -> int:
    return _ROWS[number]


#: where an eye is that much less open than wide, its iris cannot be measured
MIN_OPEN = 0.18


def measures(face: Face, views: list[Face], picture: np.ndarray) -> dict[str, float]:
    """Returns what is odd about a face, by name: 0 or more each, higher is odder; without what cannot be measured.

    Args:
        face: of the picture
        views: the same face as ``views.figures`` found it in further views, mapped back; may be empty
        picture: (H, W, 3) uint8 RGB

    Returns:
        iris_size: the natural logarithm of the ratio of the irises' diameters
        gaze, gaze_height: how differently the irises lie along and across their eyes, in eye widths
        eyes, mouth: ``difference`` of their points, root mean square, in eye distances
        unlike_eyes: 1 - the correlation of one eye's picture with the mirrored other one's
        restless_eyes, restless_mouth, restless_irises: how far the points move between views, in eye distances
        doubt: 1 - the lowest presence over the views
    """
    points = solid(face)
    apart = difference(points) ** 2
    by_name = {
        "eyes": math.sqrt(float(apart[_rows(EYES)].mean())),
        "mouth": math.sqrt(float(apart[_rows(LIPS)].mean())),
        "unlike_eyes": unlike_eyes(face, picture),
    }
    if face.irises is not None and openness(points) >= MIN_OPEN:
        by_name |= _of_irises(face)
    if views:
        size = unit(points)
        moved = _restless(np.stack([view.points[CHOSEN] for view in (face, *views)])) / size
        by_name |= {
            "restless_eyes": float(moved[_rows(EYES)].mean()),
            "restless_mouth": float(moved[_rows(LIPS)].mean()),
            "doubt": 1 - min(view.presence for view in (face, *views)),
        }
        irises = [view.irises[:, 0] for view in (face, *views) if view.irises is not None]
        if len(irises) == len(views) + 1 and "gaze" in by_name:
            by_name["restless_irises"] = float(_restless(np.stack(irises)).max()) / size
    return {name: value for name, value in by_name.items() if math.isfinite(value)}


def openness(points: np.ndarray) -> float:
    """Returns how open the less open eye is, by (N, 3) points ``CHOSEN``: height over width, 0.3 as a rule."""
    return min(
        float(np.linalg.norm(points[_place(lids[0])] - points[_place(lids[1])]))
        / max(float(np.linalg.norm(points[_place(corners[0])] - points[_place(corners[1])])), 1e-6)
        for lids, corners in zip(_LIDS, _CORNERS, strict=True)
    )


def unlike_eyes(face: Face, picture: np.ndarray) -> float:
    """Returns 1 - the correlation of the picture of one eye with that of the other one in a mirror, in [0, 2].

    Without the shading that is wider than a quarter of the eye, and at the best of all shifts up to an eighth.
    """
    import cv2

    seen = []
    for at, (left, right) in enumerate(_CORNERS):
        roi = eye_region(face.points[left], face.points[right]).scaled(0.65)
        if not roi.usable:
            return math.nan
        part = cv2.cvtColor(crop.cut(picture, roi, _EYE, border=True), cv2.COLOR_RGB2GRAY).astype(np.float32)
        part = cv2.GaussianBlur(part, (0, 0), _EYE / 40)
        part -= cv2.GaussianBlur(part, (0, 0), _EYE / 4)
        seen.append(np.ascontiguousarray(part[:, ::-1] if at else part))
    edge = _EYE // 8
    inner = np.ascontiguousarray(seen[1][edge:-edge, edge:-edge])
    if min(float(part.std()) for part in seen) < 1:
        return math.nan
    return 1 - float(cv2.matchTemplate(seen[0], inner, cv2.TM_CCOEFF_NORMED).max())


def _of_irises(face: Face) -> dict[str, float]:
    assert face.irises is not None
    sizes: list[float] = []
    places: list[tuple[float, float]] = []
    for (left, right), iris in zip(_CORNERS, face.irises.astype(np.float64), strict=True):
        along = face.points[right].astype(np.float64) - face.points[left]
        width = max(float(np.linalg.norm(along)), 1e-6)
        along = along / width
        offset = (iris[0] - face.points[left]) / width
        places.append((float(offset @ along), float(offset @ np.array([-along[1], along[0]]))))
        sizes.append(float(np.linalg.norm(iris[1] - iris[3]) + np.linalg.norm(iris[2] - iris[4])))
    gaze = np.abs(np.subtract(*np.array(places)))
    return {
        "iris_size": abs(float(np.log(max(sizes[0], 1e-6) / max(sizes[1], 1e-6)))),
        "gaze": float(gaze[0]),
        "gaze_height": float(gaze[1]),
    }


def _restless(places: np.ndarray) -> np.ndarray:
    """How far (V, N, 2) places lie from their mean over the views, root mean square: (N,)."""
    return np.asarray(np.sqrt(((places - places.mean(0)) ** 2).sum(-1).mean(0)))


def _rows(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> list[int]:
    return [_place(number) for side in pair for number in side]


def unmirrored(face: Face, width: int) -> Face:
    """Returns a face that was found in the mirrored picture as it lies in the picture itself.

    Its points ``CHOSEN`` and its irises change sides; the others keep their numbers and mean nothing.

    Args:
        face: of the mirrored picture
        width: of the picture, in pixels
    """
    points = face.points * np.array([-1, 1], face.points.dtype) + np.array([width, 0], face.points.dtype)
    z = face.z.copy()
    points[CHOSEN], z[CHOSEN] = points[MIRRORED], z[MIRRORED]
    irises = None
    if face.irises is not None:
        irises = (face.irises * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32))[::-1]
    return replace(face, points=points, z=z, irises=irises)


def covered(face: Face, picture: np.ndarray) -> float:
    """Returns the luma around the darker eye over that of the cheeks: below 0.5 it is behind dark glasses as a rule.

    Args:
        face: of the picture
        picture: (H, W, 3) uint8 RGB
    """
    import cv2

    size = unit(solid(face))
    squares = [(face.points[list(eye)].mean(0), 0.3 * size) for eye in EYES]
    squares += [(face.points[number], 0.2 * size) for number in (205, 425)]
    levels = []
    for place, side in squares:
        roi = Roi(float(place[0]), float(place[1]), max(side, 2.0), 0.0)
        levels.append(float(np.median(cv2.cvtColor(crop.cut(picture, roi, 16, border=True), cv2.COLOR_RGB2GRAY))))
    return min(levels[0] / max(levels[2], 1), levels[1] / max(levels[3], 1))


#: about the 95 % quantiles of real faces in photos; where a turned head makes the points err, they grow with the yaw
LIMITS = {
    "eyes": Limit(0.026, 0.0012, "the eyes are not at the same height or not alike"),
    "mouth": Limit(0.028, 0.0012, "the halves of the mouth are not alike"),
    "unlike_eyes": Limit(0.55, 0.018, "one eye does not look like the other"),
    "iris_size": Limit(0.25, 0.008, "irises of different size"),
    "gaze": Limit(0.17, 0.004, "the eyes look in different directions"),
    "gaze_height": Limit(0.09, 0.001, "one iris is higher in its eye than the other"),
    "restless_eyes": Limit(0.02, 0.0, "the eyes are not where the eyes of a face would be"),
    "restless_mouth": Limit(0.022, 0.0, "the mouth is not where the mouth of a face would be"),
    "restless_irises": Limit(0.012, 0.0, "the irises cannot be made out"),
    "doubt": Limit(0.1, 0.0, "seen from another angle it is hardly a face"),
}


def cut_off(face: Face, max_share: float = 0.03) -> bool:
    """Returns whether more of the points ``CHOSEN`` than that share lie outside the picture."""
    places = face.points[CHOSEN]
    return bool(((places < 0) | (places > np.array(face.size, np.float32))).any(1).mean() > max_share)


def shown(face: Face) -> np.ndarray:
    """Returns the (N, 2) points that are worth showing, in pixels: outline, eyes, mouth, and the irises if any."""
    numbers = [*(at for side in OUTLINE for at in side), *(at for side in EYES for at in side)]
    numbers += [*(at for side in LIPS for at in side[:8]), 10, 152, 0, 17]
    places = face.points[numbers]
    return places if face.irises is None else np.concatenate([places, face.irises.reshape(-1, 2)])

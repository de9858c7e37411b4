"""Whether the lower half of a face is covered, as by a mask: by its color against that of the forehead."""

from __future__ import annotations

import numpy as np

from loupe.brain.measures.anatomy import face_shape
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face

#: weighted points of the face mesh: the forehead, the brow bones, under the eyes
_UPPER = (((10, 0.17), (151, 0.16), (9, 0.67)), ((104, 1.0),), ((333, 1.0),), ((117, 1.0),), ((346, 1.0),))
#: the nose, the cheeks beside it, above the lips, beside the mouth; not the lips and the chin, which may be bearded
_LOWER = (
    ((4, 0.5), (195, 0.5)),
    ((205, 1.0),),
    ((425, 1.0),),
    ((164, 0.6), (2, 0.4)),
    ((207, 1.0),),
    ((427, 1.0),),
)
#: the side of what is looked at around a point, in eye distances
_SIDE = 0.16
#: of 61 bare faces, 10 in photos and 51 generated, all in view when this was set, none is above 14.7, and none of those
#: whose lightness differs is above 9.8
_CHROMA, _CHROMA_AND_LUMA = 17.0, (11.0, 20.0)


def differences(face: Face, picture: np.ndarray) -> tuple[float, float]:
    """Returns how far the lower half of a face is from the upper one in CIELAB: in chroma and hue, and in lightness.

    Each is the median over places around nose and mouth, against the median of places above: a beard, a shadow or the
    light on one side move some of them only.

    Args:
        face: of the picture
        picture: (H, W, 3) uint8 RGB
    """
    side = max(_SIDE * face_shape.unit(face_shape.solid(face)), 2.0)
    upper, lower = (np.array([_lab(picture, _place(face, spot), side) for spot in spots]) for spots in (_UPPER, _LOWER))
    apart = lower - np.median(upper, axis=0)
    return float(np.median(np.hypot(apart[:, 1], apart[:, 2]))), float(np.median(np.abs(apart[:, 0])))


def is_covered(chroma: float, lightness: float) -> bool:
    """Returns whether such a face is covered below the eyes, by its ``differences``.

    >>> is_covered(30.0, 2.0), is_covered(12.0, 40.0), is_covered(5.0, 40.0)
    (True, True, False)
    """
    return chroma > _CHROMA or (chroma > _CHROMA_AND_LUMA[0] and lightness > _CHROMA_AND_LUMA[1])


def _place(face: Face, spot: tuple[tuple[int, float], ...]) -> np.ndarray:
    return np.asarray(sum(share * face.points[number] for number, share in spot))


def _lab(picture: np.ndarray, place: np.ndarray, side: float) -> np.ndarray:
    """The median lightness in [0, 100], a and b around a place."""
    import cv2

    part = crop.cut(picture, Roi(float(place[0]), float(place[1]), side, 0.0), 12, border=True)
    lab = cv2.cvtColor(part, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float64)
    return np.asarray(np.median(lab, axis=0) * np.array([100 / 255, 1.0, 1.0]))

"""Whether a hand lies over a face: the face's points are then guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi

if TYPE_CHECKING:
    from loupe.brain.perception.landmarks.face import Face
    from loupe.brain.perception.landmarks.hand import Hands

#: the model files that ``finder`` reads, see brain/perception/weights.py
FILES = ("palm_detection_full", "hand_landmark_full")
#: what is looked at around a face: how large, in sides of its region, and in pixels
_AROUND, _SIDE = 1.6, 256
#: how sure the palm detector and, as it is and in a mirror, the landmark model have to be; which share of its points
#: has to lie on the face. The palm detector alone sees hands in bare faces. Of 123 faces in photos and generated ones a
#: hand was seen so over one, which holds a lens before an eye
_PALM, _SURE, _MIN_ON_FACE = 0.3, 0.9, 0.35


def finder() -> Hands:
    """Returns what looks for the hands.

    Raises:
        MissingWeights: a file of MediaPipe's models for hands is not here
    """
    from loupe.brain.perception import weights
    from loupe.brain.perception.landmarks.hand import Hands

    return Hands(*(weights.path(name) for name in FILES), levels=1, threshold=_PALM, presence=_SURE, max_figures=4)


def lies_over(face: Face, picture: np.ndarray, hands: Hands) -> bool:
    """Returns whether a hand lies over a face.

    Args:
        face: of the picture
        picture: (H, W, 3) uint8 RGB
        hands: see ``finder``
    """
    import cv2

    from loupe.brain.perception.landmarks.hand import hand_region

    around = face.roi.scaled(_AROUND)
    part = crop.cut(picture, around, _SIDE, border=True)
    outline = cv2.convexHull((crop.unproject(face.points, around) * _SIDE).astype(np.float32))
    for hand in hands(part):
        on_face = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in hand.points]
        if np.mean(on_face) < _MIN_ON_FACE:
            continue
        region = hand_region(hand.points)
        mirrored = Roi(_SIDE - region.x, region.y, region.side, -region.angle)
        if region.usable and hands.at(np.ascontiguousarray(part[:, ::-1]), mirrored) is not None:
            return True
    return False

"""Whether a hand may be in a glove: by colors that skin does not have in light of a usual color.

Skin of every shade is between red and yellow, neither gray nor pure red. Color tells gloves that are blue, green,
purple or bright red, and gray, white and black ones where the rest of the picture has colors. It cannot tell gloves of
the colors of skin (leather, beige latex), and in a picture without colors nothing. Skin that is painted, lit by
colored lamps before a dark ground, made of stone or drawn in odd colors looks gloved, and so may very pale skin in
blue shade.

Measured on odd-numbered files (``python -m benchmarks.anatomy hand-gloves``): of 271 bare hands of the sign digits none
is taken for a glove, in color or gray (at most 1.4 %), of 60 generated ones none (at most 6 %). These are no figures
of unseen data: the limits were set with all of the generated hands in view, and the share of colored pixels that a
picture needs was lowered after a first run on the odd-numbered sign digits. Recolored, the same hands are told where
their points are known: blue and green 100 and 90 % (colors that lie well inside the rule, so that little follows from
it), red 86 and 63 %, black 72 and 82 %, white, no lighter than 92 of 100, 51 and 62 %. Black and white are not
reliable, above all before a colorless ground: about half of the white gloves that are seen at all are taken for bare
hands. MediaPipe itself sees hardly any blue, green or black hand, and then there is nothing to judge. No picture of a
real glove was at hand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loupe.brain.measures.anatomy.hand_outline import disc, palm_area, palm_length
from loupe.brain.measures.anatomy.hand_views import patch_of
from loupe.brain.perception.landmarks.hand import Hand

#: the side of the patch that a hand is cut to, in pixels
_SIDE = 96
#: hues of skin, in degrees of CIELAB from red over yellow
_SKIN_HUES = (-15.0, 105.0)
#: a hue says something from that chroma on
_COLORED = 10.0
#: skin has at most that chroma, where it is as red as the hue below, and where it is more yellow
_MAX_RED, _RED_HUE, _MAX = 42.0, 38.0, 60.0
#: colored light gives what is around on average that share of the hand's chroma, in a hue within 45 degrees
_CAST = 0.4
#: less chroma is gray; skin in deep shade and skin that is burned out is, too
_GRAY = 4.5
_SHADE, _BURNT = 8.0, 95.0
#: in a picture that has colors, at least that share of the pixels around has at least that chroma
_SHARE, _COLORS = 0.005, 12.0


def glove_colors(picture: np.ndarray, hands: Sequence[Hand]) -> list[str]:
    """Returns for each hand of a picture what color it has that no skin has, e.g. "blue"; empty where it may be skin.

    Args:
        picture: (H, W, 3) uint8 RGB
        hands: all that were found in it
    """
    around = surroundings(picture, np.array([hand.box for hand in hands]).reshape(-1, 4))
    return [glove_color(*patch_of(picture, hand, _SIDE), around) for hand in hands]


def surroundings(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns the colors of what is around the hands of a picture: (N, 3) float32 CIELAB, a few thousand pixels.

    Args:
        picture: (H, W, 3) uint8 RGB
        boxes: (M, 4) of the hands: x, y, width and height in pixels
    """
    step = max(1, max(picture.shape[:2]) // 128)
    free = np.ones(picture.shape[:2], bool)
    for x, y, width, height in np.round(boxes).astype(int):
        free[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = False
    return _lab(picture[::step, ::step])[free[::step, ::step]]


def glove_color(patch: np.ndarray, points: np.ndarray, inside: np.ndarray, around: np.ndarray) -> str:
    """Returns what color of a hand no skin has, e.g. "blue"; empty where it may be skin.

    Args:
        patch: (S, S, 3) uint8 RGB with the hand
        points: (21, 2) in pixels of the patch
        inside: (S, S) bool: which pixels lie in the picture that the patch was cut from
        around: of the same picture, see ``surroundings``
    """
    import cv2

    palm = cv2.erode(palm_area(patch.shape, points), disc(0.08 * palm_length(points))) > 0
    palm &= inside
    if palm.sum() < 20:
        return ""
    light, red, yellow = np.median(_lab(patch)[palm], 0)
    chroma, hue = float(np.hypot(red, yellow)), float(np.degrees(np.arctan2(yellow, red)))
    if chroma < _GRAY:
        colors = len(around) > 0 and (np.hypot(around[:, 1], around[:, 2]) >= _COLORS).mean() >= _SHARE
        return _gray(float(light)) if colors and _SHADE < light < _BURNT else ""
    if chroma < _COLORED:
        return ""
    if _SKIN_HUES[0] <= hue <= _SKIN_HUES[1]:
        return "red" if chroma > (_MAX_RED if hue < _RED_HUE else _MAX) else ""
    # the light may have that color: then what is around has it as well
    cast = around[:, 1:].mean(0) if len(around) else np.zeros(2)
    along = float(cast @ (red, yellow)) / chroma
    if along > max(_CAST * chroma, 0.7 * float(np.linalg.norm(cast))):
        return ""
    return _named(hue)


def _lab(picture: np.ndarray) -> np.ndarray:
    """CIELAB in its own units, float32: lightness in [0, 100]."""
    import cv2

    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def _gray(light: float) -> str:
    return "white" if light > 75 else "black" if light < 35 else "gray"


def _named(hue: float) -> str:
    return "green" if 105 < hue <= 200 else "purple" if -60 < hue < 0 else "blue"

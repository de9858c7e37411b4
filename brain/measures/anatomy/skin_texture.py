"""How much fine texture the skin of a face has, against the sharpest edges of the same face: a proxy for smoothed skin.

Make-up, soft light, a beauty filter and the noise reduction of a camera smooth skin, too. Blur and compression take
texture away as well, but they leave traces that a smoothing brush does not: soft edges, and steps every eight pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.perception.landmarks.face import EYE_CORNERS, Face

#: where skin is free of features in most faces: the middle of a patch, and what it is called
_PATCHES = {50: "right cheek", 280: "left cheek", 151: "forehead", 205: "right cheek", 425: "left cheek"}
_SIDE = 0.2  # of a patch, in eye distances
#: eyes and brows: their edges are the sharpest of a face
_EDGES = (33, 133, 362, 263, 159, 145, 386, 374, 70, 105, 107, 300, 334, 336)


@dataclass(frozen=True)
class Patch:
    """A patch of skin.

    Attributes:
        name: where on the face it is
        box: left, top, right, bottom in pixels of the picture
        texture: the standard deviation of its detail finer than about 3 pixels, in gray levels, without outliers
        level: its median luma, in [0, 255]
    """

    name: str
    box: tuple[int, int, int, int]
    texture: float
    level: float


@dataclass(frozen=True)
class Skin:
    """What was measured of a face.

    Attributes:
        patches: those that lie in the picture
        edges: how strong the finest detail of eyes and brows is, in gray levels
        crispness: the share of their detail that is finer than 3 pixels rather than 12: blurred faces have little
        blocks: the steps at every eighth pixel over those elsewhere; 1 where nothing was compressed
    """

    patches: tuple[Patch, ...]
    edges: float
    crispness: float
    blocks: float

    @property
    def texture(self) -> float:
        """The median texture of the patches over the strength of the edges: little is smooth; NaN without a patch."""
        if not self.patches:
            return float("nan")
        return float(np.median([patch.texture for patch in self.patches])) / max(self.edges, 1e-6)


def measured(picture: np.ndarray, face: Face) -> Skin:
    """Returns the texture of a face's skin.

    Args:
        picture: (H, W, 3) uint8 RGB
        face: of the picture
    """
    import cv2

    size = float(np.linalg.norm(face.points[EYE_CORNERS[0]] - face.points[EYE_CORNERS[3]]))
    height, width = picture.shape[:2]
    reach = np.array([size, size])
    low = np.clip(np.floor(face.points.min(0) - reach / 4), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(face.points.max(0) + reach / 4), low + 1, [width, height]).astype(int)
    luma = cv2.cvtColor(np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
    luma = luma.astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), 1.0)
    middle = luma - cv2.GaussianBlur(luma, (0, 0), 4.0)
    patches = []
    for number, name in _PATCHES.items():
        box = _around(face.points[number], _SIDE * size, low, luma.shape)
        if box is not None:
            left, top, right, bottom = box
            inside = fine[top:bottom, left:right]
            spread = 1.4826 * float(np.median(np.abs(inside - np.median(inside))))
            level = float(np.median(luma[top:bottom, left:right]))
            moved = (left + int(low[0]), top + int(low[1]), right + int(low[0]), bottom + int(low[1]))
            patches.append(Patch(name, moved, spread, level))
    boxes = [_around(face.points[number], 0.15 * size, low, luma.shape) for number in _EDGES]
    boxes_inside = [box for box in boxes if box is not None]
    if not boxes_inside:
        return Skin(tuple(patches), 0.0, 0.0, 1.0)
    sharp = np.concatenate([fine[top:bottom, left:right].ravel() for left, top, right, bottom in boxes_inside])
    broad = np.concatenate([middle[top:bottom, left:right].ravel() for left, top, right, bottom in boxes_inside])
    edges = float(np.percentile(np.abs(sharp), 95))
    crispness = edges / max(float(np.percentile(np.abs(broad), 95)), 1e-6)
    return Skin(tuple(patches), edges, crispness, blockiness(luma))


def blockiness(luma: np.ndarray) -> float:
    """Returns how much larger the steps at every eighth pixel are than the others: 1 without, 1.5 and more with JPEG.

    The second differences of neighbors, their median at each of the eight phases; the worst phase over the median of
    all, the smaller of rows and columns.

    Args:
        luma: (H, W) float32 in [0, 255], at least 24 pixels each way, else 1.0 is returned
    """
    if min(luma.shape) < 24:
        return 1.0
    worst_phases = []
    for plane in (luma, luma.T):
        steps = np.abs(plane[:, 1:-2] * 3 - plane[:, 2:-1] * 3 - plane[:, :-3] + plane[:, 3:])
        rows = np.minimum(steps, 12.0).mean(0)
        phases = np.array([rows[phase::8].mean() for phase in range(8)])
        worst_phases.append(float(phases.max() / max(float(np.median(phases)), 1e-6)))
    return min(worst_phases)


def _around(
    place: np.ndarray, side: float, low: np.ndarray, shape: tuple[int, ...]
) -> tuple[int, int, int, int] | None:
    """A square in the part of the picture that starts at ``low``, or None where the part does not have all of it."""
    left, top = np.round(place - low - side / 2).astype(int).tolist()
    right, bottom = left + max(round(side), 4), top + max(round(side), 4)
    if left < 0 or top < 0 or right > shape[1] or bottom > shape[0]:
        return None
    return left, top, right, bottom


#: skin with that much texture, in strengths of the edges, is as smooth as the smoothest of real photos: score 0.5
USUAL = 0.025
_MIN_CRISP = 0.18
_MAX_BLOCKS = 3.5
#: what rounding to whole gray levels leaves of texture, in gray levels
_ROUNDING = 0.3


def score(skin: Skin) -> float:
    """Returns how smooth the skin is, in [0, 1], higher is smoother: 0.5 at ``USUAL``; NaN without a patch.

    >>> round(score(Skin((Patch("forehead", (0, 0, 9, 9), 0.5, 120.0),), 60.0, 0.4, 1.0)), 3)
    0.75
    """
    return USUAL / (USUAL + skin.texture)


def unknown(skin: Skin) -> str | None:
    """Returns why a face's skin cannot be judged, or None: smooth skin is only told apart where the rest is not."""
    if len(skin.patches) < 3:
        return "cheeks and forehead are cut by the frame"
    level = float(np.median([patch.level for patch in skin.patches]))
    if not 35 <= level <= 245:
        return f"the skin is too {'dark' if level < 35 else 'bright'} to show texture: gray level {level:.0f}"
    if skin.crispness < _MIN_CRISP:
        return "the face is not sharp: its smoothness may be blur, or it was scaled up"
    if skin.blocks > _MAX_BLOCKS:
        return "the face shows the blocks of strong compression, which takes texture away"
    if skin.edges * USUAL < _ROUNDING:
        return "the face has too little contrast to tell smooth skin from rounding"
    return None

"""How a line of lettering was put onto what is behind it: what blending leaves behind, and what a plate leaves.

A watermark is (1 - a) * picture + a * color with one a and one color for all of its letters (Dekel, Rubinstein, Liu,
Freeman: On the Effectiveness of Visible Watermarks, CVPR 2017, equation 1). Letters on a thing vary with its light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.perception.ocr.regions import cut

if TYPE_CHECKING:
    from loupe.brain.perception.ocr.regions import Region

#: pixels that the line's height is brought to before it is measured
_HEIGHT = 48
#: around the line, over its height: what lies there is its background
_MARGIN = 0.5
#: levels below which a difference is rounding or JPEG's
_MIN_CONTRAST = 3.0
_LONGEST = 1200
#: levels that a plate's pixels may be off its color, and the share of a row that has to be within them
_FLAT, _MOST_OF_IT = 10.0, 0.93


@dataclass(frozen=True)
class Ink:
    """What is known of a line's ink.

    Attributes:
        contrast: of ink against what is behind it, in levels, positive where the ink is lighter
        spread: standard deviation of the ink over the contrast; 0 is one even color
        behind: standard deviation of what is behind it over the contrast; 0 is an even ground
        opacity: a of the blend, in [0, 1]; NaN where the ground is too even to tell
        misfit: what the blend leaves unexplained, over the contrast
        share: of the line's area that is ink, in [0, 1]
        saturation: of the ink's color, in [0, 1]
    """

    contrast: float
    spread: float
    behind: float
    opacity: float
    misfit: float
    share: float
    saturation: float


def ink_of(picture: np.ndarray, region: Region) -> Ink | None:
    """Returns what is known of the ink of a line, or None where there is too little contrast or room.

    Args:
        picture: (H, W, 3) uint8 RGB
        region: the line
    """
    import cv2

    if min(region.width, region.height) < 4:
        return None
    line = cut(picture, region, _MARGIN)
    scale = min(_HEIGHT * (1 + 2 * _MARGIN) / line.shape[0], _LONGEST / line.shape[1])
    size = max(8, round(line.shape[1] * scale)), max(8, round(line.shape[0] * scale))
    line = cv2.resize(line, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    luma = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edge = max(1, round(_MARGIN / (1 + 2 * _MARGIN) * line.shape[0]))
    inside = np.zeros(luma.shape, bool)
    inside[edge:-edge, edge:-edge] = True
    if inside.sum() < 40:
        return None
    # strokes are thinner than a third of the line's height: what such an element removes is ink, light or dark
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_HEIGHT // 3 | 1, _HEIGHT // 3 | 1))
    best: tuple[float, np.ndarray] | None = None
    for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        hat = cv2.morphologyEx(luma, how, element)
        outside = float(hat[~inside].mean())
        gain = float(hat[inside].mean()) / (outside + 2.0) * min(1.0, float(np.percentile(hat[inside], 90)) / 6)
        if best is None or gain > best[0]:
            best = gain, hat
    assert best is not None
    hat = best[1].clip(0, 255).astype(np.uint8)
    level, _ = cv2.threshold(hat[inside].reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = (hat > level) & inside
    core = cv2.erode(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    core = core if core.sum() >= 30 else ink
    near = cv2.dilate((hat > level).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if core.sum() < 15 or (~near & inside).sum() < 15:
        return None
    weight = (~near).astype(np.float32)
    colors = line.astype(np.float32)
    soft = cv2.GaussianBlur(colors * weight[..., None], (0, 0), _HEIGHT / 8)
    behind = soft / (cv2.GaussianBlur(weight, (0, 0), _HEIGHT / 8)[..., None] + 1e-3)
    over, under = colors[core], behind[core]
    difference = over.mean(0) - under.mean(0)
    contrast = float(np.abs(difference).mean())
    if contrast < _MIN_CONTRAST:
        return None
    sign = 1.0 if float(difference.mean()) >= 0 else -1.0
    centered_over, centered_under = over - over.mean(0), under - under.mean(0)
    moves = float((centered_under**2).mean())
    slope = float(np.clip((centered_over * centered_under).mean() / (moves + 4.0), 0, 1))
    opacity = 1 - slope if moves > 16 else float("nan")
    misfit = float(np.sqrt(((centered_over - slope * centered_under) ** 2).mean())) / contrast
    # the ink's own color, where it can be told: what is left after the ground's part of it
    color = ((over.mean(0) - slope * under.mean(0)) / max(0.05, 1 - slope)).clip(0, 255)
    ground = colors[~near & inside]
    return Ink(
        sign * contrast,
        float(centered_over.std()) / contrast,
        float((ground - ground.mean(0)).std()) / contrast,
        opacity,
        misfit,
        float(ink[inside].mean()),
        float((color.max() - color.min()) / max(1.0, float(color.max()))),
    )


def crispness(picture: np.ndarray, region: Region) -> float:
    """Returns how steep the steepest edges of a line are, over its contrast: near 1 where letters end within a pixel.

    What is written into a picture is as sharp as its pixels are; what a camera saw is as soft as its lens made it.

    Args:
        picture: (H, W, 3) uint8 RGB, at its own resolution
        region: the line

    Returns:
        in [0, 1]; 0 without contrast
    """
    import cv2

    if min(region.width, region.height) < 4:
        return 0.0
    line = cv2.cvtColor(cut(picture, region, 0.1), cv2.COLOR_RGB2GRAY).astype(np.float32)
    zoom = line.shape[0] / (1.2 * region.height)  # small lines are cut out enlarged
    slope = np.hypot(cv2.Sobel(line, cv2.CV_32F, 1, 0), cv2.Sobel(line, cv2.CV_32F, 0, 1)) / 8 * zoom
    low, high = np.percentile(line, (3, 97))
    return float(min(1.0, np.percentile(slope, 97) / max(8.0, high - low)))


@dataclass(frozen=True)
class Plate:
    """An even rectangle behind a line, upright in the picture.

    Attributes:
        bounds: left, top, right, bottom in pixels
        straight: the least share of a side along which it ends at the same pixel; 1 for a side at the picture's border
        spread: standard deviation of its color in levels, without the ink
        borders: how many of its sides lie at the picture's border, 0 to 4
    """

    bounds: tuple[int, int, int, int]
    straight: float
    spread: float
    borders: int


def plate_of(picture: np.ndarray, region: Region) -> Plate | None:
    """Returns the even rectangle that a line stands on, or None where its ground is uneven.

    It is grown from the line, row by row and column by column, while almost all pixels have its color.

    Args:
        picture: (H, W, 3) uint8 RGB
        region: the line
    """
    height, width = picture.shape[:2]
    low, high = region.corners.min(0), region.corners.max(0)
    left, top = (int(v) for v in np.clip(low, 0, (width - 1, height - 1)))
    right, bottom = (int(np.ceil(v)) for v in np.clip(high, 1, (width, height)))
    if right - left < 6 or bottom - top < 6:
        return None
    part = picture[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
    # ink covers less than half of a line: the ground is the commonest color, found coarsely and then as a mean
    coarse = (part // 16).astype(np.int32) @ np.array((256, 16, 1))
    values, counts = np.unique(coarse, return_counts=True)
    ground = part[coarse == values[counts.argmax()]].mean(0)
    alike = np.abs(part - ground).max(1) < _FLAT
    if alike.mean() < 0.4:
        return None
    ground = part[alike].mean(0)
    same = np.abs(picture.astype(np.float32) - ground).max(2) < _FLAT
    left, top, right, bottom = _grown(same, (left, top, right, bottom))
    inner = picture[top:bottom, left:right][same[top:bottom, left:right]].astype(np.float32)
    straight, borders = 1.0, 0
    for side in range(4):
        end = _end(same, (left, top, right, bottom), side)
        if end is None:
            borders += 1
        else:
            straight = min(straight, end)
    return Plate((left, top, right, bottom), straight, float((inner - inner.mean(0)).std()), borders)


def _grown(same: np.ndarray, bounds: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = bounds
    height, width = same.shape
    for _ in range(2):  # a wider one may be taller
        while top > 0 and same[top - 1, left:right].mean() > _MOST_OF_IT:
            top -= 1
        while bottom < height and same[bottom, left:right].mean() > _MOST_OF_IT:
            bottom += 1
        while left > 0 and same[top:bottom, left - 1].mean() > _MOST_OF_IT:
            left -= 1
        while right < width and same[top:bottom, right].mean() > _MOST_OF_IT:
            right += 1
    return left, top, right, bottom


def _end(same: np.ndarray, bounds: tuple[int, int, int, int], side: int) -> float | None:
    """The share of a side along which the next pixels but one are no plate; None at the picture's border."""
    left, top, right, bottom = bounds
    height, width = same.shape
    places = (
        (same[top - 2, left:right] if top > 1 else None),
        (same[bottom + 1, left:right] if bottom < height - 1 else None),
        (same[top:bottom, left - 2] if left > 1 else None),
        (same[top:bottom, right + 1] if right < width - 1 else None),
    )
    line = places[side]
    return None if line is None else float(1 - line.mean())

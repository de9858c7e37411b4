"""A watermark over the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect
from loupe.brain.measures.overlays.drawing import blended, fitted, lettering, put

_OWNERS = ("Lumen Arts", "northlight.com", "© M. Okafor", "www.pixa.net", "Hollis & Vane", "© 2021 Iris", "DRAWBOX")
_STAMPS = ("SAMPLE", "PREVIEW", "STOCKPIC", "DO NOT COPY", "lumenarts", "PROOF")
_WHITE, _BLACK = (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)


def _corner(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A name in a corner, every other time after a round mark."""
    mask = np.zeros((height, width), np.float32)
    short = min(height, width)
    text = fitted(str(rng.choice(_OWNERS)), round(short * rng.uniform(0.04, 0.08)), round(width * 0.6))
    mark = np.zeros((0, 0), np.float32)
    if rng.random() < 0.5:
        side = max(3, round(1.6 * text.shape[0]))
        y, x = (np.mgrid[:side, :side] + 0.5) / side * 2 - 1
        radius = np.hypot(x, y)
        mark = ((radius < 1) & ((radius > 0.75) | (np.abs(x) < 0.2))).astype(np.float32)
    gap = mark.shape[1] // 4
    wide, high = mark.shape[1] + gap + text.shape[1], max(mark.shape[0], text.shape[0])
    margin = round(short * rng.uniform(0.015, 0.04))
    left = margin if rng.random() < 0.5 else width - margin - wide
    top = height - margin - high if rng.random() < 0.75 else margin
    put(mask, mark, left, top + (high - mark.shape[0]) // 2)
    put(mask, text, left + mark.shape[1] + gap, top + (high - text.shape[0]) // 2)
    return mask


def _tiled(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """The same word over all of the picture, in staggered slanted rows."""
    import cv2

    mask = np.zeros((height, width), np.float32)
    short = min(height, width)
    text = lettering(str(rng.choice((*_STAMPS, *_OWNERS[:2]))), max(4, round(short * rng.uniform(0.045, 0.08))))
    angle = rng.uniform(15, 45) * rng.choice((-1, 1))
    side = int(np.hypot(*text.shape)) + 2
    square = np.zeros((side, side), np.float32)
    put(square, text, (side - text.shape[1]) // 2, (side - text.shape[0]) // 2)
    turned = cv2.warpAffine(square, cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1), (side, side))
    across, down = max(4, round(side * rng.uniform(1.0, 1.3))), max(4, round(side * rng.uniform(0.6, 0.9)))
    for row, top in enumerate(range(-side // 2, height, down)):
        for left in range(-side // 2 - (row % 2) * across // 2, width, across):
            put(mask, turned, left, top)
    return mask


def _band(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """One large word across the picture."""
    mask = np.zeros((height, width), np.float32)
    text = fitted(str(rng.choice(_STAMPS)), max(1, height // 4), round(width * rng.uniform(0.45, 0.8)))
    top = round((height - text.shape[0]) * rng.choice((0.5, rng.uniform(0.3, 0.85))))
    put(mask, text, (width - text.shape[1]) // 2, top)
    return mask


@dataclass(frozen=True)
class Watermark(Defect):
    """Lettering blended into the picture: a name in a corner, a word in slanted rows, or one large word across it.

    Light on dark places and dark on light ones, as people choose it.
    """

    name: ClassVar[str] = "watermark"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Alpha blending, as in Dekel et al., On the Effectiveness of Visible Watermarks, CVPR (2017)"
    )
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "opacity in %"
    severities: ClassVar[tuple[float, ...]] = (15, 25, 40, 65, 100)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape[:2]
        mask = (_corner, _tiled, _band)[rng.integers(3)](height, width, rng)
        under = pixels[mask > 0.5]
        bright = float(under.mean()) if under.size else float(pixels.mean())
        return blended(pixels, mask, _BLACK if bright > 150 else _WHITE, min(1.0, severity / 100))

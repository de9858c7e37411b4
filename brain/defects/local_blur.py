"""A part of the picture that came out smeared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect
from loupe.brain.imaging.window_selection import busiest

#: how often the patch lies on the busiest part of the picture instead of around its middle
_BUSIEST = 0.5
#: share of the picture that the patch covers
_MIN_AREA, _MAX_AREA = 0.08, 0.25


def patch(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the mask of a soft-edged oval or rectangle in the picture: (H, W) float32 in [0, 1].

    It covers 8 to 25 % of the picture and lies around its middle or on its busiest part.

    Args:
        pixels: (H, W, 3) uint8
        rng: decides shape, size and place
    """
    import cv2

    height, width = pixels.shape[:2]
    oval = rng.random() < 0.7
    area = rng.uniform(_MIN_AREA, _MAX_AREA)
    longer = rng.uniform(0.7, 1.4)
    # an oval fills a part of pi / 4 of its box
    box = np.sqrt(area * (4 / np.pi if oval else 1))
    wide, high = min(0.9, box * longer) * width, min(0.9, box / longer) * height
    if rng.random() < _BUSIEST:
        x, y = busiest(pixels, wide, high)
    else:
        x, y = (side / 2 + rng.normal(0, 0.08) * side for side in (width, height))
    x, y = float(np.clip(x, wide / 2, width - wide / 2)), float(np.clip(y, high / 2, height - high / 2))
    across, down = (np.arange(width) + 0.5 - x) / (wide / 2), ((np.arange(height) + 0.5 - y) / (high / 2))[:, None]
    distance = np.hypot(across, down) if oval else np.maximum(np.abs(across), np.abs(down))
    mask = (distance <= 1).astype(np.float32)
    return cv2.GaussianBlur(mask, (0, 0), max(0.5, rng.uniform(0.02, 0.08) * min(wide, high)))


@dataclass(frozen=True)
class LocalBlur(Defect):
    """Gaussian blur of an oval or rectangle with a soft edge, around the middle or on the busiest part."""

    name: ClassVar[str] = "local_blur"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://docs.opencv.org/4.x/d4/d86/group__imgproc__filter.html"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "standard deviation in % of the long side"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1, 2, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        mask = patch(pixels, rng)[..., None]
        soft = cv2.GaussianBlur(pixels, (0, 0), severity / 100 * max(pixels.shape[:2]))
        mixed = pixels + mask * (soft.astype(np.float32) - pixels)
        return mixed.round().clip(0, 255).astype(np.uint8)

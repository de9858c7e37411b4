"""A picture out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.specs import Defect

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Blur(Defect):
    """Gaussian blur of the whole picture."""

    name: ClassVar[str] = "blur"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://docs.opencv.org/4.x/d4/d86/group__imgproc__filter.html"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "standard deviation in % of the long side"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1, 2, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        return cv2.GaussianBlur(pixels, (0, 0), severity / 100 * max(pixels.shape[:2]))

"""A picture that was enlarged without smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.specs import Defect

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Aliasing(Defect):
    """A smaller version of the picture, enlarged again by taking the nearest pixel."""

    name: ClassVar[str] = "aliasing"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://docs.opencv.org/4.x/da/d54/group__imgproc__transform.html"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "factor of the enlargement"
    severities: ClassVar[tuple[float, ...]] = (1.25, 1.5, 2, 3, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        height, width = pixels.shape[:2]
        shape = max(1, round(width / severity)), max(1, round(height / severity))
        # either with a filter or, as in a pipeline that never has one, without
        small = cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_NEAREST)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)

"""A picture that was sharpened far too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.specs import Defect

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Halo(Defect):
    """Unsharp mask of the whole picture, with a radius of 0.5 to 1 % of the long side."""

    name: ClassVar[str] = "halo"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://en.wikipedia.org/wiki/Unsharp_masking"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "amount: how many times what a blur takes away is added"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1, 2, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        radius = rng.uniform(0.5, 1) / 100 * max(pixels.shape[:2])
        values = pixels.astype("float32")
        soft = cv2.GaussianBlur(values, (0, 0), radius)
        return (values + severity * (values - soft)).clip(0, 255).round().astype("uint8")

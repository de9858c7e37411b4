"""A picture seen through haze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class LowContrast(Defect):
    """Haze of an even depth, with a light gray air."""

    name: ClassVar[str] = "low_contrast"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Koschmieder's law (1924)"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "share of the light that gets through"
    severities: ClassVar[tuple[float, ...]] = (0.7, 0.5, 0.35, 0.2)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        air = np.float32(0.9 * 255 * (1 - severity))
        return (pixels * np.float32(severity) + air).round().astype(np.uint8)

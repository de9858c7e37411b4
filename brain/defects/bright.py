"""A picture that got too much light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class Bright(Defect):
    """All sRGB values times a factor above 1, clipped."""

    name: ClassVar[str] = "bright"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "A longer exposure, after tone mapping"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "factor on the values"
    severities: ClassVar[tuple[float, ...]] = (2, 3, 4, 6)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        return (pixels * np.float32(severity)).clip(0, 255).round().astype(np.uint8)

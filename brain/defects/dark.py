"""A picture that got too little light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class Dark(Defect):
    """All sRGB values times a factor below 1."""

    name: ClassVar[str] = "dark"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "A shorter exposure, after tone mapping"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "share of the values that is left"
    severities: ClassVar[tuple[float, ...]] = (0.5, 0.35, 0.25, 0.15)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        return (pixels * np.float32(severity)).round().astype(np.uint8)

"""A picture that is a strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class OddAspect(Defect):
    """A strip across the picture, lying or standing."""

    name: ClassVar[str] = "odd_aspect"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "As geometry"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "short side / long side"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.17, 0.1)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape[:2]
        if rng.random() < 0.5:
            short = max(1, round(width * severity))
            top = int(rng.integers(0, max(0, height - short) + 1))
            return pixels[top : top + short].copy()
        short = max(1, round(height * severity))
        left = int(rng.integers(0, max(0, width - short) + 1))
        return pixels[:, left : left + short].copy()

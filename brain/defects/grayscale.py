"""A picture without color."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class Grayscale(Defect):
    """Gray that is stored as RGB."""

    name: ClassVar[str] = "grayscale"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Rec. 601 luma"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "share of the chroma that is left"
    severities: ClassVar[tuple[float, ...]] = (0.01, 0.0)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
        return (luma[..., None] * (1 - severity) + pixels * np.float32(severity)).round().astype(np.uint8)

"""A picture with nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


@dataclass(frozen=True)
class LowInformation(Defect):
    """The picture's mean color, and noise."""

    name: ClassVar[str] = "low_information"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "What a generator draws when its latents collapse"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "gray levels (standard deviation) of the noise that is all there is"
    severities: ClassVar[tuple[float, ...]] = (3, 1, 0)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        even = np.broadcast_to(pixels.mean((0, 1)), pixels.shape)
        grain = severity * rng.standard_normal(pixels.shape, dtype=np.float32)
        return (even + grain).clip(0, 255).round().astype(np.uint8)

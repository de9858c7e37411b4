"""A picture whose colors have run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.specs import Defect

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ColorBleeding(Defect):
    """The color planes of the whole picture, blurred or displaced, with the luma as it was."""

    name: ClassVar[str] = "color_bleeding"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Planes as in ITU-R BT.601"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "standard deviation of the blur, or displacement, in % of the long side"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1, 2, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2
        import numpy as np

        height, width = pixels.shape[:2]
        size = severity / 100 * max(height, width)
        planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
        if rng.random() < 0.5:
            color = cv2.GaussianBlur(planes[..., 1:], (0, 0), size)
        else:
            angle = rng.uniform(0, 2 * np.pi)
            move = np.array([[1, 0, size * np.cos(angle)], [0, 1, size * np.sin(angle)]], np.float32)
            color = cv2.warpAffine(planes[..., 1:], move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        # a picture of one row or column loses an axis on the way
        planes[..., 1:] = color.reshape(height, width, 2)
        return cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)

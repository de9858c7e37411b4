"""A picture that moved while it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect


def line_kernel(length: float, degrees: float) -> np.ndarray:
    """Returns the (S, S) float32 kernel, of sum 1, that averages along a straight line, S odd.

    Args:
        length: in pixels
        degrees: counterclockwise from horizontal
    """
    side = 2 * int(length / 2 + 2) + 1
    # points along the line, each shared out among the four pixels around it
    step = np.linspace(-length / 2, length / 2, max(3, int(length * 8)))
    x = side // 2 + step * np.cos(np.deg2rad(degrees))
    y = side // 2 - step * np.sin(np.deg2rad(degrees))
    kernel = np.zeros((side, side), np.float32)
    for right in (0, 1):
        for below in (0, 1):
            weight = np.abs(1 - right - x % 1) * np.abs(1 - below - y % 1)
            np.add.at(kernel, (y.astype(int) + below, x.astype(int) + right), weight)
    return kernel / kernel.sum()


@dataclass(frozen=True)
class MotionBlur(Defect):
    """A smear of the whole picture along a straight line, in any direction."""

    name: ClassVar[str] = "motion_blur"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Uniform straight motion, as in Cannon, IEEE Trans. ASSP 24 (1976)"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "length in % of the long side"
    severities: ClassVar[tuple[float, ...]] = (1, 2, 4, 8)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        kernel = line_kernel(severity / 100 * max(pixels.shape[:2]), rng.uniform(0, 180))
        return cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REFLECT)

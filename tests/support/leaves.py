"""Made-up pictures whose statistics are those of photos: dead leaves, opaque discs of all sizes (Lee et al. 2001)."""

from __future__ import annotations

import math

import cv2
import numpy as np


def leaves(seed: int, width: int = 200, height: int = 150, discs: int = 900) -> np.ndarray:
    """Returns a (height, width, 3) uint8 picture."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128, np.uint8)
    for _ in range(discs):
        radius = 2 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.circle(picture, center, round(radius), rng.integers(10, 246, 3).tolist(), -1, cv2.LINE_AA)
    return picture

"""How what was drawn anew compares with what stood there: outside of the mask, its sharpness, its style.

Sharpness and style are compared inside of the mask: repairs by inpainting tend to be blurred, and to have other colors
(reported of HandRefiner and of ADetailer).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.core.records import Record


@dataclass(frozen=True)
class Likeness(Record):
    """A picture against its original.

    Attributes:
        outside: mean absolute difference outside of the mask, in levels of 0 to 255; NaN where nothing lies outside.
            Lower is better
        sharpness: how strong edges are inside of the mask, as a ratio of the original's; 1 is as sharp, lower is
            blurrier. NaN where the original has no edges
        style: how far mean and spread of the colors inside of the mask lie from the original's, in units of CIELAB.
            Lower is more alike
    """

    outside: float
    sharpness: float
    style: float


def likeness(original: np.ndarray, made: np.ndarray, mask: np.ndarray) -> Likeness:
    """Returns how a repaired picture compares with its original.

    Args:
        original, made: (H, W, 3) uint8 sRGB
        mask: (H, W) bool: what was drawn anew

    >>> picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    >>> likeness(picture, picture, np.ones((8, 8), bool)).sharpness
    1.0
    """
    rest = ~mask
    outside = float(np.abs(original.astype(np.int16) - made)[rest].mean()) if rest.any() else float("nan")
    before, after = (_edges(picture)[mask].mean() for picture in (original, made))
    sharpness = float(after / before) if before > 0.1 else float("nan")
    return Likeness(outside, sharpness, style_distance(original, made, mask))


def _edges(picture: np.ndarray) -> np.ndarray:
    luma = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    across, down = np.gradient(luma) if min(luma.shape) > 1 else (np.zeros_like(luma), np.zeros_like(luma))
    return np.hypot(across, down)


def style_distance(original: np.ndarray, made: np.ndarray, mask: np.ndarray) -> float:
    """Returns how far mean and spread of the colors inside of a mask lie apart, in units of CIELAB, at least 0.

    The statistics are those of Reinhard, Ashikhmin, Gooch & Shirley, "Color transfer between images", IEEE CG&A 2001.
    """
    import cv2

    def moments(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[mask]
        return lab.mean(0), lab.std(0)

    (mean_a, spread_a), (mean_b, spread_b) = moments(original), moments(made)
    return float(np.linalg.norm(mean_a - mean_b) + np.linalg.norm(spread_a - spread_b))

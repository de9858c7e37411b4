"""The committed pictures as tests need them: of another size, out of focus, as the other source of a fixture."""

from __future__ import annotations

import cv2
import numpy as np

from loupe.testing import Case

#: the parameters of a fixture that has a free picture and one of the real data: the second is skipped without them
SOURCES = ("committed", "shared data")
#: sound photos in color, (320, 480, 3) each but for the last two, which are (448, 448, 3)
PHOTOS = ("pagoda", "dahlia", "coffee", "rocket", "clown", "man", "woman")


def picture(name: str, side: int | None = None) -> np.ndarray:
    """Returns a committed picture, (H, W, 3) uint8 sRGB, to be written to; with a side (side, side, 3)."""
    pixels = Case(name, name).pixels.copy()
    return pixels if side is None else cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)


def defocused(pixels: np.ndarray, radius: int) -> np.ndarray:
    """Returns a picture as a lens that is out of focus shows it: each point a disc of that radius in pixels."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x**2 + y**2 <= radius**2).astype(np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT))


def shaken(pixels: np.ndarray, length: int, seed: int) -> np.ndarray:
    """Returns a picture as a hand that moves shows it: smeared along a slightly bent path of that length in pixels."""
    rng = np.random.default_rng(seed)
    angle, bend = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3)
    along = np.linspace(-0.5, 0.5, 8 * length)
    angles = angle + bend * along
    path = np.stack([along * np.cos(angles), along * np.sin(angles)], 1) * length
    side = 2 * length + 1
    kernel = np.zeros((side, side), np.float32)
    for across, down in np.rint(path).astype(int) + length:
        kernel[down, across] += 1
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT))


def gray(pixels: np.ndarray) -> np.ndarray:
    """Returns the (H, W) float32 luma of a picture."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)

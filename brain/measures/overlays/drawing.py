"""Draws lettering as a mask, with the font that Pillow carries: what the defects lay over a picture."""

from __future__ import annotations

import numpy as np


def lettering(text: str, height: int) -> np.ndarray:
    """Returns one line of text as a (h, w) float32 mask in [0, 1], cropped to its ink; 1 is ink.

    Args:
        text: what to write; characters that the font lacks are drawn as boxes
        height: of the font in pixels, 1 at least

    >>> bool(lettering("Ag", 40).max() > 0.99)
    True
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(max(1, height))
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font=font)
    size = max(1, int(np.ceil(right - left))), max(1, int(np.ceil(bottom - top)))
    canvas = Image.new("L", size)
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    return np.asarray(canvas, np.float32) / 255


def fitted(text: str, height: int, widest: int) -> np.ndarray:
    """Returns the lettering at that font height, or smaller, so that it is at most ``widest`` pixels wide."""
    made = lettering(text, height)
    if made.shape[1] > widest:
        made = lettering(text, max(1, int(height * max(1, widest) / made.shape[1])))
    return made


def put(mask: np.ndarray, part: np.ndarray, left: int, top: int) -> None:
    """Puts a part into a (H, W) mask, where the larger value wins; what lies outside is cut off."""
    height, width = mask.shape
    x, y = max(0, left), max(0, top)
    right, bottom = min(width, left + part.shape[1]), min(height, top + part.shape[0])
    if right > x and bottom > y:
        place = mask[y:bottom, x:right]
        np.maximum(place, part[y - top : bottom - top, x - left : right - left], out=place)


def blended(pixels: np.ndarray, mask: np.ndarray, color: tuple[float, float, float], opacity: float) -> np.ndarray:
    """Returns a new (H, W, 3) uint8 picture: (1 - a) * picture + a * color, with a = mask * opacity.

    Args:
        pixels: (H, W, 3) uint8
        mask: (H, W) float32 in [0, 1]
        color: R, G, B in 0 ... 255
        opacity: in [0, 1]
    """
    alpha = (mask * opacity)[..., None]
    return (pixels * (1 - alpha) + np.array(color, np.float32) * alpha).round().clip(0, 255).astype(np.uint8)

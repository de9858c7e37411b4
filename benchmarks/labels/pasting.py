"""Copies of objects as they come about: the same picture once more, and pasted into another one, in boxes off by some.

Each change takes a picture with a box and a background, and gives a picture with the box of the copy, all in pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.similarity.changes import jpeg

#: left, top, right, bottom in pixels
Corners = tuple[float, float, float, float]
Change = Callable[[np.ndarray, Corners, np.ndarray, np.random.Generator], tuple[np.ndarray, Corners]]


def scaled(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Returns a picture scaled by a factor."""
    size = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=how))


def crop(pixels: np.ndarray, box: Corners) -> np.ndarray:
    """Returns the pixels of a box."""
    height, width = pixels.shape[:2]
    left, top = (max(0, min(round(at), end - 1)) for at, end in zip(box[:2], (width, height), strict=True))
    return pixels[top : max(top + 1, round(box[3])), left : max(left + 1, round(box[2]))]


def wider(box: Corners, share: float) -> Corners:
    """Returns a box that is larger by a share of its side at each of its sides."""
    across, down = share * (box[2] - box[0]), share * (box[3] - box[1])
    return box[0] - across, box[1] - down, box[2] + across, box[3] + down


def _pasted(
    part: np.ndarray, background: np.ndarray, rng: np.random.Generator, mask: np.ndarray | None = None
) -> tuple[np.ndarray, Corners]:
    """Returns the background with a part in it, half as large again at least, and the part's box."""
    height, width = part.shape[:2]
    room = max(1.5 * width / background.shape[1], 1.5 * height / background.shape[0], 1.0)
    made = scaled(background, room) if room > 1 else background.copy()
    down, across = made.shape[0] - height, made.shape[1] - width
    top, left = int(rng.integers(down // 6, down - down // 6)), int(rng.integers(across // 6, across - across // 6))
    share = np.ones((height, width, 1)) if mask is None else mask[..., None]
    place = made[top : top + height, left : left + width]
    made[top : top + height, left : left + width] = (part * share + place * (1 - share)).astype(np.uint8)
    return made, (left, top, left + width, top + height)


def _ellipse(height: int, width: int) -> np.ndarray:
    """Returns the ellipse in a box, with a soft rim: what a mask of an object is like."""
    y, x = np.mgrid[:height, :width]
    apart = ((x - width / 2 + 0.5) / (width / 2)) ** 2 + ((y - height / 2 + 0.5) / (height / 2)) ** 2
    return np.clip((1 - apart) * min(height, width) / 4, 0, 1)


def _shifted(box: Corners, share: float, rng: np.random.Generator) -> Corners:
    across, down = (share * float(rng.choice([-1, 1])) * side for side in (box[2] - box[0], box[3] - box[1]))
    return box[0] + across, box[1] + down, box[2] + across, box[3] + down


def _rough(pixels: np.ndarray, box: Corners, other: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Corners]:
    made, own = _pasted(jpeg(scaled(crop(pixels, box), 0.8), 75), other, rng)
    sides = own[2] - own[0], own[3] - own[1]
    return made, tuple(at + rng.uniform(-0.04, 0.04) * sides[i % 2] for i, at in enumerate(own))  # type: ignore[return-value]


CHANGES: dict[str, Change] = {
    "the same picture, JPEG 75": lambda pixels, box, other, rng: (jpeg(pixels, 75), box),
    "the same picture, × 0.6": lambda pixels, box, other, rng: (
        scaled(pixels, 0.6),
        (0.6 * box[0], 0.6 * box[1], 0.6 * box[2], 0.6 * box[3]),
    ),
    "the same picture, flipped": lambda pixels, box, other, rng: (
        np.ascontiguousarray(pixels[:, ::-1]),
        (pixels.shape[1] - box[2], box[1], pixels.shape[1] - box[0], box[3]),
    ),
    "the box shifted by 4 %": lambda pixels, box, other, rng: (pixels, _shifted(box, 0.04, rng)),
    "the box looser by 5 %": lambda pixels, box, other, rng: (pixels, wider(box, 0.05)),
    "the box tighter by 5 %": lambda pixels, box, other, rng: (pixels, wider(box, -0.05)),
    "the box tighter by 10 %": lambda pixels, box, other, rng: (pixels, wider(box, -0.1)),
    "pasted": lambda pixels, box, other, rng: _pasted(crop(pixels, box), other, rng),
    "pasted × 1.5, flipped": lambda pixels, box, other, rng: _pasted(
        np.ascontiguousarray(scaled(crop(pixels, box), 1.5)[:, ::-1]), other, rng
    ),
    "pasted × 0.8 as JPEG 75, each side off by up to 4 %": _rough,
    "pasted, the box looser by 5 %": lambda pixels, box, other, rng: _loose(pixels, box, other, rng, 0.05),
    "pasted, the box looser by 10 %": lambda pixels, box, other, rng: _loose(pixels, box, other, rng, 0.1),
    "cut out (an ellipse), pasted": lambda pixels, box, other, rng: _pasted(
        crop(pixels, box), other, rng, _ellipse(*crop(pixels, box).shape[:2])
    ),
}


def _loose(
    pixels: np.ndarray, box: Corners, other: np.ndarray, rng: np.random.Generator, share: float
) -> tuple[np.ndarray, Corners]:
    made, own = _pasted(crop(pixels, box), other, rng)
    return made, wider(own, share)

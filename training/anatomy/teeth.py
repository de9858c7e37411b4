"""Teeth: how even, how many and how clear they are between the lips, and flaws put into them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face
from loupe.brain.perception.landmarks.figure import upright

#: the inner rim of the lips among the points of the face mesh, round the mouth
INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
#: the mouth is cut out to a square of that side, in pixels, and that much wider than it is
_SIDE, _AROUND = 128, 1.15
#: a mouth is open if the lips are that far apart, and large enough if it is so many pixels wide
MIN_OPEN, MIN_WIDTH = 0.08, 36.0
#: so many columns of teeth have to be seen, and so many rows in each
_COLUMNS, _ROWS = 48, 4
NAMES = ("contrast", "count", "fine", "uneven")


def _mouth(face: Face) -> tuple[Roi, float]:
    left, right = face.points[78], face.points[308]
    middle, width = (left + right) / 2, float(np.linalg.norm(right - left))
    return Roi(float(middle[0]), float(middle[1]), max(width * _AROUND, 1.0), upright(left, right, 0.0)), width


def is_open(face: Face) -> bool:
    """Returns whether the mouth is open and large enough for its teeth to be seen."""
    _, width = _mouth(face)
    gap = float(np.linalg.norm(face.points[13] - face.points[14]))
    return width >= MIN_WIDTH and gap >= MIN_OPEN * width


def _between_lips(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask


def measures(picture: np.ndarray, face: Face) -> np.ndarray | None:
    """Returns numbers of the teeth of a face, (4,) in the order of ``NAMES``; None where no teeth are seen.

    Along the row of teeth: the logarithms of its contrast, of the number of waves in the mouth's width, of the share
    of waves finer than teeth, and of how uneven its waves are.
    """
    if not is_open(face):
        return None
    roi, _ = _mouth(face)
    patch = crop.cut(picture, roi, _SIDE, border=True)
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).astype(np.float32)
    mask = _between_lips((_SIDE, _SIDE), crop.unproject(face.points[list(INNER)], roi) * _SIDE) > 0
    luma, red = lab[..., 0], lab[..., 1]
    if mask.sum() < 100:
        return None
    limit, _ = cv2.threshold(luma[mask].astype(np.uint8), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = mask & (luma > limit) & (red < np.median(red[mask]) + 6)
    columns = bright.sum(0) >= _ROWS
    if columns.sum() < _COLUMNS:
        return None
    at = np.flatnonzero(columns)
    profile = np.array([luma[bright[:, column], column].mean() for column in at])
    even = np.interp(np.arange(at[0], at[-1] + 1), at, profile).astype(np.float32)
    waves = even - cv2.GaussianBlur(even[None], (0, 0), 8)[0]
    power = np.abs(np.fft.rfft(waves * np.hanning(len(waves)), 256)) ** 2
    cycles = np.arange(len(power)) * _SIDE / _AROUND / 256
    teeth, fine = (cycles > 4) & (cycles <= 16), cycles > 16
    total = float(power[cycles > 4].sum()) + 1e-6
    center = float((power * cycles)[cycles > 4].sum()) / total
    spread = np.abs(np.diff(waves)).std() / (np.abs(np.diff(waves)).mean() + 1e-3)
    return np.log(
        [
            float(waves.std()) / float(even.mean() + 1) + 1e-3,
            center + 1e-3,
            float(power[fine].sum()) / (float(power[teeth].sum()) + 1e-6) + 1e-3,
            float(spread) + 1e-3,
        ]
    )


def _put(picture: np.ndarray, face: Face, changed: np.ndarray) -> np.ndarray:
    mask = _between_lips(picture.shape[:2], face.points[list(INNER)]).astype(np.float32)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.0)[..., None] * mask[..., None]
    return np.asarray((picture * (1 - alpha) + changed * alpha).round().clip(0, 255).astype(np.uint8))


def multiplied(picture: np.ndarray, face: Face) -> np.ndarray:
    """Nearly twice as many teeth, each narrower."""
    roi, width = _mouth(face)
    height, wide = picture.shape[:2]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(height, dtype=np.float32))
    off = x - roi.x
    half = width / 3.6
    # the middle of the row, again and again, each time in a mirror
    back = np.abs((off * 1.8 + half) % (4 * half) - 2 * half) - half
    changed = cv2.remap(picture, roi.x - back.astype(np.float32), y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _put(picture, face, changed)


def smeared(picture: np.ndarray, face: Face) -> np.ndarray:
    """Teeth blurred along their row."""
    _, width = _mouth(face)
    return _put(picture, face, cv2.GaussianBlur(picture, (0, 0), sigmaX=0.06 * width, sigmaY=0.5))


def merged(picture: np.ndarray, face: Face) -> np.ndarray:
    """Teeth without the gaps between them."""
    _, width = _mouth(face)
    kernel = np.ones((1, max(3, round(0.14 * width))), np.uint8)
    return _put(picture, face, cv2.morphologyEx(picture, cv2.MORPH_CLOSE, kernel))


def crooked(picture: np.ndarray, face: Face) -> np.ndarray:
    """Teeth in waves, as if melted."""
    _, width = _mouth(face)
    height, wide = picture.shape[:2]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(height, dtype=np.float32))
    step = 0.05 * width
    moved = x + step * np.sin(y / step).astype(np.float32) + step * np.sin(x / (1.7 * step)).astype(np.float32)
    return _put(picture, face, cv2.remap(picture, moved, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


FLAWS: dict[str, Callable[[np.ndarray, Face], np.ndarray]] = {
    "teeth multiplied": multiplied,
    "teeth smeared": smeared,
    "teeth merged": merged,
    "teeth crooked": crooked,
}

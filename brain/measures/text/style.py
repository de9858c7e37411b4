"""Whether the letters of one word look as if they came from different fonts.

Compared is what letters of one font share whatever letter they are: how heavy their strokes are, upright and level
ones, and how their stems lean. All of it may change steadily along a word that is seen from the side or stands on an
arc; what is left after taking a straight trend away is compared with what differs within ordinary fonts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loupe.brain.measures.text.letters import Letter

#: with fewer letters there is no telling which one is the odd one
MIN_LETTERS = 4
#: letters with an upright stem
_STEMS = frozenset("BDEFHIKLNPRTUbdfhiklmnpqrtu1")
#: leans that are tried, in pixels to the right for each pixel up: from a backward to a strong forward slant
_LEANS = tuple(step / 25 for step in range(-8, 18))
#: standard deviations within one font: of the logarithms of three widths of strokes (of all by their area, the middle
#: one, that of level ones) and of the lean of stems; and the most that each may say: letters without bars have odd ones
_SPREADS = (0.05, 0.09, 0.12, 0.03)
_MAX = (99.0, 99.0, 3.5, 99.0)


def anomaly(word: Sequence[Letter], slopes: np.ndarray) -> float | str:
    """Returns how far the oddest letter of a word is from its fellows, in standard deviations within ordinary fonts.

    Args:
        word: the letters
        slopes: (N,) how steeply the line falls at each letter, as ``shape.Shape`` has them

    Returns:
        a number >= 0, lower is better; or why it cannot be said
    """
    if len(word) < MIN_LETTERS:
        return f"fewer than {MIN_LETTERS} letters stand apart"
    height = float(np.median([letter.height for letter in word]))
    x = np.array([letter.middle for letter in word]) / height
    # one pixel more for all: of hairlines a share of a pixel is no difference
    weights = [weight(letter.ink) + 1 for letter in word]
    middle, level = np.array([_strokes(letter.ink) for letter in word]).T
    leans = np.array([lean(letter, slope) for letter, slope in zip(word, slopes, strict=True)])
    odd = np.zeros(len(word))
    for values, spread, max_odd in zip((np.log(weights), middle, level, leans), _SPREADS, _MAX, strict=True):
        odd += np.minimum(np.abs(_untrended(x, values)) / spread, max_odd) ** 2
    return float(np.sqrt(odd.max()))


def _strokes(ink: np.ndarray) -> tuple[float, float]:
    """The logarithms of the median width of strokes and of that of level ones, NaN where there are none."""
    across, down = _runs(ink), _runs(np.ascontiguousarray(ink.T)).T
    bars = down[ink & (down < 0.5 * across)]
    enough = len(bars) > max(10, 0.03 * ink.sum())
    middle = float(np.log(np.median(np.minimum(across, down)[ink]))) if ink.any() else float("nan")
    return middle, float(np.log(np.median(bars))) if enough else float("nan")


def _runs(ink: np.ndarray) -> np.ndarray:
    """For each pixel of the ink the length of the row of ink that it is in; 0 elsewhere."""
    padded = np.pad(ink, ((0, 0), (1, 0)))
    starts = np.zeros(padded.shape, bool)
    starts[:, 1:] = padded[:, 1:] & ~padded[:, :-1]
    run = np.cumsum(starts.ravel()).reshape(padded.shape)[:, 1:]
    out = np.zeros(ink.shape)
    out[ink] = np.bincount(run[ink])[run[ink]] if ink.any() else 0
    return out


def weight(ink: np.ndarray) -> float:
    """Returns how wide the strokes of a (h, w) bool letter are, in pixels: a bar's width; of all strokes by their area.

    The mean distance of a bar's pixels to its edge is a quarter of its width.

    >>> ink = np.zeros((40, 30), bool)
    >>> ink[:, 10:18] = True
    >>> round(weight(ink))
    8
    """
    import cv2

    distance = cv2.distanceTransform(np.pad(ink, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return 4 * max(0.05, float(distance[distance > 0].mean()) - 0.5) if ink.any() else 0.0


def lean(letter: Letter, slope: float = 0.0) -> float:
    """Returns how far a letter's stem leans to the right, in pixels for each pixel up; NaN if it has no stem.

    Args:
        letter: the letter
        slope: of the line where it stands, which is taken out of it first
    """
    if letter.character not in _STEMS:
        return float("nan")
    ink = _straight(letter.ink, slope)
    if len(ink) < 16:
        return float("nan")
    rows, columns = np.nonzero(ink)
    shear = np.outer(_LEANS, rows)
    # upright again, a stem puts its ink into few columns
    at = np.round(columns + shear).astype(int)
    at -= at.min(1, keepdims=True)
    wide = int(at.max()) + 1
    counts = np.bincount((at + wide * np.arange(len(_LEANS))[:, None]).ravel(), minlength=wide * len(_LEANS))
    sharp = (counts.reshape(len(_LEANS), wide).astype(float) ** 2).sum(1)
    best = int(sharp.argmax())
    if not 0 < best < len(_LEANS) - 1:
        return float("nan")
    before, peak, after = sharp[best - 1 : best + 2]
    bend = before - 2 * peak + after
    offset = 0.5 * (before - after) / bend if bend else 0.0
    return _LEANS[best] + offset * (_LEANS[1] - _LEANS[0])


def _straight(ink: np.ndarray, slope: float) -> np.ndarray:
    """The letter as it is on a level line: its columns moved up or down, and empty rows taken off."""
    height, width = ink.shape
    shifts = np.round(-slope * (np.arange(width) + 0.5 - width / 2)).astype(int)
    if not shifts.any():
        return ink
    reach = int(np.abs(shifts).max())
    rows = np.arange(height + 2 * reach)[:, None] - reach - shifts[None, :]
    inside = (rows >= 0) & (rows < height)
    moved = inside & ink[np.clip(rows, 0, height - 1), np.arange(width)[None, :]]
    kept = np.flatnonzero(moved.any(1))
    return moved[kept[0] : kept[-1] + 1] if len(kept) else ink


def _untrended(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values less a straight line through them that single odd ones do not move (Theil and Sen); NaN becomes 0."""
    known = ~np.isnan(values)
    out = np.zeros(len(values))
    if known.sum() < 3:
        return out
    a, b = np.triu_indices(int(known.sum()), 1)
    at, what = x[known], values[known]
    apart = np.abs(at[b] - at[a]) > 1e-6
    trend = float(np.median((what[b] - what[a])[apart] / (at[b] - at[a])[apart])) if apart.any() else 0.0
    level = what - trend * at
    out[known] = level - np.median(level)
    return out

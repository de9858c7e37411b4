"""Lines of text as masks: letters drawn one by one, and what bends, shuffles or erases them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont


def line_mask(
    text: str,
    fonts: Sequence[str],
    size: int,
    rng: np.random.Generator,
    *,
    jitter: float = 0.0,
    gaps: float = 0.0,
    tracking: float = 0.0,
) -> np.ndarray:
    """Returns the line as a (h, w) uint8 mask, each letter in its own font.

    Args:
        text: the letters
        fonts: one font file for each letter
        size: of the fonts, in pixels
        rng: decides the jitter
        jitter: standard deviation of the letters' height on the line, over the font's size; they turn and grow, too
        gaps: standard deviation of what is put between the letters, over the font's size
        tracking: what is put between all letters alike, over the font's size
    """
    margin = size
    advances = []
    for at, (character, path) in enumerate(zip(text, fonts, strict=True)):
        font = ImageFont.truetype(path, size)
        pair = text[at : at + 2]
        kerned = len(pair) == 2 and fonts[at + 1] == path
        advances.append(font.getlength(pair) - font.getlength(pair[1]) if kerned else font.getlength(character))
    extra = rng.normal(0, gaps * size, len(text)) if gaps else np.zeros(len(text))
    extra = np.clip(extra, -0.05 * size, None) + tracking * size
    width = int(sum(advances) + np.abs(extra).sum() + 2 * margin)
    canvas = np.zeros((3 * size, width), np.uint8)
    x = float(margin)
    for character, path, advance, more in zip(text, fonts, advances, extra, strict=True):
        layer = Image.new("L", (width, 3 * size), 0)
        ImageDraw.Draw(layer).text((x, 2 * size), character, fill=255, font=ImageFont.truetype(path, size), anchor="ls")
        letter = np.asarray(layer)
        if jitter:
            turn, grow = rng.normal(0, 60 * jitter), 1 + rng.normal(0, 0.8 * jitter)
            matrix = cv2.getRotationMatrix2D((x + advance / 2, 1.65 * size), turn, grow)
            matrix[1, 2] += rng.normal(0, jitter * size)
            letter = cv2.warpAffine(letter, matrix, (width, 3 * size), flags=cv2.INTER_CUBIC)
        canvas = np.maximum(canvas, letter)
        x += advance + more
    return trim(canvas)


def trim(mask: np.ndarray) -> np.ndarray:
    """Returns the mask without its empty borders, but for two pixels."""
    ys, xs = np.nonzero(mask > 32)
    if not len(ys):
        return mask
    return mask[max(0, ys.min() - 2) : ys.max() + 3, max(0, xs.min() - 2) : xs.max() + 3]


def moved(mask: np.ndarray, dx: np.ndarray | float, dy: np.ndarray | float, margin: int) -> np.ndarray:
    """Returns the mask with each pixel taken from (dx, dy) beside it, after adding an empty margin."""
    padded = np.pad(mask, margin)
    y, x = np.mgrid[: padded.shape[0], : padded.shape[1]].astype(np.float32)
    maps = [np.asarray(base + shift, np.float32) for base, shift in ((x, dx), (y, dy))]
    return trim(cv2.remap(padded, *maps, cv2.INTER_CUBIC, borderValue=0))


def sine(mask: np.ndarray, amplitude: float, waves: float, phase: float) -> np.ndarray:
    """Returns the line on a wave: its amplitude over the line's height, and how many waves the line has."""
    height, width = mask.shape
    margin = int(1 + amplitude * height)
    x = np.arange(width + 2 * margin, dtype=np.float32)[None, :] - margin
    shift = amplitude * height * np.sin(2 * np.pi * waves * x / width + phase)
    return moved(mask, 0.0, np.broadcast_to(shift, (height + 2 * margin, width + 2 * margin)), margin)


def elastic(mask: np.ndarray, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the line as if drawn on rubber: smooth shifts of that standard deviation over the line's height."""
    height, width = mask.shape
    margin = int(1 + 3 * amplitude * height)
    shape = (height + 2 * margin, width + 2 * margin)
    shifts = []
    for _ in range(2):
        field = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 0.25 * height)
        shifts.append(field * (amplitude * height / max(1e-6, float(field.std()))))
    return moved(mask, shifts[0], shifts[1], margin)


def arched(mask: np.ndarray, sagitta: float, turned: bool) -> np.ndarray:
    """Returns the line on an arc.

    Args:
        mask: the line
        sagitta: the arc's rise over the line's width, negative for a valley
        turned: whether the letters turn with the arc, as around a badge, or stay upright
    """
    height, width = mask.shape
    margin = int(height + abs(sagitta) * width)
    if not turned:
        x = (np.arange(width + 2 * margin, dtype=np.float32)[None, :] - margin) / width * 2 - 1
        shift = -sagitta * width * (x**2 - 0.5)
        return moved(mask, 0.0, np.broadcast_to(shift, (height + 2 * margin, width + 2 * margin)), margin)
    if sagitta < 0:
        return arched(mask[::-1, ::-1], -sagitta, True)[::-1, ::-1]
    radius = width * (0.25 + sagitta**2) / (2 * sagitta)
    y, x = np.mgrid[: height + 2 * margin, : width + 2 * margin].astype(np.float32)
    x, y = x - margin - width / 2, radius + height / 2 - (y - margin)
    across, up = radius * np.arctan2(x, y) + width / 2, radius - np.hypot(x, y) + height / 2
    return trim(cv2.remap(mask, across.astype(np.float32), up.astype(np.float32), cv2.INTER_CUBIC, borderValue=0))


def perspective(mask: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the line as if seen from the side: one end is smaller by up to that share."""
    margin = int(0.2 * len(mask)) + 2
    padded = np.pad(mask, margin)
    h, w = padded.shape
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    shrink = strength * h / 2
    target = corners.copy()
    side = (0, 3) if rng.random() < 0.5 else (1, 2)
    target[side[0], 1] += shrink
    target[side[1], 1] -= shrink
    target[1:3, 0] *= rng.uniform(0.75, 1.0)
    return trim(
        cv2.warpPerspective(padded, cv2.getPerspectiveTransform(corners, target), (w, h), flags=cv2.INTER_CUBIC)
    )


def shuffled(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the line cut into squares of a third of its height that have changed places and sides."""
    side = max(4, mask.shape[0] // 3)
    rows, columns = 3, mask.shape[1] // side
    tiles = [mask[r * side : (r + 1) * side, c * side : (c + 1) * side] for r in range(rows) for c in range(columns)]
    tiles = [np.rot90(tile, int(rng.integers(4))) for tile in tiles if tile.shape == (side, side)]
    order = rng.permutation(len(tiles))
    rows = len(tiles) // columns
    return np.vstack([np.hstack([tiles[order[r * columns + c]] for c in range(columns)]) for r in range(rows)])


def pseudo(letters: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns so many signs of random strokes that look like letters from afar."""
    canvas = np.zeros((3 * size, (letters + 2) * size), np.uint8)
    thick = max(2, round(size * rng.uniform(0.07, 0.13)))
    for at in range(letters):
        left = size + at * 0.72 * size
        spots = np.array([[x, y] for x in (0.08, 0.32, 0.58) for y in (1.3, 1.65, 2.0)]) * size + (left, 0)
        for _ in range(int(rng.integers(3, 6))):
            a, b, c = spots[rng.choice(9, 3, replace=False)]
            t = np.linspace(0, 1, 16)[:, None]
            bend = c if rng.random() < 0.6 else (a + b) / 2
            curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * bend + t**2 * b
            cv2.polylines(canvas, [(curve * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    return trim(canvas)


def erased(mask: np.ndarray, bands: int, share: float) -> np.ndarray:
    """Returns the line without that many level bands, which together take that share of its height."""
    out, height = mask.copy(), mask.shape[0]
    for band in range(bands):
        middle = (band + 0.5) / bands * height
        half = share * height / bands / 2
        out[max(0, round(middle - half)) : round(middle + half)] = 0
    return out


def script_mask(text: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the line in a joined script: Hershey's, which OpenCV carries."""
    face = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX if rng.random() < 0.5 else cv2.FONT_HERSHEY_SCRIPT_COMPLEX
    scale = cv2.getFontScaleFromHeight(face, max(8, round(0.7 * size)), 1)
    thick = max(1, round(0.07 * size))
    (width, height), below = cv2.getTextSize(text, face, scale, thick)
    canvas = np.zeros((3 * height + below, width + 2 * height), np.uint8)
    cv2.putText(canvas, text, (height, 2 * height), face, scale, 255, thick, cv2.LINE_AA)
    return trim(canvas)

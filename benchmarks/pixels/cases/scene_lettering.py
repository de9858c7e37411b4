"""Draws lettering that belongs to what is shown: on road signs, shops, plates, shirts, packages, posters, screens.

The kinds of drawn hard negatives of "watermark" and "overlay", and what their weights are fitted against: the caller
says which words in which font. Each thing stands in the photo's light, as soft as a lens makes it, with the grain of a
sensor; every third one is seen straight from the front, as people photograph signs, and every fourth one is flat and
clean, as illustrations are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks import data
from loupe.brain.engine.reader import read

KINDS = ("road sign", "shop sign", "number plate", "shirt", "package", "poster", "screen", "clock", "sign close up")

Rng = np.random.Generator
#: draws a line of text at a height in pixels: (h, w) float32 in [0, 1]
Letters = Callable[[str, int], np.ndarray]

_GROUNDS = {
    "road sign": ((190, 25, 30), (20, 110, 70), (20, 70, 160), (245, 200, 30), (240, 240, 240)),
    "number plate": ((240, 240, 235), (245, 205, 60)),
    "screen": ((235, 238, 242), (30, 34, 44), (30, 80, 150)),
    "clock": ((16, 16, 18),),
}
_GLOW = ((255, 60, 40), (80, 255, 120), (90, 180, 255), (255, 190, 60))
#: the least and the most of the picture's width that the thing takes
_SIZES = {
    "road sign": (0.15, 0.5), "shop sign": (0.4, 0.95), "number plate": (0.12, 0.3), "shirt": (0.2, 0.45),
    "package": (0.2, 0.4), "poster": (0.25, 0.5), "screen": (0.35, 0.7), "clock": (0.12, 0.35),
    "sign close up": (1.15, 2.2),
}  # fmt: skip


def in_scene(photo: np.ndarray, kind: str, texts: Sequence[str], letters: Letters, rng: Rng) -> np.ndarray:
    """Returns a new photo, (H, W, 3) uint8, with a thing of that kind in it on which the texts are written.

    Args:
        photo: (H, W, 3) uint8 RGB
        kind: of ``KINDS``
        texts: one a row; a clock and a number plate take the first alone
        letters: draws a line
        rng: decides place, size, color, view and light
    """
    import cv2

    color, ink, alpha = _front(kind, list(texts[:1] if kind in ("clock", "number plate") else texts), letters, rng)
    height, width = photo.shape[:2]
    high, wide = alpha.shape
    close, clean = kind == "sign close up", kind != "shirt" and rng.random() < 0.25
    size = width * rng.uniform(*_SIZES[kind])
    size = max(size, 1.3 * height * wide / high) if close else min(size, 0.85 * height * wide / high)
    corners = _placed(size, size * high / wide, (height, width), kind, rng.random() < (0.6 if clean else 1 / 3), rng)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    shrink = max(0.0, wide / size / 2 - 0.5)  # what a lens would have averaged
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    soft = (0.35 if clean else rng.uniform(0.5, 1.6)) * max(height, width) / 1024

    def seen(part: np.ndarray) -> np.ndarray:
        part = cv2.GaussianBlur(part, (0, 0), shrink) if shrink > 0.3 else part
        part = cv2.warpPerspective(part, matrix, (width, height))
        part = _folded(part, corners, kind)
        return cv2.GaussianBlur(part, (0, 0), soft).reshape(height, width, -1)

    cover, strokes, fill = seen(alpha), seen(ink), seen(color * alpha[..., None])
    light = np.ones((1, 1, 1), np.float32) if clean else _light(height, width, corners, kind, rng)
    made = photo.astype(np.float32)
    if kind == "road sign":
        made = _with_pole(made, corners, light, soft)
    if kind == "shirt":  # printed on what is there: its shade goes on
        shade = cv2.GaussianBlur(made, (0, 0), 2 * soft + 1).mean(2, keepdims=True)
        dark = float((shade * strokes).sum() / (strokes.sum() + 1e-3)) < 120
        print_color = rng.uniform(0.8, 1.0, 3) * (150 + 0.5 * shade if dark else 15 + 0.35 * shade)
        made = made * (1 - strokes) + print_color * light * strokes
    else:
        made = made * (1 - cover) + fill * light
    grain = rng.normal(0, 0.0 if clean else rng.uniform(1, 5), made.shape)
    return (made + grain * np.maximum(cover, strokes)).round().clip(0, 255).astype(np.uint8)


def _front(kind: str, texts: list[str], letters: Letters, rng: Rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The thing from the front: its colors (h, w, 3), its lettering and its outline (h, w), all float32."""
    rows = [letters(text, int(48 * (rng.uniform(0.6, 1.6) if kind == "poster" else 1))) for text in texts]
    gap, margin = 18, int(rng.uniform(16, 60))
    wide = max(row.shape[1] for row in rows)
    margin = margin if kind != "sign close up" else int(wide * rng.uniform(0.4, 0.9))  # beyond the picture's border
    wide += 2 * margin
    high = sum(row.shape[0] + gap for row in rows) - gap + 2 * margin
    if kind in ("poster", "package"):
        high = max(high, int(wide * rng.uniform(1.0, 1.5)))
    if kind == "screen":
        high = max(high, int(wide * 0.6))
    octagon = kind == "road sign" and len(rows) == 1 and rng.random() < 0.5
    if octagon:
        high = max(high, int(wide * 0.95))
    ink = np.zeros((high, wide), np.float32)
    top = margin if kind == "screen" else (high - sum(row.shape[0] + gap for row in rows) + gap) // 2
    for row in rows:
        left = margin if kind == "screen" else (wide - row.shape[1]) // 2
        ink[top : top + row.shape[0], left : left + row.shape[1]] = row
        top += row.shape[0] + gap
    choices = _GROUNDS.get(kind)
    ground = np.array(choices[rng.integers(len(choices))] if choices else rng.uniform(15, 245, 3), np.float32)
    light_ink = float(ground.mean()) < 135
    text_color = np.array(rng.uniform(190, 255, 3) if light_ink else rng.uniform(5, 60, 3), np.float32)
    if kind == "clock":
        text_color = np.array(_GLOW[rng.integers(len(_GLOW))], np.float32)
    alpha = _outline(high, wide, octagon, rng.uniform(0, 0.2) if kind != "shop sign" else 0.0)
    rim = _rim(alpha, max(3, high // 22)) if kind in ("road sign", "number plate", "screen") else np.zeros_like(alpha)
    paint = np.array((20, 20, 22), np.float32) if kind == "screen" else text_color
    color = ground + rim[..., None] * (paint - ground)
    color = color + ink[..., None] * (text_color - color)
    return color.astype(np.float32), ink, ink if kind == "shirt" else alpha


def _outline(high: int, wide: int, octagon: bool, rounding: float) -> np.ndarray:
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    side_x, side_y = np.minimum(x, wide - 1 - x), np.minimum(y, high - 1 - y)
    if octagon:
        return (side_x / wide + side_y / high >= 0.29).astype(np.float32)
    radius = max(1.0, rounding * min(high, wide))
    corner = np.hypot(np.maximum(0, radius - side_x), np.maximum(0, radius - side_y))
    return (corner <= radius).astype(np.float32)


def _rim(alpha: np.ndarray, thick: int) -> np.ndarray:
    """The stripe along an outline, a little inside of it."""
    import cv2

    def eroded(by: int) -> np.ndarray:
        padded = cv2.copyMakeBorder(alpha, by, by, by, by, cv2.BORDER_CONSTANT, value=0)
        return cv2.erode(padded, np.ones((2 * by + 1, 2 * by + 1), np.uint8))[by:-by, by:-by]

    return np.asarray(eroded(thick) - eroded(2 * thick), np.float32)


def _placed(size: float, tall: float, shape: tuple[int, int], kind: str, frontal: bool, rng: Rng) -> np.ndarray:
    """The corners of the thing in the picture: (4, 2), turned and in perspective, or neither."""
    height, width = shape
    low, high = (0.55, 0.9) if kind == "number plate" else (0.1, 0.5) if kind == "shop sign" else (0.1, 0.9)
    angle = 0.0 if frontal else np.radians(rng.normal(0, 6))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if kind == "sign close up":
        x, y = width * rng.uniform(0.45, 0.55), height * rng.uniform(0.42, 0.58)
        corners = np.array([[-size, -tall], [size, -tall], [size, tall], [-size, tall]]) / 2 @ turn + (x, y)
        return np.asarray(corners)
    x = rng.uniform(0.5 * size, max(0.5 * size + 1, width - 0.5 * size))
    y = np.clip(rng.uniform(low, high) * height, 0.5 * tall, max(0.5 * tall + 1, height - 0.5 * tall))
    corners = np.array([[-size, -tall], [size, -tall], [size, tall], [-size, tall]]) / 2 @ turn + (x, y)
    return corners if frontal else corners + rng.uniform(-0.12, 0.12, (4, 2)) * min(tall, size)


def _folded(part: np.ndarray, corners: np.ndarray, kind: str) -> np.ndarray:
    """Cloth lies in waves, and a package is round."""
    import cv2

    if kind not in ("shirt", "package"):
        return part
    height, width = part.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    size = float(np.ptp(corners[:, 0])) + 1
    along = (x - corners[:, 0].mean()) / size
    if kind == "shirt":
        moved = x + 0.02 * size * np.sin(14 * along + y / size * 6), y + 0.03 * size * np.sin(9 * along)
    else:
        moved = x, y + 0.12 * size * along**2
    return np.asarray(cv2.remap(part, *(m.astype(np.float32) for m in moved), cv2.INTER_LINEAR))


def _light(height: int, width: int, corners: np.ndarray, kind: str, rng: Rng) -> np.ndarray:
    """The light on the thing: (H, W, 1), brighter on one side, in waves on cloth, falling off around a package."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    size = float(np.ptp(corners[:, 0])) + 1
    along, down = (x - corners[:, 0].mean()) / size, (y - corners[:, 1].mean()) / size
    way = rng.uniform(0, 2 * np.pi)
    light = rng.uniform(0.6, 1.0) + rng.uniform(0.05, 0.4) * (np.cos(way) * along + np.sin(way) * down)
    if kind == "shirt":
        light = light + 0.12 * np.sin(14 * along + 6 * down)
    if kind == "package":
        light = light * (1 - 1.2 * along**2)
    return np.asarray(light.clip(0.15, 1.2)[..., None], np.float32)


def _with_pole(made: np.ndarray, corners: np.ndarray, light: np.ndarray, soft: float) -> np.ndarray:
    import cv2

    size, x = float(np.ptp(corners[:, 0])), float(corners[:, 0].mean())
    pole = np.zeros(made.shape[:2], np.float32)
    thick = max(2.0, 0.05 * size)
    pole[max(0, int(corners[:, 1].mean())) :, max(0, int(x - thick / 2)) : max(1, int(x + thick / 2))] = 1
    pole = cv2.GaussianBlur(pole, (0, 0), soft)[..., None]
    return np.asarray(made * (1 - pole) + 120 * light * pole, np.float32)


#: the most words of each half, and the least side of one in pixels
_MAX_WORDS, _MIN_WORD = 80, 48


def close_ups(part: int) -> list[np.ndarray]:
    """Returns real words of signs, shops and packages (IIIT5K) as pictures of their own, at even (0) or odd (1) places.

    A word is cut out too closely to be a picture: what is at its border goes on around it, smoothly.
    """
    paths = sorted(data.at("6_ocr/iiit5k").rglob("*.png"))
    crops = [crop for crop in (read(path).pixels for path in paths) if min(crop.shape[:2]) >= _MIN_WORD]
    return [_surrounded(crop) for crop in crops[: 2 * _MAX_WORDS][part::2]]


def _surrounded(crop: np.ndarray) -> np.ndarray:
    import cv2

    height, width = crop.shape[:2]
    y, x = int(1.6 * height), int(max(0.35 * width, 1.92 * height - 0.5 * width))
    around = cv2.copyMakeBorder(crop, y, y, x, x, cv2.BORDER_REPLICATE)
    inside = np.zeros(around.shape[:2], np.float32)
    inside[y:-y, x:-x] = 1
    inside = cv2.GaussianBlur(inside, (0, 0), 2)[..., None]
    made = around * inside + cv2.GaussianBlur(around, (0, 0), height / 6) * (1 - inside)
    return np.asarray(made.round(), np.uint8)

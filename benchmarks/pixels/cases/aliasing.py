"""Cases of aliasing."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change, chain, gain, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets


def nearest(factor: float) -> Change:
    """Made smaller with a filter, enlarged again by the nearest pixel."""

    def apply(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        shape = max(1, round(width / factor)), max(1, round(height / factor))
        return cv2.resize(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), (width, height), interpolation=0)

    return apply


def scaled(factor: float, how: int) -> Change:
    return lambda pixels: cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how)


def pasted(pixels: np.ndarray) -> np.ndarray:
    """The picture's mirror image in a wavy shape in its middle, cut out without antialiasing."""
    height, width = pixels.shape[:2]
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 0.28 * min(height, width) * (1 + 0.25 * np.sin(3 * angle) + 0.15 * np.sin(5 * angle))
    outline = np.stack([width / 2 + radius * np.cos(angle), height / 2 + radius * np.sin(angle)], 1).astype(np.int32)
    inside = cv2.fillPoly(np.zeros((height, width), np.uint8), [outline], 1)
    return np.where(inside[..., None] > 0, np.roll(pixels[:, ::-1], width // 3, 1), pixels)


def part(pixels: np.ndarray) -> np.ndarray:
    """Only the middle half of each side enlarged by the nearest pixel."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    inner = slice(height // 4, height - height // 4), slice(width // 4, width - width // 4)
    out[inner] = nearest(3)(np.ascontiguousarray(pixels[inner]))
    return out


DEFECTS = {
    "2-fold, JPEG 75": chain(nearest(2), jpeg(75)),
    "4-fold, JPEG 75": chain(nearest(4), jpeg(75)),
    "3-fold, JPEG 50": chain(nearest(3), jpeg(50)),
    "2-fold, dark (gain 0.3)": chain(nearest(2), gain(0.3)),
    "2-fold, noise of 5 levels": chain(nearest(2), noise(5)),
    "6-fold": nearest(6),
    "the middle quarter, 3-fold": part,
    "every second pixel": lambda pixels: np.ascontiguousarray(pixels[::2, ::2]),
    "pasted with hard edges": pasted,
}
NEGATIVES = {
    "half the size, by area": scaled(0.5, cv2.INTER_AREA),
    "0.6 of the size, Lanczos": scaled(0.6, cv2.INTER_LANCZOS4),
    "twice the size, bilinear": scaled(2, cv2.INTER_LINEAR),
    "1.3 times the size, bilinear": scaled(1.3, cv2.INTER_LINEAR),
    "1.5 times the size, bicubic": scaled(1.5, cv2.INTER_CUBIC),
    "4 times the size, bicubic": lambda pixels: scaled(4, cv2.INTER_CUBIC)(pixels[::2, ::2]),
    **{f"JPEG {quality}": jpeg(quality) for quality in (20, 30, 50, 75)},
    "dark (gain 0.3)": gain(0.3),
    "noise of 15 levels": noise(15),
}


def screens(count: int = 20) -> list[np.ndarray]:
    """Drawn screenshots: crisp boxes parallel to the axes, tables, antialiased text."""
    rng = np.random.default_rng(3)
    made = []
    for index in range(count):
        screen = np.full((600, 800, 3), 250, np.uint8)
        for _ in range(25):
            x, y = int(rng.integers(0, 700)), int(rng.integers(0, 500))
            color = tuple(int(value) for value in rng.integers(0, 256, 3))
            cv2.rectangle(screen, (x, y), (x + int(rng.integers(10, 200)), y + int(rng.integers(5, 90))), color, -1)
        pitch = int(rng.integers(8, 40))
        if index % 2:
            screen[100:500:pitch, 100:700] = 60
            screen[100:500, 100:700:pitch] = 60
        for line in range(10 if index % 4 else 0):
            cv2.putText(screen, "File Edit View", (40, 50 + 50 * line), 0, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
        made.append(screen)
    return made


def drawings(count: int = 20) -> list[np.ndarray]:
    """Antialiased lines and circles."""
    rng = np.random.default_rng(4)
    made = []
    for _ in range(count):
        sheet = np.full((500, 640, 3), 255, np.uint8)
        for _ in range(40):
            ends = [(int(rng.integers(0, 640)), int(rng.integers(0, 500))) for _ in range(2)]
            cv2.line(sheet, *ends, (20, 20, 20), int(rng.integers(1, 4)), cv2.LINE_AA)
            cv2.circle(sheet, ends[0], int(rng.integers(5, 80)), (150, 40, 30), 2, cv2.LINE_AA)
        made.append(sheet)
    return made


def real() -> Sets:
    """Screenshots and drawings; pictures by generators; receipts."""
    made: Sets = {"screenshots": ("hard negative", screens()), "line drawings": ("hard negative", drawings())}
    folders = {"receipts": data.at("6_ocr/sroie_receipts"), "generated": data.at("5_generated")}
    return made | read_sets("hard negative", {name: data.pictures(folder)[:100] for name, folder in folders.items()})

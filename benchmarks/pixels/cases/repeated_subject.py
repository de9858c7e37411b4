"""What repeats without being a subject drawn twice: walls, windows, text, reflections, symmetric things."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change
from benchmarks.pixels.sets import Sets, read_sets

#: ImageNet classes that show many alike things
REPEATING = (
    "abacus", "radiator", "strawberry", "shoji", "window_shade", "worm_fence", "butcher_shop", "bakery", "organ",
    "artichoke", "honeycomb", "bookcase", "chainlink_fence", "keyboard", "ear", "shopping_basket",
)  # fmt: skip


def noisy(pixels: np.ndarray) -> np.ndarray:
    return (pixels + np.random.default_rng(1).normal(0, 12, pixels.shape)).clip(0, 255).astype(np.uint8)


def jpeg(pixels: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


def reflected(pixels: np.ndarray) -> np.ndarray:
    """The upper half, mirrored in water below: soft, dark and rippled."""
    half = pixels[: pixels.shape[0] // 2]
    water = cv2.GaussianBlur(half[::-1], (0, 0), 0.003 * max(pixels.shape[:2])) * 0.8
    ripples = 0.004 * pixels.shape[1] * np.sin(np.arange(len(half)) / 3)
    rows = [np.roll(row, round(shift), 0) for row, shift in zip(water, ripples, strict=True)]
    return np.concatenate([half, np.stack(rows).astype(np.uint8)])


def symmetric(pixels: np.ndarray) -> np.ndarray:
    half = pixels[:, : pixels.shape[1] // 2]
    return np.concatenate([half, half[:, ::-1]], 1)


DEFECTS: dict[str, Change] = {}
NEGATIVES: dict[str, Change] = {
    "reflected in water": reflected,
    "left-right symmetric": symmetric,
    "JPEG 50": jpeg,
    "noise": noisy,
    "dark": lambda pixels: (pixels * 0.3).astype(np.uint8),
    "grey": lambda pixels: np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),
}


def brick(rng: np.random.Generator) -> np.ndarray:
    wall = np.full((480, 640, 3), 170.0)
    high, wide = int(rng.integers(14, 40)), int(rng.integers(40, 100))
    for row in range(480 // high + 1):
        for column in range(-1, 640 // wide + 1):
            x, y = column * wide + row % 2 * wide // 2, row * high
            color = np.array([150, 70, 50]) * rng.uniform(0.7, 1.2)
            cv2.rectangle(wall, (x + 2, y + 2), (x + wide - 3, y + high - 3), color.tolist(), -1)
    return (wall + rng.normal(0, 8, wall.shape)).clip(0, 255).astype(np.uint8)


def windows(rng: np.random.Generator) -> np.ndarray:
    house = np.full((480, 640, 3), rng.uniform(120, 220, 3))
    high, wide = int(rng.integers(50, 110)), int(rng.integers(50, 110))
    for y in range(high // 3, 480 - high // 2, high):
        for x in range(wide // 3, 640 - wide // 2, wide):
            dark = rng.uniform(20, 80)
            cv2.rectangle(house, (x, y), (x + wide // 2, y + int(high * 0.6)), (dark, dark, dark + 20), -1)
            cv2.line(house, (x + wide // 4, y), (x + wide // 4, y + int(high * 0.6)), (230, 230, 230), 3)
    return (house + rng.normal(0, 5, house.shape)).clip(0, 255).astype(np.uint8)


def page(rng: np.random.Generator) -> np.ndarray:
    paper = np.full((640, 480, 3), 245, np.uint8)
    words = ["the", "of", "and", "picture", "window", "again", "there", "light", "is", "a", "to", "seen"]
    for line in range(22):
        text = " ".join(rng.choice(words, 7))
        cv2.putText(paper, text, (20, 40 + line * 27), cv2.FONT_HERSHEY_COMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    return paper


def real() -> Sets:
    """Photos of many alike things, scanned pages, and drawn walls, fronts and pages."""
    rng = np.random.default_rng(11)
    drawn: Sets = {
        name: ("hard negative", [draw(rng) for _ in range(20)])
        for name, draw in (("brick wall", brick), ("windows", windows), ("page", page))
    }
    photos = data.files(data.at(data.IMAGENET), "*.JPEG")
    sets = {
        "many alike things": [path for path in photos if path.stem.split("_", 1)[1] in REPEATING],
        "receipts": sorted(data.at("6_ocr/sroie_receipts").rglob("*.jpg")),
    }
    return drawn | read_sets("hard negative", sets)

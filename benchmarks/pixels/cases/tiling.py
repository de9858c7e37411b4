"""Cases of tiling."""

from __future__ import annotations

import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change, chain, gain, gray, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets

#: ImageNet's classes that show something repeated
REPEATED = (
    "chainlink_fence", "crossword_puzzle", "computer_keyboard", "typewriter_keyboard", "honeycomb", "tile_roof",
    "bookcase", "radiator", "shoji", "window_screen", "window_shade", "corn", "strawberry", "stone_wall", "abacus",
    "doormat", "quilt", "velvet", "wool", "bannister", "grille", "prison", "library", "mosque", "manhole_cover",
    "jigsaw_puzzle", "muzzle", "dishrag", "jersey", "pajama", "tray", "egg", "hay", "spider_web", "wardrobe",
)  # fmt: skip


def repeated(times: int) -> Change:
    """The picture's middle, that many times each way over all of it."""

    def change(pixels: np.ndarray) -> np.ndarray:
        tall, wide = (-(-side // times) for side in pixels.shape[:2])
        y, x = (pixels.shape[0] - tall) // 2, (pixels.shape[1] - wide) // 2
        patch = pixels[y : y + tall, x : x + wide]
        return np.tile(patch, (times, times, 1))[: pixels.shape[0], : pixels.shape[1]]

    return change


def mirrored(pixels: np.ndarray) -> np.ndarray:
    """The left half and its mirror image."""
    half = pixels[:, : pixels.shape[1] // 2]
    return np.concatenate([half, half[:, ::-1]], 1)


DEFECTS: dict[str, Change] = {
    **{f"{times} x {times}": repeated(times) for times in (2, 3, 4, 6)},
    "3 x 3, then JPEG 60": chain(repeated(3), jpeg(60)),
    "3 x 3, then noise of 5 levels": chain(repeated(3), noise(5)),
}
NEGATIVES: dict[str, Change] = {
    "mirrored": mirrored,
    "JPEG 30": jpeg(30),
    "JPEG 50": jpeg(50),
    "dark (gain 0.25)": gain(0.25),
    "noise of 10 levels": noise(10),
    "grey": gray,
}


def bricks(rng: np.random.Generator, jitter: float) -> np.ndarray:
    """A wall of 600 x 800 pixels, each brick with its own tone, place and grain."""
    import cv2

    wall = np.full((600, 800, 3), 185.0, np.float32)
    tall, wide = int(rng.integers(24, 50)), int(rng.integers(60, 110))
    for row, top in enumerate(range(0, 600, tall)):
        for left in range(-wide // 2 * (row % 2), 800, wide):
            y, x = top + rng.normal(0, jitter), left + rng.normal(0, jitter)
            color = np.array([150, 85, 65]) + rng.normal(0, 14)
            cv2.rectangle(wall, (int(x) + 3, int(y) + 3), (int(x) + wide - 3, int(y) + tall - 3), color.tolist(), -1)
    grain = cv2.GaussianBlur(rng.normal(0, 18, (600, 800)).astype(np.float32), (0, 0), 1)
    return (cv2.GaussianBlur(wall, (0, 0), 0.8) + grain[..., None]).clip(0, 255).astype(np.uint8)


def facade(rng: np.random.Generator) -> np.ndarray:
    """A front of equal windows, in perspective, with what shows in the panes and with grain."""
    import cv2

    front = np.full((600, 800, 3), rng.uniform(120, 200), np.float32)
    for y in range(20, 580, 70):
        for x in range(20, 780, 60):
            pane = cv2.resize(rng.uniform(20, 110, (4, 3, 3)).astype(np.float32), (40, 50))
            front[y : y + 50, x : x + 40] = pane[: 600 - y, : 800 - x]
            front[y : y + 50, x + 19 : x + 21] = 225
    corner = np.array([[0, 0], [800, 0], [800, 600], [0, 600]], np.float32)
    bent = corner + rng.uniform(-60, 60, (4, 2)).astype(np.float32)
    front = cv2.warpPerspective(front, cv2.getPerspectiveTransform(corner, bent), (800, 600), borderValue=(90, 90, 90))
    return (front + rng.normal(0, 3, (600, 800, 1))).clip(0, 255).astype(np.uint8)


def fabric(rng: np.random.Generator) -> np.ndarray:
    """A checked weave: threads of a few pixels, slightly uneven, under soft folds."""
    import cv2

    y, x = np.mgrid[:600, :800].astype(np.float32)
    bend = cv2.resize(rng.normal(0, 2, (6, 8)).astype(np.float32), (800, 600), interpolation=cv2.INTER_CUBIC)
    thread, check = rng.uniform(4, 8), rng.uniform(50, 90)
    weave = 20 * np.sin(2 * np.pi * (x + bend) / thread) * np.sin(2 * np.pi * (y + bend) / thread)
    checks = 30 * np.sign(np.sin(2 * np.pi * (x + bend) / check)) + 30 * np.sign(np.sin(2 * np.pi * (y + bend) / check))
    folds = cv2.resize(rng.normal(0, 15, (4, 5)).astype(np.float32), (800, 600), interpolation=cv2.INTER_CUBIC)
    cloth = 120 + weave + checks + folds + rng.normal(0, 4, x.shape)
    return np.repeat(cloth[..., None], 3, 2).clip(0, 255).astype(np.uint8)


def real() -> Sets:
    """Drawn walls, fronts and fabrics; ImageNet's photos of things that repeat."""
    rng = np.random.default_rng(0)
    drawn: Sets = {
        "brick walls, uneven": ("hard negative", [bricks(rng, 1.5) for _ in range(20)]),
        "brick walls, even": ("hard negative", [bricks(rng, 0.0) for _ in range(20)]),
        "fronts of windows": ("hard negative", [facade(rng) for _ in range(20)]),
        "fabrics": ("hard negative", [fabric(rng) for _ in range(20)]),
    }
    paths = [path for path in data.files(data.at(data.IMAGENET)) if path.stem.partition("_")[2] in REPEATED]
    return drawn | read_sets("hard negative", {"ImageNet, things that repeat": paths})

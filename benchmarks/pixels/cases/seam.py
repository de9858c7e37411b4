"""Cases of seam."""

from __future__ import annotations

import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change, gain, gray, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets


def rolled(pixels: np.ndarray) -> np.ndarray:
    """The picture wrapped around by 30 % of its width and 60 % of its height: its borders meet inside."""
    height, width = pixels.shape[:2]
    return np.roll(pixels, (round(height * 0.6), round(width * 0.3)), (0, 1))


def toned(levels: float) -> Change:
    """A 2 x 2 grid of tiles that differ in tone alone, by so many levels."""

    def change(pixels: np.ndarray) -> np.ndarray:
        y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
        odd = (y * 2 // pixels.shape[0] + x * 2 // pixels.shape[1]) % 2
        return (pixels.astype(np.float32) + levels * (odd[..., None] - 0.5)).round().clip(0, 255).astype(np.uint8)

    return change


def frame(level: int) -> Change:
    """An even frame over the outer 7 % of each side."""

    def change(pixels: np.ndarray) -> np.ndarray:
        made = np.full_like(pixels, level)
        y, x = (max(1, round(side * 0.07)) for side in pixels.shape[:2])
        made[y:-y, x:-x] = pixels[y:-y, x:-x]
        return made

    return change


def letterbox(pixels: np.ndarray) -> np.ndarray:
    made = pixels.copy()
    bar = max(1, round(len(pixels) * 0.12))
    made[:bar] = made[-bar:] = 0
    return made


def panels(pixels: np.ndarray) -> np.ndarray:
    """A comic's four panels: white gutters with black lines."""
    made = pixels.copy()
    for axis in (0, 1):
        middle, half = made.shape[axis] // 2, max(3, made.shape[axis] // 100)
        view = made if axis == 0 else made.swapaxes(0, 1)
        view[middle - half - 2 : middle + half + 2] = 10
        view[middle - half : middle + half] = 250
    return made


def bars(pixels: np.ndarray) -> np.ndarray:
    """A window's dark bars before the picture, soft at their edges as a lens draws them."""
    import cv2

    mask = np.zeros(pixels.shape[:2], np.float32)
    for share in (0.25, 0.5, 0.75):
        for view, side in ((mask, mask.shape[0]), (mask.T, mask.shape[1])):
            middle, half = round(side * share), max(2, round(side * 0.012))
            view[middle - half : middle + half] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
    return (pixels * (1 - mask) + 40 * mask).round().astype(np.uint8)


def table(pixels: np.ndarray) -> np.ndarray:
    """The picture pale, as on a page, under the ruled lines of a table."""
    made = (pixels * 0.25 + 190).round().astype(np.uint8)
    made[:: max(8, len(made) // 12)] = 40
    made[:, :: max(8, made.shape[1] // 6)] = 40
    return made


def window_of_a_screen(pixels: np.ndarray) -> np.ndarray:
    """A program's light window with a title bar over a part of the picture."""
    made = pixels.copy()
    height, width = made.shape[:2]
    made[height // 4 : 3 * height // 4, width // 5 : 4 * width // 5] = 236
    made[height // 4 : height // 4 + max(2, height // 25), width // 5 : 4 * width // 5] = (60, 90, 160)
    return made


DEFECTS = {
    "rolled": rolled,
    "tiles 6 levels apart in tone": toned(6),
    "tiles 20 levels apart in tone": toned(20),
}
NEGATIVES = {
    "white frame": frame(255),
    "dark frame": frame(30),
    "letterbox": letterbox,
    "comic panels": panels,
    "window bars": bars,
    "table": table,
    "a window of a screen": window_of_a_screen,
    "JPEG 30": jpeg(30),
    "JPEG 50": jpeg(50),
    "JPEG 75": jpeg(75),
    "dark (gain 0.25)": gain(0.25),
    "noise of 10 levels": noise(10),
    "grey": gray,
}


def real() -> Sets:
    """2 x 2 grids of Stable Diffusion 1.5 (odd ones), and their quarters, which have no seam; receipts."""
    grids = data.files(data.at("5_generated/sd15_2x2_grids/img"), "*.webp")[1::2][:100]
    made = read_sets("defect", {"grids of Stable Diffusion 1.5": grids})
    halves = (slice(None, 512), slice(512, None))
    for _, pictures in list(made.values()):
        made["their quarters"] = ("hard negative", [p[y, x] for p in pictures for y in halves for x in halves])
    receipts = sorted(data.at("6_ocr/sroie_receipts").rglob("*.jpg"))[:50]
    return made | read_sets("hard negative", {"receipts": receipts})

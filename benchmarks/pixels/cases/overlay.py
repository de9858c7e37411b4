"""Cases of overlay: other elements than the defect's, and what only looks like them."""

from __future__ import annotations

import numpy as np

from benchmarks.pixels.cases.scene_lettering import KINDS
from benchmarks.pixels.cases.seam import frame, letterbox, window_of_a_screen
from benchmarks.pixels.cases.watermark import (
    CAPTIONED,
    by_eye,
    generated,
    is_clean,
    on_a_thing,
    scenes,
    turned,
    with_a_thing,
    written,
)
from benchmarks.pixels.changes import Change, chain, gray, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets
from loupe.brain.measures.overlays.drawing import blended, put


def lines(texts: tuple[str, ...], share: float, at: float, face: int, left: float | None = None) -> Change:
    """Lines of text with a dark rim, each that share of the height, the last one ending at ``at`` of it."""
    import cv2

    def change(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        mask = np.zeros((height, width), np.float32)
        high = max(8, round(share * height))
        for row, text in enumerate(reversed(texts)):
            line = written(text, high, face)
            if line.shape[1] > 0.92 * width:
                line = cv2.resize(line, None, fx=0.92 * width / line.shape[1], fy=0.92 * width / line.shape[1])
            x = (width - line.shape[1]) // 2 if left is None else round(left * width)
            put(mask, line, x, round(at * height) - line.shape[0] - row * round(1.3 * high))
        rim = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        return blended(blended(pixels, rim, (0, 0, 0), 1), mask, (255, 255, 255), 1)

    return change


def box(text: str, share: float, ground: tuple[int, int, int], opacity: float, place: str) -> Change:
    """Text on a rectangle: a news bar along the lower border, or a message in the middle."""

    def change(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        high = max(12, round(share * height))
        line = written(text, round(0.5 * high), 0)[:, : round(0.9 * width)]
        wide = width if place == "bar" else min(width, line.shape[1] + high)
        top = round(0.86 * height) - high if place == "bar" else (height - high) // 2
        left = (width - wide) // 2
        plate, ink = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
        plate[max(0, top) : top + high, left : left + wide] = 1
        put(ink, line, left + (wide - line.shape[1]) // 2, top + (high - line.shape[0]) // 2)
        made = blended(pixels, plate, tuple(map(float, ground)), opacity)  # type: ignore[arg-type]
        return blended(made, ink, (255, 255, 255) if sum(ground) < 400 else (20, 20, 20), 1)

    return change


def progress(pixels: np.ndarray) -> np.ndarray:
    """A player's bar without any lettering."""
    height, width = pixels.shape[:2]
    made = pixels.copy()
    y, thick = round(0.94 * height), max(2, height // 120)
    made[y : y + thick, round(0.04 * width) : round(0.96 * width)] = 200
    made[y : y + thick, round(0.04 * width) : round(0.4 * width)] = (230, 30, 30)
    return made


__all__ = ["DEFECTS", "NEGATIVES", "is_clean", "real"]

DEFECTS: dict[str, Change] = {
    "two lines of a subtitle": lines(("Do you remember the house", "by the river?"), 0.05, 0.95, 2),
    "the same, then JPEG 50": chain(lines(("Do you remember the house", "by the river?"), 0.05, 0.95, 2), jpeg(50)),
    "a meme's words, above": lines(("ONE DOES NOT SIMPLY",), 0.09, 0.12, 2),
    "a camera's date": lines(("14/08/2007 09:41",), 0.035, 0.96, 1, left=0.62),
    "a news bar": box("BREAKING: storm reaches the coast", 0.1, (180, 20, 25), 0.9, "bar"),
    "a message in the middle": box("Connection lost. Retry?", 0.14, (240, 240, 240), 1.0, "middle"),
    "a progress bar alone": progress,
}
NEGATIVES: dict[str, Change] = {
    "a board in perspective": on_a_thing("FRESH BREAD", False),
    "a boat's name": on_a_thing("Marianne IV", True),
    **{f"drawn: {kind}": with_a_thing(kind) for kind in KINDS},
    "letterbox without words": letterbox,
    "white frame": frame(255),
    "a window without words": window_of_a_screen,
    "upside down": turned,
    "JPEG 30": jpeg(30),
    "noise of 10 levels": noise(10),
    "grey": gray,
}


def real() -> Sets:
    captioned = read_sets("defect", {"photos with a caption, by eye": by_eye(CAPTIONED)})
    return captioned | scenes() | generated(False)

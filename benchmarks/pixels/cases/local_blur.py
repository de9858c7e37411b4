"""What looks like local blur and is not: depth of field, plain areas, a picture that is soft all over."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change
from benchmarks.pixels.sets import Sets, read_sets


def soft(pixels: np.ndarray, percent: float) -> np.ndarray:
    """Returns the picture under a Gaussian blur of a standard deviation in % of the long side."""
    return cv2.GaussianBlur(pixels, (0, 0), percent / 100 * max(pixels.shape[:2]))


def mixed(inside: np.ndarray, outside: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns the one where the (H, W) mask is 0, the other where it is 1."""
    part = mask[..., None].astype(np.float32)
    return (inside * (1 - part) + outside * part).round().clip(0, 255).astype(np.uint8)


def outside_oval(pixels: np.ndarray, x: float = 0.5, radius: float = 0.32, edge: float = 0.12) -> np.ndarray:
    """Returns the distance from an upright oval as a (H, W) mask, 0 inside and 1 outside."""
    height, width = pixels.shape[:2]
    across, down = (np.arange(width) + 0.5) / width - x, ((np.arange(height) + 0.5) / height - 0.5)[:, None]
    return np.clip((np.hypot(across, down) - radius) / edge + 0.5, 0, 1)


def bokeh(percent: float, x: float = 0.5) -> Change:
    return lambda pixels: mixed(pixels, soft(pixels, percent), outside_oval(pixels, x))


def depth(percent: float) -> Change:
    def blur(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        return mixed(pixels, soft(pixels, percent), np.linspace(0, 1, height)[:, None].repeat(width, 1))

    return blur


def sky(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    down = np.linspace(0, 1, height)[:, None, None]
    above = np.array([90, 140, 220]) * (1 - down) + np.array([200, 220, 240]) * down
    mask = (np.arange(height) < height // 2)[:, None].repeat(width, 1)
    return mixed(pixels, above.repeat(width, 1), mask)


def on_plain_ground(pixels: np.ndarray) -> np.ndarray:
    return mixed(pixels, np.full_like(pixels, 225), outside_oval(pixels, radius=0.3, edge=0.005))


def noisy(pixels: np.ndarray) -> np.ndarray:
    return (pixels + np.random.default_rng(1).normal(0, 12, pixels.shape)).clip(0, 255).astype(np.uint8)


def jpeg(pixels: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


DEFECTS: dict[str, Change] = {}
NEGATIVES: dict[str, Change] = {
    "bokeh, 1 %": bokeh(1),
    "bokeh, 3 %": bokeh(3),
    "bokeh beside the middle": bokeh(2, 0.3),
    "depth, 1 %": depth(1),
    "depth, 3 %": depth(3),
    "sky": sky,
    "on plain ground": on_plain_ground,
    "blurred all over": lambda pixels: soft(pixels, 1),
    "JPEG 50": jpeg,
    "noise": noisy,
    "dark": lambda pixels: (pixels * 0.3).astype(np.uint8),
}


def real() -> Sets:
    """Pictures from real cameras that are sharp, or soft, all over."""
    folders = (
        ("out of focus all over", "kwentar_real_triplets", "*_F.jpg"),
        ("in focus all over", "kwentar_real_triplets", "*_S.jpg"),
        ("LIVE references", "live_iqa_subset/ref_images", "*"),
        ("LIVE blur all over", "live_iqa_subset/gblur", "*"),
    )
    sets = {name: data.files(data.at("2_blur", folder), pattern) for name, folder, pattern in folders}
    return read_sets("hard negative", sets)

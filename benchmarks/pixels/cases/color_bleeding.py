"""Cases of color_bleeding."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change, blur, chain, gain, gray, jpeg, noise
from benchmarks.pixels.sets import Sets, read_sets


def on_color(change: Change) -> Change:
    """Changes the two color planes of Lab and leaves the lightness."""

    def apply(pixels: np.ndarray) -> np.ndarray:
        planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
        planes[..., 1:] = change(planes[..., 1:])
        return cv2.cvtColor(planes, cv2.COLOR_LAB2RGB)

    return apply


def moved(percent: float, down: bool = False) -> Change:
    """Displaced by so much of the long side."""

    def apply(values: np.ndarray) -> np.ndarray:
        return np.roll(values, max(1, round(percent / 100 * max(values.shape[:2]))), 0 if down else 1)

    return apply


def red_moved(pixels: np.ndarray) -> np.ndarray:
    """Misregistered planes: red displaced by 1 % of the long side."""
    out = pixels.copy()
    out[..., 0] = moved(1)(pixels[..., 0])
    return out


def video(pixels: np.ndarray) -> np.ndarray:
    """Cheap video: color at an eighth of the width, and a bit late."""

    def change(values: np.ndarray) -> np.ndarray:
        height, width = values.shape[:2]
        small = cv2.resize(values, (max(1, width // 8), height), interpolation=cv2.INTER_AREA)
        return moved(0.6)(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))

    return on_color(change)(pixels)


def saturated(factor: float) -> Change:
    """More or less color than there was."""

    def apply(pixels: np.ndarray) -> np.ndarray:
        level = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
        return (level + factor * (pixels - level)).clip(0, 255).round().astype(np.uint8)

    return apply


def soft_light(pixels: np.ndarray) -> np.ndarray:
    """Warm light from the left, blue shadow on the right, with a soft border."""
    share = np.linspace(0, 1, pixels.shape[1], dtype=np.float32)[None, :, None]
    return (pixels * ((1 - share) * (1, 0.9, 0.7) + share * (0.6, 0.75, 1))).round().astype(np.uint8)


DEFECTS = {
    **{f"Lab, blurred by {size} %": on_color(blur(size)) for size in (0.5, 1, 2)},
    **{f"Lab, displaced by {size} %": on_color(moved(size)) for size in (0.5, 1, 2)},
    "displaced by 1 %, JPEG 75": chain(on_color(moved(1, down=True)), jpeg(75)),
    "red displaced by 1 %": red_moved,
    "cheap video": video,
}
NEGATIVES = {
    **{f"JPEG {quality}": jpeg(quality) for quality in (50, 60, 75)},
    "Gaussian, σ 0.5 %": blur(0.5),
    "Gaussian, σ 1 %": blur(1),
    "noise of 15 levels": noise(15),
    "color noise of 8 levels": on_color(noise(8)),
    "saturated 1.8": saturated(1.8),
    "a little color (0.3)": saturated(0.3),
    "grey": gray,
    "dark (gain 0.3)": gain(0.3),
    "soft light": soft_light,
    "half the size": lambda pixels: cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
}


def real() -> Sets:
    """Pictures by Stable Diffusion, DALL-E, Midjourney, GPT-4o and others."""
    names = ("avt_ai_images", "sd15_2x2_grids", "gpt4o_cases")
    return read_sets("hard negative", {name: data.pictures(data.at("5_generated", name))[:60] for name in names})

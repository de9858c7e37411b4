"""Cases of halo."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks import data
from benchmarks.pixels.changes import Change, blur, chain, gain, gray, haze, jpeg, noise, oval
from benchmarks.pixels.sets import Sets, read_sets


def unsharp(amount: float, percent: float) -> Change:
    """Unsharp mask; its radius in % of the long side."""

    def apply(pixels: np.ndarray) -> np.ndarray:
        values = pixels.astype(np.float32)
        soft = cv2.GaussianBlur(values, (0, 0), percent / 100 * max(pixels.shape[:2]))
        return (values + amount * (values - soft)).clip(0, 255).round().astype(np.uint8)

    return apply


def tone_mapped(pixels: np.ndarray) -> np.ndarray:
    """What local tone mapping with a Gaussian instead of an edge-preserving filter does: the base's contrast halved."""
    values = np.log(pixels.astype(np.float32) + 8)
    base = cv2.GaussianBlur(values, (0, 0), 0.01 * max(pixels.shape[:2]))
    return (np.exp(values - 0.5 * (base - base.mean())) - 8).clip(0, 255).round().astype(np.uint8)


def rimmed(pixels: np.ndarray) -> np.ndarray:
    """The middle of the picture, pasted before a blurred background with a bright rim of 0.8 % around it."""
    height, width = pixels.shape[:2]
    inside = (oval(0.2, back=0)(np.full_like(pixels, 255))[..., 0] > 0).astype(np.uint8)
    size = max(1, round(0.008 * max(height, width)))
    around = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1,) * 2)) - inside
    soft = cv2.GaussianBlur(around.astype(np.float32), (0, 0), size / 3)[..., None]
    behind = blur(3)(pixels) * (1 - soft) + 245 * soft
    return np.where(inside[..., None] > 0, pixels, behind).round().astype(np.uint8)


def outlined(pixels: np.ndarray) -> np.ndarray:
    """A cartoon: flat colors and dark outlines."""
    flat = cv2.medianBlur(cv2.medianBlur(pixels, 7), 7)
    flat = (flat // 48 * 48 + 24).astype(np.uint8)
    level = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)
    lines = cv2.dilate(cv2.morphologyEx(level, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.ones((2, 2)))
    return np.where(lines[..., None] > 30, 20, flat).astype(np.uint8)


DEFECTS = {
    "amount 2, radius 0.3 %": unsharp(2, 0.3),
    "amount 2, radius 2 %": unsharp(2, 2),
    "amount 2, radius 0.8 %, JPEG 60": chain(unsharp(2, 0.8), jpeg(60)),
    "local tone mapping": tone_mapped,
    "pasted with a bright rim": rimmed,
}
NEGATIVES = {
    "camera sharpening (amount 0.5, radius 0.15 %)": unsharp(0.5, 0.15),
    "cartoon with outlines": outlined,
    "JPEG 50": jpeg(50),
    "JPEG 75": jpeg(75),
    "dark (gain 0.3)": gain(0.3),
    "haze 0.4": haze(0.4),
    "grey": gray,
    "noise of 15 levels": noise(15),
    "Gaussian, σ 0.5 %": blur(0.5),
    "sharp on plain, 20 %": oval(0.2, back=200),
}


def pages(count: int = 20) -> list[np.ndarray]:
    """Drawn pages of text, antialiased, dark on light and light on dark."""
    rng = np.random.default_rng(2)
    made = []
    for index in range(count):
        page = np.full((512, 400, 3), 245, np.uint8)
        for line in range(14):
            text = "".join(chr(rng.integers(97, 123)) if rng.random() < 0.85 else " " for _ in range(24))
            cv2.putText(page, text, (16, 40 + 34 * line), index % 4, 0.7, (25, 25, 30), 1 + index % 2, cv2.LINE_AA)
        made.append(page if index % 3 else 255 - page)
    return made


def real() -> Sets:
    """Pages of text, and pictures by Stable Diffusion, DALL-E and others."""
    folders = {"receipts": data.at("6_ocr/sroie_receipts"), "generated": data.at("5_generated/avt_ai_images")}
    sets = {name: data.pictures(folder)[:60] for name, folder in folders.items()}
    return {"pages of text": ("hard negative", pages()), **read_sets("hard negative", sets)}

"""Captions and interface elements over the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect
from loupe.brain.measures.overlays.drawing import blended, fitted, put

_LINES = (
    "I never said that.", "Where are you going?", "It was a long time ago", "We have to leave now.", "Look at this!",
    "- Who is there? - Only me.", "and then she left", "Nobody knows his name",
)  # fmt: skip
_MENUS = (
    "Home   Search   Profile",
    "File   Edit   View   Help",
    "Back     Details     Share",
    "Chats    Calls    More",
)
_BUTTONS = ("Subscribe", "Skip Ad", "Download", "Sign in", "Next", "Watch now")
_COLORS = ((30, 30, 34), (245, 245, 245), (200, 30, 40), (25, 95, 200), (20, 140, 80))


def _outlined(pixels: np.ndarray, text: np.ndarray, left: int, top: int, ink: tuple[float, float, float]) -> np.ndarray:
    """Lettering with a dark rim, as subtitles have it."""
    import cv2

    rim = max(1, round(text.shape[0] * 0.06))
    mask = np.zeros(pixels.shape[:2], np.float32)
    put(mask, text, left, top)
    dark = cv2.dilate(mask, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    return blended(blended(pixels, dark, (0, 0, 0), 1), mask, ink, 1)


def _plate(
    pixels: np.ndarray, left: int, top: int, wide: int, high: int, color: tuple[int, ...], opacity: float
) -> np.ndarray:
    mask = np.zeros(pixels.shape[:2], np.float32)
    mask[max(0, top) : top + high, max(0, left) : left + wide] = 1
    return blended(pixels, mask, tuple(map(float, color)), opacity)  # type: ignore[arg-type]


def _write(pixels: np.ndarray, text: np.ndarray, left: int, top: int, on: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(pixels.shape[:2], np.float32)
    put(mask, text, left, top)
    return blended(pixels, mask, (255, 255, 255) if sum(on) < 450 else (20, 20, 20), 1)


def _subtitle(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    text = fitted(str(rng.choice(_LINES)), round(high * 0.8), round(width * 0.9))
    top = round(height * rng.uniform(0.93, 0.97)) - text.shape[0]
    ink = (255.0, 255.0, 255.0) if rng.random() < 0.7 else (255.0, 230.0, 60.0)
    return _outlined(pixels, text, (width - text.shape[1]) // 2, top, ink)


def _bar(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    """A bar along the upper or lower border with the words of a menu."""
    height, width = pixels.shape[:2]
    color = _COLORS[rng.integers(len(_COLORS))]
    top = 0 if rng.random() < 0.5 else height - high
    made = _plate(pixels, 0, top, width, high, color, rng.uniform(0.8, 1))
    text = fitted(str(rng.choice(_MENUS)), round(high * 0.55), round(width * 0.85))
    return _write(made, text, round(width * 0.05), top + (high - text.shape[0]) // 2, color)


def _letterbox(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    made = _plate(pixels, 0, 0, width, high, (0, 0, 0), 1)
    made = _plate(made, 0, height - high, width, high, (0, 0, 0), 1)
    text = fitted(str(rng.choice(_LINES)), round(high * 0.5), round(width * 0.8))
    return _write(made, text, (width - text.shape[1]) // 2, height - (high + text.shape[0]) // 2, (0, 0, 0))


def _timestamp(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    day = f"{rng.integers(1998, 2025)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
    hour = f"{rng.integers(0, 24):02}:{rng.integers(0, 60):02}"
    text = fitted(f"{day} {hour}", round(high * 0.9), round(width * 0.7))
    left = round(width * 0.97) - text.shape[1] if rng.random() < 0.7 else round(width * 0.03)
    top = round(height * 0.96) - text.shape[0] if rng.random() < 0.7 else round(height * 0.04)
    return _outlined(pixels, text, left, top, (255, 150, 30) if rng.random() < 0.5 else (255, 255, 255))


def _button(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    color = _COLORS[rng.integers(len(_COLORS))]
    text = fitted(str(rng.choice(_BUTTONS)), round(high * 0.55), round(width * 0.5))
    wide = min(width, text.shape[1] + high)
    left = round((width - wide) * rng.choice((0.04, 0.5, 0.96)))
    top = round((height - high) * rng.choice((0.04, 0.9)))
    made = _plate(pixels, left, top, wide, high, color, 1)
    return _write(made, text, left + (wide - text.shape[1]) // 2, top + (high - text.shape[0]) // 2, color)


def _player(pixels: np.ndarray, high: int, rng: np.random.Generator) -> np.ndarray:
    """A video's progress bar with its times, on a darkened band."""
    height, width = pixels.shape[:2]
    made = _plate(pixels, 0, height - high, width, high, (0, 0, 0), 0.6)
    text = fitted(
        f"{rng.integers(0, 9)}:{rng.integers(0, 60):02} / {rng.integers(9, 60)}:{rng.integers(0, 60):02}",
        round(high * 0.5),
        round(width * 0.4),
    )
    made = _write(made, text, round(width * 0.04), height - (high + text.shape[0]) // 2, (0, 0, 0))
    thick, done = max(1, high // 12), rng.uniform(0.1, 0.8)
    made = _plate(made, 0, height - high, width, thick, (150, 150, 150), 1)
    return _plate(made, 0, height - high, round(width * done), thick, (230, 30, 30), 1)


@dataclass(frozen=True)
class Overlay(Defect):
    """What players, phones, cameras and films put over a picture.

    A subtitle, a menu's bar, a letterbox with a caption, a date, a button, or a player's progress bar.
    """

    name: ClassVar[str] = "overlay"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Overlay text as in Jung, Kim, Jain, Text Information Extraction, Pattern Recognition 37 (2004)"
    )
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "element's height in % of the picture's"
    severities: ClassVar[tuple[float, ...]] = (4, 6, 9, 14, 20)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        high = max(1, round(len(pixels) * severity / 100))
        kinds = (_subtitle, _bar, _letterbox, _timestamp, _button, _player)
        return kinds[rng.integers(len(kinds))](pixels, high, rng)

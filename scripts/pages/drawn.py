"""Pictures of our own for docs/checks, drawn with Pillow's built-in font: the same wherever they are drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

#: pixels between letters: those that touch cannot be measured
_APART = 5
_BLUE, _WHITE, _WALL = (28, 58, 120), (245, 245, 240), (196, 186, 168)


def draw(name: str) -> np.ndarray:
    """Returns a drawn picture by its name and what it is to say: ``plate/OPEN``; (H, W, 3) uint8."""
    kind, _, text = name.partition("/")
    return np.asarray(_KINDS[kind](text))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wall(width: int = 480, height: int = 320) -> Image.Image:
    """Plaster: a soft random texture."""
    noise = np.random.default_rng(5).normal(0, 9, (height, width, 1))
    made = Image.fromarray((np.array(_WALL) + noise).clip(0, 255).astype(np.uint8))
    return made.filter(ImageFilter.GaussianBlur(0.8))


def _plate(text: str, shift: Callable[[int], int] = lambda _: 0, fonts: tuple[int, ...] = ()) -> Image.Image:
    """A blue plate on a wall; each line of the text in the middle of it."""
    made = _wall()
    pen = ImageDraw.Draw(made)
    pen.rounded_rectangle((50, 60, 430, 260), 16, fill=_BLUE, outline=_WHITE, width=5)
    lines = text.split("|")
    size = min(84, 150 // len(lines))
    longest = max(pen.textlength(line, font=_font(100)) / 100 for line in lines)
    size = min(size, int((320 - _APART * max(map(len, lines))) / longest))
    font = _font(size)
    for row, line in enumerate(lines):
        left = 240 - (pen.textlength(line, font=font) + _APART * (len(line) - 1)) / 2
        baseline = 160 + size * (0.36 + 1.15 * (row - (len(lines) - 1) / 2))
        for at, letter in enumerate(line):
            x = left + pen.textlength(line[: at + 1], font=font) - pen.textlength(letter, font=font) + _APART * at
            weight = fonts[at % len(fonts)] if fonts else 0
            pen.text((x, baseline + shift(at)), letter, font=font, fill=_WHITE, anchor="ls", stroke_width=weight)
    return made


def _broken(text: str) -> Image.Image:
    """A plate whose letters are in pieces: bands of them are missing."""
    made = np.asarray(_plate(text)).copy()
    for top in range(110, 210, 14):
        made[top : top + 6, 70:410] = _BLUE
    return Image.fromarray(made)


def _faint(text: str) -> Image.Image:
    """Lettering that hardly stands out of the wall."""
    made = _wall()
    ImageDraw.Draw(made).text((240, 160), text, font=_font(84), fill=(200, 190, 172), anchor="mm")
    return made


_KINDS: dict[str, Callable[[str], Image.Image]] = {
    "plate": _plate,
    "uneven": lambda text: _plate(text, shift=lambda at: (0, -14, 9, -6, 13, -11)[at % 6]),
    "mixed": lambda text: _plate(text, fonts=(0, 0, 4, 0)),
    "broken": _broken,
    "faint": _faint,
    "wall": lambda _: _wall(),
}

"""Further kinds of pictures that share all but what matters: drawn after the method was done, to measure it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.similarity.templates import Draw, money, page, room, text, words


def timetable(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(700, 900, (20, 40, 90))
    text(draw, (40, 30), words(shared, 2).title(), 44, "white")
    for row in range(12):
        y = 130 + 60 * row
        draw.line([(30, y - 8), (670, y - 8)], fill=(90, 110, 160))
        text(draw, (40, y), f"{own.integers(24):02d}:{own.integers(60):02d}", 30, (255, 220, 60))
        text(draw, (200, y), words(own, 2).title(), 30, "white")
        text(draw, (590, y), str(own.integers(1, 20)), 30, "white")
    return np.asarray(image)


def sudoku(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(600, 600)
    for line in range(10):
        at = 30 + 60 * line
        draw.line([(30, at), (570, at)], fill="black", width=5 if line % 3 == 0 else 1)
        draw.line([(at, 30), (at, 570)], fill="black", width=5 if line % 3 == 0 else 1)
    for place in own.choice(81, 30, replace=False):
        text(draw, (48 + 60 * (place % 9), 38 + 60 * (place // 9)), str(own.integers(1, 10)), 36)
    return np.asarray(image)


def certificate(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(1000, 700, (252, 248, 236))
    for inset in (20, 32, 40):
        draw.rectangle((inset, inset, 1000 - inset, 700 - inset), outline=(150, 120, 40), width=4)
    text(draw, (250, 90), "CERTIFICATE", 72, (120, 90, 30))
    text(draw, (330, 200), "awarded to " + words(shared, 2), 28, (80, 80, 80))
    text(draw, (330, 300), words(own, 2).title(), 56, (30, 30, 60))
    text(draw, (150, 560), f"{own.integers(1, 29)} May {own.integers(1990, 2026)}", 26)
    draw.ellipse((760, 500, 880, 620), fill=(170, 40, 40))
    return np.asarray(image)


def pins_on_a_map(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(800, 600, (236, 232, 222))
    for _ in range(25):
        ends = shared.integers(0, 800, 4)
        draw.line([(int(ends[0]), int(ends[1])), (int(ends[2]), int(ends[3]))], fill="white", width=14)
    draw.ellipse((500, 80, 760, 300), fill=(180, 210, 235))
    for _ in range(4):
        x, y = int(own.integers(30, 760)), int(own.integers(30, 560))
        draw.ellipse((x, y, x + 26, y + 26), fill=(220, 50, 40), outline="white", width=3)
    return np.asarray(image)


def number_on_a_jersey(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """One photo-like scene, in the midst of it a small plate with a number."""
    image = Image.fromarray(room(shared))
    draw = ImageDraw.Draw(image)
    draw.rectangle((280, 200, 370, 260), fill="white")
    text(draw, (290, 200), str(own.integers(100, 1000)), 46)
    return np.asarray(image)


def dialog(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(900, 600, (48, 52, 64))
    draw.rounded_rectangle((150, 120, 750, 480), 18, fill=(250, 250, 250))
    text(draw, (190, 150), words(shared, 3).capitalize() + "?", 32)
    text(draw, (190, 240), f"{words(own, 3)}: {money(own)}", 24, (70, 70, 70))
    draw.rounded_rectangle((560, 400, 700, 450), 10, fill=(40, 110, 220))
    text(draw, (600, 408), "OK", 28, "white")
    return np.asarray(image)


def street_at_night(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """One dark street, other windows lit."""
    image, draw = page(640, 480, (9, 10, 18))
    for house in range(6):
        top = int(shared.integers(60, 240))
        draw.rectangle((house * 107, top, house * 107 + 96, 480), fill=(18, 18, 24))
        for row in range(top + 15, 450, 45):
            for column in range(3):
                lit = own.random() < 0.25
                x = house * 107 + 10 + 30 * column
                draw.rectangle((x, row, x + 16, row + 24), fill=(240, 205, 120) if lit else (24, 24, 30))
    return np.asarray(image)


KINDS: dict[str, Draw] = {
    "timetable": timetable,
    "sudoku": sudoku,
    "certificate": certificate,
    "pins on a map": pins_on_a_map,
    "number in a scene": number_on_a_jersey,
    "dialog": dialog,
    "street at night": street_at_night,
}

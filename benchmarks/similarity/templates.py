"""Pictures of one kind that share all but what matters: filled-in forms, pages with other numbers, nights, colors.

Each kind draws what two pictures share by the first generator, and what is a picture's own by the second.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Draw = Callable[[np.random.Generator, np.random.Generator], np.ndarray]

_WORDS = ("report", "total", "anna", "smith", "river", "market", "stone", "early", "north")
_WORDS += ("paper", "green", "invoice", "desk", "lamp", "seven", "cloud", "item")


def words(rng: np.random.Generator, n: int) -> str:
    return " ".join(rng.choice(_WORDS, n))


def money(rng: np.random.Generator) -> str:
    return f"{rng.uniform(1, 9999):,.2f}"


def page(width: int, height: int, color: object = "white") -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), color)  # type: ignore[arg-type]
    return image, ImageDraw.Draw(image)


def text(draw: ImageDraw.ImageDraw, at: tuple[float, float], written: str, size: int, fill: object = "black") -> None:
    draw.text(at, written, fill=fill, font=ImageFont.load_default(size))  # type: ignore[arg-type]


def form(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(850, 1100)
    text(draw, (300, 40), words(shared, 1).upper(), 48)
    text(draw, (80, 160), f"{words(own, 2)}  {money(own)}", 28)
    for row in range(12):
        y = 360 + 50 * row
        draw.line([(60, y), (790, y)], fill="gray")
        text(draw, (80, y + 10), f"Item {row}    {money(own)}", 22)
    return np.asarray(image)


def receipt(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(420, 900, (245, 243, 238))
    text(draw, (110, 30), words(shared, 2).upper(), 26)
    for row in range(14):
        text(draw, (30, 120 + 40 * row), words(shared, 2), 20, (40, 40, 40))
        text(draw, (300, 120 + 40 * row), money(own), 20, (40, 40, 40))
    text(draw, (30, 720), "TOTAL", 30)
    text(draw, (260, 720), money(own), 30)
    return np.asarray(image)


def id_card(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(640, 400, (214, 228, 240))
    draw.rectangle((0, 0, 640, 60), fill=tuple(int(v) for v in shared.integers(20, 130, 3)))
    text(draw, (20, 12), words(shared, 2).upper(), 32, "white")
    skin, hair = (tuple(int(v) for v in own.integers(low, low + 110, 3)) for low in (120, 10))
    draw.rectangle((30, 90, 210, 330), fill=(240, 240, 240))
    draw.ellipse((65, 120, 175, 270), fill=hair)
    draw.ellipse((80, 145, 160, 260), fill=skin)
    for row, label in enumerate(("Name", "Born", "Number", "Until")):
        text(draw, (240, 90 + 70 * row), label, 16, (90, 90, 90))
        text(draw, (240, 112 + 70 * row), f"{words(own, 2)} {own.integers(1000, 9999)}", 26)
    return np.asarray(image)


def chart(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(800, 500)
    text(draw, (240, 15), words(shared, 3).title(), 28)
    color = tuple(int(v) for v in shared.integers(30, 190, 3))
    for row in range(6):
        draw.line([(70, 80 + 70 * row), (770, 80 + 70 * row)], fill=(210, 210, 210))
        text(draw, (20, 70 + 70 * row), str(100 - 20 * row), 18)
    for bar in range(8):
        draw.rectangle((90 + 85 * bar, 430 - int(own.integers(20, 340)), 140 + 85 * bar, 430), fill=color)
        text(draw, (95 + 85 * bar, 445), f"Q{bar + 1}", 18)
    return np.asarray(image)


def chess_board(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(640, 640, (238, 216, 180))
    for square in range(64):
        x, y = square % 8 * 80, square // 8 * 80
        if (x + y) // 80 % 2:
            draw.rectangle((x, y, x + 79, y + 79), fill=(178, 134, 98))
    for place in own.choice(64, 20, replace=False):
        x, y, white = int(place) % 8 * 80, int(place) // 8 * 80, bool(own.integers(2))
        draw.ellipse((x + 20, y + 20, x + 60, y + 60), fill="white" if white else "black", outline="gray", width=3)
    return np.asarray(image)


def floor_plan(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(800, 600, (250, 250, 245))
    draw.rectangle((40, 40, 760, 560), outline="black", width=8)
    for _ in range(6):
        x, y = int(own.integers(80, 700)), int(own.integers(80, 500))
        if own.integers(2):
            draw.line([(x, 40), (x, y)], fill="black", width=6)
        else:
            draw.line([(40, y), (x, y)], fill="black", width=6)
        text(draw, (x + 10, y + 10), f"{own.integers(6, 40)} m2", 20)
    return np.asarray(image)


def slide(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(960, 540)
    color = tuple(int(v) for v in shared.integers(20, 140, 3))
    draw.rectangle((0, 0, 960, 90), fill=color)
    draw.rectangle((0, 505, 960, 540), fill=color)
    draw.ellipse((860, 15, 920, 75), fill="white")
    text(draw, (40, 25), words(own, 3).title(), 40, "white")
    for row in range(5):
        text(draw, (70, 140 + 65 * row), "-  " + words(own, 5), 28, (50, 50, 50))
    return np.asarray(image)


def screenshot(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(1280, 800, (246, 247, 249))
    draw.rectangle((0, 0, 1280, 60), fill=(36, 41, 47))
    draw.rectangle((0, 60, 220, 800), fill=(233, 236, 240))
    for row in range(9):
        text(draw, (30, 90 + 50 * row), words(shared, 2), 20)
    for tile in range(6):
        x, y = 260 + 330 * (tile % 3), 110 + 320 * (tile // 3)
        draw.rounded_rectangle((x, y, x + 300, y + 280), 12, fill="white", outline=(200, 205, 210), width=2)
        text(draw, (x + 20, y + 20), words(shared, 2), 20, (90, 90, 90))
        text(draw, (x + 40, y + 110), money(own), 48)
    return np.asarray(image)


def product(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """A shirt on white, of one luma and any hue."""
    image, draw = page(600, 600)
    points = [(180, 120), (250, 90), (350, 90), (420, 120), (520, 220), (460, 280), (410, 240), (410, 520), (190, 520)]
    points += [(190, 240), (140, 280), (80, 220)]
    draw.polygon(points, fill=(150, 150, 150))
    for _ in range(12):
        x, y = shared.integers(200, 400), shared.integers(150, 480)
        draw.line([(x, y), (x + shared.integers(-30, 30), y + 60)], fill=(115, 115, 115), width=5)
    shade = np.asarray(image.convert("L"), np.float32)
    return hued(shade, shade < 240, own.uniform(0, 2 * np.pi), 48)


def hued(shade: np.ndarray, where: np.ndarray, hue: float, strength: float) -> np.ndarray:
    blue, red = strength * np.cos(hue) / 0.564, strength * np.sin(hue) / 0.713
    green = -(0.299 * red + 0.114 * blue) / 0.587
    return np.clip(shade[..., None] + where[..., None] * np.array([red, green, blue]), 0, 255).astype(np.uint8)


def shirt_in_a_room(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """One room in color; what hangs in it has one luma and any hue."""
    scene = room(shared)
    shade = scene @ np.array([0.299, 0.587, 0.114])
    where = np.zeros(shade.shape, bool)
    where[140:330, 240:400] = True
    return np.where(where[..., None], hued(shade, where, own.uniform(0, 2 * np.pi), 45), scene).astype(np.uint8)


def room(rng: np.random.Generator, width: int = 640, height: int = 480) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((4, 45), (14, 30), (60, 22)):
        noise = np.clip(rng.normal(size=(cells, cells, 3)) * 60 + 128, 0, 255).astype(np.uint8)
        grown = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        picture += strength / 60 * (np.asarray(grown, np.float32) - 128)
    return np.clip(picture + 130, 0, 255).astype(np.uint8)


def exchanged_object(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """One room, and on it one of several things."""
    image = Image.fromarray(room(shared))
    draw = ImageDraw.Draw(image)
    x, y = (int(shared.integers(120, end)) for end in (420, 260))
    color = tuple(int(v) for v in own.integers(0, 256, 3))
    wide, high = (int(v) for v in own.integers(50, 110, 2))
    shape = draw.ellipse if own.integers(2) else draw.rectangle
    shape((x, y, x + wide, y + high), fill=color, outline="black", width=4)
    return np.asarray(image)


def night(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:360, :480]
    light = np.full((360, 480), 6.0)
    for _ in range(int(own.integers(2, 6))):
        away = (x - own.uniform(40, 440)) ** 2 + (y - own.uniform(30, 330)) ** 2
        light += own.uniform(120, 250) * np.exp(-away / (2 * own.uniform(6, 30) ** 2))
    noisy = light[..., None] * (1, 0.95, 0.8) + own.normal(0, 2, (360, 480, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def starry_sky(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(640, 480, (8, 10, 22))
    for _ in range(160):
        x, y, r = own.uniform(0, 640), own.uniform(0, 480), own.uniform(0.6, 3.2)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in own.integers(130, 256, 3)))
    return np.asarray(image)


def nearly_blank(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    image, draw = page(850, 1100)
    text(draw, (80, 80), words(shared, 2).title(), 40)
    for row in range(2):
        text(draw, (80, 200 + 60 * row), words(own, 6), 26)
    return np.asarray(image)


def line_drawing(shared: np.random.Generator, own: np.random.Generator) -> np.ndarray:
    """What is left of a white drawing on transparency: white lines on gray."""
    image, draw = page(500, 500, (128, 128, 128))
    draw.ellipse((20, 20, 480, 480), outline="white", width=6)
    points = [(int(x), int(y)) for x, y in own.integers(90, 410, (7, 2))]
    draw.line(points, fill="white", width=8)
    return np.asarray(image)


#: the method was tuned with these in sight
KINDS: dict[str, Draw] = {
    "filled-in form": form,
    "receipt": receipt,
    "ID card": id_card,
    "chart": chart,
    "chess board": chess_board,
    "floor plan": floor_plan,
    "slide": slide,
    "screenshot": screenshot,
    "product in another hue": product,
    "shirt in another hue in a room": shirt_in_a_room,
    "exchanged object": exchanged_object,
    "night with a few lights": night,
    "starry sky": starry_sky,
    "nearly blank page": nearly_blank,
    "white line drawing": line_drawing,
}


def templates(draw: Draw, n: int, seed: int) -> list[np.ndarray]:
    """Returns n different pictures that share what this draws by the first generator: (H, W, 3) uint8 each."""
    own = np.random.default_rng([seed, 1])
    return [draw(np.random.default_rng(seed), own) for _ in range(n)]

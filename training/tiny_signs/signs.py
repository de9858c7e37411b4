"""House-number signs drawn from scikit-learn's bundled handwritten digits.

This module is the whole "world" that the tiny-signs checkpoint learns: a prompt
grammar (:func:`prompt_of`), its factors, and a renderer (:func:`render`) that turns
one combination of the factors into a 32x96 picture. It needs numpy, OpenCV and
scikit-learn only, and every picture is a pure function of a numpy generator's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "heldout"]

HEIGHT, WIDTH = 32, 96
SLOT_W, SLOT_H = 20, 26
MAX_DIGITS = 4

TEMPLATE = 'a {color} sign that says "{text}", {time}, {weather}'
COLORS = ("red", "blue", "green", "yellow", "white")
TIMES = ("day", "night")
WEATHERS = ("clear", "fog", "rain")

_BOARD = {
    "red": (196, 28, 36),
    "blue": (24, 64, 176),
    "green": (18, 118, 58),
    "yellow": (250, 206, 36),
    "white": (246, 246, 240),
}
_INK = {
    "red": (255, 255, 255),
    "blue": (255, 255, 255),
    "green": (255, 255, 255),
    "yellow": (16, 16, 16),
    "white": (16, 16, 16),
}


@dataclass(frozen=True)
class Sign:
    """One combination of the factors."""

    color: str
    text: str
    time: str
    weather: str

    @property
    def scenario(self) -> str:
        """Return the scenario name under which accuracy is reported."""
        return f"{self.time}/{self.weather}"


def prompt_of(sign: Sign) -> str:
    """Return the prompt that asks for ``sign``."""
    return TEMPLATE.format(color=sign.color, text=sign.text, time=sign.time, weather=sign.weather)


@lru_cache(maxsize=4)
def digit_bank(split: Split, legible: bool) -> dict[int, NDArray[np.float32]]:
    """Return the 8x8 digits of one split, in 0..1, by class.

    Every fifth digit of the data set is held out: the generator never sees those.
    ``legible`` keeps, of the digits that five-fold cross-validated support vectors assign to
    their own class without doubt, the third that lie nearest to others of their class: many
    of the rest are hard to read for people and OCR alike at this resolution.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_predict
    from sklearn.neighbors import NearestNeighbors
    from sklearn.svm import SVC

    data = load_digits()
    pixels, target = data.data / 16.0, data.target
    margins = cross_val_predict(SVC(C=10.0), pixels, target, cv=5, method="decision_function")
    own = margins[np.arange(len(target)), target]
    sure = margins.argmax(1) == target
    order = np.arange(len(target))
    mask = order % 5 == 0 if split == "heldout" else order % 5 != 0
    bank: dict[int, NDArray[np.float32]] = {}
    for digit in range(10):
        of_class = (
            np.flatnonzero((target == digit) & sure & (own > 9.0)) if legible else np.flatnonzero(target == digit)
        )
        if legible:
            distance, _ = NearestNeighbors(n_neighbors=11).fit(pixels[of_class]).kneighbors(pixels[of_class])
            spread = distance[:, 1:].mean(1)
            of_class = of_class[spread <= np.quantile(spread, 0.35)]
        of_class = of_class[mask[of_class]]
        bank[digit] = pixels[of_class].reshape(-1, 8, 8).astype(np.float32)
    return bank


def glyph(cell: NDArray[np.float32], low: float = 0.36, high: float = 0.62) -> NDArray[np.float32]:
    """Return an 8x8 digit enlarged to one slot, with crisp strokes, in 0..1."""
    big = cv2.resize(cell, (SLOT_W * 4, SLOT_H * 4), interpolation=cv2.INTER_CUBIC)
    ramp = np.clip((big - low) / (high - low), 0.0, 1.0)
    crisp = ramp * ramp * (3.0 - 2.0 * ramp)
    return cv2.resize(crisp, (SLOT_W, SLOT_H), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=4)
def glyph_bank(split: Split, legible: bool) -> dict[int, NDArray[np.float32]]:
    """Return the digits of one split, enlarged to a slot each, by class."""
    return {digit: np.stack([glyph(cell) for cell in cells]) for digit, cells in digit_bank(split, legible).items()}


def slot_left(index: int, count: int) -> int:
    """Return the left edge of slot ``index`` on a sign of ``count`` digits."""
    return WIDTH // 2 - count * SLOT_W // 2 + index * SLOT_W


def random_text(rng: np.random.Generator, low: int = 1, high: int = MAX_DIGITS) -> str:
    """Return a random digit string of ``low`` to ``high`` digits."""
    return "".join(str(d) for d in rng.integers(0, 10, rng.integers(low, high + 1)))


def random_sign(rng: np.random.Generator, low: int = 1, high: int = MAX_DIGITS, plain: float = 0.0) -> Sign:
    """Return a random sign; with chance ``plain`` it stands in the clear day."""
    time, weather = str(rng.choice(TIMES)), str(rng.choice(WEATHERS))
    if rng.random() < plain:
        time, weather = "day", "clear"
    return Sign(str(rng.choice(COLORS)), random_text(rng, low, high), time, weather)


#: how often each occurs among the signs that denoiser and text encoder learn from: a long tail, as in photographs
SEEN = {
    "time": {"day": 0.8, "night": 0.2},
    "weather": {"clear": 0.7, "fog": 0.1, "rain": 0.2},
    "digits": {1: 0.35, 2: 0.35, 3: 0.2, 4: 0.1},
}


def seen_sign(rng: np.random.Generator) -> Sign:
    """Return a random sign as often as it was seen: most by day, in clear weather, with few digits."""
    time, weather, digits = (rng.choice(list(shares), p=list(shares.values())) for shares in SEEN.values())
    text = random_text(rng, int(digits), int(digits))
    return Sign(str(rng.choice(COLORS)), text, str(time), str(weather))


def _background(sign: Sign, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a plain wall under a lighter upper edge, by time of day."""
    top, bottom = ((168, 204, 236), (196, 190, 178)) if sign.time == "day" else ((14, 16, 40), (30, 28, 34))
    ramp = np.linspace(0.0, 1.0, HEIGHT, dtype=np.float32)[:, None, None]
    wall = np.float32(top) * (1 - ramp) + np.float32(bottom) * ramp
    wall = wall * np.float32(rng.uniform(0.93, 1.07))
    return np.repeat(wall, WIDTH, axis=1)


def _board(sign: Sign, rng: np.random.Generator, bank: dict[int, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the wall with the board and its digits, before weather."""
    picture = _background(sign, rng)
    count = len(sign.text)
    left, right = slot_left(0, count) - 4, slot_left(count, count) + 4
    light = np.float32(rng.uniform(0.96, 1.04))
    board, ink = np.float32(_BOARD[sign.color]) * light, np.float32(_INK[sign.color])
    if sign.time == "night":
        lamp = np.float32(rng.uniform(0.36, 0.46)) * np.float32((1.06, 0.98, 0.84))
        board, ink = board * lamp, ink * lamp
    picture[1:31, left:right] = ink
    picture[2:30, left + 1 : right - 1] = board
    for index, char in enumerate(sign.text):
        if char == " ":
            continue
        cells = bank[int(char)]
        alpha = cells[rng.integers(len(cells))][..., None]
        x = slot_left(index, count)
        patch = picture[3 : 3 + SLOT_H, x : x + SLOT_W]
        picture[3 : 3 + SLOT_H, x : x + SLOT_W] = patch * (1 - alpha) + ink * alpha
    return picture


def _fog(picture: NDArray[np.float32], sign: Sign, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the picture behind a veil that hides most of its contrast."""
    veil = np.float32((206, 208, 210)) if sign.time == "day" else np.float32((62, 64, 72))
    density = np.float32(rng.uniform(0.55, 0.68))
    return cv2.GaussianBlur(picture, (3, 3), 0.7) * (1 - density) + veil * density


def _rain(picture: NDArray[np.float32], sign: Sign, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the picture, darker, with slanted streaks over it."""
    dim = np.float32(0.86)
    streak = np.float32((214, 222, 232)) if sign.time == "day" else np.float32((110, 116, 130))
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(rng.integers(9, 15))):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(-4, HEIGHT))
        length = int(rng.integers(7, 12))
        cv2.line(mask, (x, y), (x - length // 3, y + length), 1.0, 1, cv2.LINE_AA)
    alpha = mask[..., None] * np.float32(0.55)
    return picture * dim * (1 - alpha) + streak * alpha


def render(sign: Sign, rng: np.random.Generator, split: Split = "train", legible: bool = True) -> NDArray[np.uint8]:
    """Return a 32x96 RGB picture of ``sign``; ``rng`` chooses the handwriting and the weather.

    A space in the text leaves its slot empty. The prompts never ask for that; the reader of signs is trained on it.
    """
    picture = _board(sign, rng, glyph_bank(split, legible))
    if sign.weather == "fog":
        picture = _fog(picture, sign, rng)
    elif sign.weather == "rain":
        picture = _rain(picture, sign, rng)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

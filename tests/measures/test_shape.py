"""Letters told apart, and how regular a word is: on lines that are drawn here, without a model."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from loupe.brain.measures.text.legible import broken_share, illegibility, kept_share
from loupe.brain.measures.text.letters import HEIGHT, Lettering, ink_of, letters_of
from loupe.brain.measures.text.shape import Shape, shape_of
from loupe.brain.perception.ocr.ctc import Spelled


def drawn(text: str, size: int = 48, gap: float = 4.0) -> tuple[np.ndarray, list[float]]:
    """A line in PIL's own font, drawn letter by letter, and the places of its characters."""
    font = ImageFont.load_default(size)
    ends = np.cumsum([font.getlength(character) + gap for character in text])
    picture = Image.new("L", (int(ends[-1]) + 60, round(1.7 * size)), 255)
    starts = [30.0, *(30 + ends[:-1])]
    for character, x in zip(text, starts, strict=True):
        ImageDraw.Draw(picture).text((x, 1.25 * size), character, fill=0, font=font, anchor="ls")
    middles = [x + font.getlength(character) / 2 for character, x in zip(text, starts, strict=True)]
    return np.repeat(np.asarray(picture)[:, :, None], 3, 2), [x / picture.width for x in middles]


def lettering(line: np.ndarray, text: str, places: list[float]) -> Lettering:
    letters = letters_of(line, text, places)
    assert isinstance(letters, Lettering), letters
    return letters


def shape(line: np.ndarray, text: str, places: list[float]) -> Shape:
    (word,) = lettering(line, text, places).words()
    measured = shape_of(word)
    assert isinstance(measured, Shape), measured
    return measured


def warped(line: np.ndarray, dy: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: line.shape[0], : line.shape[1]].astype(np.float32)
    return cv2.remap(line, x, (y + dy).astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def padded(line: np.ndarray, rows: int = 30) -> np.ndarray:
    return np.pad(line, ((rows, rows), (0, 0), (0, 0)), constant_values=255)


WORDS = ["HAMBURG", "Kitchen", "garden", "Happy", "yesterday", "2468013"]


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("invert", [False, True])
def test_every_letter_is_found(text: str, invert: bool) -> None:
    line, places = drawn(text)
    letters = lettering(255 - line if invert else line, text, places)
    assert "".join(letter.character for letter in letters.letters) == text
    assert [letter.at for letter in letters.letters] == list(range(len(text)))
    for letter in letters.letters:
        assert letter.ink.shape == (letter.bottom - letter.top, letter.right - letter.left)
        assert 0 < letter.left < letter.right
        assert 0 < letter.top < letter.bottom < HEIGHT


def test_pieces_and_holes() -> None:
    line, places = drawn("BiOE")
    pieces_and_holes = {
        letter.character: (letter.pieces, letter.holes) for letter in lettering(line, "BiOE", places).letters
    }
    assert pieces_and_holes == {"B": (1, 2), "i": (2, 0), "O": (1, 1), "E": (1, 0)}


def test_words_and_punctuation() -> None:
    line, places = drawn("Open-air CAFE")
    words = lettering(line, "Open-air CAFE", places).words()
    assert ["".join(letter.character for letter in word) for word in words] == ["Openair", "CAFE"]
    assert words[0][4].at - words[0][3].at == 2, "a hyphen stands between them"


@pytest.mark.parametrize("text", WORDS)
def test_straight_slanted_arched_and_perspective_lines_are_regular(text: str) -> None:
    line, places = drawn(text)
    line = padded(line, 40)
    x = np.linspace(-1, 1, line.shape[1])[None, :] * np.ones((line.shape[0], 1))
    height, width = line.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[0, 0], [width, 0.2 * height], [width, 0.8 * height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    lines = {
        "straight": line,
        "slanted": warped(line, 12 * x),
        "arched": warped(line, 24 * (x**2 - 0.5)),
        "perspective": cv2.warpPerspective(line, matrix, (width, height), borderValue=(255, 255, 255)),
    }
    for name, drawn_line in lines.items():
        assert shape(drawn_line, text, places).baseline < 0.035, name


@pytest.mark.parametrize("text", ["HAMBURG", "Kitchen", "yesterday"])
def test_waves_and_jumping_letters_are_not(text: str) -> None:
    line, places = drawn(text)
    line = padded(line)
    x = np.linspace(0, 1, line.shape[1])[None, :] * np.ones((line.shape[0], 1))
    assert shape(warped(line, 7 * np.sin(12 * x)), text, places).baseline > 0.06
    at = np.minimum((x * len(text)).astype(int), len(text) - 1)
    jumps = np.array([0, 6, -5, 7, -6, 4, -7, 6, 0])[at]
    assert shape(warped(line, jumps), text, places).baseline > 0.06
    mild = [shape(warped(line, size * np.sin(12 * x)), text, places).baseline for size in (0, 3, 6, 9)]
    assert mild == sorted(mild)


def test_uneven_gaps() -> None:
    line, places = drawn("HAMBURG", gap=6)
    even = shape(line, "HAMBURG", places).spacing
    parts = [line[:, : int(places[3] * line.shape[1]) - 22], np.full((len(line), 30, 3), 255, np.uint8)]
    uneven = np.concatenate([*parts, line[:, int(places[3] * line.shape[1]) - 22 :]], axis=1)
    assert even < 0.1
    assert shape(uneven, "HAMBURG", places).spacing > 2 * even


def test_a_capital_that_is_read_as_a_small_letter_and_a_larger_first_letter_are_no_flaws() -> None:
    line, places = drawn("MUSCOW")
    assert shape(line, "MUsCoW", places).baseline < 0.05
    first, _ = drawn("K", 60)
    rest, at = drawn("ITCHEN", 48)
    first = first[-len(rest) :] if len(first) > len(rest) else first
    foot = np.flatnonzero((first < 128).any((1, 2)))[-1] - np.flatnonzero((rest < 128).any((1, 2)))[-1]
    moved = np.roll(first[: len(rest)], -int(foot), 0)[:, 10:-25]
    both = np.concatenate([moved, rest[:, 20:]], axis=1)
    places = [0.08, *((moved.shape[1] + p * rest.shape[1] - 20) / both.shape[1] for p in at)]
    assert shape(padded(both, 10), "KITCHEN", places).baseline < 0.05


def test_what_cannot_be_measured_says_why() -> None:
    blank = np.full((60, 200, 3), 200, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (60, 200, 3), dtype=np.uint8)
    assert letters_of(blank, "OPEN", [0.2, 0.4, 0.6, 0.8]) == "the lettering has too little contrast to be measured"
    assert isinstance(letters_of(noise, "OPEN", [0.2, 0.4, 0.6, 0.8]), str)
    assert letters_of(blank, "", []) == "no letters or digits were read"
    assert letters_of(blank, "...", [0.2, 0.5, 0.8]) == "no letters or digits were read"
    line, places = drawn("HAT")
    assert "fewer than" in str(shape_of(lettering(line, "HAT", places).words()[0]))
    for tiny in ((1, 1), (1, 300), (300, 1)):
        assert isinstance(letters_of(np.zeros((*tiny, 3), np.uint8), "A", [0.5]), str)


def test_a_word_of_which_too_few_letters_were_found_is_left_out() -> None:
    line, _ = drawn("HAM")
    assert lettering(line, "HAMBURGER", [0.2, 0.5, 0.8, *[0.99] * 6]).words() == []


def test_more_or_less_is_taken_for_ink() -> None:
    line, _ = drawn("OPEN")
    soft = cv2.GaussianBlur(line, (0, 0), 3)
    areas = [int(np.sum(ink_of(soft, shift))) for shift in (-0.2, 0.0, 0.2)]
    assert areas[0] < areas[1] < areas[2]


def test_illegible_is_what_is_read_differently_each_time() -> None:
    assert illegibility([Spelled("Exit", 0.99), Spelled("EXIT", 0.97)]) == pytest.approx(0.02)
    assert illegibility([Spelled("K1X", 0.6), Spelled("HNZ", 0.5), Spelled("", 0.0)]) == 1.0
    assert illegibility([Spelled("", 0.0)] * 2) == 1.0
    assert illegibility([]) == 1.0
    assert illegibility([Spelled("OPEN", 0.5)] * 5) == 0.5


def test_letters_in_pieces() -> None:
    line, places = drawn("HEIGHT")
    whole = lettering(line, "HEIGHT", places)
    assert broken_share(whole.letters) == 0.0
    rows = np.flatnonzero((line < 128).any((1, 2)))
    cut = line.copy()
    cut[rows[0] + 8 : rows[0] + 14] = 255
    cut[rows[-1] - 14 : rows[-1] - 8] = 255
    assert broken_share(lettering(cut, "HEIGHT", places).letters) > 0.8
    assert broken_share(whole.letters[:3]) == 0.0
    assert kept_share(1.0) == pytest.approx(0.35)

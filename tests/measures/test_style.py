"""Whether the letters of one word look as if they came from different fonts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from loupe.brain.measures.text.letters import Letter, Lettering, letters_of
from loupe.brain.measures.text.style import anomaly, lean, weight

SIZE = 60


def word(text: str, bold: str = "", leaning: str = "") -> list[Letter]:
    """The letters of a word in PIL's own font; those at the places in ``bold`` are heavier, in ``leaning`` slanted."""
    font, parts = ImageFont.load_default(SIZE), []
    for at, character in enumerate(text):
        picture = Image.new("L", (int(font.getlength(character)) + 26, 2 * SIZE), 0)
        pen = ImageDraw.Draw(picture)
        pen.text((13, 1.4 * SIZE), character, fill=255, font=font, anchor="ls", stroke_width=2 * (str(at) in bold))
        mask = np.asarray(picture)
        if str(at) in leaning:
            matrix = np.float32([[1, -0.25, 0.25 * 1.1 * SIZE], [0, 1, 0]])
            mask = cv2.warpAffine(mask, matrix, (mask.shape[1], mask.shape[0]), flags=cv2.INTER_CUBIC)
        parts.append(mask)
    middles = np.cumsum([part.shape[1] for part in parts]) - np.array([part.shape[1] for part in parts]) / 2
    line = np.concatenate(parts, axis=1)
    rgb = np.repeat(255 - line[:, :, None], 3, 2)
    lettering = letters_of(rgb, text, [float(x) / line.shape[1] for x in middles])
    assert isinstance(lettering, Lettering), lettering
    (letters,) = lettering.words()
    assert len(letters) == len(text)
    return letters


def anomaly_of(letters: list[Letter]) -> float:
    value = anomaly(letters, np.zeros(len(letters)))
    assert isinstance(value, float), value
    return value


@pytest.mark.parametrize("text", ["HAMBURG", "Kitchen", "yesterday", "MiXeDcAsE", "breakfast", "2468013"])
def test_letters_of_one_font_are_alike(text: str) -> None:
    assert anomaly_of(word(text)) < 5


@pytest.mark.parametrize("text", ["HAMBURG", "Kitchen", "yesterday"])
def test_a_heavy_and_a_leaning_letter_are_odd(text: str) -> None:
    assert anomaly_of(word(text, bold="2")) > 5
    assert anomaly_of(word(text, leaning="04")) > 5 or text == "yesterday"
    assert anomaly_of(word(text, bold="0123456789")) < 5, "all of them bold is a font"
    assert anomaly_of(word(text, leaning="0123456789")) < 5, "all of them leaning is an italic"


def test_weight_is_the_width_of_a_bar() -> None:
    for width in (3, 6, 12):
        ink = np.zeros((80, 40), bool)
        ink[5:75, 10 : 10 + width] = True
        assert weight(ink) == pytest.approx(width, abs=1)
    assert weight(np.zeros((5, 5), bool)) == 0.0


@pytest.mark.parametrize("slant", [-0.2, 0.0, 0.1, 0.3])
def test_lean(slant: float) -> None:
    ink = np.zeros((70, 60), np.uint8)
    cv2.line(ink, (round(30 - 35 * slant), 69), (round(30 + 35 * slant), 0), 1, 7)
    letter = Letter("l", 0, 0, 0, 0, 60, 70, ink.astype(bool), 1, 0)
    assert lean(letter) == pytest.approx(slant, abs=0.03)


def test_lean_along_a_falling_line_and_of_letters_without_a_stem() -> None:
    letters = word("HAMBURG")
    assert np.isnan(lean(letters[1]))
    shifted = np.zeros((90, letters[0].ink.shape[1]), bool)
    for column in range(shifted.shape[1]):
        start = round(0.3 * column)
        shifted[start : start + letters[0].height, column] = letters[0].ink[:, column]
    tilted = Letter("H", 0, 0, 0, 0, shifted.shape[1], 90, shifted, 1, 0)
    assert lean(tilted, 0.3) == pytest.approx(lean(letters[0]), abs=0.03)


def test_a_trend_along_the_word_is_a_design() -> None:
    letters = word("HHHHHHHH")
    grown = [
        Letter(letter.character, 0, letter.at, letter.left, letter.top, letter.right, letter.bottom, cv2.dilate(
            letter.ink.astype(np.uint8), np.ones((1, 1 + at), np.uint8)).astype(bool), 1, 0)
        for at, letter in enumerate(letters)
    ]  # fmt: skip
    assert anomaly_of(grown) < 5


def test_too_few_letters() -> None:
    assert "fewer than" in str(anomaly(word("HAT"), np.zeros(3)))

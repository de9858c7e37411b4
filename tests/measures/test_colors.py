"""Color names of crops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.colors import CSS4_COLORS, XKCD_COLORS, to_rgb

from loupe.brain.measures.composition.colors import TERMS, Naming, lab, middle, mismatch, name_color, names, term


def plain(color: str, side: int = 16) -> np.ndarray:
    return np.full((side, side, 3), [round(255 * part) for part in to_rgb(color)], np.uint8)


@pytest.mark.parametrize("name", TERMS)
def test_the_terms_themselves(name: str) -> None:
    assert name_color(plain({"pink": "#ff81c0", "brown": "#653700"}.get(name, name))).name == name


@pytest.mark.parametrize(
    ("css", "name"),
    [
        ("crimson", "red"), ("darkred", "red"), ("forestgreen", "green"), ("lime", "green"), ("navy", "blue"),
        ("skyblue", "blue"), ("royalblue", "blue"), ("indigo", "purple"), ("darkorange", "orange"), ("gold", "yellow"),
        ("hotpink", "pink"), ("lightpink", "pink"), ("saddlebrown", "brown"), ("dimgray", "gray"),
        ("silver", "gray"), ("snow", "white"), ("#101010", "black"), ("#0a0a14", "black"),
    ],
)  # fmt: skip
def test_colors_that_nobody_doubts(css: str, name: str) -> None:
    assert name_color(plain(CSS4_COLORS.get(css, css))).name == name


def test_nine_of_ten_names_of_a_survey_that_were_not_looked_at() -> None:
    right = total = 0
    for name, value in sorted(XKCD_COLORS.items())[1::2]:
        words = [{"grey": "gray"}.get(word, word) for word in name.removeprefix("xkcd:").split()]
        if words[-1] in TERMS and not set(words[:-1]) & set(TERMS):
            total += 1
            right += TERMS[int(names(plain(value, 1))[0, 0])] == words[-1]
    assert total > 150
    assert right / total > 0.85


def test_lab_against_opencv() -> None:
    import cv2

    pixels = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    wanted = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    assert np.abs(lab(pixels) - wanted).max() < 0.5


def test_a_mixture_has_no_name() -> None:
    stripes = np.concatenate([plain(name) for name in ("red", "green", "blue")])
    naming = name_color(stripes)
    assert naming.name is None
    assert "no color has most of it" in naming.reason
    assert naming.shares == pytest.approx({"red": 1 / 3, "green": 1 / 3, "blue": 1 / 3}, abs=0.05)


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 9, 3), (3, 50, 3), (1, 1, 3)])
def test_a_crop_without_pixels_has_no_name(shape: tuple) -> None:
    naming = name_color(np.zeros(shape, np.uint8))
    assert (naming.name, dict(naming.shares)) == (None, {})
    assert naming.reason
    assert mismatch(naming, "red") is None


def test_shares_add_up_whatever_the_pixels() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 90, 3), dtype=np.uint8)
    shares = name_color(picture).shares
    assert math.isclose(sum(shares.values()), 1)
    assert set(shares) <= set(TERMS)


def test_the_middle_is_what_counts() -> None:
    picture = plain("green", 100)
    picture[30:70, 30:70] = plain("red", 40)
    assert name_color(middle(picture, (0.2, 0.2, 0.6, 0.6))).name == "red"
    assert middle(picture, (0.25, 0.5, 0.5, 0.5)).shape == (30, 30, 3)


@pytest.mark.parametrize("bounds", [(0, 0, 0, 0), (1, 1, 0.5, 0.5), (-1, -1, 0.5, 0.5), (0.999, 0.999, 0.001, 0.001)])
def test_the_middle_of_nothing_is_empty_not_an_error(bounds: tuple) -> None:
    assert name_color(middle(plain("red", 20), bounds)).name is None


@pytest.mark.parametrize(
    ("shares", "wanted", "against"),
    [
        ({"blue": 1.0}, "red", 1.0),
        ({"red": 1.0}, "red", 0.0),
        ({"blue": 0.5, "red": 0.5}, "red", 0.5),
        ({"orange": 1.0}, "red", None),
        ({"gray": 1.0}, "black", None),
        ({"blue": 0.3, "green": 0.3, "gray": 0.4}, "red", 0.4 / 0.4),
        ({"orange": 0.8, "blue": 0.2}, "red", None),
    ],
)
def test_only_a_far_color_speaks_against(shares: dict, wanted: str, against: float | None) -> None:
    rate = mismatch(Naming(None, shares), wanted)
    assert rate == (against if against is None else pytest.approx(against))


def test_words_for_terms() -> None:
    assert [term(word) for word in ("Grey", "violet", "sky  blue", "rainbow", "")] == [
        "gray",
        "purple",
        "blue",
        None,
        None,
    ]

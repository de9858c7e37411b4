"""Hands of colors that no skin has: gloves, but not gray pictures, colored light or any shade of skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_hands import SIDE, drawn

from benchmarks.anatomy.hand_defects import GLOVES, gloved
from loupe.brain.measures.anatomy.glove_color import glove_color, surroundings

#: skin from light to dark, sRGB
SKINS = {"light": (236, 200, 180), "tanned": (198, 140, 100), "brown": (141, 85, 54), "dark": (70, 42, 30)}
WALL = (200, 180, 120)
WHOLE = np.ones((SIDE, SIDE), bool)


def scene(skin: tuple[int, int, int], ground: tuple[int, int, int] = WALL) -> tuple[np.ndarray, np.ndarray]:
    """A flat hand before a wall, and its points."""
    hand, points = drawn()
    return np.where(hand[..., None], skin, ground).astype(np.uint8), points


def color_of(picture: np.ndarray, points: np.ndarray) -> str:
    low = points.min(0)
    return glove_color(picture, points, WHOLE, surroundings(picture, np.array([[*low, *(points.max(0) - low)]])))


@pytest.mark.parametrize("name", SKINS)
@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (1.0, 0.8, 0.6), (0.9, 0.96, 1.0), (0.4, 0.4, 0.4)])
def test_skin_of_any_shade_in_any_usual_light_is_skin(name: str, light: tuple[float, float, float]) -> None:
    picture, points = scene(SKINS[name])
    assert color_of((picture * light).astype(np.uint8), points) == ""


@pytest.mark.parametrize("color", GLOVES)
@pytest.mark.parametrize("name", ["light", "brown"])
def test_gloves_are_told_by_their_color(color: str, name: str) -> None:
    picture, points = scene(SKINS[name])

    class Usual(np.random.Generator):
        """No deviation from the usual glove."""

        def uniform(self, low: float, high: float) -> float:  # type: ignore[override]
            return 1.0

        def normal(self, mean: float, spread: float, size: int) -> np.ndarray:  # type: ignore[override]
            return np.zeros(size)

    made = gloved(picture, points, color, Usual(np.random.PCG64(0)))
    assert color_of(made, points) == color
    assert np.array_equal(made[:20], picture[:20])  # the wall is as it was


def test_in_a_gray_picture_nothing_is_said() -> None:
    for skin in (*SKINS.values(), (240, 240, 240), (20, 20, 20)):
        picture, points = scene(skin)
        gray = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        assert color_of(gray, points) == ""


def test_blue_light_is_no_glove() -> None:
    picture, points = scene((60, 90, 200), ground=(40, 60, 160))
    assert color_of(picture, points) == ""
    assert color_of(scene((60, 90, 200))[0], points) == "blue"


def test_burnt_out_skin_and_skin_in_the_dark_are_no_gloves() -> None:
    for level in (252, 12):
        picture, points = scene((level, level, level))
        assert color_of(picture, points) == ""


def test_a_palm_outside_the_picture_and_a_hand_that_fills_it() -> None:
    picture, points = scene((60, 90, 200))
    assert glove_color(picture, points, ~WHOLE, surroundings(picture, np.zeros((0, 4)))) == ""
    nothing = surroundings(picture, np.array([[-5, -5, 400, 400]]))
    assert nothing.shape == (0, 3)
    assert glove_color(picture, points, WHOLE, nothing) == "blue"
    assert glove_color(np.full_like(picture, 128), points, WHOLE, nothing) == ""

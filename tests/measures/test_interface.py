"""Plates under lettering, clocks, and what makes a line a caption or a button: the pure parts."""

from __future__ import annotations

import numpy as np
import pytest
from leaves import leaves

from loupe.brain.measures.overlays import drawing
from loupe.brain.measures.overlays.features import timed
from loupe.brain.measures.overlays.finding import LineCandidate
from loupe.brain.measures.overlays.ink import plate_of
from loupe.brain.measures.overlays.interface import WEIGHTS, overlay_kind, overlay_likelihood
from loupe.brain.perception.ocr.regions import Region

SHAPE = (480, 640)
SCENE = leaves(6, 640, 480, 2500)


def region(left: float, top: float, width: float, height: float) -> Region:
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.float32([left, top])
    return Region(corners, 0.9)


def on_plate(left: int, top: int, wide: int, high: int, text: str = "Subscribe") -> tuple[np.ndarray, Region]:
    made = SCENE.copy()
    made[top : top + high, left : left + wide] = (200, 30, 40)
    line = drawing.lettering(text, high // 2)
    x, y = left + (wide - line.shape[1]) // 2, top + (high - line.shape[0]) // 2
    mask = np.zeros(SHAPE, np.float32)
    drawing.put(mask, line, x, y)
    return drawing.blended(made, mask, (255, 255, 255), 1), region(x, y, line.shape[1], line.shape[0])


def test_a_button_s_plate_is_found_to_the_pixel() -> None:
    picture, place = on_plate(200, 100, 180, 48)
    plate = plate_of(picture, place)
    assert plate is not None
    np.testing.assert_allclose(plate.bounds, (200, 100, 380, 148), atol=1)
    assert plate.straight > 0.8
    assert plate.spread < 1
    assert plate.borders == 0


def test_a_bar_reaches_three_borders() -> None:
    picture, place = on_plate(0, 430, 640, 50, "Home   Search   Profile")
    plate = plate_of(picture, place)
    assert plate is not None
    np.testing.assert_allclose(plate.bounds, (0, 430, 640, 480), atol=1)
    assert plate.borders == 3
    assert plate.straight > 0.8


def test_lettering_on_the_scene_has_no_plate() -> None:
    mask = np.zeros(SHAPE, np.float32)
    line = drawing.lettering("Subscribe", 24)
    drawing.put(mask, line, 200, 100)
    picture = drawing.blended(SCENE, mask, (255, 255, 255), 1)
    plate = plate_of(picture, region(200, 100, line.shape[1], line.shape[0]))
    assert plate is None or plate.bounds[3] - plate.bounds[1] < 2 * line.shape[0]
    assert plate_of(picture, region(3, 3, 2, 2)) is None
    assert plate_of(picture, region(630, 470, 90, 90)) is not False


def test_a_slanted_board_ends_less_straight() -> None:
    y, x = np.mgrid[:480, :640]
    board = (np.abs((y - 240) - 0.2 * (x - 320)) < 50) & (np.abs(x - 320) < 160)
    picture = np.where(board[..., None], np.uint8(220), SCENE)
    tilted = plate_of(picture, region(290, 225, 60, 30))
    straight = plate_of(on_plate(200, 190, 240, 100)[0], region(260, 220, 120, 40))
    assert straight is not None
    assert tilted is None or tilted.straight < straight.straight


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-03-04 12:30", True),
        ("14/08/2007 09:41", True),
        ("'98 7 12", True),
        ("1:02 / 4:59", True),
        ("REC", True),
        ("22.05.2008", True),
        ("437", False),
        ("OKLA 1927", False),
        ("17-0", False),
        ("8-.2", False),
        ("", False),
    ],
)
def test_what_clocks_write(text: str, expected: bool) -> None:
    assert timed(text) == expected


def test_plates_and_clocks_weigh() -> None:
    picture, place = on_plate(0, 430, 640, 50)
    plain = LineCandidate(place, False, None, None, 0, 0, "Subscribe", 0.95)
    plated = LineCandidate(place, False, None, plate_of(picture, place), 0, 0, "Subscribe", 0.95)
    dated = LineCandidate(place, False, None, None, 0, 0, "2021-03-04 12:30", 0.95)
    assert overlay_likelihood(plated, SHAPE) > overlay_likelihood(plain, SHAPE)
    assert overlay_likelihood(dated, SHAPE) > overlay_likelihood(plain, SHAPE)
    assert overlay_kind(plated, SHAPE) == "bar"
    assert overlay_kind(dated, SHAPE) == "time"
    assert overlay_kind(plain, SHAPE) == "caption"
    button, where = on_plate(480, 20, 130, 40)
    assert (
        overlay_kind(LineCandidate(where, False, None, plate_of(button, where), 0, 0, "Next", 0.9), SHAPE) == "button"
    )
    assert "" in WEIGHTS

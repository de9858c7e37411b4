"""Pupils and teeth that are drawn: what is measured is what was drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.anatomy.eyes_teeth import area, distance
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face
from training.anatomy import eyes, teeth


def iris_of(x: float, y: float, radius: float) -> np.ndarray:
    return np.array([[x, y], [x - radius, y], [x, y - radius], [x + radius, y], [x, y + radius]], np.float32)


def drawn_eye(size: float = 0.4, off: float = 0.0, long: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture of an eye, its iris of 20 pixels and its lids; the pupil by its share of that, and where it is."""
    picture = np.full((120, 120, 3), 220, np.uint8)
    cv2.circle(picture, (60, 60), 20, (110, 90, 60), -1, cv2.LINE_AA)
    axes = (round(20 * size / np.sqrt(long)), round(20 * size * np.sqrt(long)))
    cv2.ellipse(picture, (round(60 + 20 * off), 60), axes, 0, 0, 360, (20, 20, 20), -1, cv2.LINE_AA)
    lids = np.array([[10, 60], [35, 35], [60, 30], [85, 35], [110, 60], [60, 92]], np.float32)
    return picture, iris_of(60.5, 60.5, 20), lids


@pytest.mark.parametrize("size", [0.3, 0.45, 0.6])
def test_the_size_of_a_pupil(size: float) -> None:
    measured = eyes.pupil(*drawn_eye(size))
    assert measured is not None
    assert measured[0] == pytest.approx(size, abs=0.08)
    assert measured[1] < 0.06
    assert measured[2] == pytest.approx(1, abs=0.12)


def test_a_pupil_aside_and_a_long_one() -> None:
    aside, long = eyes.pupil(*drawn_eye(0.35, off=0.4)), eyes.pupil(*drawn_eye(0.4, long=2.2))
    assert aside is not None
    assert long is not None
    assert aside[1] == pytest.approx(0.4, abs=0.08)
    assert long[2] == pytest.approx(2.2, rel=0.25)


def test_a_pupil_that_cannot_be_seen_is_unknown() -> None:
    picture, iris, lids = drawn_eye(0.4)
    flat = picture.copy()
    flat[picture[..., 0] < 200] = 90
    assert eyes.pupil(flat, iris, lids) is None
    shut = lids * [1, 0.05] + [0, 57]
    assert eyes.pupil(picture, iris, shut) is None


def face_with(points: np.ndarray, irises: np.ndarray | None = None) -> Face:
    return Face(points, np.zeros(468, np.float32), 1.0, 1.0, Roi(64, 64, 100), (128, 128), irises)


def smiling() -> tuple[np.ndarray, Face]:
    """Nine teeth between lips that are open, 90 pixels wide."""
    points = np.full((468, 2), 64, np.float32)
    angles = np.linspace(np.pi, 3 * np.pi, len(teeth.INNER), endpoint=False)
    points[list(teeth.INNER)] = np.column_stack([64 + 45 * np.cos(angles), 64 + 14 * np.sin(angles)])
    picture = np.full((128, 128, 3), (170, 90, 90), np.uint8)
    mouth = np.zeros((128, 128), np.uint8)
    cv2.fillPoly(mouth, [np.round(points[list(teeth.INNER)]).astype(np.int32)], 1)
    picture[mouth > 0] = (60, 20, 20)
    row = mouth.astype(bool) & (np.abs(np.arange(128) - 62) < 8)[:, None]
    shade = 215 - 60 * (np.cos(np.arange(128) / 128 * 2 * np.pi * 128 / 10) > 0.9)
    picture[row] = np.repeat(shade[None], 128, 0)[row][:, None]
    return cv2.GaussianBlur(picture, (3, 3), 0), face_with(points)


def test_flaws_of_teeth_change_the_numbers_that_they_should() -> None:
    picture, face = smiling()
    clean = teeth.measures(picture, face)
    assert clean is not None
    made = {name: teeth.measures(put(picture, face), face) for name, put in teeth.FLAWS.items()}
    contrast, count = (teeth.NAMES.index(name) for name in ("contrast", "count"))
    smeared, merged, more = (made[f"teeth {name}"] for name in ("smeared", "merged", "multiplied"))
    assert smeared is not None
    assert merged is not None
    assert more is not None
    assert smeared[contrast] < clean[contrast] - 0.5
    assert merged[contrast] < clean[contrast] - 0.2
    assert more[count] > clean[count] + 0.2


@pytest.mark.parametrize("name", teeth.FLAWS)
def test_flaws_of_teeth_stay_between_the_lips(name: str) -> None:
    picture, face = smiling()
    before = picture.copy()
    changed = teeth.FLAWS[name](picture, face)
    np.testing.assert_array_equal(picture, before)
    off = np.abs(changed.astype(int) - picture).max(2) > 0
    assert off.any()
    rows, columns = np.nonzero(off)
    assert rows.min() >= 64 - 15
    assert rows.max() <= 64 + 15
    assert columns.min() >= 64 - 46
    assert columns.max() <= 64 + 46


def test_a_closed_and_a_small_mouth_are_unknown() -> None:
    picture, face = smiling()
    closed = face.points.copy()
    closed[13], closed[14] = (64, 63), (64, 65)
    assert teeth.measures(picture, face_with(closed)) is None
    small = face.points * 0.3
    assert teeth.measures(picture, face_with(small.astype(np.float32))) is None


def test_a_face_without_irises_and_one_with_small_ones_are_unknown() -> None:
    picture, face = smiling()
    assert eyes.measures(picture, face) is None
    small = np.stack([iris_of(40, 40, 3), iris_of(80, 40, 3)])
    assert eyes.measures(picture, face_with(face.points, small)) is None


def test_what_is_far_from_others_has_a_great_distance() -> None:
    others = np.random.default_rng(0).normal(0, [1, 3], (40, 2))
    assert distance(np.array([0.0, 0.0]), others) < 0.5
    assert distance(np.array([6.0, 0.0]), others) > distance(np.array([0.0, 6.0]), others) > 1


def test_the_area_and_its_interval() -> None:
    assert area([0.0, 1.0, 2.0], [3.0, 4.0]).startswith("1.00 [1.00, 1.00]")
    assert area([1.0], [2.0, 3.0]) == "–"

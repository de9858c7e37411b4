"""Control pictures by their kind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from loupe.brain.controls import depth, edges, make
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Points

HAND = Points("hand", tuple((0.1 + 0.04 * at, 0.5) for at in range(21)))


def canny(gray: np.ndarray, low: int, high: int) -> np.ndarray:
    """Canny's edges of (H, W) whole numbers by its definition: Sobel, the largest across the edge, hysteresis."""
    padded = np.pad(gray.astype(int), 1, mode="edge")
    height, width = gray.shape
    x, y = np.zeros((height, width), int), np.zeros((height, width), int)
    for row in range(height):
        for column in range(width):
            part = padded[row : row + 3, column : column + 3]
            x[row, column] = part[:, 2] @ (1, 2, 1) - part[:, 0] @ (1, 2, 1)
            y[row, column] = part[2] @ (1, 2, 1) - part[0] @ (1, 2, 1)
    size = np.pad(abs(x) + abs(y), 1)
    thin = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            angle = np.degrees(np.arctan2(abs(y[row, column]), abs(x[row, column])))
            same = 1 if x[row, column] * y[row, column] >= 0 else -1
            step = (0, 1) if angle < 22.5 else (1, 0) if angle >= 67.5 else (1, same)
            at = np.array([row + 1, column + 1])
            before, own, after = (size[tuple(at + sign * np.array(step))] for sign in (-1, 0, 1))
            straight = angle < 22.5 or angle >= 67.5
            thin[row, column] = own > before and (own >= after if straight else own > after)
    inner = size[1:-1, 1:-1]
    edge = thin & (inner > high)
    while True:
        grown = np.pad(edge, 1)
        near = np.any([grown[a : a + height, b : b + width] for a in range(3) for b in range(3)], axis=0)
        more = edge | (near & thin & (inner > low))
        if (more == edge).all():
            return edge
        edge = more


@pytest.mark.parametrize("seed", range(4))
def test_edges_are_cannys(seed: int) -> None:
    import cv2

    noise = np.random.default_rng(seed).integers(0, 256, (40, 60), dtype=np.uint8)
    gray = cv2.GaussianBlur(noise, (0, 0), 1.2)
    made = edges.draw(np.repeat(gray[..., None], 3, 2))
    assert set(np.unique(made)) == {0, 255}
    assert (made[..., 0] == made[..., 2]).all()
    # OpenCV has whole numbers for angles: a pixel in hundreds may fall on the other side
    assert (made[..., 0].astype(bool) != canny(gray, 100, 200)).mean() < 0.005


def test_edges_of_a_square_are_its_outline_and_a_faint_one_has_none() -> None:
    picture = np.full((64, 64, 3), 60, np.uint8)
    picture[16:48, 16:48] = 200
    made = edges.draw(picture)[..., 0] > 0
    rows, columns = np.nonzero(made)
    assert made.sum() >= 4 * 30
    assert all(
        min(abs(row - 15.5), abs(row - 47.5), abs(column - 15.5), abs(column - 47.5)) <= 1
        for row, column in zip(rows, columns, strict=True)
    )
    picture[16:48, 16:48] = 80  # a gradient of 80 is below both thresholds
    assert not edges.draw(picture).any()


def test_depth_is_stretched_and_what_is_unknown_is_far() -> None:
    values = np.array([[1.0, 2.0, np.nan], [3.0, 5.0, -np.inf]])
    made = depth.draw(values, (3, 2))
    assert made.shape == (2, 3, 3)
    assert made.dtype == np.uint8
    assert made[..., 0].tolist() == [[0, 64, 0], [128, 255, 0]]
    assert (depth.draw(values * 1e300, (3, 2)) == made).all()
    assert (depth.draw(1000 + 7 * values, (3, 2)) == made).all()
    huge = depth.draw(np.array([[-1.7e308, 1.7e308]]), (2, 1))
    assert huge[0, :, 0].tolist() == [0, 255]
    assert depth.draw(values, (30, 20)).shape == (20, 30, 3)
    assert np.asarray(make.of_map(values, (3, 2))).tolist() == made.tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 4)), "near and far in it, got the same number everywhere"),
        (np.full((4, 4), np.nan), "got no number"),
        (np.zeros((4, 4, 3)), r"a depth map of \(h, w\) numbers, got \(4, 4, 3\)"),
        (np.zeros((0, 4)), r"got \(0, 4\)"),
    ],
)
def test_a_map_without_depth_is_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make.of_map(values, (8, 8))


@pytest.mark.parametrize("kind", ["edges"])
def test_a_control_has_the_size_that_is_asked_for(kind: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    control = make.maker(kind, "cpu")
    made = control(picture, (48, 32))
    assert (made.mode, made.size) == ("RGB", (48, 32))
    scaled = np.asarray(Image.fromarray(picture).resize((48, 32), Image.Resampling.LANCZOS))
    assert np.asarray(made).tolist() == edges.draw(scaled).tolist()
    assert np.asarray(control(picture, (60, 40))).tolist() == edges.draw(picture).tolist()


def test_what_is_no_kind_or_no_picture_is_refused() -> None:
    with pytest.raises(UnknownName, match="edges"):
        make.maker("edge", "cpu")
    with pytest.raises(InputError, match="no model for edges"):
        make.maker("edges", "cpu", "some/model")
    with pytest.raises(InputError, match="no model for a pose"):
        make.maker("pose", "cpu", "some/model")
    for model in (None, "", "a\0b"):
        with pytest.raises(InputError, match="a depth-estimation model of transformers, a folder or a hub id"):
            make.maker("depth", "cpu", model)
    control = make.maker("edges", "cpu")
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(InputError, match="a picture of"):
            control(bad, (8, 8))
    with pytest.raises(InputError, match="at least one pixel"):
        control(np.zeros((4, 4, 3), np.uint8), (0, 8))


def test_every_kind_is_a_module_that_makes_it() -> None:
    import importlib

    for kind, sentence in make.KINDS.items():
        assert callable(importlib.import_module(f"loupe.brain.controls.{kind}").make), sentence

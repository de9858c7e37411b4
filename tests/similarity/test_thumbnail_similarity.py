"""Thumbnails, and how alike two are: against independent formulas, and logos and colors set by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scenes import scene
from scipy import ndimage

from loupe.brain.similarity import thumbnail_similarity
from loupe.brain.similarity.thumbnail_similarity import SIDE, Thumbnails, similarity, thumbnails


def thumbs(*pictures: np.ndarray) -> Thumbnails:
    return Thumbnails.join(
        [thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())) for picture in pictures]
    )


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return similarity(thumbs(a, b), 0, 1)


@pytest.mark.parametrize(
    ("color", "luma", "chroma"),
    [((255, 255, 255), 255, (0, 0)), ((0, 0, 255), 29, (127, -21)), ((255, 255, 0), 226, (-127, 21))],
)
def test_a_thumbnail_is_brightness_and_two_color_differences(
    color: tuple[int, int, int], luma: int, chroma: tuple[int, int]
) -> None:
    made = thumbs(np.full((40, 90, 3), color, np.uint8))
    assert made.luma.shape == (1, 64, 64)
    assert made.chroma.shape == (1, 2, 16, 16)
    assert (made.luma == luma).all()
    assert (made.chroma[0] == np.array(chroma)[:, None, None]).all()


def test_a_large_picture_is_averaged_along_each_axis() -> None:
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (192, 256, 3), dtype=np.uint8)
    blocks = (picture.astype(np.float64) @ (0.299, 0.587, 0.114)).reshape(64, 3, 64, 4)
    assert np.abs(thumbs(picture).luma[0] - blocks.mean((1, 3))).max() <= 0.51


def test_structure_is_that_of_an_independent_formula() -> None:
    rng = np.random.default_rng(1)
    x = ndimage.gaussian_filter(rng.normal(0, 90, (SIDE, SIDE)), 1.5).astype(np.float32) + 128
    x[40:] = 128  # nothing to see there
    # of the same mean and spread, so that the light need not be made the same
    y = x + ndimage.gaussian_filter(rng.normal(0, 20, (SIDE, SIDE)), 1.0).astype(np.float32)
    y = ((y - y.mean()) / y.std() * x.std() + x.mean()).astype(np.float32)
    inside = np.ones((SIDE, SIDE), bool)
    local, detailed = thumbnail_similarity._structure(x, y, inside)

    def blur(values: np.ndarray, sigma: float) -> np.ndarray:
        return ndimage.gaussian_filter(values.astype(np.float64), sigma, mode="mirror", truncate=4)

    noise = 0.01 * np.clip(max(blur(x, 0.8).var(), blur(y, 0.8).var()), 400, 6000)
    x, y = blur(x, 0.8), blur(y, 0.8)
    var_x, var_y = blur(x * x, 2.5) - blur(x, 2.5) ** 2, blur(y * y, 2.5) - blur(y, 2.5) ** 2
    both = blur(x * y, 2.5) - blur(x, 2.5) * blur(y, 2.5)
    np.testing.assert_allclose(local, (2 * both + noise) / (var_x + var_y + noise), atol=0.01)
    expected = var_x + var_y > 4 * noise
    assert 0.3 < expected.mean() < 0.9
    assert (detailed == expected).mean() > 0.995


def test_a_logo_in_a_corner_leaves_the_picture_the_same() -> None:
    picture = cv2.resize(scene(3), (240, 180))
    for x, y in ((4, 24), (150, 172)):
        marked = picture.copy()
        cv2.putText(marked, "LOGO", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 3)
        assert alike(picture, marked) > 0.9


def _differs(rows: slice, columns: slice) -> np.ndarray:
    """A local similarity that is low in a part only."""
    local = np.ones((SIDE, SIDE), np.float32)
    local[rows, columns] = 0.2
    return local


def test_a_stamp_is_what_differs_in_a_corner_and_two_pixels_around_it() -> None:
    everywhere = np.ones((SIDE, SIDE), bool)
    stamp = thumbnail_similarity._stamp(_differs(slice(52, 60), slice(4, 24)), everywhere, everywhere)
    expected = np.zeros((SIDE, SIDE), bool)
    expected[50:62, 2:26] = True
    np.testing.assert_array_equal(stamp, expected)
    stamp = thumbnail_similarity._stamp(_differs(slice(0, 8), slice(40, 64)), everywhere, everywhere)
    expected = np.zeros((SIDE, SIDE), bool)
    expected[0:10, 38:64] = True
    np.testing.assert_array_equal(stamp, expected)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 0), slice(0, 0)),  # nothing differs
        (slice(28, 36), slice(2, 10)),  # at the middle of an edge
        (slice(28, 36), slice(28, 36)),  # in the midst
        (slice(2, 46), slice(2, 10)),  # as long as two thirds of a side
        (slice(8, 16), slice(2, 10)),  # 8 pixels away from the edge
    ],
)
def test_what_is_no_logo_is_no_stamp(rows: slice, columns: slice) -> None:
    everywhere = np.ones((SIDE, SIDE), bool)
    assert thumbnail_similarity._stamp(_differs(rows, columns), everywhere, everywhere) is None


def test_a_caption_along_an_edge_is_a_stamp_too_and_a_word_of_it_is_none() -> None:
    everywhere = np.ones((SIDE, SIDE), bool)
    assert thumbnail_similarity._stamp(_differs(slice(50, 62), slice(2, 60)), everywhere, everywhere) is not None
    assert thumbnail_similarity._stamp(_differs(slice(50, 62), slice(16, 40)), everywhere, everywhere) is None
    assert thumbnail_similarity._stamp(_differs(slice(40, 62), slice(2, 60)), everywhere, everywhere) is None
    assert thumbnail_similarity._stamp(_differs(slice(36, 48), slice(2, 60)), everywhere, everywhere) is None


@pytest.mark.parametrize(("beside", "is_stamp"), [(0.24, False), (0.26, True)])
def test_a_stamp_needs_detail_beside_it(beside: float, is_stamp: bool) -> None:
    everywhere = np.ones((SIDE, SIDE), bool)
    detailed = np.zeros((SIDE, SIDE), bool)
    detailed[2:10, 2:10] = True
    detailed[SIDE - round(beside * SIDE) :] = True
    stamp = thumbnail_similarity._stamp(_differs(slice(2, 10), slice(2, 10)), detailed, everywhere)
    assert (stamp is not None) == is_stamp


def test_another_hue_is_another_picture_and_gray_is_not() -> None:
    rng = np.random.default_rng(2)
    shade = cv2.resize(rng.integers(40, 160, (12, 12), dtype=np.uint8), (96, 96), interpolation=cv2.INTER_NEAREST)

    def tinted(blue: float, red: float) -> np.ndarray:
        """The shade with these two color differences, of the same brightness everywhere."""
        blue, red = blue / 0.564, red / 0.713
        green = -(0.299 * red + 0.114 * blue) / 0.587
        return np.clip(shade[..., None] + np.array([red, green, blue]), 0, 255).round().astype(np.uint8)

    assert alike(tinted(30, 0), tinted(30, 0)) > 0.99
    assert alike(tinted(30, 0), tinted(0, 0)) > 0.95
    assert alike(tinted(30, 0), tinted(0, 30)) < 0.1, "at right angles"
    assert alike(tinted(30, 0), tinted(20, 20)) == pytest.approx(np.sqrt(0.5), abs=0.05)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_flatter_one_is_stretched_to_the_light_of_the_other(swapped: bool) -> None:
    x = np.random.default_rng(5).uniform(20, 230, (SIDE, SIDE)).astype(np.float32)
    y = 0.5 * x + 30
    everywhere = np.ones((SIDE, SIDE), bool)
    made = thumbnail_similarity._same_light(*((y, x) if swapped else (x, y)), everywhere)
    np.testing.assert_allclose(made[0], x, atol=1e-2)
    np.testing.assert_allclose(made[1], x, atol=1e-2)


def test_where_nearly_all_is_clipped_the_light_stays() -> None:
    x = np.zeros((SIDE, SIDE), np.float32)
    x[:5] = np.random.default_rng(6).uniform(20, 230, (5, SIDE))
    y = 0.5 * x
    same = thumbnail_similarity._same_light(x, y, np.ones((SIDE, SIDE), bool))
    assert same[0] is x
    assert same[1] is y


@pytest.mark.parametrize("lying", [True, False])
def test_of_a_thin_picture_one_axis_is_shrunk_and_the_other_stretched(lying: bool) -> None:
    stripes = np.random.default_rng(0).integers(0, 256, 64).astype(np.uint8)
    picture = np.repeat(np.broadcast_to(stripes, (20, 64)), 10, 1)
    picture = picture if lying else picture.T
    pixels = torch.from_numpy(np.ascontiguousarray(np.broadcast_to(picture, (1, 3, *picture.shape))))
    luma = thumbnails(pixels).luma[0].astype(int)
    assert abs((luma if lying else luma.T) - stripes.astype(int)).max() <= 1

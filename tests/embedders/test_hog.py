"""The offline embedder against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loupe.brain.embedders.hog import Hog, color_layout
from loupe.brain.imaging.batches import ImageBatch


def batch(*images: np.ndarray) -> ImageBatch:
    pixels = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy())
    sizes = tuple((image.shape[1], image.shape[0]) for image in images)
    return ImageBatch(tuple(str(index) for index in range(len(images))), pixels, sizes)


def plain(*color: int, side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), color, np.uint8)


def ramp(axis: int) -> np.ndarray:
    line = np.linspace(20, 230, 64)
    grid = np.meshgrid(line, line, indexing="ij")[axis]
    return np.repeat(grid[..., None], 3, 2).round().astype(np.uint8)


def test_vectors_are_of_unit_length_and_finite() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    vectors = Hog().load("cpu")(batch(noise, plain(128, 128, 128), plain(0, 0, 0), plain(255, 0, 0)))
    assert vectors.shape == (4, 1777)
    assert vectors.dtype == torch.float32
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-5)


def test_a_ramp_fills_just_the_bins_of_its_direction() -> None:
    # a horizontal ramp has gradients of 0 degrees only: OpenCV's bins are centered on 10, 30, ..., 170 degrees, so its
    # votes are split evenly between the first and the last bin; every cell of a block gets equal votes
    across, down = Hog(color=0.0).load("cpu")(batch(ramp(1), ramp(0)))
    bins = across[:1764].reshape(-1, 9)
    share = bins.square().sum(0) / bins.square().sum()
    assert share[[0, 8]].sum() > 0.99
    assert share[0] == pytest.approx(0.5, abs=0.02)
    bins = down[:1764].reshape(-1, 9)
    share = bins.square().sum(0) / bins.square().sum()
    assert share[4] > 0.99  # 90 degrees is the center of the fifth bin


def test_shapes_ignore_contrast_and_color_does_not() -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(60, 200, (8, 8, 1), dtype=np.uint8).repeat(8, 0).repeat(8, 1).repeat(3, 2)
    dimmer = (picture // 2).astype(np.uint8)
    red = picture * np.array([1, 0.4, 0.4])
    same, dim, other = Hog().load("cpu")(batch(picture, dimmer, red.astype(np.uint8)))
    shapes = slice(0, 1764)
    assert torch.cosine_similarity(same[shapes], dim[shapes], dim=0) > 0.99
    assert same @ other < 0.9


def test_color_layout_of_plain_colors_in_closed_form() -> None:
    # the first coefficient of an orthonormal 8 x 8 cosine transform is 8 times the mean, the others are 0
    layout = color_layout(plain(255, 0, 0))
    luma = 0.299 * 255
    assert layout[0] == pytest.approx(8 * (luma - 128), abs=0.01)
    assert layout[6] == pytest.approx(8 * (0 - luma) * 0.564, abs=0.01)
    assert layout[9] == pytest.approx(8 * (255 - luma) * 0.713, abs=0.01)
    assert np.abs(np.delete(layout, [0, 6, 9])).max() < 0.01


def test_color_layout_of_a_cosine_in_closed_form() -> None:
    x = np.arange(8)
    wave = 128 + 100 * np.cos(np.pi * (x + 0.5) / 8)
    image = np.tile(wave, (8, 1))[..., None].repeat(3, 2).round().astype(np.uint8)
    layout = color_layout(image)
    # 100 cos(...) on 8 x 8 has the coefficient 100 * 8 * sqrt(1/8) * sqrt(2/8) * 4 = 100 * 8 / sqrt(2) in (0, 1)
    assert layout[1] == pytest.approx(100 * 8 / np.sqrt(2), rel=0.01)
    assert np.abs(np.delete(layout, 1)).max() < 6


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (500, 30)])
def test_any_shape(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    vector = Hog().load("cpu")(batch(image))
    assert torch.isfinite(vector).all()
    assert vector.norm() == pytest.approx(1, abs=1e-5)


def test_it_is_offline() -> None:
    assert Hog.offline

"""Entropy and local contrast, against scipy, numpy and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from batches import batch_of
from leaves import leaves
from PIL import Image
from scipy import stats

from loupe.brain.checks.information import Information, entropy, local_contrast
from loupe.brain.imaging.batches import ImageBatch


def scores_of(picture: np.ndarray) -> dict[str, float]:
    """(H, W) values in 0 … 255 to scores."""
    gray = picture.clip(0, 255).round().astype(np.uint8)
    batch = ImageBatch(("a",), torch.from_numpy(np.stack([gray] * 3)[None]), (gray.shape[::-1],))
    return {name: float(values[0]) for name, values in Information().load("cpu")(batch).items()}


def empty(picture: np.ndarray) -> bool:
    threshold = Information.outputs[1].default_threshold
    assert threshold is not None
    return bool(threshold.violates(np.array([scores_of(picture)["local_contrast"]]))[0])


def test_entropy_is_scipys() -> None:
    counts = np.random.default_rng(0).integers(0, 50, (5, 256))
    peer = stats.entropy(counts, base=2, axis=1)
    np.testing.assert_allclose(entropy(torch.from_numpy(counts)).numpy(), peer, rtol=1e-5)


@pytest.mark.parametrize("levels", [1, 2, 16, 256])
def test_entropy_of_equally_many_levels_is_their_logarithm(levels: int) -> None:
    picture = np.tile(np.arange(levels) * (256 // levels), (16, 256 // levels)).astype(float)
    assert scores_of(picture)["entropy"] == pytest.approx(np.log2(levels), abs=1e-5)


def test_local_contrast_is_the_greatest_standard_deviation() -> None:
    luma = np.random.default_rng(0).random((2, 64, 128)).astype(np.float32)
    means = luma.reshape(2, 16, 4, 32, 4).mean((2, 4))
    tiles = means.reshape(2, 8, 2, 8, 4).transpose(0, 1, 3, 2, 4).reshape(2, 64, 8)
    peer = tiles.std(2).max(1)
    np.testing.assert_allclose(local_contrast(torch.from_numpy(means)).numpy(), peer, rtol=1e-4)


def test_local_contrast_of_black_and_white_halves_is_a_half() -> None:
    blocks = torch.zeros(1, 16, 16)
    blocks[..., 7:] = 1  # a tile is 2 blocks wide: this cuts the fourth one in halves
    assert float(local_contrast(blocks)) == pytest.approx(0.5)


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0])
def test_one_color_with_noise_holds_nothing(noise: float) -> None:
    rng = np.random.default_rng(0)
    assert empty(128 + noise * rng.standard_normal((300, 400)))


def test_a_slow_gradient_holds_nothing_though_its_entropy_is_high() -> None:
    sky = np.tile(np.linspace(100, 140, 400), (300, 1))
    assert scores_of(sky)["entropy"] > 5
    assert empty(sky)


@pytest.mark.parametrize("side", [200, 60, 20])
def test_a_sharp_object_on_a_plain_background_is_information(side: int) -> None:
    """Its entropy is next to nothing, by which others flag it."""
    picture = np.full((300, 400), 200.0)
    picture[100 : 100 + side, 100 : 100 + side] = 60
    assert scores_of(picture)["entropy"] < 1.2
    assert not empty(picture)


@pytest.mark.parametrize("side", [24, 32, 40, 48, 64, 128])
def test_a_small_picture_is_judged_as_its_larger_copy(side: int) -> None:
    scorer = Information().load("cpu")
    threshold = next(output.default_threshold for output in Information.outputs if output.default_threshold)

    def fails(pixels: np.ndarray) -> bool:
        value = scorer(batch_of(pixels))["local_contrast"].numpy()
        assert not np.isnan(value).any()
        return bool(threshold.violates(value)[0])

    for seed in range(4):
        photo = Image.fromarray(leaves(seed, 256, 256, 60))
        assert not fails(np.asarray(photo.resize((side, side), Image.Resampling.LANCZOS)))
        plain = np.full((side, side, 3), 120 + seed, np.uint8)
        plain += np.random.default_rng(seed).integers(0, 3, plain.shape, dtype=np.uint8)
        assert fails(plain)


@pytest.mark.parametrize("shape", [(8, 8), (15, 15), (12, 200), (1, 1)])
def test_a_picture_of_a_few_blocks_is_unknown(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    scores = Information().load("cpu")(batch_of(pixels))
    assert math.isnan(scores["local_contrast"][0])
    assert scores.reasons == ("too small to judge information",)
    assert not math.isnan(scores["entropy"][0])

"""Contrast, against numpy and closed forms; what the rules of others miss."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from loupe.brain.checks.exposure import Exposure, contrast, light
from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch


def scores_of(pixels: np.ndarray) -> dict[str, float]:
    """(H, W, 3) or (H, W) values in 0 … 255 to scores."""
    return {name: float(values[0]) for name, values in score_of(pixels).items()}


def score_of(pixels: np.ndarray) -> Scores:
    pixels = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    picture = pixels.clip(0, 255).round().astype(np.uint8)
    batch = ImageBatch(("a",), torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()), (pixels.shape[1::-1],))
    return Exposure().load("cpu")(batch)


def failures_of(pixels: np.ndarray) -> set[str]:
    scores = scores_of(pixels)
    return {
        str(output.failure)
        for output in Exposure.outputs
        if output.default_threshold and output.default_threshold.violates(np.array([scores[output.name]]))[0]
    }


@pytest.fixture
def scene() -> np.ndarray:
    """(200, 300) a soft scene with every tone, most of them in the middle."""
    y, x = np.mgrid[:200, :300]
    return 127.5 + 127.5 * np.sin(x / 30) * np.cos(y / 20)


def test_contrast_of_two_tones_is_michelsons() -> None:
    low, high = torch.tensor([0.2, 0.0, 0.5, 0.0]), torch.tensor([0.6, 1.0, 0.5, 0.0])
    np.testing.assert_allclose(contrast(low, high).numpy(), [0.5, 1.0, 0.0, 0.0], rtol=1e-6)


def test_the_percentiles_of_a_ramp() -> None:
    ramp = np.tile(np.arange(256.0), (10, 1))
    scores = scores_of(ramp)
    for percent in (1, 5, 25, 95, 99):
        assert scores[f"brightness_p{percent:02}"] == pytest.approx(percent / 100, abs=1 / 255)


def test_it_weighs_the_colors_by_rec_601() -> None:
    green = np.zeros((8, 32, 3))
    green[..., 1] = 255
    assert scores_of(green)["brightness_p95"] == pytest.approx(0.587, abs=1 / 255)


@pytest.mark.parametrize("long_side", [1, 8, 16, 31])
def test_percentiles_of_a_few_pixels_are_told_and_not_judged(long_side: int) -> None:
    scores = score_of(np.full((max(1, long_side // 2), long_side, 3), 10.0))
    judged = [output.name for output in Exposure.outputs if output.default_threshold]
    assert len(judged) == 3
    assert all(math.isnan(float(scores[name])) for name in judged)
    assert scores.reasons == ("too small to judge exposure: less than 32 pixels along the long side",)
    assert float(scores["brightness_p99"]) == pytest.approx(10 / 255)


def test_a_good_picture_has_no_failure(scene: np.ndarray) -> None:
    assert failures_of(scene) == set()


@pytest.mark.parametrize("gain", [0.4, 0.2, 0.05])
def test_a_dark_picture_is_dark_and_keeps_its_contrast(scene: np.ndarray, gain: float) -> None:
    assert failures_of(scene * gain) == {"dark"}
    assert scores_of(scene * gain)["contrast"] == pytest.approx(scores_of(scene)["contrast"], abs=0.1)


def test_a_lamp_does_not_light_up_the_night(scene: np.ndarray) -> None:
    night = scene * 0.08
    night[50:70, 200:220] = 255
    assert "dark" in failures_of(night)


def test_a_blown_out_picture_is_bright_though_dark_tones_survive(scene: np.ndarray) -> None:
    blown = (scene + 60) * 4
    blown[:30, :60] = 40
    assert scores_of(blown)["brightness_p01"] < 0.2
    assert failures_of(blown) == {"bright"}


def test_an_object_on_white_is_not_bright(scene: np.ndarray) -> None:
    white = np.full((200, 300), 255.0)
    white[40:160, 60:240] = scene[40:160, 60:240]
    assert failures_of(white) == set()


@pytest.mark.parametrize("transmission", [0.4, 0.2])
def test_haze_has_low_contrast(scene: np.ndarray, transmission: float) -> None:
    """Koschmieder's law; the contrast that is left has a closed form."""
    air = 230.0
    hazy = scene * transmission + air * (1 - transmission)
    low, high = np.percentile(scene, [1, 99]) * transmission + air * (1 - transmission)
    assert scores_of(hazy)["contrast"] == pytest.approx((high - low) / (high + low), abs=0.01)
    assert "low_contrast" in failures_of(hazy)


def test_gray_stored_as_colors_is_judged_the_same(scene: np.ndarray) -> None:
    assert scores_of(scene) == scores_of(np.repeat(scene[..., None], 3, 2))


def test_one_color() -> None:
    assert failures_of(np.zeros((40, 40))) == {"dark", "low_contrast"}
    assert failures_of(np.full((40, 40), 255)) == {"bright", "low_contrast"}


def test_a_channel_is_clipped_from_252_on_and_a_pixel_is_white_where_all_are_245() -> None:
    highest, lowest = (
        torch.tensor([[[251, 252, 255, 255]]], dtype=torch.uint8),
        torch.tensor([[[0, 244, 245, 255]]], dtype=torch.uint8),
    )
    luma = torch.tensor([[[51, 102, 250, 255]]], dtype=torch.uint8)
    clipped, white, lit = light(highest, lowest, luma)[0].tolist()
    assert (clipped, white) == (0.75, 0.5)
    assert lit == pytest.approx((51 + 102) / 255 / 4)

"""Sharpness, against another implementation, closed forms, and pictures that mislead other measures."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from committed import PHOTOS, defocused, picture

from loupe.brain.checks.sharpness import Sharpness, sharpness
from loupe.brain.core.records import Scores
from loupe.brain.engine.reader import read
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import block_means, gradient_energy


def score_of(picture: np.ndarray) -> Scores:
    """(H, W) or (H, W, 3) values in 0 … 255."""
    picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2)
    pixels = picture.clip(0, 255).round().astype(np.uint8).transpose(2, 0, 1)[None].copy()
    return Sharpness().load("cpu")(ImageBatch(("a",), torch.from_numpy(pixels), (picture.shape[1::-1],)))


def score(picture: np.ndarray) -> float:
    return float(score_of(picture)["sharpness"])


def blurred(picture: np.ndarray) -> bool:
    threshold = Sharpness.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(np.array([score(picture)]))[0])


@pytest.fixture
def scene() -> np.ndarray:
    """(384, 512) dead leaves: opaque discs of all sizes, whose statistics are those of photos (Lee et al. 2001)."""
    rng = np.random.default_rng(3)
    picture = np.zeros((384, 512))
    for _ in range(3000):
        radius = 4 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, 512)), int(rng.integers(0, 384)))
        cv2.circle(picture, center, round(radius), float(rng.integers(20, 236)), -1, cv2.LINE_8)
    return picture


def test_it_is_what_numpy_says() -> None:
    luma = np.random.default_rng(0).random((3, 61, 83))
    luma = np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane, sigma in zip(luma, (0.3, 1, 3), strict=True)])

    def energy(images: np.ndarray) -> np.ndarray:
        return (np.diff(images, axis=1) ** 2).mean((1, 2)) + (np.diff(images, axis=2) ** 2).mean((1, 2))

    means = luma[:, :60, :80].reshape(3, 15, 4, 20, 4).mean((2, 4))
    fine, coarse = (gradient_energy(torch.from_numpy(images).float()) for images in (luma, means))
    np.testing.assert_allclose(fine.numpy(), energy(luma), rtol=1e-5)
    np.testing.assert_allclose(coarse.numpy(), energy(means), rtol=1e-4)
    values = sharpness(fine, coarse)
    np.testing.assert_allclose(values.numpy(), 1 - energy(means) / 16 / energy(luma), rtol=1e-4, atol=1e-6)
    assert values[0] > values[1] > values[2]


def test_a_ramp_has_no_detail_and_noise_has_nothing_else() -> None:
    ramp = torch.linspace(0, 1, 256).expand(1, 256, 256)
    assert float(sharpness(gradient_energy(ramp), gradient_energy(block_means(ramp, 4)))) == pytest.approx(0, abs=1e-4)
    # white noise: means of 16 pixels have a 16th of its variance, and so have their differences
    noise = torch.rand(1, 512, 512, generator=torch.Generator().manual_seed(0))
    assert float(sharpness(gradient_energy(noise), gradient_energy(block_means(noise, 4)))) == pytest.approx(
        1 - 1 / 16 / 16, abs=1e-3
    )


def test_more_blur_is_never_sharper(scene: np.ndarray) -> None:
    scores = [score(scene), *(score(cv2.GaussianBlur(scene, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4))]
    assert scores == sorted(scores, reverse=True)
    assert not blurred(scene)
    assert blurred(cv2.GaussianBlur(scene, (0, 0), 5.12))  # 1 % of the long side
    assert blurred(cv2.GaussianBlur(scene, (0, 0), 20.48))  # 4 %, where rounding to 8 bits begins to tell


@pytest.mark.parametrize(("gain", "offset"), [(0.3, 0.0), (0.4, 140.0), (1.0, 15.0)])
def test_neither_darkness_nor_haze_is_blur(scene: np.ndarray, gain: float, offset: float) -> None:
    assert score(scene * gain + offset) == pytest.approx(score(scene), abs=0.02)


def test_a_sharp_subject_is_enough(scene: np.ndarray) -> None:
    bokeh = cv2.GaussianBlur(scene, (0, 0), 15)
    bokeh[120:270, 150:350] = scene[120:270, 150:350]
    plain = np.full_like(scene, 200)
    plain[120:270, 150:350] = scene[120:270, 150:350]
    assert not blurred(bokeh)
    assert not blurred(plain)


def test_what_cannot_be_judged_is_unknown_with_its_reason(scene: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for plain in (np.zeros((80, 90)), np.full((80, 90), 255.0), 128 + rng.standard_normal((80, 90))):
        assert math.isnan(score(plain))
        assert score_of(plain).reasons == ("too plain to judge blur",)
    assert score_of(scene[:31, :90]).reasons == ("too small to judge blur: less than 32 pixels along the short side",)
    assert score_of(scene).reasons == ()
    assert not math.isnan(score(scene[:32, :96]))


def test_a_larger_copy_is_judged_alike(scene: np.ndarray) -> None:
    larger = cv2.resize(scene, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    assert score(larger) == pytest.approx(score(scene), abs=0.1)


def test_it_looks_at_640_pixels(scene: np.ndarray) -> None:
    """Between two sizes the energies are those of the picture scaled to it, within what antialiasing differs by."""
    large = cv2.resize(scene, (1100, 825), interpolation=cv2.INTER_CUBIC)
    scaled_down = cv2.resize(large.clip(0, 255).round().astype(np.uint8), (640, 480), interpolation=cv2.INTER_AREA)
    assert score(large) == pytest.approx(score(scaled_down), abs=0.03)
    # discs of three pixels at 640 are too small to be seen at 320
    soft = defocused(np.repeat(large.clip(0, 255).round().astype(np.uint8)[..., None], 3, 2), 4)
    assert blurred(soft)
    assert not blurred(cv2.resize(soft, (320, 240), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_out_of_focus(name: str) -> None:
    """As a lens does it: discs, not a Gaussian."""
    sharp = picture(name)
    scores = [score(sharp), *(score(defocused(sharp, radius)) for radius in (2, 3, 4, 6))]
    assert scores == sorted(scores, reverse=True)
    assert not blurred(sharp)
    assert blurred(defocused(sharp, 4))


def test_real_cameras(shared_data: Path) -> None:
    """One phone's pictures of three scenes: sharp, and out of focus."""
    paths = sorted((shared_data / "2_blur" / "kwentar_real_triplets").glob("*_S.*"))
    assert paths
    for path in paths:
        sharp, defocused = path, path.with_name(path.name.replace("_S.", "_F."))
        assert score(read(defocused, 512).pixels) < score(read(sharp, 512).pixels)
        assert blurred(read(defocused, 512).pixels)
        assert not blurred(read(sharp, 512).pixels)

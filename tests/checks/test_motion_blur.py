"""Motion blur, against closed forms and against pictures that are directional without being smeared."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from batches import batch_of, levels
from committed import PHOTOS, defocused, gray, picture, shaken

from loupe.brain.checks.motion_blur import MotionBlur, directional_loss, framed, smear_length, spectrum
from loupe.brain.core.records import Scores
from loupe.brain.engine.reader import read

RNG = np.random.default_rng(5)


def score(picture: np.ndarray) -> Scores:
    """(H, W) values in 0 … 255."""
    return MotionBlur().load("cpu")(batch_of(levels(picture)))


def fails(picture: np.ndarray) -> bool:
    threshold = MotionBlur.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["motion_blur"].numpy())[0])


def smeared(picture: np.ndarray, length: int, degrees: float) -> np.ndarray:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length), flags=cv2.INTER_LINEAR)
    return cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


@pytest.fixture
def scene() -> np.ndarray:
    """(240, 320) dead leaves: opaque discs of all sizes, whose statistics are those of photos (Lee et al. 2001)."""
    rng = np.random.default_rng(3)
    picture = np.zeros((240, 320), np.float32)
    for _ in range(3000):
        radius = 2 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, 320)), int(rng.integers(0, 240)))
        cv2.circle(picture, center, round(radius), float(rng.integers(20, 236)), -1, cv2.LINE_AA)
    return picture


def test_the_spectrum_is_numpys() -> None:
    luma = RNG.random((48, 64)).astype(np.float32)
    window = np.outer(np.hanning(48), np.hanning(64))
    expected = np.abs(np.fft.rfft2((luma - luma.mean()) * window, (160, 160))) ** 2
    np.testing.assert_allclose(spectrum(framed(torch.from_numpy(luma))).numpy(), expected, rtol=1e-3, atol=1e-6)


def test_the_loss_is_that_of_a_plain_loop() -> None:
    logs = RNG.normal(size=(160, 81)).astype(np.float32)
    sums = {"fine": np.zeros((12, 2)), "coarse": np.zeros((12, 2))}
    for row in range(160):
        for column in range(81):
            x, y = column / 160, (row if row < 80 else row - 160) / 160
            sector = round((math.degrees(math.atan2(-y, x)) % 180) / 15) % 12
            for band, (low, high) in (("fine", (0.16, 0.5)), ("coarse", (0.02, 0.064))):
                if low <= math.hypot(x, y) < high:
                    sums[band][sector] += (logs[row, column], 1)
    means = {band: values[:, 0] / values[:, 1] for band, values in sums.items()}
    expected = [
        0.5 * (means["coarse"][k] - means["coarse"][k - 6]) - (means["fine"][k] - means["fine"][k - 6])
        for k in range(12)
    ]
    loss = directional_loss(torch.from_numpy(np.exp(logs)))
    np.testing.assert_allclose(loss.numpy(), expected, atol=0.02)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
@pytest.mark.parametrize("length", [9, 15, 27])
def test_a_smear_is_found_with_its_direction_and_length(scene: np.ndarray, length: int, degrees: float) -> None:
    picture = smeared(scene, length, degrees)
    assert fails(picture)
    scores = score(picture)
    off = abs((float(scores["motion_angle"][0]) - degrees + 90) % 180 - 90)
    assert off <= 15
    assert float(scores["motion_length"][0]) * 320 == pytest.approx(length, rel=0.2, abs=2)


def test_a_longer_smear_has_a_longer_length(scene: np.ndarray) -> None:
    part = [torch.from_numpy(smeared(scene, size, 0)[40:200, 80:240] / 255) for size in (5, 9, 15, 25)]
    lengths = [smear_length(spectrum(framed(picture)), 0.0) for picture in part]
    assert lengths == sorted(lengths)


def test_what_is_blurred_dark_hazy_or_noisy_is_not_smeared(scene: np.ndarray) -> None:
    assert not fails(scene)
    for sigma in (1, 3, 6):
        assert not fails(cv2.GaussianBlur(scene, (0, 0), sigma))
    assert not fails(scene * 0.2)
    assert not fails(scene * 0.3 + 150)
    assert not fails(scene + RNG.normal(0, 20, scene.shape))


def test_a_dark_a_hazy_and_a_noisy_smear_are_found(scene: np.ndarray) -> None:
    picture = smeared(scene, 11, 0)
    assert fails(picture * 0.25)
    assert fails(picture * 0.4 + 130)
    assert fails(picture + RNG.normal(0, 2, scene.shape))


def test_the_size_of_the_file_does_not_matter(scene: np.ndarray) -> None:
    picture = smeared(scene, 11, 0)
    large = cv2.resize(picture, (1024, 768), interpolation=cv2.INTER_CUBIC)
    assert float(score(large)["motion_blur"][0]) == pytest.approx(float(score(picture)["motion_blur"][0]), abs=0.3)
    assert float(score(large)["motion_length"][0]) == pytest.approx(11 / 320, abs=0.008)


@pytest.mark.parametrize("shape", [(128, 128), (64, 200), (200, 70)])
def test_a_small_picture_is_judged_by_what_it_has(scene: np.ndarray, shape: tuple[int, int]) -> None:
    big = cv2.resize(scene, (512, 384), interpolation=cv2.INTER_AREA)
    part = big[100 : 100 + shape[0], 100 : 100 + shape[1]]
    assert not fails(part)
    assert fails(smeared(big, 7, 0)[100 : 100 + shape[0], 100 : 100 + shape[1]])


def test_what_is_sharp_has_no_length(scene: np.ndarray) -> None:
    assert float(score(scene)["motion_length"][0]) == 0


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.full((128, 128), 90.0), "too plain"), (RNG.uniform(0, 255, (32, 200)), "too small")],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert math.isnan(float(scores["motion_blur"][0]))
    assert reason in str(scores.reasons[0])


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_that_are_sharp_out_of_focus_or_shaken(name: str) -> None:
    sharp = picture(name)
    assert not fails(gray(sharp))
    assert not fails(gray(defocused(sharp, 3)))
    assert not fails(gray(defocused(sharp, 5)))
    # the rocket's own steps of brightness are too plain for a smear along them
    assert sum(fails(gray(shaken(sharp, length, seed))) for length in (11, 17) for seed in range(3)) >= 4


def test_real_camera_shake_and_defocus(shared_data: Path) -> None:
    lengths = {}
    for path in sorted((shared_data / "2_blur" / "kwentar_real_triplets").glob("*.jpg")):
        lengths[path.stem[-1]] = fails(cv2.cvtColor(read(path, 1024).pixels, cv2.COLOR_RGB2GRAY))
    assert lengths == {"F": False, "M": True, "S": False}

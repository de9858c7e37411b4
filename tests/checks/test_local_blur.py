"""Local blur, against a plain loop and against pictures that are soft in part as photos are."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from committed import PHOTOS, defocused, gray, picture

from loupe.brain.checks.local_blur import LocalBlur, block_softness, grown, softest_windows
from loupe.brain.core.records import Scores
from loupe.brain.defects.local_blur import LocalBlur as Injector
from loupe.brain.defects.local_blur import patch
from loupe.brain.engine.reader import read
from loupe.brain.imaging.batches import ImageBatch

RNG = np.random.default_rng(5)


def score(picture: np.ndarray) -> Scores:
    """(H, W) values in 0 … 255."""
    pixels = np.repeat(picture.clip(0, 255).round().astype(np.uint8)[None, None], 3, 1)
    return LocalBlur().load("cpu")(ImageBatch(("a",), torch.from_numpy(pixels), (picture.shape[1::-1],)))


def fails(picture: np.ndarray) -> bool:
    threshold = LocalBlur.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["local_blur"].numpy())[0])


def oval(shape: tuple[int, ...], x: float = 0.5, y: float = 0.5, radius: float = 0.2) -> np.ndarray:
    """1 inside, 0 outside, with a soft edge."""
    down, across = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    distance = np.hypot(across / shape[1] - x, down / shape[0] - y)
    return np.clip((radius - distance) / 0.03 + 0.5, 0, 1)


def blurred(picture: np.ndarray, mask: np.ndarray, sigma: float = 6) -> np.ndarray:
    return picture * (1 - mask) + cv2.GaussianBlur(picture, (0, 0), sigma) * mask


@pytest.fixture
def scene() -> np.ndarray:
    """(384, 512) dead leaves: opaque discs of all sizes, whose statistics are those of photos (Lee et al. 2001)."""
    rng = np.random.default_rng(3)
    picture = np.zeros((384, 512), np.float32)
    for _ in range(4000):
        radius = 4 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, 512)), int(rng.integers(0, 384)))
        cv2.circle(picture, center, round(radius), float(rng.integers(20, 236)), -1, cv2.LINE_AA)
    return picture


def test_the_softness_is_that_of_a_plain_loop() -> None:
    luma = RNG.random((37, 45)).astype(np.float32)
    luma[:8, 8:16] = 0.5
    wide = cv2.Laplacian(luma, cv2.CV_32F)
    wide[[0, -1]] = wide[:, [0, -1]] = 0
    # beside another picture, each is judged by itself
    both = block_softness(torch.stack([torch.from_numpy(luma), torch.rand(luma.shape)]), 8)
    softness, known = (of[0] for of in both)
    assert softness.shape == known.shape == (4, 5)
    for row in range(4):
        for column in range(5):
            part = np.s_[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
            expected = math.log2((luma[part].std() + 0.25 / 255) / (np.abs(wide[part]).max() + 0.25 / 255))
            assert float(softness[row, column]) == pytest.approx(expected, abs=1e-2)
            assert bool(known[row, column]) == (luma[part].std() > 2.5 / 255)


def test_the_softness_does_not_depend_on_contrast() -> None:
    luma = RNG.random((32, 32)).astype(np.float32)
    bright, dim = (block_softness(torch.from_numpy(luma * gain)[None], 8)[0] for gain in (1, 0.5))
    torch.testing.assert_close(bright, dim, atol=0.05, rtol=0)


def test_the_window_is_where_a_plain_loop_finds_it() -> None:
    softness = RNG.normal(size=(16, 20)).astype(np.float32)
    known = RNG.random((16, 20)) < 0.8
    best, place, soft = -math.inf, (0, 0, 0, 0), 0.0
    for high, wide in ((5, 5), (7, 7), (9, 9), (6, 9), (9, 6), (8, 12), (12, 8), (12, 12)):
        down, across = (high + 1) // 2, (wide + 1) // 2
        for top in range(16 - high + 1):
            for left in range(20 - wide + 1):
                if 16 - high < 2 or 20 - wide < 2:
                    continue

                def mean(y: int, x: int, tall: int, broad: int, share: float = 0.3) -> float:
                    part = np.s_[max(0, y) : max(0, y + tall), max(0, x) : max(0, x + broad)]
                    count = known[part].sum()
                    return float(softness[part][known[part]].mean()) if count > share * tall * broad else math.nan

                sides = [
                    mean(top - down, left, down, wide),
                    mean(top + high, left, down, wide),
                    mean(top, left - across, high, across),
                    mean(top, left + wide, high, across),
                ]
                if np.isfinite(sides).sum() >= 3:
                    excess = mean(top, left, high, wide) - np.nanmax(sides)
                    if excess > best:
                        best, place, soft = excess, (top, left, high, wide), mean(top, left, high, wide)
    # beside another picture, and one of which nothing is known
    pictures = [softness, -softness, softness]
    windows = softest_windows(np.stack(pictures), np.stack([known, known, np.zeros_like(known)]))
    assert float(windows.excess[0]) == pytest.approx(best, abs=1e-4)
    assert tuple(windows.places[0].tolist()) == place
    assert float(windows.inside[0]) == pytest.approx(soft, abs=1e-4)
    assert windows.excess[2] == -math.inf
    assert windows.places[2].tolist() == [0, 0, 0, 0]


def test_a_region_grows_over_what_hangs_together() -> None:
    soft = np.zeros((12, 12), bool)
    soft[3:8, 2:7] = soft[10, 10] = True
    assert grown(soft, (4, 3, 3, 3)) == (3, 2, 5, 5)
    assert grown(np.zeros((12, 12), bool), (4, 3, 3, 3)) == (4, 3, 3, 3)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.35, 0.5), (0.6, 0.45)])
def test_a_soft_patch_is_found_where_it_is(scene: np.ndarray, place: tuple[float, float]) -> None:
    mask = oval(scene.shape, *place)
    picture = blurred(scene, mask)
    assert fails(picture)
    scores = score(picture)
    x, y, width, height = scores.boxes[0][0].bounds
    assert x < place[0] < x + width
    assert y < place[1] < y + height
    assert 0.1 < width * height < 0.4
    blur_map = scores.maps[0]
    assert blur_map is not None
    assert blur_map.dtype == np.float32
    inside = cv2.resize(mask.astype(np.float32), blur_map.shape[::-1], interpolation=cv2.INTER_AREA) > 0.9
    outside = cv2.resize(mask.astype(np.float32), blur_map.shape[::-1], interpolation=cv2.INTER_AREA) < 0.1
    assert blur_map[inside].mean() > blur_map[outside].mean() + 0.3


@pytest.mark.slow
def test_the_injector_is_found_and_covers_what_it_says(scene: np.ndarray) -> None:
    pixels = np.repeat(scene.astype(np.uint8)[..., None], 3, 2)
    n_found = 0
    for seed in range(8):
        assert 0.05 < patch(pixels, np.random.default_rng(seed)).mean() < 0.28
        before = pixels.copy()
        flawed = Injector().inject(pixels, 2, np.random.default_rng(seed))
        assert np.array_equal(pixels, before)
        n_found += fails(flawed[..., 0].astype(np.float32))
    assert n_found >= 5


@pytest.mark.slow
def test_bokeh_depth_and_blur_all_over_are_fine(scene: np.ndarray) -> None:
    down = np.linspace(0, 1, 384)[:, None].repeat(512, 1)
    for sigma in (4, 8, 14):
        assert not fails(blurred(scene, 1 - oval(scene.shape, radius=0.3), sigma))
        assert not fails(blurred(scene, down, sigma))
        assert not fails(blurred(scene, down[::-1], sigma))
        assert not fails(cv2.GaussianBlur(scene, (0, 0), sigma))


def test_plain_parts_noise_and_darkness_are_fine(scene: np.ndarray) -> None:
    mask = oval(scene.shape, radius=0.3)
    assert not fails(scene)
    assert not fails(scene * mask + 225 * (1 - mask))
    assert not fails(scene * (1 - mask) + 225 * mask)
    assert not fails(scene + RNG.normal(0, 15, scene.shape))
    assert not fails(scene * 0.3)


def test_a_subject_in_focus_is_told(scene: np.ndarray) -> None:
    bokeh = score(blurred(scene, 1 - oval(scene.shape, radius=0.2), 8))
    assert float(bokeh["sharp_patch"][0]) > 1 > float(score(scene)["sharp_patch"][0])
    assert float(bokeh["blurred_share"][0]) > float(score(scene)["blurred_share"][0])


@pytest.mark.parametrize(("n", "known"), [(5, False), (6, True)])
def test_a_picture_is_too_plain_below_a_fiftieth_of_its_blocks(n: int, known: bool) -> None:
    plain = np.full((128, 128), 90.0)  # 256 blocks of 8 x 8 pixels
    for block in range(n):
        plain[16:24, 16 + 16 * block : 24 + 16 * block] = RNG.uniform(0, 255, (8, 8))
    assert math.isnan(float(score(plain)["blurred_share"][0])) != known


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.full((128, 128), 90.0), "too plain"), (RNG.uniform(0, 255, (20, 200)), "too small")],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert all(math.isnan(float(values[0])) for values in scores.values())
    assert reason in str(scores.reasons[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PHOTOS if name != "pagoda"])  # whose lake is smooth
def test_photos_that_are_sharp_or_out_of_focus_all_over_are_fine(name: str) -> None:
    for pixels in (picture(name), defocused(picture(name), 3), defocused(picture(name), 5)):
        scores = score(gray(pixels))
        assert not math.isnan(float(scores["local_blur"][0]))
        assert not fails(gray(pixels))


def test_what_is_out_of_focus_or_sharp_all_over_is_fine(shared_data: Path) -> None:
    for path in sorted((shared_data / "2_blur" / "kwentar_real_triplets").glob("*_[FS].jpg")):
        assert not fails(cv2.cvtColor(read(path, 1024).pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)), path.name

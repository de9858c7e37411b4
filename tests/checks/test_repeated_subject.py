"""Repeated subject, against a plain loop and against pictures that repeat as walls, fronts and pages do."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from loupe.brain.checks.repeated_subject import RepeatedSubject, bands, candidates, smooth, verify
from loupe.brain.core.records import Scores
from loupe.brain.defects.repeated_subject import RepeatedSubject as Injector
from loupe.brain.defects.repeated_subject import near_copy
from loupe.brain.imaging.batches import ImageBatch

RNG = np.random.default_rng(5)


def score(picture: np.ndarray) -> Scores:
    """(H, W, 3) values in 0 … 255."""
    pixels = picture.clip(0, 255).round().astype(np.uint8).transpose(2, 0, 1)[None]
    return RepeatedSubject().load("cpu")(ImageBatch(("a",), torch.from_numpy(pixels), (picture.shape[1::-1],)))


def fails(picture: np.ndarray) -> bool:
    threshold = RepeatedSubject.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["repeated_subject"].numpy())[0])


@pytest.fixture
def scene() -> np.ndarray:
    """(384, 512, 3) dead leaves: opaque discs of all sizes, whose statistics are those of photos (Lee et al. 2001)."""
    rng = np.random.default_rng(3)
    picture = np.zeros((384, 512, 3), np.float32)
    for _ in range(6000):
        radius = 4 / math.sqrt(1 - rng.random() * 0.99)
        center = (int(rng.integers(0, 512)), int(rng.integers(0, 384)))
        cv2.circle(picture, center, round(radius), rng.integers(20, 236, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def repeated(picture: np.ndarray, gain: float = 1, grain: float = 0) -> np.ndarray:
    """A part of 120 x 140 pixels at (40, 60), drawn again at (220, 330)."""
    copied = picture.copy()
    copied[220:340, 330:470] = picture[40:160, 60:200] * gain + RNG.normal(0, 1, (120, 140, 3)) * grain
    return copied


def band_of(picture: torch.Tensor) -> np.ndarray:
    """(3, H, W) in 0 … 1, band-passed."""
    return bands(picture[None])[0].numpy()


def test_the_blur_is_opencvs() -> None:
    layers = RNG.random((2, 40, 50)).astype(np.float32)
    for sigma in (0.8, 5.0):
        size = 2 * int(3 * sigma) + 1
        expected = [cv2.GaussianBlur(layer, (size, size), sigma, borderType=cv2.BORDER_REPLICATE) for layer in layers]
        np.testing.assert_allclose(smooth(torch.from_numpy(layers), sigma).numpy(), expected, atol=1e-4)


def test_a_copy_is_verified_and_another_place_is_not(scene: np.ndarray) -> None:
    luma = torch.from_numpy(cv2.resize(repeated(scene)[..., 1], (256, 192), interpolation=cv2.INTER_AREA) / 255)[None]
    band = (smooth(luma, 0.8) - smooth(luma, 5.0))[0]
    pairs = torch.tensor([[50.0, 65.0, 140.0, 200.0], [51.0, 64.0, 143.0, 202.0], [50.0, 65.0, 110.0, 60.0]])
    similarities = verify(band, pairs).tolist()
    assert min(similarities[:2]) > 0.9
    assert similarities[2] < 0.6


def test_a_match_may_be_four_pixels_off(scene: np.ndarray) -> None:
    luma = torch.from_numpy(cv2.resize(repeated(scene)[..., 1], (256, 192), interpolation=cv2.INTER_AREA) / 255)[None]
    band = (smooth(luma, 0.8) - smooth(luma, 5.0))[0]
    offs = [(sign * off, 0) for off in (0, 4, 5) for sign in (-1, 1)] + [(0, sign * 5) for sign in (-1, 1)]
    pairs = torch.tensor([[50.0, 65.0, 140.0 + down, 200.0 + right] for down, right in offs])
    alike = verify(band, pairs)
    assert float(alike[:4].min()) > 0.98
    assert float(alike[4:].max()) < 0.95


@pytest.mark.parametrize(("deviation", "n"), [(5.5, 0), (6.5, 25)])
def test_a_window_with_less_detail_than_six_levels_is_plain(deviation: float, n: int) -> None:
    # stripes of one tone: what the two blurs leave of them is a share that is measured on strong ones
    across = np.cos(np.arange(96) * 2 * np.pi / 8)[None].repeat(96, 0)
    band = smooth(torch.from_numpy(across).float()[None] - smooth(torch.from_numpy(across).float()[None], 6.0), 0.8)
    halves = torch.nn.functional.avg_pool2d(band, 2)[0, 8:-8, 8:-8]
    stripes = 0.5 + across * deviation / 255 / float(halves.square().mean().sqrt())
    _, count = candidates(band_of(torch.from_numpy(stripes).float().repeat(3, 1, 1)))
    assert (count > 1000) == (n > 0)


def test_there_are_ten_candidates_at_most() -> None:
    rng = np.random.default_rng(12)
    picture = rng.uniform(0, 1, (3, 12, 16)).repeat(8, 1).repeat(8, 2).astype(np.float32)
    picture = smooth(torch.from_numpy(picture), 1.0)
    twice = torch.cat([picture[:, :, :64], picture[:, :, :64]], 2)
    pairs, count = candidates(band_of(twice))
    assert (len(pairs), count > 100) == (10, True)


def test_a_copy_of_another_size_has_neighbors_that_agree_within_two_pixels(scene: np.ndarray) -> None:
    picture = scene.copy()
    picture[180:372, 280:504] = cv2.resize(picture[20:180, 20:220], (224, 192), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(picture, (96, 72), interpolation=cv2.INTER_AREA)
    pairs, _ = candidates(band_of(torch.from_numpy(small).permute(2, 0, 1) / 255))
    assert len(pairs)
    for top, left, down, right in pairs.tolist():
        (top, left), (down, right) = sorted([(top, left), (down, right)])
        expected = (180 + (top * 5.33 - 20) * 1.2, 280 + (left * 5.33 - 20) * 1.12)
        assert (down * 5.33, right * 5.33) == pytest.approx(expected, abs=16)


def test_one_straight_edge_verifies_nothing() -> None:
    band = torch.zeros(128, 256)
    band[:, 60], band[:, 200] = 0.3, 0.3
    assert verify(band, torch.tensor([[60.0, 60.0, 60.0, 200.0]])).tolist() == [0.0]


@pytest.mark.parametrize(("gain", "grain"), [(1, 0), (0.8, 0), (1, 6)])
def test_a_part_drawn_again_is_found_where_it_is(scene: np.ndarray, gain: float, grain: float) -> None:
    picture = repeated(scene, gain, grain)
    assert fails(picture)
    scores = score(picture)
    assert float(scores["repeated_distance"][0]) == pytest.approx(math.hypot(180, 270) / 512, abs=0.05)
    places = ((60, 40), (330, 220))
    centers = [
        ((x + wide / 2) * 512, (y + high / 2) * 384) for x, y, wide, high in (box.bounds for box in scores.boxes[0])
    ]
    assert len(centers) == 2
    for x, y in places:
        assert any(x <= across <= x + 140 and y <= down <= y + 120 for across, down in centers)


def test_the_injector_draws_near_copies(scene: np.ndarray) -> None:
    pixels = scene.astype(np.uint8)
    subject = pixels[:90, :120]
    changes = [
        np.abs(near_copy(subject, change, np.random.default_rng(2)) - subject).mean() for change in (2, 5, 10, 15)
    ]
    assert changes == sorted(changes)
    n_found = 0
    for seed in range(8):
        before = pixels.copy()
        flawed = Injector().inject(pixels, 98, np.random.default_rng(seed))
        assert np.array_equal(pixels, before)
        changed = (np.abs(flawed.astype(int) - pixels).max(2) > 0).mean()
        assert 0.01 < changed < 0.25
        n_found += fails(flawed)
    assert n_found >= 2, "recall of a flaw that lies anywhere and of any size is low: some are found"


def test_a_picture_of_many_things_is_fine(scene: np.ndarray) -> None:
    assert not fails(scene)
    assert not fails(scene * 0.3)
    assert not fails(scene + RNG.normal(0, 12, scene.shape))
    assert not fails(np.concatenate([scene[:, :256], scene[:, 255::-1]], 1)), "left-right symmetric"
    assert not fails(np.concatenate([scene[:192], scene[191::-1]])), "reflected"


def test_what_repeats_many_times_is_fine() -> None:
    wall = np.full((384, 512, 3), 170.0)
    for row in range(16):
        for column in range(-1, 8):
            x, y = column * 64 + row % 2 * 32, row * 24
            cv2.rectangle(wall, (x + 2, y + 2), (x + 61, y + 21), (150, 70, 50), -1)
    assert not fails(wall)
    assert not fails(wall + RNG.normal(0, 6, wall.shape))
    front = np.full((384, 512, 3), 200.0)
    for y in range(20, 340, 80):
        for x in range(20, 480, 70):
            cv2.rectangle(front, (x, y), (x + 35, y + 50), (40, 40, 60), -1)
    assert not fails(front + RNG.normal(0, 6, front.shape))


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((128, 128, 3), 90.0), "too plain"),
        (RNG.uniform(0, 255, (40, 200, 3)), "too small"),
        (RNG.uniform(0, 255, (70, 900, 3)), "narrow"),
    ],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert all(math.isnan(float(values[0])) for values in scores.values())
    assert reason in str(scores.reasons[0])

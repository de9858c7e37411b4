"""Aliasing, against closed forms and against pictures that have a period, blocks or crisp edges without stairs."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from batches import batch_of, levels

from loupe.brain.checks.aliasing import Aliasing, repetitions
from loupe.brain.core.records import Scores
from loupe.brain.defects.aliasing import Aliasing as AliasingDefect

RNG = np.random.default_rng(5)


def score(picture: np.ndarray) -> Scores:
    """(H, W) values in 0 … 255."""
    return Aliasing().load("cpu")(batch_of(levels(picture)))


def fails(picture: np.ndarray) -> bool:
    threshold = Aliasing.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["aliasing"].numpy())[0])


def enlarged(picture: np.ndarray, factor: float, how: int = cv2.INTER_NEAREST) -> np.ndarray:
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)


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


def test_the_share_of_a_comb_is_one_and_that_of_a_constant_zero() -> None:
    for period in (2, 3, 4, 5, 6, 7):
        comb = np.zeros((1, 600), np.float32)
        comb[:, ::period] = 1
        (share,), (measured_period,) = repetitions(comb)
        assert share == pytest.approx(1, abs=0.05)
        # each multiple of the frequency is as strong
        assert measured_period * round(period / measured_period) == pytest.approx(period, rel=0.02)
    assert repetitions(np.ones((1, 600), np.float32))[0] == pytest.approx(0, abs=0.01)
    # two of three: |1 + exp(2 pi i / 3)| / 2
    assert repetitions(np.tile(np.float32([1, 1, 0]), 200)[None])[0] == pytest.approx(0.5, abs=0.02)


def test_the_share_is_that_of_a_plain_sum() -> None:
    profile = RNG.random(300).astype(np.float32)
    weighted = profile * np.hanning(300)
    frequencies = np.arange(1025) / 2048
    spectrum = np.abs(np.exp(-2j * np.pi * frequencies[:, None] * np.arange(300)) @ weighted) / weighted.sum()
    expected = spectrum[287:].max() - spectrum[62:287].max()
    assert repetitions(profile[None])[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("factor", [1.5, 1.7, 2, 2.5, 3, 4, 5, 6])
def test_what_is_enlarged_by_the_nearest_pixel_is_found(scene: np.ndarray, factor: float) -> None:
    scores = score(enlarged(scene, factor))
    assert float(scores["aliasing"][0]) > 0.3
    assert 1 < float(scores["aliasing_period"][0]) < 8
    assert 1 <= len(scores.boxes[0]) <= 5
    assert {box.label for box in scores.boxes[0]} == {"aliasing"}


def test_it_is_found_in_jpeg_in_the_dark_and_under_noise(scene: np.ndarray) -> None:
    for factor in (2, 3, 4):
        picture = enlarged(scene, factor)
        _, encoded = cv2.imencode(".jpg", picture.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 75])
        assert fails(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
        assert fails(picture * 0.3)
        assert fails(picture + RNG.normal(0, 3, picture.shape))


def test_other_ways_to_scale_are_no_aliasing(scene: np.ndarray) -> None:
    assert not fails(scene)
    for factor in (0.5, 0.6, 0.8):
        assert not fails(enlarged(scene, factor, cv2.INTER_AREA))
        assert not fails(enlarged(scene, factor, cv2.INTER_LANCZOS4))
    for factor in (1.3, 2, 3, 4):
        assert not fails(enlarged(scene, factor, cv2.INTER_LINEAR))
        assert not fails(enlarged(scene, factor, cv2.INTER_CUBIC))


@pytest.mark.parametrize("quality", [10, 30, 50, 75])
def test_the_blocks_of_jpeg_are_no_aliasing(scene: np.ndarray, quality: int) -> None:
    _, encoded = cv2.imencode(".jpg", scene.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert not fails(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def test_noise_grids_and_crisp_boxes_are_no_aliasing() -> None:
    assert not fails(RNG.uniform(0, 255, (300, 400)))
    for pitch in (8, 10, 16, 31):
        table = np.full((400, 500), 250.0)
        table[::pitch] = 60
        table[:, ::pitch] = 60
        assert not fails(table)
        board = np.indices((400, 500)) // pitch
        assert not fails((board.sum(0) % 2) * 200.0)
    screen = np.full((400, 500), 250.0)
    for _ in range(30):
        x, y = RNG.integers(0, 450), RNG.integers(0, 350)
        screen[y : y + RNG.integers(5, 60), x : x + RNG.integers(5, 120)] = RNG.integers(0, 256)
    assert not fails(screen)


def test_drawn_text_and_lines_are_no_aliasing() -> None:
    page = np.full((400, 500), 245, np.uint8)
    for line in range(12):
        cv2.putText(page, "the quick brown fox 427", (10, 30 + 30 * line), 0, 0.8, 20, 1, cv2.LINE_AA)
        cv2.line(page, (0, 33 * line), (499, 20 * line), 90, 2, cv2.LINE_AA)
    assert not fails(page)


def test_the_middle_of_a_large_picture_is_judged_at_its_own_resolution(scene: np.ndarray) -> None:
    large = enlarged(scene, 6, cv2.INTER_CUBIC)
    assert large.shape == (1440, 1920)
    assert not fails(large)
    assert fails(enlarged(cv2.resize(large, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 2))
    for box in score(enlarged(large[:720, :960], 2)).boxes[0]:
        assert 448 / 1920 - 1e-6 <= box.bounds[0] <= 1472 / 1920
        assert 208 / 1440 - 1e-6 <= box.bounds[1] <= 1232 / 1440


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.full((128, 128), 90.0), "too plain"), (RNG.uniform(0, 255, (32, 200)), "too small")],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert math.isnan(float(scores["aliasing"][0]))
    assert reason in str(scores.reasons[0])


def test_the_defect_keeps_the_shape_and_is_found(scene: np.ndarray) -> None:
    pixels = np.repeat(scene.astype(np.uint8)[..., None], 3, 2)
    before = pixels.copy()
    changes = []
    for severity in AliasingDefect.severities:
        worse = AliasingDefect().inject(pixels, severity, np.random.default_rng(0))
        assert worse.shape == pixels.shape
        assert worse.dtype == np.uint8
        changes.append(float(score(worse[..., 0])["aliasing"][0]))
    assert changes[0] > score(pixels[..., 0])["aliasing"][0]
    assert min(changes[1:]) > 0.2
    assert np.array_equal(pixels, before)

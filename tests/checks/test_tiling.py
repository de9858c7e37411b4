"""Tiling, against plain loops and against pictures that repeat only roughly."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from batches import batch_of, levels
from committed import PHOTOS, picture

from loupe.brain.checks import tiling
from loupe.brain.checks.tiling import Tiling
from loupe.brain.core.records import Scores
from loupe.brain.defects.tiling import Tiling as Injector
from loupe.brain.engine.reader import read
from loupe.brain.measures.repetition.blocks import mean_squares, pool, repeated_blocks
from loupe.brain.measures.repetition.fine_detail import fine_detail
from loupe.brain.measures.repetition.shifts import repeats

SCORE = Tiling().load("cpu")


def score(picture: np.ndarray) -> Scores:
    """(H, W) or (H, W, 3) values in 0 … 255."""
    return SCORE(batch_of(levels(picture)))


def fails(picture: np.ndarray) -> bool:
    threshold = Tiling.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["tiling"].numpy())[0])


def leaves(seed: int, height: int = 384, width: int = 512) -> np.ndarray:
    """Dead leaves with a little grain: opaque discs of all sizes, whose statistics are those of photos."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width), np.float32)
    for _ in range(4000):
        radius = 2 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.circle(picture, center, round(radius), float(rng.integers(20, 236)), -1, cv2.LINE_AA)
    return picture + rng.normal(0, 2, picture.shape).astype(np.float32)


def bricks(jitter: int) -> np.ndarray:
    """A wall whose bricks are off by up to ``jitter`` pixels, each with its own tone and grain."""
    rng = np.random.default_rng(1)
    picture = np.full((384, 512), 190.0)
    for row, top in enumerate(range(0, 384, 32)):
        for left in range(-32 * (row % 2), 512, 64):
            y, x = top + rng.integers(-jitter, jitter + 1), left + rng.integers(-jitter, jitter + 1)
            corners = (int(x) + 3, int(y) + 3), (int(x) + 60, int(y) + 28)
            cv2.rectangle(picture, *corners, float(rng.uniform(90, 140)), -1)
    return cv2.GaussianBlur(picture, (0, 0), 0.8) + cv2.GaussianBlur(rng.normal(0, 25, picture.shape), (0, 0), 0.8)


#: as planes are on the CPU, and on a device
KINDS = pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
Kind = Callable[[np.ndarray], Any]


@KINDS
def test_the_means_are_those_of_plain_loops(kind: Kind) -> None:
    values = np.random.default_rng(2).random((50, 61)).astype(np.float32)
    expected = [[values[y : y + 24, x : x + 24].mean() for x in range(0, 60 - 12, 12)] for y in range(0, 48 - 12, 12)]
    np.testing.assert_allclose(pool(kind(values)), expected, rtol=1e-5)
    expected = [[(values[y : y + 24, x : x + 24] ** 2).mean() for x in range(0, 38, 2)] for y in range(0, 28, 2)]
    np.testing.assert_allclose(np.asarray(mean_squares(kind(values)))[:14, :19], expected, rtol=1e-5)


def test_what_is_plain_beside_detail_is_like_nothing() -> None:
    """Running sums of strong and faint detail that end in a plain part are a little below 0: there is no root of it."""
    rng = np.random.default_rng(0)
    values = (rng.normal(0, 0.5, (240, 320)) * 10 ** rng.uniform(-5, 0, (240, 320))).astype(np.float32)
    values[:, 107:] = 0
    assert mean_squares(values).min() < 0, "the case that is meant"
    with np.errstate(invalid="raise"):
        assert repeated_blocks(values, np.ones_like(values), 24, 36) is None


def test_the_detail_is_that_of_plain_loops() -> None:
    values = np.random.default_rng(2).integers(0, 256, (48, 64)).astype(np.uint8)
    means = []
    for size in (3, 9):
        wide = np.pad(values / 255, size // 2, mode="edge")
        means.append([[wide[y : y + size, x : x + size].mean() for x in range(64)] for y in range(48)])
    raw = np.array(means[0]) - np.array(means[1])
    detail, contrast = fine_detail(torch.from_numpy(values))
    np.testing.assert_allclose(detail, raw / (np.abs(raw) + 0.2 * (contrast + 1 / 255)), atol=1e-5)
    # in the middle of a block of 16 x 16 pixels, it is the contrast of that block, nearly
    middles = np.sqrt([[(raw[y : y + 16, x : x + 16] ** 2).mean() for x in range(0, 64, 16)] for y in range(0, 48, 16)])
    np.testing.assert_allclose(contrast[8::16, 8::16], middles, rtol=0.05)


@KINDS
def test_a_block_is_repeated_where_its_correlation_says_so(kind: Kind) -> None:
    rng = np.random.default_rng(4)
    detail = cv2.GaussianBlur(rng.normal(size=(120, 150)), (0, 0), 0.8).astype(np.float32)
    detail[60:120, 80:150] = detail[10:70, 30:100]
    detail[60:90, 80:110] += cv2.GaussianBlur(rng.normal(0, 1.5, (30, 30)), (0, 0), 0.8).astype(np.float32)
    contrast = np.ones((120, 150), np.float32)
    repeated = repeated_blocks(kind(detail), kind(contrast), 50, 50)
    assert repeated is not None
    same, (top, left) = repeated
    repeats_at = {(top + 12 * int(y), left + 12 * int(x)) for y, x in np.argwhere(same)}
    expected = set()
    for y in range(0, 120 - 54 - 23, 12):
        for x in range(0, 150 - 54 - 23, 12):
            block, copy = detail[y : y + 24, x : x + 24], detail[y + 50 : y + 74, x + 50 : x + 74]
            if (block * copy).sum() / math.sqrt((block**2).sum() * (copy**2).sum()) > 0.8:
                expected.add((y, x))
    assert repeats_at == expected
    assert 0 < len(expected) < 12
    assert repeated_blocks(kind(detail), kind(contrast), 50, 50, minimum=len(repeats_at) + 1) is None


@pytest.mark.parametrize("period", [(64, 64), (192, 256), (96, 171), (384, 100), (50, 512)])
def test_a_repeated_patch_is_found_with_its_period(period: tuple[int, int]) -> None:
    patch = leaves(3)[: period[0], : period[1]]
    tiled = np.tile(patch, (math.ceil(384 / period[0]), math.ceil(512 / period[1])))[:384, :512]
    tiled += np.random.default_rng(3).normal(0, 1.5, tiled.shape)
    scores = score(tiled)
    assert float(scores["tiling"][0]) > 0.8
    facts = scores.boxes[0][0].attributes
    for key, side, size in (("down", period[0], 384), ("right", period[1], 512)):
        shift = abs(float(facts[key])) * size
        assert min(shift % side, -shift % side) <= 1


@KINDS
def test_of_many_periods_the_five_strongest_are_looked_at(kind: Kind) -> None:
    rng = np.random.default_rng(11)
    shifts = [(40, 60), (90, -150), (150, 30), (200, 130), (60, -70), (120, 200), (30, 160)]
    detail = rng.normal(size=(512, 512))
    strengths = np.linspace(0.9, 0.6, len(shifts))
    parts = [rng.normal(size=(512, 512)) for _ in shifts]
    for part, shift, strength in zip(parts, shifts, strengths, strict=True):
        detail += strength * (part + np.roll(part, shift, (0, 1)))
    assert repeats(kind(detail.astype(np.float32))) == shifts[:5]


def test_it_is_judged_at_512_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []
    real = tiling.fine_detail

    def noting(luma: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        shapes.append(tuple(luma.shape))
        return real(luma)

    monkeypatch.setattr(tiling, "fine_detail", noting)
    score(leaves(3, 600, 800))
    score(leaves(3, 300, 400))
    assert shapes == [(384, 512), (300, 400)], "and never made larger"


def test_in_a_small_picture_a_share_is_of_forty_blocks() -> None:
    small = np.tile(leaves(3, 64, 48), (1, 2))
    detail, contrast = tiling.fine_detail(torch.from_numpy(small.clip(0, 255).round().astype(np.uint8)))
    assert pool(contrast).size == 4 * 7
    repeated = repeated_blocks(detail, contrast, 0, 48)
    assert repeated is not None
    assert float(score(small)["tiling"][0]) == pytest.approx(2 * int(repeated[0].sum()) / 40)


def test_more_of_it_has_a_higher_score() -> None:
    picture = np.repeat(leaves(5)[..., None], 3, 2).clip(0, 255).round().astype(np.uint8)
    before = picture.copy()
    injected = [Injector().inject(picture, size, np.random.default_rng(6)) for size in Injector.severities]
    assert np.array_equal(picture, before)
    values = [float(score(picture)["tiling"][0]) for picture in injected]
    assert values[2] < values[3] < values[4]
    assert [fails(picture) for picture in injected[2:]] == [True] * 3


def test_what_repeats_roughly_is_not_tiling() -> None:
    assert not fails(leaves(1))
    assert not fails(bricks(2))
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:384, :512]
    threads = 128 + 50 * np.sin(x * 2 * np.pi / 5.0) * np.sin(y * 2 * np.pi / 4.0) + rng.normal(0, 5, x.shape)
    assert not fails(threads)
    blinds = 128 + 80 * np.sign(np.sin(y * 2 * np.pi / 30)) + rng.normal(0, 3, x.shape)
    assert not fails(blinds)
    assert not fails(128 + rng.normal(0, 30, x.shape))


def test_low_quality_jpeg_is_not_tiling() -> None:
    for quality in (30, 60):
        code = cv2.imencode(".jpg", leaves(2).clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        assert not fails(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32))


def test_size_tone_and_jpeg_hardly_matter() -> None:
    tiled = np.tile(leaves(9)[:96, :128], (4, 4))
    assert fails(tiled * 0.3)
    assert fails(cv2.resize(tiled, (900, 675), interpolation=cv2.INTER_CUBIC))
    code = cv2.imencode(".jpg", tiled.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert fails(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32))


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.full((128, 128), 90.0), "too plain"), (leaves(1)[:40], "too small")],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert math.isnan(float(scores["tiling"][0]))
    assert reason in str(scores.reasons[0])


@pytest.mark.parametrize("name", [*PHOTOS, "brick"])
def test_photos_their_tiled_parts_and_a_wall_of_bricks(name: str) -> None:
    pixels = picture(name)
    assert not fails(pixels)
    assert not fails(cv2.resize(pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    assert fails(np.tile(pixels[:height, :width], (2, 2, 1)))


def test_real_things_that_repeat(shared_data: Path) -> None:
    words = ("shoji", "radiator", "window_shade", "tile_roof", "honeycomb", "strawberry", "window_screen", "crossword")
    folder = shared_data / "1_real_photos" / "imagenet_sample_1000"
    pictures = [path for path in sorted(folder.iterdir()) if any(word in path.stem for word in words)]
    failing = [path.stem for path in pictures if fails(read(path, 1024).pixels)]
    assert len(failing) <= len(pictures) // 10

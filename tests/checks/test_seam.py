"""Seams, against a plain loop and against lines that are none."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from committed import PHOTOS, picture

from loupe.brain.checks import seam
from loupe.brain.checks.seam import Seam, lost_coherence, one_way
from loupe.brain.core.records import Scores
from loupe.brain.defects.seam import Seam as Injector
from loupe.brain.engine.reader import read
from loupe.brain.imaging import steps
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.steps import step_shares

SCORE = Seam().load("cpu")


def score(picture: np.ndarray) -> Scores:
    """(H, W) or (H, W, 3) values in 0 … 255."""
    levels = picture.clip(0, 255).round().astype(np.uint8)
    levels = np.repeat(levels[..., None], 3, 2) if levels.ndim == 2 else levels
    pixels = torch.from_numpy(levels.transpose(2, 0, 1)[None].copy())
    return SCORE(ImageBatch(("a",), pixels, (picture.shape[1::-1],)))


def fails(picture: np.ndarray) -> bool:
    threshold = Seam.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["seam"].numpy())[0])


def leaves(seed: int, height: int = 384, width: int = 512) -> np.ndarray:
    """Dead leaves, a little blurred, as a lens does: their statistics are those of photos (Lee et al. 2001)."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width), np.float32)
    for _ in range(3000):
        radius = 4 / math.sqrt(1 - rng.random() * 0.998)
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.circle(picture, center, round(radius), float(rng.integers(20, 236)), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, 1.5, picture.shape).astype(np.float32)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    code = cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32)


@pytest.mark.parametrize("by_opencv", [True, False])
@pytest.mark.parametrize("width", [1, 2])
def test_the_shares_are_those_of_a_plain_loop(width: int, by_opencv: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "by_opencv", lambda values: by_opencv)
    levels = np.random.default_rng(1).integers(0, 60, (64, 44)).astype(np.int16)
    levels[:, 25:] += 90
    step = np.abs(np.diff(levels, axis=1))
    expected = np.zeros((8, 43))
    for row in range(64):
        for column in range(6, 43 - 6 - (width - 1)):
            beside = np.r_[step[row, column - 6 : column], step[row, column + width : column + width + 6]]
            across = abs(int(levels[row, column + width]) - int(levels[row, column]))
            expected[row // 8, column] += (across > 1.5 * beside.max() and across >= 3) / 8
    grid = np.pad(expected, ((0, 0), (8, 8)))
    expected = np.maximum(0, expected - np.maximum(grid[:, :-16], grid[:, 16:]))
    # beside another picture, each is judged by itself
    pictures = np.stack([255 - levels, levels, levels[:, ::-1]]).astype(np.uint8)
    shares = step_shares(torch.from_numpy(pictures), (width,))[0]
    np.testing.assert_allclose(shares[1], expected, atol=1e-6)
    np.testing.assert_allclose(shares[0], expected, atol=1e-6)


def test_the_largest_steps_are_steps() -> None:
    """From black to white beside a step that one and a half times is more than white."""
    levels = np.zeros((64, 44), np.uint8)
    levels[:, 20:] = 255
    assert step_shares(torch.from_numpy(levels)[None], (1,))[0][0, :, 19].tolist() == [1.0] * 8
    levels[:, 14] = 190
    assert step_shares(torch.from_numpy(levels)[None], (1,))[0][0, :, 19].tolist() == [0.0] * 8


@pytest.mark.parametrize("width", [1, 2])
def test_lost_coherence_is_the_same_in_bytes(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = torch.from_numpy(np.random.default_rng(2).integers(0, 256, (3, 90, 70)).astype(np.uint8))
    columns = np.array([[3, 20, 66], [0, 5, 69], [10, 11, 12]])
    in_bytes = seam.lost_coherence(levels, columns, width)
    monkeypatch.setattr(seam, "opencv", lambda: None)
    np.testing.assert_array_equal(in_bytes, seam.lost_coherence(levels, columns, width))
    assert in_bytes.max() > 0


def test_of_lines_with_equal_shares_the_first_are_looked_at() -> None:
    shares = np.zeros((2, 400), np.float32)
    shares[:, 10::20] = 0.25
    shares[1, 390] = 0.5
    columns = [sorted(row) for row in seam._likeliest(shares).tolist()]
    assert columns == [[10, 30, 50, 70, 90, 110], [10, 30, 50, 70, 90, 390]]


def test_directions_are_counted_as_a_plain_loop_does() -> None:
    """30 of 64 rows step up, 2 down, the rest too little: a balance of 1/8, half of what no content exceeds."""
    levels = np.full((64, 20), 100, np.int16)
    levels[:30, 10:] += 8
    levels[30:32, 10:] -= 8
    levels[32:, 10:] += 7

    def weights(*columns: int) -> np.ndarray:
        pictures = np.stack([np.full_like(levels, 100), levels]).astype(np.uint8)
        return one_way(torch.from_numpy(pictures), np.array([columns, columns]))[1]

    whole = weights(9, 4)[0]
    np.testing.assert_allclose(whole, [0.7 + 0.3 * (2 * 2 / 32) / 0.25, 0.7], rtol=1e-6)
    levels[:8] -= (levels[:8] > 100) * np.int16(16)
    assert weights(9)[0].item() == pytest.approx(1)
    # over its last half nothing has a direction
    assert weights(9)[3].item() == pytest.approx(0.7)


def test_a_level_horizon_is_no_seam() -> None:
    """Sky and land, each with content of its own, meet at a line that a lens has drawn; a seam of the two is sharp."""
    sky, land = leaves(11), leaves(12)
    horizon = np.concatenate([130 + sky[:200] * 0.45, land[200:] * 0.4])
    soft = cv2.GaussianBlur(horizon, (0, 0), 0.8)
    assert not fails(soft)
    seam = np.concatenate([sky[:200], land[200:]])
    assert fails(seam)
    # as sharp as a seam, it counts less than one whose rows step up and down
    assert float(score(horizon)["seam"]) < float(score(seam)["seam"])


def test_coherence_is_lost_between_two_pictures_and_nowhere_else() -> None:
    rng = np.random.default_rng(2)
    left, right = (np.repeat(rng.integers(0, 200, (160, 1)), 20, 1) for _ in range(2))
    levels = torch.from_numpy(np.stack([np.hstack([left, left]), np.hstack([left, right])]).astype(np.uint8))
    lost = lost_coherence(levels, np.array([[1, 2, 3], [10, 19, 30]]))[1]
    assert lost[:, 0].max() == 0
    assert lost[:, 2].max() == 0
    a, b = left[4:, 0] - left[:-4, 0], right[4:, 0] - right[:-4, 0]
    rows = (160 - 4) // 8 * 8
    a, b = a[:rows], b[:rows]
    expected = np.abs(a - b).sum() / (np.abs(a) + np.abs(b) + 0.5).sum()
    assert float(lost[0, 1]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("place", [0.25, 0.4, 0.5, 0.78])
@pytest.mark.parametrize("upright", [True, False])
def test_two_pictures_side_by_side_are_found_with_the_place(place: float, upright: bool) -> None:
    first, second = leaves(1), leaves(2)
    cut = round(place * (512 if upright else 384))
    picture = np.hstack([first[:, :cut], second[:, cut:]]) if upright else np.vstack([first[:cut], second[cut:]])
    scores = score(picture)
    assert fails(picture)
    assert float(scores["seam_position"][0]) == pytest.approx(place, abs=0.004)
    assert float(scores["seam_angle"][0]) == (90 if upright else 0)
    x, y, width, _ = scores.boxes[0][0].bounds
    assert (width < 0.02) == upright
    assert (x if upright else y) == pytest.approx(place, abs=0.01)
    assert fails(jpeg(picture, 50))
    assert fails(cv2.resize(picture, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA))


def test_a_rolled_texture_and_a_tiles_side_are_found() -> None:
    assert fails(np.roll(leaves(3), (100, 200), (0, 1)))
    part = leaves(4)
    part[96:, 200:350] = leaves(5)[96:, 200:350]
    scores = score(part)
    assert fails(part)
    assert {round(box.bounds[0] * 512 / 10) for box in scores.boxes[0] if box.bounds[2] < 0.02} == {20, 35}


def test_a_larger_displacement_has_a_higher_score() -> None:
    picture = np.repeat(leaves(6)[..., None], 3, 2).clip(0, 255).round().astype(np.uint8)
    before = picture.copy()
    means = [
        np.mean([float(score(Injector().inject(picture, size, np.random.default_rng(k)))["seam"][0]) for k in range(6)])
        for size in (0.5, 2, 8)
    ]
    assert np.array_equal(picture, before)
    assert means == sorted(means)
    assert means[-1] > 0.3


def test_lines_that_are_no_seams() -> None:
    scene = leaves(7)
    assert not fails(scene)
    for quality in (30, 50, 75):
        assert not fails(jpeg(scene, quality))
    assert not fails(scene * 0.3)
    framed = cv2.copyMakeBorder(scene[20:-20, 20:-20], 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=30.0)
    assert not fails(framed)
    assert not fails(jpeg(framed, 60))
    split = scene.copy()
    split[:, 190:196] = 240
    assert not fails(split)
    table = np.full((384, 512), 250.0)
    table[::32] = 20
    table[:, ::64] = 20
    assert not fails(table)
    horizon = cv2.GaussianBlur(np.vstack([np.full((190, 512), 210.0), np.full((194, 512), 90.0)]), (0, 0), 0.7)
    assert not fails(horizon + np.random.default_rng(9).normal(0, 3, horizon.shape))


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.full((256, 256), 90.0), "too plain"), (leaves(1)[:40], "too small"), (leaves(1)[:100, :100], "too small")],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert math.isnan(float(scores["seam"][0]))
    assert reason in str(scores.reasons[0])


@pytest.mark.parametrize("first", range(len(PHOTOS)))
def test_four_photos_in_a_grid_and_each_of_them(first: int) -> None:
    parts = [picture(PHOTOS[(first + step) % len(PHOTOS)])[:320, :320] for step in (0, 1, 3, 5)]
    grid = np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])])
    scores = score(grid)
    assert fails(grid)
    assert float(scores["seam_position"][0]) == pytest.approx(0.5, abs=0.004)
    assert not fails(parts[0])


def test_real_grids_and_their_quarters(shared_data: Path) -> None:
    paths = sorted((shared_data / "5_generated" / "sd15_2x2_grids" / "img").glob("*.webp"))[:24:2]
    grids = [read(path, 1024).pixels for path in paths]
    assert all(fails(grid) for grid in grids)
    assert sum(fails(grid[:512, :512]) for grid in grids) <= 1

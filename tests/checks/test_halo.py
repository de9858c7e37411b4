"""Halos, against the closed form of an unsharp mask and against pictures that have edges and no rims."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from committed import PHOTOS, gray, picture

from loupe.brain.checks import halo
from loupe.brain.checks.halo import Halo, rims
from loupe.brain.core.records import Scores
from loupe.brain.defects.halo import Halo as HaloDefect
from loupe.brain.engine.reader import read
from loupe.brain.imaging import edges as edges_module
from loupe.brain.imaging import luma as luma_module
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.edges import REACH, Edges, strong_edges

RNG = np.random.default_rng(5)


def score(picture: np.ndarray) -> Scores:
    """(H, W) values in 0 … 255."""
    pixels = np.repeat(picture.clip(0, 255).round().astype(np.uint8)[None, None], 3, 1)
    return Halo().load("cpu")(ImageBatch(("a",), torch.from_numpy(pixels), (picture.shape[1::-1],)))


def fails(picture: np.ndarray) -> bool:
    threshold = Halo.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(picture)["halo"].numpy())[0])


@pytest.mark.parametrize("way", [edges_module._by_numpy, edges_module._by_torch])
@pytest.mark.parametrize("name", ["pagoda", "scene"])
def test_the_edges_are_those_of_plain_loops(name: str, way: Callable[..., Edges], scene: np.ndarray) -> None:
    photo = (gray(picture(name)) if name == "pagoda" else scene)[:90, :120]
    levels = photo.clip(0, 255).round().astype(np.uint8)
    for vertical in (True, False):
        edges = way(torch.from_numpy(levels), vertical)
        turned = levels if vertical else levels.T
        expected = {}
        for row, line in enumerate(turned.astype(int)):
            for column in range(REACH - 1, len(line) - REACH):
                profile = line[column + 1 - REACH : column + REACH + 1]
                slopes = [2 * (profile[i + 2] - profile[i + 1]) + profile[i + 3] - profile[i] for i in range(21)]
                own = slopes[REACH - 2]
                beyond, before = (
                    int(turned[place, column]) for place in (min(row + 1, len(turned) - 1), max(row - 2, 0))
                )
                across = beyond - before
                left, right = profile[:6], profile[-6:]
                change, middle = right.mean() - left.mean(), profile[REACH] - profile[REACH - 1]
                if (
                    abs(own) > 2 * 0.08 * 255
                    and abs(own) > abs(slopes[REACH - 3])
                    and abs(own) == max(map(abs, slopes))
                    and abs(own) >= 2 * abs(across)
                    and 2 * max(np.ptp(left), np.ptp(right)) <= abs(change)
                    and abs(change) > 0.08 * 255
                    and change * middle > 0
                ):
                    expected[row, column] = -min(np.sign(own) * slope for slope in slopes) / abs(own)
        places = (edges.rows, edges.columns) if vertical else (edges.columns, edges.rows)
        backs = dict(zip(zip(*(place.tolist() for place in places), strict=True), edges.back.tolist(), strict=True))
        assert backs == pytest.approx(expected)
        assert len(backs) > 2


@pytest.mark.parametrize("way", [edges_module._by_numpy, edges_module._by_torch])
def test_a_plain_picture_has_no_edges(way: Callable[..., Edges]) -> None:
    for side in (2 * REACH + 2, 60):
        edges = way(torch.full((side, side), 90, dtype=torch.uint8), True)
        assert edges.profiles.shape == (0, 2 * REACH)
        assert len(edges.rows) == len(edges.back) == 0


def test_few_edges_lie_all_over_the_picture(scene: np.ndarray) -> None:
    edges = edges_module._by_numpy(torch.from_numpy(scene.round().astype(np.uint8)), True)
    few = edges.few(len(edges.rows) // 10)
    assert len(edges.rows) // 20 < len(few.rows) <= len(edges.rows) // 10
    assert few.rows.min() < 60
    assert few.rows.max() > 324
    assert len(edges.few(len(edges.rows)).rows) == len(edges.rows)


@pytest.mark.parametrize("name", ["pagoda", "scene", "brick"])
def test_the_edges_are_the_same_on_every_device(name: str, scene: np.ndarray) -> None:
    levels = torch.from_numpy((scene if name == "scene" else gray(picture(name))).clip(0, 255).round().astype(np.uint8))
    for vertical in (True, False):
        here, other = edges_module._by_numpy(levels, vertical), edges_module._by_torch(levels, vertical)
        assert len(here.rows) > 5
        for part in ("rows", "columns", "profiles", "back"):
            assert torch.equal(getattr(here, part), getattr(other, part))


def unsharp(picture: np.ndarray, amount: float, radius: float) -> np.ndarray:
    return picture + amount * (picture - cv2.GaussianBlur(picture, (0, 0), radius))


@pytest.fixture
def scene() -> np.ndarray:
    """(384, 512) opaque discs of all sizes, with levels that leave room for rims."""
    rng = np.random.default_rng(3)
    picture = np.full((384, 512), 120, np.float32)
    for _ in range(250):
        center = (int(rng.integers(0, 512)), int(rng.integers(0, 384)))
        cv2.circle(picture, center, int(rng.integers(12, 60)), float(rng.integers(60, 196)), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.7)


def test_the_rim_of_a_step_is_that_of_the_closed_form() -> None:
    # an unsharp mask of a step leaves a * (1 - Phi(d / s)) at the distance d, on both sides
    step = np.where(np.arange(64) < 32, 80.0, 160.0).astype(np.float32)
    amount, radius = 0.8, 2.0
    picture = unsharp(np.tile(step, (64, 1)), amount, radius)
    edges, none = strong_edges(torch.from_numpy(picture.round().astype(np.uint8)))
    assert len(none.rows) == 0
    assert edges.columns.unique().tolist() == [31]
    overshoots, room = rims(edges.profiles)
    assert room.all()
    distance = np.arange(REACH) + 0.5
    expected = amount * np.array([0.5 * math.erfc(d / radius / math.sqrt(2)) for d in distance])
    for side in (overshoots[0], overshoots[-1]):
        np.testing.assert_allclose(side.numpy(), expected, atol=0.02)


def test_profiles_are_those_of_a_plain_loop() -> None:
    luma = cv2.GaussianBlur(RNG.random((60, 70)).astype(np.float32), (0, 0), 4)
    levels = ((luma - luma.min()) / np.ptp(luma) * 255).round().astype(np.uint8)
    luma = levels * np.float32(1 / 255)
    for edges in strong_edges(torch.from_numpy(levels)):
        for row, column, profile in zip(edges.rows.tolist(), edges.columns.tolist(), edges.profiles, strict=True):
            line, place = (luma[row], column) if edges.vertical else (luma[:, column], row)
            np.testing.assert_array_equal(profile.numpy(), line[place + 1 - REACH : place + REACH + 1])
            values = profile.numpy()
            slopes = np.abs(values[2:-1] - values[1:-2] + (values[3:] - values[:-3]) / 2)
            assert slopes.max() == pytest.approx(slopes[REACH - 2])
            assert slopes.max() >= 0.08


def test_edges_are_the_same_after_turning_the_picture(scene: np.ndarray) -> None:
    luma = torch.from_numpy(scene[:160, :200].round().astype(np.uint8))
    upright, level = strong_edges(luma)
    level_t, upright_t = strong_edges(luma.T.contiguous())[::-1]
    assert set(zip(upright.rows.tolist(), upright.columns.tolist(), strict=True)) == set(
        zip(level_t.columns.tolist(), level_t.rows.tolist(), strict=True)
    )
    assert len(level.rows) == len(upright_t.rows)


@pytest.mark.parametrize(("amount", "radius"), [(1, 3), (2, 2.5), (2, 5), (4, 3)])
def test_a_strong_unsharp_mask_is_found_with_its_places(scene: np.ndarray, amount: float, radius: float) -> None:
    picture = unsharp(scene, amount, radius)
    assert fails(picture)
    scores = score(picture)
    assert 1 <= len(scores.boxes[0]) <= 5
    assert {box.label for box in scores.boxes[0]} == {"halo"}
    assert 0 < float(scores["halo_width"][0]) < 0.03


def test_more_is_worse_and_wider_is_wider(scene: np.ndarray) -> None:
    scores = [float(score(unsharp(scene, amount, 3))["halo"][0]) for amount in (0, 0.5, 1, 2)]
    assert scores == sorted(scores)
    widths = [float(score(unsharp(scene, 2, radius))["halo_width"][0]) for radius in (2.5, 5)]
    assert widths == sorted(widths)


def test_what_is_crisp_blurred_dark_noisy_or_sharpened_by_a_camera_has_no_halo(scene: np.ndarray) -> None:
    assert not fails(scene)
    assert not fails(cv2.GaussianBlur(scene, (0, 0), 2))
    assert not fails(scene * 0.3)
    assert not fails(scene + RNG.normal(0, 8, scene.shape))
    assert not fails(unsharp(scene, 0.5, 0.8))
    _, encoded = cv2.imencode(".jpg", scene.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])
    assert not fails(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32))


def test_outlines_are_no_halo() -> None:
    picture = np.full((384, 512), 150, np.float32)
    rng = np.random.default_rng(4)
    for _ in range(40):
        center, radius = (int(rng.integers(0, 512)), int(rng.integers(0, 384))), int(rng.integers(20, 60))
        cv2.circle(picture, center, radius, float(rng.integers(90, 220)), -1, cv2.LINE_AA)
        cv2.circle(picture, center, radius, 15, 3, cv2.LINE_AA)
    assert not fails(picture)


def test_what_has_no_halo_has_no_boxes_and_no_width(scene: np.ndarray) -> None:
    scores = score(scene)
    assert not scores.boxes
    assert float(scores["halo_width"][0]) == 0


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((256, 256), 90.0), "too few strong edges"),
        (RNG.uniform(0, 255, (20, 300)), "too small"),
        (RNG.uniform(0, 255, (200, 200)), "too small"),
    ],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    assert math.isnan(float(scores["halo"][0]))
    assert math.isnan(float(scores["halo_width"][0]))
    assert reason in str(scores.reasons[0])


@pytest.mark.parametrize(("n", "known"), [(7, False), (8, True)])
def test_fewer_than_eight_edges_say_nothing(
    scene: np.ndarray, monkeypatch: pytest.MonkeyPatch, n: int, known: bool
) -> None:
    def few(luma: torch.Tensor) -> list[Edges]:
        edges = strong_edges(luma)[0]
        edges = edges.at(edges.back <= halo._MAX_BACK)
        _, room = rims(edges.profiles)
        own = room.view(2, -1).all(0).nonzero()[:n, 0]  # both of their sides have room for a rim
        assert len(own) == n
        return [edges.at(own)]

    monkeypatch.setattr(luma_module, "strong_edges", few)
    assert math.isnan(float(score(scene)["halo"][0])) != known


def test_the_defect_gets_worse_and_leaves_the_picture_alone(scene: np.ndarray) -> None:
    pixels = np.repeat(scene.astype(np.uint8)[..., None], 3, 2)
    before = pixels.copy()
    changes = [
        np.abs(HaloDefect().inject(pixels, severity, np.random.default_rng(0)).astype(int) - pixels).mean()
        for severity in HaloDefect.severities
    ]
    assert changes == sorted(changes)
    assert np.array_equal(pixels, before)


def test_photos_and_their_halos() -> None:
    sharpened = 0
    for index, name in enumerate(PHOTOS):
        assert not fails(gray(picture(name)))
        sharpened += fails(gray(HaloDefect().inject(picture(name), 2, np.random.default_rng(index))))
    assert sharpened >= len(PHOTOS) - 1


@pytest.mark.slow
def test_real_photos(shared_data: Path) -> None:
    paths = sorted((shared_data / "1_real_photos" / "imagenet_sample_1000").iterdir())[:60:2]
    clean, sharpened = 0, 0
    for index, path in enumerate(paths):
        pixels = read(path, 1024).pixels
        clean += fails(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        worse = HaloDefect().inject(pixels, 2, np.random.default_rng(index))
        sharpened += fails(cv2.cvtColor(worse, cv2.COLOR_RGB2GRAY))
    assert clean <= 2
    assert sharpened >= 0.6 * len(paths)

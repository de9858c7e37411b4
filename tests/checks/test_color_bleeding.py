"""Color bleeding, against closed forms and against pictures whose colors are soft, faint or noisy without running."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from loupe.brain.checks import color_bleeding
from loupe.brain.checks.color_bleeding import ColorBleeding, explained
from loupe.brain.core.records import Scores
from loupe.brain.defects.color_bleeding import ColorBleeding as ColorBleedingDefect
from loupe.brain.imaging import luma as luma_module
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.edges import REACH, Edges, strong_edges

RNG = np.random.default_rng(5)
BLURS = [0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 10.0]
SHIFTS = [-8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8]


def score(pixels: np.ndarray) -> Scores:
    """(H, W, 3) values in 0 … 255."""
    planes = torch.from_numpy(pixels.clip(0, 255).round().astype(np.uint8).transpose(2, 0, 1)[None].copy())
    return ColorBleeding().load("cpu")(ImageBatch(("a",), planes, (pixels.shape[1::-1],)))


def fails(pixels: np.ndarray) -> bool:
    threshold = ColorBleeding.outputs[0].default_threshold
    assert threshold is not None
    return bool(threshold.violates(score(pixels)["color_bleeding"].numpy())[0])


def on_color(pixels: np.ndarray, blur: float = 0, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    color = np.roll(planes[..., 1:], shift, (0, 1))
    planes[..., 1:] = cv2.GaussianBlur(color, (0, 0), blur) if blur else color
    return cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])


@pytest.fixture
def scene() -> np.ndarray:
    """(384, 512, 3) opaque discs of all sizes and colors."""
    rng = np.random.default_rng(3)
    picture = np.full((384, 512, 3), 120, np.uint8)
    for _ in range(250):
        center = (int(rng.integers(0, 512)), int(rng.integers(0, 384)))
        color = tuple(int(value) for value in rng.integers(30, 226, 3))
        cv2.circle(picture, center, int(rng.integers(12, 60)), color, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.7)


def edge(at: float, width: float) -> np.ndarray:
    """A profile across a Gaussian edge."""
    return np.array([0.5 * math.erfc(-(x - at) / width / math.sqrt(2)) for x in np.arange(2 * REACH) - REACH + 0.5])


@pytest.mark.parametrize(("width", "best"), [(0.3, 0.0), (3.0, 3.0), (4.5, 4.5)])
def test_the_blur_of_a_gaussian_edge_is_found(width: float, best: float) -> None:
    luma = torch.tensor(edge(0, 0.2), dtype=torch.float32)[None]
    color = torch.tensor(np.stack([edge(0, width), -0.4 * edge(0, width)]), dtype=torch.float32)[None]
    by_blur, _ = explained(luma, color)
    assert BLURS[int(by_blur[0].argmax())] == pytest.approx(best, abs=0.8)
    assert float(by_blur[0].max()) > 0.99


@pytest.mark.parametrize("shift", [-6, -3, 0, 2, 5])
def test_the_displacement_of_an_edge_is_found(shift: int) -> None:
    luma = torch.tensor(edge(0, 0.5), dtype=torch.float32)[None]
    color = torch.tensor(np.stack([edge(shift, 0.8), 0 * edge(0, 1)]), dtype=torch.float32)[None]
    _, by_shift = explained(luma, color)
    assert SHIFTS[int(by_shift[0].argmax())] == shift


def test_the_share_is_the_square_of_numpys_correlation() -> None:
    luma = RNG.normal(size=(6, 2 * REACH)).astype(np.float32)
    color = RNG.normal(size=(6, 2 * REACH)).astype(np.float32)
    blurs, _ = explained(torch.from_numpy(luma), torch.from_numpy(np.stack([color, 0 * color], 1)))
    expected = [np.corrcoef(row, color_row)[0, 1] ** 2 for row, color_row in zip(luma, color, strict=True)]
    np.testing.assert_allclose(blurs[:, 0].numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("size", [6, 8, 10])
def test_blurred_colors_are_found_with_their_places(scene: np.ndarray, size: float) -> None:
    scores = score(on_color(scene, blur=size))
    assert fails(on_color(scene, blur=size))
    assert float(scores["color_spread"][0]) * 512 >= 0.7 * size
    assert 1 <= len(scores.boxes[0]) <= 5
    assert {box.label for box in scores.boxes[0]} == {"color_bleeding"}


@pytest.mark.parametrize("shift", [(0, 4), (4, 0), (-6, 0), (5, -3)])
def test_displaced_colors_are_found_with_their_distance(scene: np.ndarray, shift: tuple[int, int]) -> None:
    scores = score(on_color(scene, shift=shift))
    assert fails(on_color(scene, shift=shift))
    assert float(scores["color_shift"][0]) * 512 == pytest.approx(math.hypot(*shift), abs=1.1)


def test_what_is_subsampled_blurred_dark_noisy_or_colorful_does_not_bleed(scene: np.ndarray) -> None:
    assert not fails(scene)
    for quality in (50, 75, 95):
        assert not fails(jpeg(scene, quality))
    for sigma in (1, 2, 4):
        assert not fails(cv2.GaussianBlur(scene, (0, 0), sigma))
    assert not fails(scene * 0.3)
    assert not fails(scene + RNG.normal(0, 10, scene.shape))
    level = scene.mean(2, keepdims=True)
    assert not fails(level + 0.4 * (scene - level))
    assert not fails(level + 1.6 * (scene - level))


def test_bleeding_is_found_in_jpeg_and_in_the_dark(scene: np.ndarray) -> None:
    for picture in (on_color(scene, blur=6), on_color(scene, shift=(0, 5))):
        assert fails(jpeg(picture, 75))
        assert fails(picture * 0.5)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((128, 128, 3), 90.0), "too few edges of color"),
        (np.repeat(np.kron(RNG.uniform(0, 255, (6, 8)), np.ones((40, 40)))[..., None], 3, 2), "too few edges"),
        (RNG.uniform(0, 255, (20, 200, 3)), "too small"),
    ],
)
def test_where_nothing_can_be_said_it_is_unknown(picture: np.ndarray, reason: str) -> None:
    scores = score(picture)
    for name in ("color_bleeding", "color_spread", "color_shift"):
        assert math.isnan(float(scores[name][0]))
    assert reason in str(scores.reasons[0])


def test_the_defect_keeps_the_luma_and_gets_worse(scene: np.ndarray) -> None:
    before = scene.copy()
    level = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY).astype(int)
    for seed in range(4):
        changes = []
        for severity in ColorBleedingDefect.severities:
            worse = ColorBleedingDefect().inject(scene, severity, np.random.default_rng(seed))
            changes.append(np.abs(worse.astype(int) - scene).mean())
            # colors that run where they are out of range are cut off, which changes the luma a little
            assert np.abs(cv2.cvtColor(worse, cv2.COLOR_RGB2GRAY).astype(int) - level).mean() < 6
        assert changes == sorted(changes)
    assert np.array_equal(scene, before)
    assert ColorBleedingDefect().inject(scene[:1, :1], 2, np.random.default_rng(0)).shape == (1, 1, 3)


def test_the_profiles_are_those_of_opencvs_color_planes(scene: np.ndarray) -> None:
    planes = torch.from_numpy(scene.transpose(2, 0, 1).copy())
    luma = torch.from_numpy(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY))
    expected = cv2.cvtColor(scene.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb) - 0.5
    for edges in strong_edges(luma):
        kept, color = color_bleeding._colors(planes, edges)
        assert len(kept.rows) > 20
        for plane, of_opencv in enumerate((expected[..., 2], expected[..., 1])):
            peer = kept.across(torch.from_numpy(np.ascontiguousarray(of_opencv)))
            np.testing.assert_allclose(color[:, plane].numpy(), peer.numpy(), atol=0.01)


def test_the_places_are_where_the_color_runs(scene: np.ndarray) -> None:
    runs = on_color(scene, blur=10)
    for picture, begin, end in (
        (np.concatenate([runs[:, :432], scene[:, 432:]], 1), 0.0, 432 / 512),
        (np.concatenate([scene[:, :80], runs[:, 80:]], 1), 80 / 512, 1.0),
    ):
        boxes = score(picture).boxes[0]
        assert boxes
        for left, _, width, _ in (box.bounds for box in boxes):
            assert begin < left + width / 2 < end


@pytest.mark.parametrize(("n", "known"), [(11, False), (12, True)])
def test_fewer_than_twelve_edges_of_color_say_nothing(
    scene: np.ndarray, monkeypatch: pytest.MonkeyPatch, n: int, known: bool
) -> None:
    def few(luma: torch.Tensor) -> list[Edges]:
        planes = torch.from_numpy(scene.transpose(2, 0, 1).copy())
        edges, color = color_bleeding._colors(planes, strong_edges(luma)[0])
        good = (explained(edges.profiles, color)[0].amax(1) > 0.9).nonzero()[:n, 0]
        assert len(good) == n
        return [edges.at(good)]

    monkeypatch.setattr(luma_module, "strong_edges", few)
    assert math.isnan(float(score(scene)["color_bleeding"][0])) != known

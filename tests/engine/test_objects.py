"""Objects of pictures: what a check says of a crop is what it says of that crop as a file, and each file is decoded
once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.records import Output, Scores
from loupe.brain.core.specs import Check, Embedder
from loupe.brain.engine import crops, objects, runner
from loupe.brain.engine.crops import OBJECTS, Region, no_box, places
from loupe.brain.engine.map import map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.imaging import decode as decoding
from loupe.brain.imaging.batches import ImageBatch

CROPS = [name for name, spec in registry.checks().items() if not spec().not_of_crops()]
BOUNDS = [
    (0.1, 0.1, 0.4, 0.5),
    (0.0, 0.0, 1.0, 1.0),
    (0.5, 0.25, 0.75, 0.5),  # reaches beyond the picture
    (0.31, 0.17, 0.213, 0.331),
    (0.7, 0.7, 0.01, 0.01),
    (0.5, 0.5, 0.0, 0.2),
    (1.2, 0.5, 0.1, 0.2),
    (math.nan, 0.5, 0.1, 0.2),
    (0.1, 0.1, 0.4, 0.5),
]


def _scene(seed: int, width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scenes")
    paths = []
    for at, (width, height) in enumerate([(300, 240), (300, 240), (200, 320), (640, 480)]):
        paths.append(folder / f"{at}.png")
        Image.fromarray(_scene(at, width, height)).save(paths[-1])
    return paths


def _rows(paths: list[Path], names: list[str], bounds: list[tuple[float, ...]] = BOUNDS) -> list[Row]:
    regions = tuple(Region(str(at), "thing", each) for at, each in enumerate(bounds))
    return [
        Row(str(path), str(path), {OBJECTS: regions}, frozenset(names), dict.fromkeys(names, "key:inputs"))
        for path in paths
    ]


def _by_file(check: Check, path: Path, bounds: tuple[float, ...], folder: Path) -> tuple[dict[str, float], str | None]:
    """What the check says of the crop as a file of its own."""
    with Image.open(path) as picture:
        width, height = picture.size
        left, top = max(round(bounds[0] * width), 0), max(round(bounds[1] * height), 0)
        right = min(round((bounds[0] + bounds[2]) * width), width)
        bottom = min(round((bounds[1] + bounds[3]) * height), height)
        file = folder / f"{path.stem}-{left}-{top}-{right}-{bottom}.png"
        picture.crop((left, top, max(right, left + 1), max(bottom, top + 1))).save(file)
    row = Row("crop", str(file), {}, frozenset({check.name}), {check.name: "key"})
    ((verdict,),) = runner.run([row], [check])
    return dict(verdict.scores), verdict.reasons.get(check.name)


@pytest.mark.parametrize("name", CROPS)
def test_a_crop_is_judged_as_a_picture_of_its_own(name: str, scenes: list[Path], tmp_path: Path) -> None:
    check = registry.checks()[name]()
    verdicts = [verdict for chunk in objects.run(_rows(scenes, [name]), [check]) for verdict in chunk]
    assert [verdict.row.id for verdict in verdicts] == [str(path) for path in scenes]
    for path, verdict in zip(scenes, verdicts, strict=True):
        results = verdict.results[name]
        assert len(results) == len(BOUNDS)
        for bounds, result in zip(BOUNDS, results, strict=True):
            if no_box(bounds):
                assert (dict(result.values), result.reason) == ({}, no_box(bounds))
                continue
            scores, reason = _by_file(check, path, bounds, tmp_path)
            assert result.reason == reason
            for output, score in scores.items():
                assert result.values.get(output, math.nan) == pytest.approx(score, abs=1e-5, nan_ok=True)


def test_each_file_is_decoded_once_for_all_of_its_objects_and_checks(
    scenes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    original = decoding.decode

    def counted(path: Any, *args: Any, **more: Any) -> Any:
        decoded.append(str(path))
        return original(path, *args, **more)

    monkeypatch.setattr(decoding, "decode", counted)
    specs = [registry.checks()[name]() for name in CROPS] + [spec() for spec in registry.objects().values()]
    list(objects.run(_rows(scenes, [spec.name for spec in specs]), specs))
    assert sorted(decoded) == sorted(map(str, scenes))


def test_crops_are_cut_once_for_all_checks_unless_they_take_too_much_memory(
    scenes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["sharpness", "exposure"]
    specs = [registry.checks()[name]() for name in names]
    cut: list[int] = []
    original = crops._crop
    monkeypatch.setattr(crops, "_crop", lambda *args: cut.append(1) or original(*args))
    at_once = [verdict.results for chunk in objects.run(_rows(scenes, names), specs) for verdict in chunk]
    kinds = sum(not no_box(bounds) for bounds in BOUNDS)
    assert len(cut) == kinds * len(scenes)
    cut.clear()
    monkeypatch.setattr(crops, "_HELD_PIXELS", 0)
    monkeypatch.setattr(crops, "_GROUP_PIXELS", 20_000)
    anew = [verdict.results for chunk in objects.run(_rows(scenes, names), specs) for verdict in chunk]
    assert len(cut) == 2 * kinds * len(scenes)
    assert [_plain(results) for results in anew] == [_plain(results) for results in at_once]


def _plain(results: Any) -> Any:
    return [
        (name, [{key: repr(value) for key, value in each.values.items()} | {"": each.reason} for each in own])
        for name, own in sorted(results.items())
    ]


def test_places_are_whole_pixels_within_the_picture() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        width, height = rng.integers(1, 50, 2).tolist()
        bounds = tuple(rng.uniform(-0.5, 1.2, 4).tolist())
        place = places(bounds, width, height)
        if no_box(bounds):
            assert place is None
            continue
        assert place is not None
        left, top, right, bottom = place
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_a_file_that_cannot_be_read_is_a_reason_on_each_object(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    specs = [registry.checks()["sharpness"](), registry.objects()["cut"]()]
    ((verdict,),) = objects.run(_rows([broken], ["sharpness", "cut"]), specs)
    for name in ("sharpness", "cut"):
        assert [result.values for result in verdict.results[name]] == [{}] * len(BOUNDS)
        assert all(str(result.reason).startswith("unreadable: ") for result in verdict.results[name])


def test_a_check_that_breaks_costs_the_sample_and_no_other(scenes: list[Path]) -> None:
    @dataclass(frozen=True)
    class Breaking(Check):
        """Breaks on tall crops."""

        name = "breaking"
        version = 1
        reference = "this test"
        license = "Apache-2.0"
        outputs = (Output("breaking", "0 to 1", None, (0, 1), "The mean"),)

        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            def score(batch: ImageBatch) -> Scores:
                if batch.pixels.shape[2] > 320:
                    raise RuntimeError("too tall")
                return Scores({"breaking": torch.ones(len(batch))})

            return score

    specs = [Breaking(), registry.objects()["tiny"]()]
    verdicts = [each for chunk in objects.run(_rows(scenes, ["breaking", "tiny"]), specs) for each in chunk]
    assert [list(verdict.errors) for verdict in verdicts] == [[], [], [], ["breaking"]]
    assert verdicts[3].errors["breaking"] == "RuntimeError: too tall"
    assert "breaking" not in verdicts[3].results
    assert len(verdicts[3].results["tiny"]) == len(BOUNDS)


def test_the_vector_of_a_crop_is_that_of_the_crop_as_a_picture(scenes: list[Path]) -> None:
    @dataclass(frozen=True)
    class Means(Embedder):
        """Mean colors."""

        name = "means"
        version = 1
        reference = "this test"
        license = "Apache-2.0"

        def load(self, device: str) -> Callable[[ImageBatch], torch.Tensor]:
            return lambda batch: torch.nn.functional.normalize(batch.pixels.float().mean((2, 3)), dim=1)

    rows = _rows(scenes, ["vectors"])
    mapped = [each for chunk in map_rows(rows, [objects.embedding(Means(), "vectors")]) for each in chunk]
    for path, each in zip(scenes, mapped, strict=True):
        vectors = each.values["vectors"]
        assert vectors.shape == (len(BOUNDS), 3)
        pixels = np.asarray(Image.open(path))
        for bounds, vector in zip(BOUNDS, vectors, strict=True):
            place = places(bounds, pixels.shape[1], pixels.shape[0])
            if place is None:
                assert np.isnan(vector).all()
                continue
            left, top, right, bottom = place
            mean = pixels[top:bottom, left:right].reshape(-1, 3).mean(0)
            assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)

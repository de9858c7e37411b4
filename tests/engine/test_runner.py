"""One sample that breaks a check, or a batch that does not fit, costs that sample or that batch alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Output, Points, Scores
from loupe.brain.core.specs import Check
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import luma_of
from loupe.brain.imaging.ragged import AnyBatch


@dataclass(frozen=True)
class Mean(Check):
    """Mean value, which breaks where it is told to."""

    name = "mean"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    outputs = (Output("mean_value", "0 to 255", True, (0, 255), "The mean value"),)
    needs = ("prompt",)
    maximum: int = 100

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score(batch: ImageBatch) -> Scores:
            if len(batch) > self.maximum:
                raise torch.OutOfMemoryError("CUDA out of memory")
            if "broken" in batch.fields["prompt"]:
                raise RuntimeError("cannot")
            means = batch.pixels.float().mean((1, 2, 3))
            unknown = torch.tensor([prompt is None for prompt in batch.fields["prompt"]])
            means[unknown] = math.nan
            return Scores(
                {"mean_value": means},
                reasons=tuple("no prompt" if flag else None for flag in unknown),
                boxes=tuple((Box("all", (0, 0, 1, 1)),) for _ in batch.ids),
            )

        return score


def _rows(pictures: list[Path], prompts: list[str | None]) -> list[Row]:
    return [
        Row(str(index), str(path), {"prompt": prompt}, frozenset({"mean"}), {"mean": "key"})
        for index, (path, prompt) in enumerate(zip(pictures, prompts, strict=True))
    ]


def test_scores_reasons_boxes_and_errors_reach_their_own_sample(pictures: list[Path], tmp_path: Path) -> None:
    rows = _rows([*pictures, tmp_path / "missing.png"], ["a", "broken", None, "b", "c", "d", "e", "f", "g"])
    verdicts = [verdict for chunk in runner.run(rows, [Mean()]) for verdict in chunk]
    assert [verdict.row.id for verdict in verdicts] == [row.id for row in rows]
    assert [list(verdict.errors) for verdict in verdicts] == [[], ["mean"], [], [], [], [], [], [], []]
    assert "RuntimeError: cannot" in verdicts[1].errors["mean"]
    assert verdicts[2].reasons == {"mean": "no prompt"}
    assert math.isnan(verdicts[2].scores["mean_value"])
    assert verdicts[8].reasons["mean"].startswith("unreadable: ")
    for index in (0, 3, 4, 5, 6, 7):
        from PIL import Image

        expected = torch.tensor(list(Image.open(pictures[index]).tobytes())).float().mean().item()
        assert math.isclose(verdicts[index].scores["mean_value"], expected, rel_tol=1e-4)
        assert verdicts[index].boxes["mean"][0].label == "all"


def test_a_batch_that_does_not_fit_is_halved(pictures: list[Path]) -> None:
    rows = _rows(pictures, ["a"] * 8)
    whole = [verdict.scores for chunk in runner.run(rows, [Mean()]) for verdict in chunk]
    halved = [verdict.scores for chunk in runner.run(rows, [Mean(maximum=1)]) for verdict in chunk]
    assert whole == halved


def test_only_pending_checks_run(pictures: list[Path]) -> None:
    waits_for = [frozenset({"mean"}), frozenset({"share"}), frozenset({"mean", "share"}), frozenset[str]()]
    rows = [Row(str(index), str(pictures[0]), {"prompt": "a"}, pending, {}) for index, pending in enumerate(waits_for)]
    verdicts = [verdict for chunk in runner.run(rows, [Mean(), Share()]) for verdict in chunk]
    names = {"mean": "mean_value", "share": "share"}
    assert [set(verdict.scores) for verdict in verdicts] == [{names[name] for name in pending} for pending in waits_for]
    assert not any(verdict.errors or verdict.reasons for verdict in verdicts)


def test_a_check_that_no_row_waits_for_is_not_loaded(pictures: list[Path]) -> None:
    class Unloadable(Share):
        def load(self, device: str) -> Callable[[AnyBatch], Scores]:
            raise AssertionError("loaded, though no row waits for it")

    rows = _rows(pictures[:1], ["a"])
    assert len(next(iter(runner.run(rows, [Mean(), Unloadable()])))) == 1
    assert not list(runner.run([], [Unloadable()]))


def test_a_row_that_waits_for_no_check_given_is_refused(pictures: list[Path]) -> None:
    rows = [Row("0", str(pictures[0]), {}, frozenset({"mean", "haze"}), {})]
    with pytest.raises(InputError, match="expected rows that wait for mean only, got haze"):
        list(runner.run(rows, [Mean()]))


@dataclass(frozen=True)
class Marks(Check):
    """Marks: a map, a box, points and a reason that say which picture they are of."""

    name = "marks"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    outputs = (Output("marks", "0 to 1", True, (0, 1), "The first red value"),)
    map_field = "marks_map"
    boxes_field = "marks_boxes"
    points_field = "marks_points"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score(batch: ImageBatch) -> Scores:
            first = [int(value) for value in batch.pixels[:, 0, 0, 0]]
            return Scores(
                {"marks": torch.tensor(first) / 255},
                reasons=tuple(f"reason {value}" for value in first),
                boxes=tuple((Box(str(value), (0, 0, 1, 1)),) for value in first),
                maps=tuple(np.full((2, 2), value / 255, np.float32) for value in first),
                points=tuple((Points(str(value), ((0.5, value / 255),)),) for value in first),
            )

        return score


def test_every_sample_gets_its_own_map_boxes_points_and_reason(tmp_path: Path) -> None:
    from PIL import Image

    rows = []
    for index, value in enumerate((10, 60, 110, 160, 210)):
        Image.new("RGB", (8, 6), (value, 0, 0)).save(tmp_path / f"{index}.png")
        rows.append(Row(str(value), str(tmp_path / f"{index}.png"), {}, frozenset({"marks"}), {}))
    verdicts = [verdict for chunk in runner.run(rows, [Marks()], batch_size=5) for verdict in chunk]
    assert [verdict.row.id for verdict in verdicts] == ["10", "60", "110", "160", "210"]
    for verdict in verdicts:
        value = int(verdict.row.id)
        assert verdict.scores["marks"] == pytest.approx(value / 255)
        assert verdict.reasons["marks"] == f"reason {value}"
        assert verdict.maps["marks"].tolist() == [[pytest.approx(value / 255)] * 2] * 2
        assert verdict.boxes["marks"][0].label == str(value)
        assert verdict.points["marks"][0].label == str(value)


@dataclass(frozen=True)
class Share(Check):
    """Share: of pixels above a level.

    As a check that takes pictures of several shapes at once.
    """

    name = "share"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    ragged = True
    outputs = (Output("share", "ratio", True, (0, 1), "A share."),)
    asked: ClassVar[list[int]] = []

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        def score(batch: AnyBatch) -> Scores:
            self.asked.append(len(batch))
            if "3" in batch.ids:
                raise RuntimeError("not this one")
            return Scores({"share": batch.each(lambda part: (part.luma.levels > 100).float().mean((1, 2)))})

        return score


def test_pictures_of_several_shapes_are_judged_together(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (20 + 3 * (index // 2), 30, 3), dtype=np.uint8) for index in range(8)]
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    rows = [Row(str(index), str(tmp_path / f"{index}.png"), {}, frozenset({"share"}), {}) for index in range(8)]
    Share.asked.clear()
    verdicts = {verdict.row.id: verdict for chunk in runner.run(rows, [Share()], batch_size=8) for verdict in chunk}
    assert Share.asked[0] == 8
    assert "RuntimeError: not this one" in verdicts.pop("3").errors["share"]
    for index, verdict in verdicts.items():
        assert verdict.scores["share"] == pytest.approx((luma_of(pictures[int(index)]) > 100).mean(), abs=1e-6)
    Share.asked.clear()
    assert sum(len(chunk) for chunk in runner.run(rows, [Share()], batch_size=4)) == 8
    assert max(Share.asked) <= 4


@dataclass(frozen=True)
class Reads(Check):
    """Judges samples with a prompt; for the others it does not need the picture."""

    name = "reads"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    outputs = (
        Output("read_value", "0 to 1", True, (0, 1), "One"),
        Output("other_value", "0 to 1", True, (0, 1), "One"),
    )
    long_side: ClassVar[int | None] = 2048

    def abstains(self, fields: Mapping[str, Any]) -> str | None:
        return None if fields["prompt"] else "no prompt"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        LOADED.append(device)
        ones = "read_value", "other_value"
        return lambda batch: Scores({name: torch.ones(len(batch)) for name in ones})


LOADED: list[str] = []


def _for(names: set[str], pictures: list[Path], prompts: list[str | None]) -> list[Row]:
    rows = _rows(pictures, prompts)
    return [replace(row, pending=frozenset(names), keys=dict.fromkeys(names, "key")) for row in rows]


def test_a_sample_that_a_check_abstains_from_is_neither_read_nor_scored(tmp_path: Path) -> None:
    LOADED.clear()
    missing = [tmp_path / f"{index}.png" for index in range(200)]
    rows = _for({"reads"}, missing, [None] * 200)
    chunks = list(runner.run(rows, [Reads()]))
    verdicts = [verdict for chunk in chunks for verdict in chunk]
    assert len(chunks) > 1
    assert [verdict.row for verdict in verdicts] == rows
    assert {verdict.reasons["reads"] for verdict in verdicts} == {"no prompt"}
    assert all(math.isnan(verdict.scores[name]) for verdict in verdicts for name in ("read_value", "other_value"))
    assert LOADED == []


def test_where_a_check_abstains_the_others_judge(pictures: list[Path]) -> None:
    prompts = [None, "a", None, None, "b", None, "c", None]
    rows = _for({"reads", "mean"}, pictures, prompts)
    # two that nobody has to look at, at the end, and one before
    ends = _for({"reads"}, pictures[:3], [None] * 3)
    rows = [replace(ends[0], id="first"), *rows, replace(ends[1], id="x"), replace(ends[2], id="y")]
    verdicts = [verdict for chunk in runner.run(rows, [Reads(), Mean()], batch_size=3) for verdict in chunk]
    assert [verdict.row for verdict in verdicts] == rows
    for verdict in verdicts[1:-2]:
        prompted = verdict.row.fields["prompt"] is not None
        assert ("reads" in verdict.reasons) == (not prompted)
        assert (verdict.scores["read_value"] == 1) == prompted
        assert "mean_value" in verdict.scores
        assert verdict.boxes["mean"]
    assert [set(verdict.scores) for verdict in (verdicts[0], verdicts[-1])] == [{"read_value", "other_value"}] * 2


def test_only_the_rows_that_need_a_large_picture_get_one(tmp_path: Path) -> None:
    """A check at 2,048 pixels that abstains from a sample does not make the others decode it at that size."""
    shapes: dict[str, tuple[int, int]] = {}

    @dataclass(frozen=True)
    class Small(Mean):
        name = "small"
        outputs = (Output("small_value", "0 to 255", True, (0, 255), "The mean value"),)
        long_side: ClassVar[int | None] = 160

        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            def score(batch: ImageBatch) -> Scores:
                shapes.update(dict.fromkeys(batch.ids, tuple(batch.pixels.shape[2:])))
                return Scores({"small_value": batch.pixels.float().mean((1, 2, 3))})

            return score

    paths = [tmp_path / f"{index}.jpg" for index in range(2)]
    for path in paths:
        Image.new("RGB", (640, 480), "red").save(path)
    list(runner.run(_for({"reads", "small"}, paths, [None, "a"]), [Reads(), Small()]))
    assert shapes == {"0": (120, 160), "1": (480, 640)}

"""One sample that breaks a check, or a batch that does not fit, costs that sample or that batch alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from loupe.brain import runner
from loupe.brain.reader import Row
from loupe.brain.records import Box, ImageBatch, Output, Scores
from loupe.brain.specs import Check


@dataclass(frozen=True)
class Mean(Check):
    """Mean value, which breaks where it is told to."""

    name = "mean"
    version = 1
    source = "this test"
    licence = "Apache-2.0"
    outputs = (Output("mean_value", "0 to 255", True, (0, 255), "The mean value"),)
    needs = ("prompt",)
    most: int = 100

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def judge(batch: ImageBatch) -> Scores:
            if len(batch) > self.most:
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

        return judge


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
    halved = [verdict.scores for chunk in runner.run(rows, [Mean(most=1)]) for verdict in chunk]
    assert whole == halved


def test_only_pending_checks_run(pictures: list[Path]) -> None:
    rows = [Row("0", str(pictures[0]), {"prompt": "a"}, frozenset({"other"}), {})]
    assert not list(runner.run([], [Mean()]))
    assert runner.needed_long_side([]) is None
    verdict = next(iter(runner.run([Row("0", str(pictures[0]), {"prompt": "broken"})], [Mean()])))[0]
    assert not verdict.scores
    assert not verdict.errors
    assert rows[0].pending == {"other"}

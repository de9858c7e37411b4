"""The plain records."""

from __future__ import annotations

import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
import torch

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.results import DuplicatesResult, Flags, Pair, Rate, Run, Slice
from loupe.brain.imaging.batches import ImageBatch


def batch_of(pixels: np.ndarray) -> ImageBatch:
    """(N, H, W, 3) uint8 to a batch."""
    sizes = ((pixels.shape[2], pixels.shape[1]),) * len(pixels)
    return ImageBatch(("a",) * len(pixels), torch.from_numpy(pixels.transpose(0, 3, 1, 2)), sizes)


@pytest.fixture
def grain() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 60, 90, 3), dtype=np.uint8)


def test_luma_is_opencvs(grain: np.ndarray) -> None:
    peer = np.stack([cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY) for picture in grain])
    batch = batch_of(grain)
    assert batch.luma.luma.dtype == torch.float32
    np.testing.assert_allclose(batch.luma.luma.numpy(), peer, atol=1.01 / 255)
    assert batch.luma.luma is batch.luma.luma
    assert np.array_equal(batch.pixels.numpy().transpose(0, 2, 3, 1), grain)


def test_histogram_is_numpys(grain: np.ndarray) -> None:
    batch = batch_of(grain)
    levels = np.rint(batch.luma.luma.numpy() * 255).astype(int)
    peer = np.stack([np.bincount(picture.ravel(), minlength=256) for picture in levels])
    assert batch.luma.histogram.dtype == torch.int64
    assert np.array_equal(batch.luma.histogram.numpy(), peer)


def test_at_scales_down_without_aliasing_and_never_up(grain: np.ndarray) -> None:
    batch = batch_of(grain)
    assert batch.at(90) is batch
    assert batch.at(1000) is batch
    small = batch.at(30)
    assert small is batch.at(30)
    assert small.pixels.shape == (3, 3, 20, 30)
    assert small.pixels.dtype == torch.uint8
    assert (small.ids, small.sizes) == (batch.ids, batch.sizes)
    # a grid of single pixels would turn into stripes if pixels were dropped; it becomes gray
    grid = np.indices((60, 90)).sum(0) % 2 * 255
    gray = batch_of(np.repeat(grid[None, ..., None], 3, 3).astype(np.uint8)).at(30).pixels
    assert gray[..., 2:-2, 2:-2].float().sub(127.5).abs().max() < 3
    # nothing is darker or brighter on average
    assert abs(float(small.pixels.float().mean()) - grain.mean()) < 1


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_scaled_tones_are_those_of_the_scaled_picture(n: int) -> None:
    # less than twice as large, so that it is not halved first
    grain = np.random.default_rng(n).integers(0, 256, (n, 40, 60, 3), dtype=np.uint8)
    batch = batch_of(grain)
    assert batch.luma.at(60) is batch.luma
    small = batch.luma.at(32)
    assert small is batch.luma.at(32)
    assert small.shape == (21, 32)
    peer = batch.at(32).luma.levels
    assert small.levels.shape == peer.shape
    # luma is rounded before it is scaled and not after
    assert (small.levels.int() - peer.int()).abs().max() <= 2


def test_a_long_thin_picture_keeps_a_pixel() -> None:
    assert batch_of(np.zeros((1, 2, 1000, 3), np.uint8)).at(100).pixels.shape == (1, 3, 1, 100)


def test_a_threshold_never_fails_what_is_unknown() -> None:
    scores = np.array([0.1, 0.2, 0.3, np.nan])
    assert Threshold("<", 0.2).violates(scores).tolist() == [True, False, False, False]
    assert Threshold(">", 0.2).violates(scores).tolist() == [False, False, True, False]
    for bad in (math.nan, math.inf):
        with pytest.raises(InputError, match="finite"):
            Threshold("<", bad)
    with pytest.raises(InputError, match="'<='"):
        Threshold("<=", 0.2)  # type: ignore[arg-type]


def test_records_are_frozen_and_json_able() -> None:
    record = Flags({"blur": np.int64(2)}, {"blur": 0}, {"blur": Threshold("<", 0.6, provenance="half")})  # type: ignore[dict-item]
    plain = json.loads(json.dumps(record.to_dict()))
    assert plain["counts"] == {"blur": 2}
    line = {"op": "<", "value": 0.6, "source": "default", "provenance": "half", "by": "", "at": ""}
    assert plain["thresholds"]["blur"] == line
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.counts = {}  # type: ignore[misc]
    rate = Rate(Slice({"scenario.time": "night"}), "blur", 0, 0, 1, 2, math.nan, math.nan, math.nan)
    assert json.loads(json.dumps(rate.to_dict()))["rate"] is None
    pairs = DuplicatesResult((Pair("a", "b", "near", np.float32(0.5)),), (("a", "b"),))  # type: ignore[arg-type]
    assert json.loads(json.dumps(pairs.to_dict())) == {
        "pairs": [{"id_a": "a", "id_b": "b", "kind": "near", "similarity": 0.5}],
        "groups": [["a", "b"]],
        "loose": [],
        "messages": [],
    }


def test_a_rate_is_never_shown_without_its_n() -> None:
    night = Slice({"scenario.time": "night", "scenario.weather": "fog"})
    assert str(night) == "time=night, weather=fog"
    assert str(Slice({})) == "all"
    assert str(Slice({"rain": "True", "generation.a.b": "c"})) == "rain=True, b=c"
    assert str(Rate(night, "blur", 4, 1, 2, 0, 0.25, 0.05, 0.7)) == (
        "blur | time=night, weather=fog: 25.0 % [5.0 %, 70.0 %] (1 of 4, 2 unknown)"
    )
    nan = math.nan
    assert str(Rate(night, "blur", 0, 0, 2, 3, nan, nan, nan)).endswith("not judged (2 unknown, 3 unchecked)")


def test_a_run_says_what_was_unknown() -> None:
    run = Run("loupe_check_1", "check", 5, unknown={"text": 2, "file": 0}, seconds=1.25)
    assert repr(run) == "Run(loupe_check_1: 5 done, 0 already done, 0 errors, unknown: text 2, 1.2 s on cpu)"
    nothing_more = Run("loupe_flag_1", "flag", 5)
    assert repr(nothing_more) == "Run(loupe_flag_1: 5 done, 0 already done, 0 errors, unknown: none, 0.0 s on cpu)"


def test_scores_are_a_mapping() -> None:
    scores = Scores({"entropy": torch.ones(2)})
    assert dict(scores) == {"entropy": scores["entropy"]}
    assert len(scores) == 1


@pytest.mark.parametrize(("better", "words"), [(True, "higher is better"), (False, "lower is better"), (None, "")])
def test_an_output_says_which_way_is_better(better: bool | None, words: str) -> None:
    assert Output("width", "pixels", better, (1.0, math.inf), "The width").direction == words


def test_an_output_that_fails_says_which_way_is_better() -> None:
    threshold = Threshold(">", 9.0)
    assert Output("width", "pixels", False, (1.0, math.inf), "", threshold, "odd_size").default_threshold == threshold
    with pytest.raises(InputError, match=r"width: expected higher_is_better=True or False .* got None"):
        Output("width", "pixels", None, (1.0, math.inf), "", threshold, "odd_size")

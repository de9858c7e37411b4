"""The check of skin: real weights on generated people, a stub VLM, and all that can be missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from committed import SOURCES, picture
from people import Stub, batch_of, linked, two_people, use_vlm, values

from loupe.brain.checks.skin import Skin
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch

FILES = ("face_detection_full_range_sparse", "face_landmark")
Scorer = Callable[[ImageBatch], Scores]


@pytest.fixture(scope="module")
def here(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return linked(weights, tmp_path_factory.mktemp("weights"), FILES)


@pytest.fixture(scope="module")
def score(here: str) -> Scorer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", here)
        return Skin(backend="landmarks").load("cpu")


@pytest.fixture(scope="module", params=SOURCES)
def couple(request: pytest.FixtureRequest) -> np.ndarray:
    """Two people who look at us."""
    return two_people(request)


def test_auto_is_landmarks_on_a_cpu() -> None:
    assert Skin().resolved("cpu").backend == "landmarks"


def test_without_weights_it_says_which_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    with pytest.raises(MissingWeights, match="loupe weights get face_detection"):
        Skin().load("cpu")


@pytest.mark.slow
@pytest.mark.parametrize("blank", [np.zeros((64, 64, 3), np.uint8), np.full((300, 500, 3), 140, np.uint8)])
def test_where_there_is_no_face_nothing_is_said(score: Scorer, blank: np.ndarray) -> None:
    scores = score(batch_of(blank))
    assert math.isnan(values(scores)["oversmooth_skin"])
    assert values(scores)["skin_judged"] == 0
    assert scores.reasons == ("no face seen",)


@pytest.mark.slow
def test_smoothing_raises_the_score_and_blur_makes_it_unknown(score: Scorer, couple: np.ndarray) -> None:
    before = score(batch_of(couple))
    clean = values(before)
    smooth = couple
    for _ in range(6):
        smooth = cv2.bilateralFilter(smooth, 9, 25, 4)
    smoothed = score(batch_of(smooth))
    assert clean["skin_judged"] > 0
    assert values(smoothed)["oversmooth_skin"] > clean["oversmooth_skin"] + 0.1
    blurred = score(batch_of(cv2.GaussianBlur(couple, (0, 0), 4)))
    assert math.isnan(values(blurred)["oversmooth_skin"])
    assert "not sharp" in str(blurred.reasons[0]) or "contrast" in str(blurred.reasons[0])
    for scores in (before, smoothed):
        boxes = scores.boxes[0] if scores.boxes else ()
        assert all(box.label == "smooth skin" for box in boxes)
        assert bool(boxes) == (values(scores)["oversmooth_skin"] > 0.5)


@pytest.mark.slow
def test_the_skin_of_a_soft_face_is_unknown_and_of_a_sharp_one_is_not(score: Scorer) -> None:
    sharp = np.hstack([picture("man"), picture("woman")])
    scores = score(batch_of(sharp, cv2.GaussianBlur(sharp, (0, 0), 1.6)))
    assert values(scores, 0)["skin_judged"] == 2
    assert math.isnan(values(scores, 1)["oversmooth_skin"])
    assert scores.reasons[0] is None
    assert "the face is not sharp" in str(scores.reasons[1])


@pytest.mark.slow
def test_a_face_that_fills_the_frame_and_one_of_64_pixels(score: Scorer, couple: np.ndarray) -> None:
    for pixels in (couple[200:500, 300:600], cv2.resize(couple, (64, 64), interpolation=cv2.INTER_AREA)):
        scores = score(batch_of(np.ascontiguousarray(pixels)))
        assert not math.isnan(values(scores)["oversmooth_skin"]) or (scores.reasons and scores.reasons[0])


@pytest.mark.slow
def test_with_a_vlm_its_answer_is_the_score(couple: np.ndarray, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub("plastic")
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    made = use_vlm(stub, monkeypatch)
    scores = Skin(backend="vlm", vlm="some/vlm").load("cpu")(batch_of(couple))
    assert made == [("some/vlm", "cpu")]
    assert values(scores)["oversmooth_skin"] == pytest.approx(0.9)
    assert len(stub.asked) == values(scores)["skin_judged"] > 0
    assert scores.boxes[0]

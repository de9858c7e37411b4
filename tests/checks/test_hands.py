"""The check of hands: what it says of real hands, of pictures without any, of crowds, and with a judge."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.checks.hands import MAX, Hands, judge_picture
from loupe.brain.core.errors import InputError, MissingWeights
from loupe.brain.core.records import SampleResult, Scores
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy.hand_views import FILES, Looker, patch_of, wrist_region
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.pose import NAMES as BODY
from loupe.brain.perception.landmarks.pose import Pose
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Judge
from loupe.brain.perception.vlm.questions import SPECIALISTS


class Stub(Judge):
    """Says yes to one question, and notes what it was asked."""

    def __init__(self, yes: str = "", mass: float = 0.95) -> None:
        self.yes, self.mass = yes, mass
        self.asked: list[Question] = []

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "stub"}

    def judge(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [
            Answer(0.9 if self.yes and self.yes == question.text else 0.1, self.mass, "unknown")
            for question in questions
        ]


@pytest.fixture(scope="module")
def here(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of the weights, by their own names."""
    from loupe.brain.perception import weights_table

    folder = tmp_path_factory.mktemp("weights")
    for name in FILES:
        (folder / weights_table.TABLE[name].file).symlink_to(weights(name))
    return str(folder)


@pytest.fixture
def found(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)


@pytest.fixture(scope="module")
def looker(here: str) -> Looker:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", here)
        return Looker(levels=1, maximum=MAX)


@pytest.fixture(scope="module")
def open_hand(shared_data: Path) -> np.ndarray:
    """(100, 100, 3): a right hand, all fingers out."""
    return read(sorted((shared_data / "4_hands" / "sign_digits_real" / "5").glob("*.JPG"))[10])


@pytest.fixture(scope="module")
def fist(shared_data: Path) -> np.ndarray:
    """(100, 100, 3): one finger is stretched out."""
    return read(sorted((shared_data / "4_hands" / "sign_digits_real" / "1").glob("*.JPG"))[0])


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def batch_of(*pictures: np.ndarray) -> ImageBatch:
    pixels = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2))
    size = (pictures[0].shape[1], pictures[0].shape[0])
    return ImageBatch(tuple(map(str, range(len(pictures)))), pixels, (size,) * len(pictures))


def with_sixth(picture: np.ndarray, looker: Looker) -> np.ndarray:
    from benchmarks.hand_defects import sixth

    (hand,), _ = looker.find(picture)
    return sixth(picture, hand.points, np.random.default_rng(0))


def values(scores: Scores, at: int = 0) -> dict[str, float]:
    return {name: float(scores[name][at]) for name in scores}


# without a model


def test_without_weights_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    with pytest.raises(MissingWeights, match="loupe weights get palm_detection_full"):
        Hands().load("cpu")


def test_it_says_which_files_it_needs() -> None:
    from loupe.brain.perception import weights_table

    assert Hands().weights() == FILES
    assert set(FILES) <= set(weights_table.TABLE)


def test_a_grade_that_is_none() -> None:
    with pytest.raises(InputError, match="grade"):
        Hands(grade="best").load("cpu")


def test_auto_is_offline_without_a_gpu_or_without_the_judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folder, "is_here", lambda name: False)
    assert Hands().grade == "auto"
    assert Hands().resolved("cuda").grade == "offline"
    monkeypatch.setattr(folder, "is_here", lambda name: True)
    assert Hands(min_side=80).resolved("cuda:1") == Hands(min_side=80, grade="gpu")
    assert Hands().resolved("cpu").grade == "offline"
    assert Hands(grade="gpu").resolved("cpu").grade == "gpu"
    assert Hands(grade="offline").key != Hands(grade="gpu").key


def person(visible: float) -> Pose:
    """Someone whose left forearm points straight down: 100 pixels, and a hand of 30."""
    points = np.zeros((33, 2), np.float32)
    for name, place in {"elbow": (200, 100), "wrist": (200, 200), "index": (195, 230), "little": (205, 230)}.items():
        points[BODY.index(f"left_{name}")] = place
    sure = np.full(33, visible, np.float32)
    sure[BODY.index("right_wrist")] = 0
    return Pose(points, np.zeros(33), 0.9, 0.9, Roi(200, 200, 400), (400, 400), np.zeros((33, 3)), sure, sure)


def test_where_a_hand_is_looked_for_at_a_wrist() -> None:
    region = wrist_region(person(0.9), "left")
    assert region is not None
    assert (region.x, region.y) == pytest.approx((200, 230))
    assert region.side == pytest.approx(78)
    assert abs(region.angle) == pytest.approx(math.pi)  # the hand hangs down
    assert wrist_region(person(0.5), "left") is None
    assert wrist_region(person(0.9), "right") is None


# with MediaPipe's models


@pytest.mark.slow
def test_an_open_hand_is_sound_and_one_with_a_sixth_finger_is_not(
    found: None, looker: Looker, open_hand: np.ndarray
) -> None:
    scores = Hands(levels=1, grade="offline").load("cpu")(batch_of(open_hand, with_sixth(open_hand, looker)))
    sound, malformed = values(scores, 0), values(scores, 1)
    assert sound["hand_malformed"] <= 0.4
    assert malformed["hand_malformed"] >= 0.6
    assert sound["hands"] == sound["hands_judged"] == 1
    assert not any(scores.reasons)
    (here,), (there,) = scores.points
    assert here.label == "hand"
    assert len(here.points) == 21
    assert here.attributes["verdict"] == "sound"
    assert (here.attributes["fingers_seen"], here.attributes["side"]) == (5, "right")
    assert there.attributes["verdict"] == "malformed"
    assert there.attributes["fingers_seen"] == 6
    assert "6 fingers" in str(there.attributes["reason"])
    assert here.confidence is not None
    assert here.confidence > 0.5


@pytest.mark.slow
def test_a_fist_is_unknown_and_not_sound(looker: Looker, fist: np.ndarray) -> None:
    judged = judge_picture(fist, looker, None, 60)
    assert math.isnan(judged.values["hand_malformed"])
    assert judged.values["hands"] == 1
    assert judged.values["hands_judged"] == 0
    assert judged.reason == "the hand: not an open hand"
    assert judged.points[0].attributes["verdict"] == "unknown"
    assert 0 <= judged.values["hand_implausibility"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 500])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_is_unknown(side: int, level: int, looker: Looker) -> None:
    judged = judge_picture(np.full((side, side, 3), level, np.uint8), looker, None, 60)
    assert math.isnan(judged.values["hand_malformed"])
    assert (judged.values["hands"], judged.reason, judged.points) == (0, "no hand seen", ())


@pytest.mark.slow
def test_a_small_hand_is_found_and_unknown(looker: Looker, open_hand: np.ndarray) -> None:
    small = cv2.resize(open_hand, (64, 64), interpolation=cv2.INTER_AREA)
    judged = judge_picture(small, looker, None, 60)
    assert judged.values["hands"] == 1
    assert math.isnan(judged.values["hand_malformed"])
    assert "smaller than 60 pixels" in (judged.reason or "")
    assert not math.isnan(judge_picture(small, looker, None, 30).values["hand_malformed"])


@pytest.mark.slow
def test_a_hand_that_the_edge_cuts_is_unknown(looker: Looker, open_hand: np.ndarray) -> None:
    (hand,), _ = looker.find(open_hand)
    top = int(np.sort(hand.points[4::4, 1])[1]) + 2  # the two highest finger tips are cut off
    judged = judge_picture(open_hand[top:], looker, None, 30)
    assert math.isnan(judged.values["hand_malformed"])


@pytest.mark.slow
def test_two_hundred_hands_take_bounded_time(here: str, monkeypatch: pytest.MonkeyPatch, open_hand: np.ndarray) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    crowd = np.tile(open_hand, (10, 20, 1))[:, :1280]
    start = time.monotonic()
    judged = judge_picture(crowd, Looker(levels=3, maximum=MAX), None, 40)
    assert time.monotonic() - start < 60
    assert 10 < judged.values["hands"] <= MAX
    assert len(judged.points) == judged.values["hands"]


@pytest.mark.slow
def test_a_patch_says_which_of_its_pixels_are_the_pictures(looker: Looker, open_hand: np.ndarray) -> None:
    (hand,), _ = looker.find(open_hand)
    patch, points, inside = patch_of(open_hand, hand, 96)
    assert (patch.shape, points.shape, inside.shape) == ((96, 96, 3), (21, 2), (96, 96))
    columns, rows = np.clip(points.astype(int), 0, 95).T
    assert inside[rows, columns].all()
    assert 0.3 < inside.mean() <= 1


@pytest.mark.slow
def test_a_mirror_changes_nothing_but_the_side(looker: Looker, open_hand: np.ndarray) -> None:
    here = judge_picture(open_hand, looker, None, 60)
    there = judge_picture(np.ascontiguousarray(open_hand[:, ::-1]), looker, None, 60)
    sides = [judged.points[0].attributes["side"] for judged in (here, there)]
    assert sides == ["right", "left"]
    assert there.values["hand_malformed"] == pytest.approx(here.values["hand_malformed"], abs=0.05)


@pytest.mark.slow
def test_nobody_seen_and_hands_missed_are_told_apart(looker: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Looker, "find", lambda self, picture: ([], 2))
    judged = judge_picture(np.zeros((64, 64, 3), np.uint8), looker, None, 60)
    assert judged.values["hands_missed"] == 2
    assert judged.reason == "no hand seen, though 2 visible wrists are"


@pytest.mark.slow
def test_a_hand_in_a_glove_is_unknown_and_no_judge_is_asked(
    looker: Looker, open_hand: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.hand_defects import gloved

    hands, _ = looker.find(open_hand)
    made = gloved(open_hand, hands[0].points, "blue", np.random.default_rng(0))
    # the palm detector rarely sees blue hands
    monkeypatch.setattr(Looker, "find", lambda self, picture: (hands, 0))
    stub = Stub(SPECIALISTS["extra_fingers"].text)
    judged = judge_picture(made, looker, stub, 60)
    assert math.isnan(judged.values["hand_malformed"])
    assert (judged.values["hands"], judged.values["hands_judged"]) == (1, 0)
    assert judged.reason == "the hand: may be a glove: it is blue"
    assert judged.points[0].attributes["verdict"] == "unknown"
    assert stub.asked == []


@pytest.mark.slow
def test_the_bones_of_two_counted_hands_are_compared(looker: Looker, open_hand: np.ndarray) -> None:
    both = np.concatenate([open_hand, open_hand[:, ::-1]], 1)
    judged = judge_picture(both, looker, None, 60)
    assert judged.values["hands_judged"] == 2
    (one, other) = (points.attributes["bones_apart"] for points in judged.points)
    assert one == other
    assert 0 <= float(one) < 1.8
    (alone,) = judge_picture(open_hand, looker, None, 60).points
    assert "bones_apart" not in alone.attributes


# with a judge


def judged_by(stub: Judge, looker: Looker, picture: np.ndarray) -> SampleResult:
    return judge_picture(picture, looker, stub, 60)


@pytest.mark.slow
def test_the_worst_yes_of_a_judge_counts(looker: Looker, fist: np.ndarray) -> None:
    asked = [one for one in SPECIALISTS.values() if one.failure == "hand_malformed"]
    stub = Stub(SPECIALISTS["fused_fingers"].text)
    judged = judged_by(stub, looker, fist)
    assert judged.values["hand_malformed"] == pytest.approx(0.9)
    assert judged.values["hands_judged"] == 1
    assert "fused fingers" in str(judged.points[0].attributes["reason"])
    assert [question.text for question in stub.asked] == [one.text for one in asked]
    assert judged_by(Stub(), looker, fist).values["hand_malformed"] == pytest.approx(0.1)


@pytest.mark.slow
def test_a_judge_that_does_not_answer_leaves_what_the_outline_says(
    looker: Looker, open_hand: np.ndarray, fist: np.ndarray
) -> None:
    silent = Stub(mass=0.1)
    assert math.isnan(judged_by(silent, looker, fist).values["hand_malformed"])
    assert judged_by(silent, looker, open_hand) == judge_picture(open_hand, looker, None, 60)


@pytest.mark.slow
def test_an_outline_that_is_wrong_stands_against_the_judge(looker: Looker, open_hand: np.ndarray) -> None:
    judged = judged_by(Stub(), looker, with_sixth(open_hand, looker))
    assert judged.values["hand_malformed"] >= 0.6
    assert "6 fingers" in str(judged.points[0].attributes["reason"])


@pytest.mark.slow
def test_no_hand_asks_no_question(looker: Looker) -> None:
    stub = Stub()
    assert judged_by(stub, looker, np.zeros((64, 64, 3), np.uint8)).reason == "no hand seen"
    assert stub.asked == []


@pytest.mark.slow
def test_grade_gpu_loads_the_judge(found: None, monkeypatch: pytest.MonkeyPatch, fist: np.ndarray) -> None:
    from loupe.brain.perception.vlm import local

    stub, made = Stub(SPECIALISTS["extra_fingers"].text), []
    monkeypatch.setattr(local, "LocalJudge", lambda model, device: made.append((model, device)) or stub)
    scores = Hands(levels=1, grade="gpu", judge="some/judge").load("cpu")(batch_of(fist))
    assert made == [("some/judge", "cpu")]
    assert values(scores)["hand_malformed"] == pytest.approx(0.9)

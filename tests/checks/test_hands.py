"""The check of hands: what it says of real hands, of pictures without any, of crowds, and with a VLM."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from committed import SOURCES, picture
from PIL import Image

from benchmarks.anatomy.odd_pictures import OF_HAND, drawn
from loupe.brain.checks.hands import MAX, Hands, score_picture
from loupe.brain.core.errors import InputError, MissingWeights
from loupe.brain.core.records import Box, SampleResult, Scores
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy.hand_crops import MAX_LOOKS, hand_crops
from loupe.brain.measures.anatomy.hand_views import FILES, HandViews, Scene, patch_of, wrist_region
from loupe.brain.perception import weights as specs_weights
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.pose import NAMES as BODY
from loupe.brain.perception.landmarks.pose import Pose
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.perception.vlm.questions import SPECIALISTS


class Stub(Vlm):
    """Says yes to one question, and notes what it was asked."""

    def __init__(self, yes: str = "", mass: float = 0.95) -> None:
        self.yes, self.mass = yes, mass
        self.asked: list[Question] = []

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "stub"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
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
def weights_here(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)


@pytest.fixture(scope="module")
def views(here: str) -> HandViews:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", here)
        return HandViews(levels=1, max_hands=MAX)


@pytest.fixture(scope="module", params=SOURCES)
def open_hand(request: pytest.FixtureRequest) -> np.ndarray:
    """(100, 100, 3): a right hand, all fingers out."""
    if request.param == "committed":
        return picture("hand", 100)
    folder: Path = request.getfixturevalue("shared_data")
    return read(sorted((folder / "4_hands" / "sign_digits_real" / "5").glob("*.JPG"))[10])


@pytest.fixture(scope="module", params=SOURCES)
def fist(request: pytest.FixtureRequest) -> np.ndarray:
    """(100, 100, 3) or so: a hand of which no finger can be counted."""
    if request.param == "committed":
        return np.ascontiguousarray(picture("woman")[230:380, 170:320])
    folder: Path = request.getfixturevalue("shared_data")
    return read(sorted((folder / "4_hands" / "sign_digits_real" / "0").glob("*.JPG"))[3])


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def batch_of(*pictures: np.ndarray) -> ImageBatch:
    pixels = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2))
    size = (pictures[0].shape[1], pictures[0].shape[0])
    return ImageBatch(tuple(map(str, range(len(pictures)))), pixels, (size,) * len(pictures))


def with_sixth(picture: np.ndarray, views: HandViews) -> np.ndarray:
    from benchmarks.anatomy.hand_defects import sixth

    (hand,), _ = views.find(picture)
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


def test_a_backend_that_is_none() -> None:
    with pytest.raises(InputError, match="backend"):
        Hands(backend="best").load("cpu")


def test_auto_is_landmarks_without_a_gpu_or_without_the_vlm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folder, "is_here", lambda name: False)
    assert Hands().backend == "auto"
    assert Hands().resolved("cuda").backend == "landmarks"
    monkeypatch.setattr(folder, "is_here", lambda name: True)
    assert Hands(min_side=80, people="none").resolved("cuda:1") == Hands(min_side=80, backend="vlm", people="none")
    assert Hands().resolved("cpu").backend == "landmarks"
    assert Hands(backend="vlm").resolved("cpu").backend == "vlm"
    assert Hands(backend="landmarks").key != Hands(backend="vlm").key


def test_people_are_looked_for_where_a_detector_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specs_weights, "lacking", lambda names: ())
    assert Hands().resolved("cpu").people == "detector"
    assert Hands(people="detector").weights() == (*FILES, "yolox_nano")
    monkeypatch.setattr(specs_weights, "lacking", lambda names: names)
    assert Hands().resolved("cpu").people == "none"
    assert Hands(people="none").weights() == FILES
    with pytest.raises(InputError, match="people out of auto, detector, none, got 'everybody'"):
        Hands(people="everybody").load("cpu")


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
    weights_here: None, views: HandViews, open_hand: np.ndarray
) -> None:
    scores = Hands(levels=1, backend="landmarks").load("cpu")(batch_of(open_hand, with_sixth(open_hand, views)))
    sound, malformed = values(scores, 0), values(scores, 1)
    assert sound["hand_malformed"] == pytest.approx(0.4 * sound["hand_implausibility"])
    assert malformed["hand_malformed"] == pytest.approx(0.6 + 0.4 * malformed["hand_implausibility"])
    assert sound["hand_malformed"] <= 0.4
    assert malformed["hand_malformed"] >= 0.6
    assert sound["hands"] == sound["hands_judged"] == 1
    assert not any(scores.reasons)
    (here,), (there_points,) = scores.points
    assert here.label == "hand"
    assert len(here.points) == 21
    assert here.attributes["verdict"] == "sound"
    assert (here.attributes["fingers_seen"], here.attributes["side"]) == (5, "right")
    assert there_points.attributes["verdict"] == "malformed"
    assert there_points.attributes["fingers_seen"] == 6
    assert "6 fingers" in str(there_points.attributes["reason"])
    assert here.confidence is not None
    assert here.confidence > 0.5


@pytest.mark.slow
def test_a_fist_is_unknown_and_not_sound(views: HandViews, fist: np.ndarray) -> None:
    result = score_picture(fist, views, None, 40)
    assert math.isnan(result.values["hand_malformed"])
    assert result.values["hands"] == 1
    assert result.values["hands_judged"] == 0
    assert result.reason in ("the hand: fingers lie together", "the hand: seen from the side")
    assert result.points[0].attributes["verdict"] == "unknown"
    # the hand of the shared data is too small to be ranked
    assert math.isnan(result.values["hand_implausibility"]) or 0 <= result.values["hand_implausibility"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 500])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_is_unknown(side: int, level: int, views: HandViews) -> None:
    result = score_picture(np.full((side, side, 3), level, np.uint8), views, None, 60)
    assert math.isnan(result.values["hand_malformed"])
    assert (result.values["hands"], result.reason, result.points) == (0, "no hand seen", ())


@pytest.mark.slow
def test_a_small_hand_is_found_and_unknown(views: HandViews, open_hand: np.ndarray) -> None:
    small = cv2.resize(open_hand, (64, 64), interpolation=cv2.INTER_AREA)
    result = score_picture(small, views, None, 60)
    assert result.values["hands"] == 1
    assert math.isnan(result.values["hand_malformed"])
    assert "smaller than 60 pixels" in (result.reason or "")
    judged = score_picture(small, views, None, 30)
    assert not math.isnan(judged.values["hand_malformed"])
    assert math.isnan(judged.values["hand_implausibility"])
    assert judged.reason == "hand_implausibility: no hand is 60 pixels large"


@pytest.mark.slow
def test_a_hand_that_the_edge_cuts_is_unknown(views: HandViews, open_hand: np.ndarray) -> None:
    (hand,), _ = views.find(open_hand)
    top = int(np.sort(hand.points[4::4, 1])[1]) + 2  # the two highest finger tips are cut off
    result = score_picture(open_hand[top:], views, None, 30)
    assert math.isnan(result.values["hand_malformed"])


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_hundred_hands_take_bounded_time(here: str, monkeypatch: pytest.MonkeyPatch, open_hand: np.ndarray) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    crowd = np.tile(open_hand, (10, 20, 1))[:, :1280]
    result = score_picture(crowd, HandViews(levels=3, max_hands=MAX), None, 40)
    assert 10 < result.values["hands"] <= MAX
    assert len(result.points) == result.values["hands"]
    assert result.values["hands_judged"] <= MAX_LOOKS


@pytest.mark.slow
def test_a_patch_says_which_of_its_pixels_are_the_pictures(views: HandViews, open_hand: np.ndarray) -> None:
    (hand,), _ = views.find(open_hand)
    patch, points, inside = patch_of(open_hand, hand, 96)
    assert (patch.shape, points.shape, inside.shape) == ((96, 96, 3), (21, 2), (96, 96))
    columns, rows = np.clip(points.astype(int), 0, 95).T
    assert inside[rows, columns].all()
    assert 0.3 < inside.mean() <= 1


@pytest.mark.slow
def test_a_mirror_changes_nothing_but_the_side(views: HandViews, open_hand: np.ndarray) -> None:
    here = score_picture(open_hand, views, None, 60)
    mirrored = score_picture(np.ascontiguousarray(open_hand[:, ::-1]), views, None, 60)
    sides = [result.points[0].attributes["side"] for result in (here, mirrored)]
    assert sides == ["right", "left"]
    assert mirrored.values["hand_malformed"] == pytest.approx(here.values["hand_malformed"], abs=0.05)


@pytest.mark.slow
def test_nobody_seen_and_hands_missed_are_told_apart(views: HandViews, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HandViews, "scene", lambda self, picture: Scene([], 2, np.zeros((0, 2), np.float32)))
    result = score_picture(np.zeros((64, 64, 3), np.uint8), views, None, 60)
    assert result.values["hands_missed"] == 2
    assert result.reason == "no hand seen, though 2 visible wrists are"


@pytest.mark.slow
def test_a_hand_in_a_glove_is_unknown_and_no_vlm_is_asked(
    views: HandViews, open_hand: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.anatomy.hand_defects import gloved

    hands, _ = views.find(open_hand)
    made = gloved(open_hand, hands[0].points, "blue", np.random.default_rng(0))
    # the palm detector rarely sees blue hands
    monkeypatch.setattr(HandViews, "scene", lambda self, picture: Scene(hands, 0, np.zeros((0, 2), np.float32)))
    stub = Stub(SPECIALISTS["extra_fingers"].text)
    result = score_picture(made, views, stub, 60)
    assert math.isnan(result.values["hand_malformed"])
    assert (result.values["hands"], result.values["hands_judged"]) == (1, 0)
    assert result.reason == "the hand: may be a glove: it is blue"
    assert result.points[0].attributes["verdict"] == "unknown"
    assert stub.asked == []


@pytest.mark.slow
def test_the_bones_of_two_counted_hands_are_compared(views: HandViews, open_hand: np.ndarray) -> None:
    both = np.concatenate([open_hand, open_hand[:, ::-1]], 1)
    result = score_picture(both, views, None, 60)
    assert result.values["hands_judged"] == 2
    (first, second) = (points.attributes["bones_apart"] for points in result.points)
    assert first == second
    assert 0 <= float(first) < 1.8
    (alone,) = score_picture(open_hand, views, None, 60).points
    assert "bones_apart" not in alone.attributes


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OF_HAND if name != "crowd of 200"])
def test_a_sound_hand_in_an_odd_picture_is_sound_or_unknown_for_a_reason(
    views: HandViews, open_hand: np.ndarray, name: str
) -> None:
    result = score_picture(np.ascontiguousarray(OF_HAND[name](open_hand)), views, None, 40)
    score = result.values["hand_malformed"]
    assert (math.isnan(score) and bool(result.reason)) or score <= 0.4


@pytest.mark.slow
@pytest.mark.parametrize("bones", [False, True], ids=["cartoon", "X-ray"])
@pytest.mark.parametrize("fingers", [4, 5, 6])
def test_a_drawn_hand_is_unknown_for_a_reason_or_as_many_fingers_as_it_has(
    views: HandViews, fingers: int, bones: bool
) -> None:
    result = score_picture(drawn(fingers, bones=bones), views, None, 40)
    score = result.values["hand_malformed"]
    assert (math.isnan(score) and bool(result.reason)) or (score > 0.5) == (fingers == 6)


@pytest.mark.slow
def test_two_detectors_see_a_real_hand_and_none_in_noise(views: HandViews, open_hand: np.ndarray) -> None:
    (crop,), missed = hand_crops(open_hand, views, 40)
    assert (crop.seen_by, crop.reason, missed) == (("palm", "landmarks"), "", 0)
    mirrored = np.ascontiguousarray(open_hand[:, ::-1])
    (hand,), _ = views.find(mirrored)
    assert views.palm_again(mirrored, hand) == pytest.approx(views.palm_again(open_hand, crop.hand), abs=0.1)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    assert not [crop for crop in hand_crops(noise, views, 40)[0] if crop.usable]


@pytest.mark.slow
def test_a_person_that_a_detector_gives_is_looked_at(
    here: str, monkeypatch: pytest.MonkeyPatch, views: HandViews
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    asked: list[tuple[float, float]] = []
    people = [Box("person", (0.1 * i, 0.0, 0.1, 0.2 + 0.05 * i), 0.9) for i in range(10)] + [
        Box("dog", (0, 0, 1, 1), 0.9),
        Box("person", (0, 0, 1, 1), 0.2),
    ]
    with_people = HandViews(levels=1, max_hands=4, find_objects=lambda picture, nouns: tuple(people))
    monkeypatch.setattr(with_people._bodies, "at", lambda picture, roi: asked.append((roi.x, roi.side)))
    scene = with_people.scene(np.zeros((100, 200, 3), np.uint8))
    assert scene.objects == tuple(people)
    assert scene.wrists.shape == (0, 2)
    # the eight largest, whole, the largest first: the tenth box ends at the right, and is 65 % of the height
    assert len(asked) == 8
    assert asked[0] == pytest.approx((190, 1.25 * 65))


# with a VLM


def score_with(stub: Vlm, views: HandViews, picture: np.ndarray) -> SampleResult:
    return score_picture(picture, views, stub, 40)


@pytest.mark.slow
def test_the_worst_yes_of_a_vlm_counts(views: HandViews, fist: np.ndarray) -> None:
    asked = [specialist for specialist in SPECIALISTS.values() if specialist.failure == "hand_malformed"]
    stub = Stub(SPECIALISTS["fused_fingers"].text)
    result = score_with(stub, views, fist)
    assert result.values["hand_malformed"] == pytest.approx(0.9)
    assert result.values["hands_judged"] == 1
    assert "fused fingers" in str(result.points[0].attributes["reason"])
    assert [question.text for question in stub.asked] == [specialist.text for specialist in asked]
    assert score_with(Stub(), views, fist).values["hand_malformed"] == pytest.approx(0.1)


@pytest.mark.slow
def test_a_vlm_that_does_not_answer_leaves_what_the_outline_says(
    views: HandViews, open_hand: np.ndarray, fist: np.ndarray
) -> None:
    silent = Stub(mass=0.1)
    assert math.isnan(score_with(silent, views, fist).values["hand_malformed"])
    assert score_with(silent, views, open_hand) == score_picture(open_hand, views, None, 40)


@pytest.mark.slow
def test_an_outline_that_is_wrong_stands_against_the_vlm(views: HandViews, open_hand: np.ndarray) -> None:
    result = score_with(Stub(), views, with_sixth(open_hand, views))
    assert result.values["hand_malformed"] >= 0.6
    assert "6 fingers" in str(result.points[0].attributes["reason"])


@pytest.mark.slow
def test_a_hand_is_small_by_its_longer_side_wherever_it_lies(views: HandViews, open_hand: np.ndarray) -> None:
    low = np.full((300, 300, 3), 255, np.uint8)
    low[200:, 200:] = open_hand
    (hand,), _ = views.find(low)
    longer = max(hand.box[2:])
    assert min(hand.box[:2]) > longer, "it lies further down and to the right than it is long"
    assert not math.isnan(score_picture(low, views, None, math.floor(longer)).values["hand_malformed"])
    small = score_picture(low, views, None, math.ceil(longer) + 1)
    assert math.isnan(small.values["hand_malformed"])
    assert "smaller than" in str(small.reason)


@pytest.mark.slow
def test_no_hand_asks_no_question(views: HandViews) -> None:
    stub = Stub()
    assert score_with(stub, views, np.zeros((64, 64, 3), np.uint8)).reason == "no hand seen"
    assert stub.asked == []


@pytest.mark.slow
def test_backend_vlm_loads_the_vlm(weights_here: None, monkeypatch: pytest.MonkeyPatch, fist: np.ndarray) -> None:
    from loupe.brain.perception.vlm import local

    stub, made = Stub(SPECIALISTS["extra_fingers"].text), []
    monkeypatch.setattr(local, "LocalVlm", lambda model, device: made.append((model, device)) or stub)
    scores = Hands(levels=1, backend="vlm", vlm="some/vlm").load("cpu")(batch_of(fist))
    assert made == [("some/vlm", "cpu")]
    assert values(scores)["hand_malformed"] == pytest.approx(0.9)

"""The composition check over detections in a field, and over what YOLOX finds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_yolox
import torch
from PIL import Image

from loupe.brain.checks.composition import Composition
from loupe.brain.core.errors import InputError, MissingWeights, ModelError
from loupe.brain.core.records import Box, Scores
from loupe.brain.core.relations import RelationName
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception import weights
from loupe.brain.perception.detectors import open_vocabulary
from loupe.brain.prompts.spec import Attribute, PromptSpec, Relation, RequestedObject

NAMES = [output.name for output in Composition.outputs]
DOG, CAT = RequestedObject("dog"), RequestedObject("cat")
THREE_DOGS = PromptSpec("three dogs", (RequestedObject("dog", 3, True),))
RED_DOG = RequestedObject("dog", attributes=(Attribute("color", "red"),))


def box(label: str, x: float, y: float = 0.4, size: float = 0.2, score: float = 0.95) -> Box:
    return Box(label, (x, y, size, size), score)


def score_of(
    spec: Any, boxes: Sequence[Box] | None, picture: np.ndarray | None = None, prompt: Any = "?", **params: Any
) -> tuple[dict[str, float], Scores]:
    picture = np.full((100, 100, 3), 120, np.uint8) if picture is None else picture
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]
    given = tuple(boxes) if isinstance(boxes, list) else boxes
    fields = {"prompt": (prompt,), "spec": (spec,), "detections": (given,)}
    check = Composition(**{"detector": "field", "floor": 0.05, **params})
    scores = check.load("cpu")(ImageBatch(("a",), pixels, (picture.shape[1::-1],), fields))
    values = {name: float(scores[name][0]) for name in NAMES}
    for value in values.values():
        assert (0 <= value <= 1) if not math.isnan(value) else scores.reasons[0]
    return values, scores


def failures(values: dict[str, float]) -> set[str]:
    limits = {output.name: output.default_threshold for output in Composition.outputs if output.default_threshold}
    return {name for name, limit in limits.items() if values[name] > limit.value}


LEFT = PromptSpec("a dog left of a cat", (DOG, CAT), (Relation(0, "left of", 1),))
NO_CAT = PromptSpec("a dog, no cat", (DOG,), excluded=("cat",))
A_DOG = PromptSpec("a dog", (DOG,))
FURRY = PromptSpec("a furry dog", (RequestedObject("dog", attributes=(Attribute("texture", "furry"),)),))
CASES: dict[str, tuple[PromptSpec, list[Box], str]] = {
    "as asked": (LEFT, [box("dog", 0), box("cat", 0.7)], ""),
    "other side": (LEFT, [box("dog", 0.7), box("cat", 0)], "wrong_relation"),
    "no cat": (LEFT, [box("dog", 0)], "missing_object"),
    "three": (THREE_DOGS, [box("dog", x) for x in (0, 0.3, 0.6)], ""),
    "two of three": (THREE_DOGS, [box("dog", 0), box("dog", 0.5)], "wrong_count"),
    "four of three": (
        THREE_DOGS,
        [box("dog", x) for x in (0, 0.25, 0.5, 0.75)],
        "wrong_count",
    ),
    "more than one is fine": (A_DOG, [box("dog", 0), box("dog", 0.5)], ""),
    "dogs are at least two": (PromptSpec("dogs", (RequestedObject("dog", None),)), [box("dog", 0)], "wrong_count"),
    "excluded": (NO_CAT, [box("dog", 0), box("cat", 0.7)], "negation_violated"),
    "excluded and gone": (NO_CAT, [box("dog", 0)], ""),
    "smaller than": (
        PromptSpec("a dog smaller than a cat", (DOG, CAT), (Relation(0, "smaller than", 1),)),
        [box("dog", 0, size=0.4), box("cat", 0.7, size=0.1)],
        "wrong_size",
    ),
    "an extra person": (A_DOG, [box("dog", 0), box("person", 0.6)], "extra_object"),
    "a person who is asked for": (
        PromptSpec("a man and a dog", (RequestedObject("man"), DOG)),
        [box("dog", 0), box("person", 0.6)],
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_detected_and_nothing_else(name: str) -> None:
    spec, boxes, wanted = CASES[name]
    values, scores = score_of(spec, boxes)
    assert failures(values) == set(wanted.split())
    labels = {drawn.label for drawn in scores.boxes[0]}
    assert not wanted or wanted in labels


@pytest.mark.parametrize("mode", ["geneval", "t2i_compbench"])
@pytest.mark.parametrize("name", ["as asked", "other side", "no cat", "three", "two of three", "four of three"])
def test_the_published_rules_agree_where_all_is_clear(name: str, mode: str) -> None:
    spec, boxes, wanted = CASES[name]
    values, _ = score_of(spec, boxes, mode=mode)
    if (name, mode) == ("no cat", "geneval"):
        wanted += " wrong_relation"  # GenEval: a target that is missing is a relation that is wrong
    assert failures(values) == set(wanted.split())
    assert (values["composition_score"] == 1) == (not wanted) or mode == "t2i_compbench"


@pytest.mark.parametrize(
    ("ground", "wanted"),
    [((200, 20, 30), 0.0), ((20, 60, 200), 1.0), ((230, 120, 30), math.nan), ((120, 60, 50), math.nan)],
)
def test_a_color_is_right_wrong_or_not_known(ground: tuple, wanted: float) -> None:
    picture = np.full((100, 100, 3), ground, np.uint8)
    values, _ = score_of(PromptSpec("a red dog", (RED_DOG,)), [box("dog", 0.2, 0.2, 0.6)], picture)
    assert values["wrong_attribute"] == pytest.approx(wanted, nan_ok=True, abs=0.05)
    values, _ = score_of(PromptSpec("a red dog", (RED_DOG,)), [box("dog", 0.2, 0.2, 0.6)], picture, mode="geneval")
    assert values["wrong_attribute"] in ([0.0] if wanted == 0 else [1.0])


UNKNOWN: dict[str, tuple[Any, list[Box] | None, str, str]] = {
    "no label": (
        PromptSpec("a well", (RequestedObject("well"),)), [box("dog", 0)], "missing_object", "no label for 'well'"
    ),
    "an animal of another kind": (
        PromptSpec("an animal", (RequestedObject("animal"),)), [], "missing_object", "no label for"
    ),
    "a woman or a man": (
        PromptSpec("a woman on a sofa, no man", (RequestedObject("woman"), RequestedObject("sofa")), excluded=("man",)),
        [box("person", 0), box("couch", 0)],
        "negation_violated",
        "whether it is a man",
    ),
    "two kinds of person": (
        PromptSpec(
            "a man left of a woman", (RequestedObject("man"), RequestedObject("woman")), (Relation(0, "left of", 1),)
        ),
        [box("person", 0), box("person", 0.7)],
        "wrong_relation",
        "does not tell man from woman",
    ),
    "one of them is missing": (LEFT, [box("dog", 0)], "wrong_relation", "no cat is there for sure"),
    "one of them is faint": (
        LEFT, [box("dog", 0), box("cat", 0.7, score=0.2)], "wrong_relation", "no cat is there for sure"
    ),
    "on top of each other": (LEFT, [box("dog", 0.4), box("cat", 0.41)], "wrong_relation", "cannot be told"),
    "faint": (A_DOG, [box("dog", 0, score=0.12)], "missing_object", "too close to call"),
    "a crowd": (
        A_DOG,
        [box("dog", 0), *(box("person", x / 10) for x in range(0, 9, 2))],
        "extra_object",
        "crowd",
    ),
    "a street": (
        PromptSpec("a dog in a street", (DOG,)),
        [box("dog", 0), box("person", 0.6)],
        "extra_object",
        "gives room for a person",
    ),
    "not all understood": (
        PromptSpec("a dog", (DOG,), unparsed=("ohne Mann",)),
        [box("dog", 0), box("person", 0.6)],
        "extra_object",
        "not understood as a whole",
    ),
    "misnamed": (A_DOG, [box("bear", 0)], "extra_object", "it may be the dog itself"),
    "a texture": (FURRY, [box("dog", 0)], "wrong_attribute", "texture is not judged by boxes"),
    "many": (
        PromptSpec("40 dogs", (RequestedObject("dog", 40, True),)),
        [box("dog", 0)],
        "wrong_count",
        "not counted by boxes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_sure_is_unknown_and_says_why(name: str) -> None:
    spec, boxes, output, reason = UNKNOWN[name]
    values, scores = score_of(spec, boxes)
    assert math.isnan(values[output])
    assert reason in (scores.reasons[0] or "")


def test_a_misnamed_thing_in_its_own_place_is_not_extra() -> None:
    values, _ = score_of(A_DOG, [box("dog", 0.2, size=0.5), box("bear", 0.21, size=0.5)])
    assert values["extra_object"] == 0


def test_a_found_failure_stands_though_others_are_unknown() -> None:
    values, scores = score_of(PromptSpec("?", (DOG, RequestedObject("fountain"))), [])
    assert values["missing_object"] > 0.5
    assert values["composition_unknown"] == 0.5
    assert scores.reasons[0]


def test_a_detector_that_left_faint_boxes_out_proves_nothing_by_silence() -> None:
    values, scores = score_of(A_DOG, [], floor=0.5)
    assert math.isnan(values["missing_object"])
    assert "74 % likely wrong" in (scores.reasons[0] or "")
    assert score_of(A_DOG, [], floor=0.5, sure=0.7)[0]["missing_object"] == pytest.approx(0.74)


def test_a_detector_of_something_else_does_not_call_dogs_missing() -> None:
    spec = A_DOG
    values, scores = score_of(spec, [box("left lung", 0)])
    assert math.isnan(values["missing_object"])
    assert "no label for 'dog'" in (scores.reasons[0] or "")
    assert score_of(spec, [box("left lung", 0)], classes="left lung, dog")[0]["missing_object"] > 0.5


NAN, INF = float("nan"), float("inf")
BAD: dict[str, Any] = {
    "none": None,
    "an empty list": [],
    "no numbers": [Box("dog", (NAN, NAN, NAN, NAN), NAN)],
    "infinite": [Box("dog", (0, 0, INF, INF), INF), Box("dog", (-INF, 0, 1, 1), 0.9)],
    "inside out": [Box("dog", (0.5, 0.5, -0.2, -0.2), 0.9)],
    "no area": [Box("dog", (0.5, 0.5, 0, 0), 0.9), Box("cat", (0.5, 0.5, 0, 0), 0.9)],
    "outside": [Box("dog", (3, 3, 1, 1), 0.9)],
    "the same twice": [box("dog", 0.2), box("dog", 0.2), box("cat", 0.2), box("cat", 0.2)],
    "200": [box("dog" if at % 2 else "cat", at / 240, at / 280, 0.1, 0.3 + at / 400) for at in range(200)],
    "no confidence": [Box("dog", (0, 0, 0.2, 0.2)), Box("cat", (0.7, 0, 0.2, 0.2))],
    "labels of another language": [box("犬", 0), box("", 0.2), box("🙂", 0.4)],
    "not boxes": ["dog", 7, None],
}
PROMPTS = ("a photo of a dog left of a cat", "犬の左に猫がいる", "", "  ", None, 3, "🙂" * 50, "dog " * 500)
SPECS: list[Any] = [
    LEFT,
    PromptSpec("?"),
    PromptSpec("a red dog", (RED_DOG,)),
    PromptSpec(
        "?",
        (RequestedObject("dog", 3, True), RequestedObject("dog", None), RequestedObject("cat", 0)),
        (Relation(0, "left of", 0),),
        ("dog", ""),
    ),
    PromptSpec(
        "?", (RequestedObject(""), RequestedObject("犬", 2)), tuple(Relation(0, name, 1) for name in RelationName)
    ),
    None,
    {"objects": "nonsense"},
    {"objects": [{"name": "dog", "colour": "red"}]},
    7,
]  # fmt: skip


@pytest.mark.parametrize("mode", ["calibrated", "geneval", "t2i_compbench"])
@pytest.mark.parametrize("name", BAD)
def test_whatever_comes_a_verdict_or_a_reason(name: str, mode: str) -> None:
    for spec in SPECS:
        for prompt in PROMPTS:
            values, _ = score_of(spec, BAD[name], prompt=prompt, mode=mode)
            if not isinstance(prompt, str) or not prompt.strip():
                assert all(math.isnan(value) for value in values.values())


def test_a_spec_that_cannot_be_read_says_so() -> None:
    values, scores = score_of({"objects": "nonsense"}, [box("dog", 0)], prompt="a dog")
    assert all(map(math.isnan, values.values()))
    assert "what is asked for cannot be read" in (scores.reasons[0] or "")


def test_the_prompt_is_read_where_there_is_no_spec() -> None:
    prompt = "a photo of a dog to the left of a cat"
    assert failures(score_of(None, [box("dog", 0.7), box("cat", 0)], prompt=prompt)[0]) == {"wrong_relation"}
    assert failures(score_of(None, [box("dog", 0), box("cat", 0.7)], prompt=prompt)[0]) == set()


def test_evidence_says_what_was_wanted_and_what_is_in_the_picture() -> None:
    _, scores = score_of(THREE_DOGS, [box("dog", 0), box("dog", 0.5)])
    wrong = [drawn for drawn in scores.boxes[0] if drawn.label == "wrong_count"]
    assert np.array([drawn.bounds for drawn in wrong]) == pytest.approx(
        np.array([(0, 0.4, 0.2, 0.2), (0.5, 0.4, 0.2, 0.2)])
    )
    assert wrong[0].attributes["wanted"] == "3 x dog"
    assert wrong[0].attributes["found"] == "2 found, 0.95 0.95"
    _, scores = score_of(LEFT, [box("dog", 0)])
    (gone,) = [drawn for drawn in scores.boxes[0] if drawn.label == "missing_object"]
    assert gone.bounds == (0, 0, 1, 1)
    assert gone.attributes["wanted"] == "cat"


# which detector


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Path:
        raise MissingWeights(f"no {name} here")

    monkeypatch.setattr(weights, "path", missing)


@pytest.mark.usefixtures("no_weights")
def test_without_a_model_only_samples_with_detections_are_known() -> None:
    values, scores = score_of(LEFT, None, detector="auto")
    assert all(map(math.isnan, values.values()))
    assert scores.reasons[0] == "the sample has no detections in the field 'detections', and no yolox_nano here"
    assert score_of(LEFT, [box("dog", 0), box("cat", 0.7)], detector="auto")[0]["missing_object"] < 0.5
    assert Composition().resolved("cpu").detector == "field"
    assert Composition().resolved("cpu").backend == "detector"


@pytest.mark.parametrize(
    ("device", "here", "backend"),
    [("cpu", True, "detector"), ("cuda:1", False, "detector"), ("cuda:1", True, "open_vocabulary")],
)
def test_auto_asks_by_name_on_a_gpu_where_the_model_is(
    device: str, here: bool, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_vocabulary, "available", lambda: here)
    assert Composition().resolved(device).backend == backend
    assert Composition(backend="open_vocabulary").resolved("cpu").backend == "open_vocabulary"


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("best", "out of auto, detector, open_vocabulary, got 'best'$"),
        ("offline", "what was 'offline' is called 'detector'$"),
        ("gpu", "what was 'gpu' is called 'open_vocabulary'$"),
    ],
)
def test_a_backend_that_there_is_not_is_refused(backend: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Composition(backend=backend).load("cpu")


def test_what_it_reads() -> None:
    assert Composition().reads() == ("prompt", "spec", "detections")
    assert Composition(detections="yolo").reads() == ("prompt", "spec", "yolo")
    assert Composition(detections="").reads() == ("prompt", "spec")


def test_a_model_asked_for_by_path_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Composition(detector=str(tmp_path / "none.onnx")).load("cpu")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees red squares as people and blue ones as dogs."""
    return tiny_yolox.write(tmp_path_factory.mktemp("models") / "tiny.onnx")


def test_a_tiny_model_by_path_looks_at_the_picture_not_at_the_field(tiny: Path) -> None:
    shown = tiny_yolox.picture()
    boxes = [box("cat", 0)]
    spec = PromptSpec("a dog, no cat", (DOG,), excluded=("cat",))
    assert failures(score_of(spec, boxes, shown)[0]) == {"negation_violated", "missing_object"}
    values, _ = score_of(spec, boxes, shown, detector=str(tiny))
    assert failures(values) == {"extra_object"}, "the red square is a person"
    assert values["missing_object"] < 0.01
    pizza = PromptSpec("a man, a dog and a pizza", (RequestedObject("man"), DOG, RequestedObject("pizza")))
    assert failures(score_of(pizza, None, shown, detector=str(tiny))[0]) == {"missing_object"}


def test_a_tiny_model_through_the_runner(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "path", lambda name: tiny)
    file = tmp_path / "squares.png"
    Image.fromarray(tiny_yolox.picture(person=(0, 1), dog=(3, 1), scale=4)).save(file)
    prompts = ("a dog to the right of a person", "a dog to the left of a person")
    rows = [Row(prompt, str(file), {"prompt": prompt}, frozenset({"composition"})) for prompt in prompts]
    verdicts = [verdict.scores for chunk in runner.run(rows, [Composition()]) for verdict in chunk]
    assert [scores["missing_object"] < 0.01 for scores in verdicts] == [True, True]
    assert [scores["wrong_relation"] > 0.5 for scores in verdicts] == [False, True]


def test_a_model_by_path_looks_at_the_picture_not_at_the_field(shared_data: Path) -> None:
    picture = np.array(Image.open(shared_data / "1_real_photos/coco_val2017_100/000000007784.jpg").convert("RGB"))
    model = str(shared_data / "9_weights/onnx/yolox_nano.onnx")
    spec = PromptSpec("a kite, no dog", (RequestedObject("kite"),), excluded=("dog",))
    values, _ = score_of(spec, [box("dog", 0)], picture, detector=model)
    assert failures(values) == set()
    assert values["missing_object"] < 0.01
    assert failures(score_of(PromptSpec("a pizza", (RequestedObject("pizza"),)), None, picture, detector=model)[0]) == {
        "missing_object"
    }


def test_through_the_runner(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = shared_data / "9_weights/onnx/yolox_nano.onnx"
    monkeypatch.setattr(weights, "path", lambda name: model)
    photo = shared_data / "5_generated/avt_ai_images/images/stable_diffusion/p14.png"
    prompt = "A zebra to the right of a fire hydrant"
    rows = [Row("a", str(photo), fields={"prompt": prompt}, pending=frozenset({"composition"}))]
    (verdict,) = next(iter(runner.run(rows, [Composition()])))
    assert verdict.scores["missing_object"] > 0.8
    assert math.isnan(verdict.scores.get("wrong_relation", math.nan))


def test_every_parameter_changes_the_key() -> None:
    changed: list[dict[str, Any]] = [{}, {"mode": "geneval"}, {"sure": 0.9}, {"detections": "yolo"}]
    assert len({dataclasses.replace(Composition(), **params).key for params in changed}) == 4

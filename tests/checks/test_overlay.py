"""The overlay check: what it says of pictures with something laid over them, and of what is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from leaves import leaves
from PIL import Image

from benchmarks.pixels.cases.scene_lettering import KINDS, in_scene
from loupe.brain.checks.overlay import Overlay
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Scores
from loupe.brain.defects.overlay import Overlay as Captions
from loupe.brain.defects.watermark import Watermark
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.overlays import drawing, vlm_questions
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.answers import Answer, Cuts, Question, decide
from loupe.brain.perception.vlm.base import Vlm
from loupe.testing.picture_set import FOLDER

SCENE = np.ascontiguousarray(leaves(4, 640, 480, 500))


def batch(pictures: Sequence[np.ndarray], prompts: Sequence[object] | None = None) -> ImageBatch:
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    height, width = pictures[0].shape[:2]
    fields: dict[str, tuple[Any, ...]] = {} if prompts is None else {"prompt": tuple(prompts)}
    names = tuple(str(at) for at in range(len(pictures)))
    return ImageBatch(names, pixels, ((width, height),) * len(pictures), fields)


def score_alone(score: Callable[[ImageBatch], Scores], picture: np.ndarray, prompt: object = None) -> dict[str, float]:
    scores = score(batch([picture], [prompt]))
    return {name: float(values[0]) for name, values in scores.items()}


def fails(scores: dict[str, float]) -> set[str]:
    lines = {output.name: output.default_threshold for output in Overlay.outputs}
    return {name for name, value in scores.items() if (line := lines[name]) is not None and value > line.value}


def signed(picture: np.ndarray, text: str = "© 2021 Iris Vane", opacity: float = 0.8) -> np.ndarray:
    mask = np.zeros(picture.shape[:2], np.float32)
    line = drawing.lettering(text, 30)
    drawing.put(mask, line, picture.shape[1] - line.shape[1] - 12, picture.shape[0] - line.shape[0] - 12)
    return drawing.blended(picture, mask, (255, 255, 255), opacity)


def titled(picture: np.ndarray, text: str = "I never said that.") -> np.ndarray:
    made = picture.copy()
    made[-64:] = 0
    mask = np.zeros(picture.shape[:2], np.float32)
    line = drawing.lettering(text, 34)
    drawing.put(mask, line, (picture.shape[1] - line.shape[1]) // 2, picture.shape[0] - 46)
    return drawing.blended(made, mask, (255, 255, 255), 1)


@pytest.fixture(scope="module")
def score() -> Callable[[ImageBatch], Scores]:
    return Overlay(backend="ocr").load("cpu")


# with the text detector


@pytest.mark.slow
def test_a_name_in_a_corner_is_a_watermark(score: Callable[[ImageBatch], Scores]) -> None:
    scores = score(batch([SCENE, signed(SCENE)]))
    assert fails({name: float(v[0]) for name, v in scores.items()}) == set()
    assert "watermark" in fails({name: float(v[1]) for name, v in scores.items()})
    assert scores.boxes[0] == ()
    box = next(box for box in scores.boxes[1] if box.label == "watermark")
    assert "iris" in str(box.attributes["read"]).lower()
    assert box.bounds[0] > 0.4
    assert box.bounds[1] > 0.8


@pytest.mark.slow
def test_a_caption_in_a_letterbox_is_an_overlay(score: Callable[[ImageBatch], Scores]) -> None:
    assert "overlay" in fails(score_alone(score, titled(SCENE)))


@pytest.mark.slow
def test_the_defects_are_found_more_surely_as_they_grow(score: Callable[[ImageBatch], Scores]) -> None:
    for defect, name in ((Watermark(), "watermark"), (Captions(), "overlay")):
        means = []
        for severity in (defect.severities[0], defect.severities[-2]):
            made = [defect.inject(SCENE, severity, np.random.default_rng(seed)) for seed in range(6)]
            means.append(float(score(batch(made))[name].mean()))
        assert means[1] > means[0]
        assert means[1] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "picture", "failing"),
    [
        ("leaves", signed(SCENE), True),
        ('leaves, signed "© 2021 Iris Vane"', signed(SCENE), False),
        ("leaves with a watermark in the corner", signed(SCENE), False),
        ("leaves, no watermark, no text", signed(SCENE), True),
        ("ロゴの入った葉の写真", signed(SCENE), False),
        ("落ち葉の写真", signed(SCENE), True),
        ("a film still with subtitles", titled(SCENE), False),
        ('a caption that says "I never said that."', titled(SCENE), False),
        ("leaves", titled(SCENE), True),
        ("", titled(SCENE), True),
        (None, titled(SCENE), True),
        (7, titled(SCENE), True),
    ],
)
def test_what_the_prompt_asks_for_does_not_count(
    score: Callable[[ImageBatch], Scores], prompt: object, picture: np.ndarray, failing: bool
) -> None:
    assert bool(fails(score_alone(score, picture, prompt))) == failing


@pytest.mark.slow
def test_lettering_that_is_not_named_leaves_it_open(score: Callable[[ImageBatch], Scores]) -> None:
    scores = score(batch([signed(SCENE), SCENE], ["a shop with signs", "a shop with signs"]))
    assert math.isnan(float(scores["watermark"][0]))
    assert "without saying which" in str(scores.reasons[0])
    assert float(scores["watermark"][1]) < 0.5
    assert scores.reasons[1] is None


@pytest.mark.slow
def test_a_page_is_unknown(score: Callable[[ImageBatch], Scores]) -> None:
    mask = np.zeros((640, 480), np.float32)
    words = ["the", "of", "and", "picture", "window", "again", "there", "light", "is", "a", "to", "seen"]
    rng = np.random.default_rng(0)
    for row in range(24):
        drawing.put(mask, drawing.lettering(" ".join(rng.choice(words, 6)), 18), 24, 16 + row * 26)
    page = drawing.blended(np.full((640, 480, 3), 245, np.uint8), mask, (20, 20, 20), 1)
    scores = score(batch([page]))
    assert math.isnan(float(scores["overlay"][0]))
    assert "full of lettering" in str(scores.reasons[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("picture", "reason"),
    [(SCENE[:64, :64], "too small"), (np.full((200, 200, 3), 128, np.uint8), "too plain")],
)
def test_where_nothing_can_be_said_it_is_unknown(
    score: Callable[[ImageBatch], Scores], picture: np.ndarray, reason: str
) -> None:
    scores = score(batch([picture]))
    assert all(math.isnan(float(values[0])) for values in scores.values())
    assert reason in str(scores.reasons[0])


@pytest.mark.slow
def test_upside_down_and_with_forty_quotations(score: Callable[[ImageBatch], Scores]) -> None:
    turned = np.ascontiguousarray(signed(SCENE)[::-1, ::-1])
    prompt = ", ".join(f'"word {at}"' for at in range(40))
    for picture in (turned, SCENE):
        values = score_alone(score, picture, prompt)
        assert all(0 <= value <= 1 for value in values.values())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_lettering_on_a_thing_of_the_scene_is_neither(score: Callable[[ImageBatch], Scores], kind: str) -> None:
    texts = ("12:45",) if kind == "clock" else ("KX 52 TRW",) if kind == "number plate" else ("Orange Mill",)
    made = [in_scene(SCENE, kind, texts, drawing.lettering, np.random.default_rng(seed)) for seed in range(6)]
    scores = score(batch(made))
    assert int((scores["watermark"] > 0.5).sum()) <= 1
    assert int((scores["overlay"] > 0.5).sum()) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sign_bakery", "sign_bekery", "sign_bakkery", "sign_garden_wave"])
def test_a_sign_close_up_is_neither(score: Callable[[ImageBatch], Scores], name: str) -> None:
    picture = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("RGB"))
    assert fails(score_alone(score, picture)) == set()


# with a VLM


class Stub(Vlm):
    """Says yes to every picture that is brighter than it is dark, and keeps what it was asked."""

    def __init__(self, mass: float = 1.0) -> None:
        self.asked: list[str] = []
        self.mass = mass

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "stub"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += [question.text for question in questions]
        return [decide(float(question.picture.mean()) / 255, self.mass, Cuts()) for question in questions]


BRIGHT, DARK = (np.clip(leaves(2, 160, 120).astype(int) // 4 + base, 0, 255).astype(np.uint8) for base in (180, 10))


def test_a_vlm_s_probability_is_the_score() -> None:
    stub = Stub()
    scores = Overlay().asking(stub)(batch([BRIGHT, DARK]))
    for name in ("watermark", "overlay"):
        assert float(scores[name][0]) == pytest.approx(BRIGHT.mean() / 255, abs=1e-5)
        assert float(scores[name][1]) == pytest.approx(DARK.mean() / 255, abs=1e-5)
    assert scores.reasons == ()
    assert len(stub.asked) == 4
    assert len(set(stub.asked)) == 2


def test_a_vlm_is_told_what_was_asked_for_and_is_not_believed_against_it() -> None:
    stub = Stub()
    prompts = ['a shop with the sign "OPEN"', "a screenshot", "an old poster"]
    scores = Overlay().asking(stub)(batch([BRIGHT] * 3, prompts))
    assert any('"OPEN"' in text for text in stub.asked)
    assert float(scores["overlay"][1]) == 0
    assert math.isnan(float(scores["watermark"][2]))


def test_a_vlm_that_says_neither_leaves_it_unknown() -> None:
    scores = Overlay().asking(Stub(mass=0.1))(batch([BRIGHT, DARK[:60]][:1]))
    assert all(math.isnan(float(values[0])) for values in scores.values())
    assert "neither yes nor no" in str(scores.reasons[0])


def test_a_vlm_is_not_asked_about_small_pictures() -> None:
    stub = Stub()
    scores = Overlay().asking(stub)(batch([BRIGHT[:64, :64]]))
    assert stub.asked == []
    assert "too small" in str(scores.reasons[0])


def test_the_question_leaves_out_what_cannot_be_quoted() -> None:
    assert vlm_questions.question("watermark", ["x" * 200, '"<|', "OPEN"]).endswith('says "OPEN" does not count.')
    assert vlm_questions.question("watermark", []).endswith("?")


# how it is set


def test_auto_is_ocr_without_a_gpu_or_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "is_here", lambda name: name == "some/vlm")
    assert Overlay().resolved("cpu").backend == "ocr"
    assert Overlay(vlm="some/vlm").resolved("cuda:1").backend == "vlm"
    assert Overlay(vlm="another/vlm").resolved("cuda").backend == "ocr"
    assert Overlay(backend="vlm").resolved("cpu").backend == "vlm"


def test_it_needs_nothing_and_reads_the_prompt() -> None:
    assert Overlay.needs == ()
    assert Overlay().reads() == ("prompt",)
    for backend, message in (("best", "auto, ocr, vlm, got 'best'$"), ("offline", "'offline' is called 'ocr'$")):
        with pytest.raises(InputError, match=message):
            Overlay(backend=backend).load("cpu")

"""Examples for a VLM: what it is shown, in which order, and which folders are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from loupe.brain.core.errors import InputError, ModelError, UnknownName
from loupe.brain.measures.overlays import vlm_questions
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.perception.vlm.few_shot import LARGEST, MAX, FewShot, load, read
from loupe.brain.perception.vlm.questions import SPECIALISTS

FINGERS = SPECIALISTS["extra_fingers"].text


class Listening(Vlm):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "listening"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [Answer(0.5, 1.0, "unknown")] * len(questions)


def put(folder: Path, name: str, answer: str, *grays: int, size: tuple[int, int] = (8, 6)) -> None:
    place = folder / name / answer
    place.mkdir(parents=True, exist_ok=True)
    for number, gray in enumerate(grays):
        cv2.imwrite(str(place / f"{number}.png"), np.full((size[1], size[0], 3), gray, np.uint8))


def grays(examples: Sequence[tuple[np.ndarray, str]]) -> list[tuple[int, str]]:
    return [(int(picture[0, 0, 0]), answer) for picture, answer in examples]


def test_yes_and_no_come_in_turn_by_the_names_of_the_files(tmp_path: Path) -> None:
    put(tmp_path, "extra_fingers", "yes", 10, 20, 30)
    put(tmp_path, "extra_fingers", "no", 200)
    put(tmp_path, "watermark", "yes", 40)
    put(tmp_path, "watermark", "no", 50)
    (tmp_path / "extra_fingers" / "no" / "notes.txt").write_text("no picture")
    made = read(tmp_path)
    assert grays(made["extra_fingers"]) == [(10, "yes"), (200, "no"), (20, "yes"), (30, "yes")]
    assert grays(made["watermark"]) == [(40, "yes"), (50, "no")]


def test_only_the_question_that_they_are_for_has_them(tmp_path: Path) -> None:
    put(tmp_path, "extra_fingers", "yes", 10)
    put(tmp_path, "extra_fingers", "no", 200)
    picture = np.zeros((4, 4, 3), np.uint8)
    inner = Listening()
    FewShot(inner, read(tmp_path)).answer([Question(FINGERS, picture), Question("Is it red?", picture)])
    assert [grays(question.examples) for question in inner.asked] == [[(10, "yes"), (200, "no")], []]
    assert [question.text for question in inner.asked] == [FINGERS, "Is it red?"]


def test_a_question_that_says_more_has_them_too(tmp_path: Path) -> None:
    put(tmp_path, "overlay", "yes", 10)
    put(tmp_path, "overlay", "no", 200)
    inner = Listening()
    text = vlm_questions.question("overlay", ["OPEN"])
    FewShot(inner, read(tmp_path)).answer([Question(text, np.zeros((4, 4, 3), np.uint8))])
    assert len(inner.asked[0].examples) == 2


def test_the_facts_tell_other_examples(tmp_path: Path) -> None:
    facts = []
    for name, gray in (("a", 10), ("b", 10), ("c", 11)):
        put(tmp_path / name, "extra_fingers", "yes", gray)
        put(tmp_path / name, "extra_fingers", "no", 200)
        facts.append(FewShot(Listening(), read(tmp_path / name)).facts)
    assert facts[0] == facts[1] != facts[2]
    assert facts[0]["model"] == "listening"


def test_large_ones_are_scaled_down_and_keep_their_shape(tmp_path: Path) -> None:
    put(tmp_path, "extra_fingers", "yes", 10, size=(1000, 500))
    put(tmp_path, "extra_fingers", "no", 200)
    assert read(tmp_path)["extra_fingers"][0][0].shape == (LARGEST // 2, LARGEST, 3)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder of examples"):
        read(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"such as extra_fingers/yes .*, got none"):
        read(tmp_path)
    put(tmp_path, "extra_fingers", "yes", 10)
    with pytest.raises(InputError, match="got 1 and 0"):
        read(tmp_path)
    put(tmp_path, "extra_fingers", "no", *range(MAX))
    with pytest.raises(InputError, match=f"at most {MAX} examples of extra_fingers, got {MAX + 1}"):
        read(tmp_path)
    put(tmp_path, "extra_finger", "no", 1)
    with pytest.raises(UnknownName, match="extra_fingers"):
        read(tmp_path)


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, "extra_fingers", "yes", 10)
    put(tmp_path, "extra_fingers", "no", 200)
    (tmp_path / "extra_fingers" / "no" / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match=r"torn\.jpg"):
        read(tmp_path)


def test_the_examples_are_looked_at_before_the_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of examples"):
        load("nobody/nothing", "cpu", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError):
        load("not a name", "cpu")

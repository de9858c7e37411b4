"""A VLM beside the boxes: what it sees otherwise is unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from loupe.brain.checks.composition import Composition
from loupe.brain.core.records import Box
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.composition import agreement, rules
from loupe.brain.measures.composition.colors import Naming
from loupe.brain.measures.composition.scene import Requirement, Scene
from loupe.brain.perception.detectors.detection import usable
from loupe.brain.perception.detectors.vocabulary import COCO_80, Vocabulary
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.prompts.spec import PromptSpec, Relation, RequestedObject

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Says(Vlm):
    """Answers by the question's words."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.questions = answers, []

    @property
    def facts(self) -> dict[str, Any]:
        return {}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.questions += [question.text for question in questions]
        verdicts = [
            next((verdict for word, verdict in self.answers.items() if word in question.text), "unknown")
            for question in questions
        ]
        chances = {"yes": 0.95, "no": 0.05, "unknown": 0.5}
        return [Answer(chances[verdict], 1.0, verdict) for verdict in verdicts]


@pytest.mark.parametrize(
    ("failure", "violated", "answer", "kept"),
    [
        ("missing_object", 0.9, "no", True),
        ("missing_object", 0.9, "yes", False),
        ("missing_object", 0.1, "yes", True),
        ("missing_object", 0.1, "unknown", False),
        ("negation_violated", 0.9, "yes", True),
        ("negation_violated", 0.9, "no", False),
        ("negation_violated", 0.1, "no", True),
    ],
)
def test_what_both_say_is_kept(failure: str, violated: float, answer: str, kept: bool) -> None:
    requirement = Requirement(failure, "", "", violated, question="Is there a dog?")
    (agreed,) = agreement.agreed([requirement], PICTURE, Says(dog=answer))
    assert (agreed == requirement) is kept
    assert kept or (math.isnan(agreed.violated) and "VLM" in agreed.reason)


def test_what_is_unknown_or_has_no_question_is_not_asked() -> None:
    vlm = Says()
    requirements = [
        Requirement("wrong_size", "", "", 0.9),
        Requirement("missing_object", "", "", math.nan, "why", question="Is it?"),
    ]
    assert agreement.agreed(requirements, PICTURE, vlm) == tuple(requirements)
    assert vlm.questions == []


def test_questions() -> None:
    assert agreement.number(3, "dog").endswith("exactly 3?")
    assert agreement.number(1000, "dog") == ""
    assert agreement.presence("x" * 1000) == ""
    assert agreement.relation("dog", "left of", "car") == 'Is the "dog" to the left of the "car" in this picture?'
    assert agreement.relation("dog", "same size as", "car") == ""


def test_the_check_asks_the_vlm(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = PromptSpec(
        "a dog left of a cat", (RequestedObject("dog"), RequestedObject("cat")), (Relation(0, "left of", 1),)
    )
    boxes = (Box("dog", (0.7, 0.4, 0.2, 0.2), 0.95), Box("cat", (0.0, 0.4, 0.2, 0.2), 0.95))
    fields = {"prompt": ("?",), "spec": (spec,), "detections": (boxes,)}
    batch = ImageBatch(("a",), torch.zeros((1, 3, 100, 100), dtype=torch.uint8), ((100, 100),), fields)
    for answer, known in (("no", True), ("yes", False)):
        vlm = Says(**{"left of": answer, "at least one": "yes"})
        monkeypatch.setattr(Composition, "_agreeing", lambda self, device, vlm=vlm: vlm)
        scores = Composition(detector="field", floor=0.05).load("cpu")(batch)
        assert (float(scores["wrong_relation"][0]) > 0.5) is known
        assert len(vlm.questions) == 3
    assert Composition().resolved("cpu").vlm == ""


def test_of_what_is_excluded_it_is_asked_whether_it_is_there() -> None:
    detections = usable([Box("dog", (0.0, 0.4, 0.2, 0.2), 0.95)], 100, 100)
    scene = Scene(detections, Vocabulary(COCO_80), 100, 100, 0.05, lambda _: Naming(None))
    (requirement,) = rules.requirements(PromptSpec("no dogs", excluded=("dog",)), scene, 0.8, 0.25)
    assert requirement.question == 'Is there at least one "dog" in this picture?'
    assert agreement.agreed([requirement], PICTURE, Says(dog="yes")) == (requirement,)
    assert not agreement.agreed([requirement], PICTURE, Says(dog="no"))[0].known

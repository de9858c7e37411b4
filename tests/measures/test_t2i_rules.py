"""T2I-CompBench's scores, against the published rule written down a second time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.composition.reference import random_boxes, reference_t2i
from loupe.brain.core.records import Box
from loupe.brain.measures.composition.colors import Naming
from loupe.brain.measures.composition.scene import Scene
from loupe.brain.measures.composition.t2i_compbench import ClassDetection, distinct, numeracy, requirements, spatial
from loupe.brain.perception.detectors.detection import usable
from loupe.brain.perception.detectors.vocabulary import COCO_80, Vocabulary
from loupe.brain.prompts.spec import PromptSpec, Relation, RequestedObject


def reference_count(detections: list[ClassDetection], requested: list[tuple[str, int]]) -> float:
    """Boxes of one class of which one covers the other are one; then 0.5 for presence and 0.5 for the number."""
    kept: list[ClassDetection] = []
    for detection in detections:
        same = False
        for other in kept:
            a, b = np.array(detection.corners), np.array(other.corners)
            low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
            common = np.clip(high - low + 1, 0, None).prod()
            sizes = [(box[2:] - box[:2] + 1).prod() for box in (a, b)]
            covered = max(common / (sum(sizes) - common), common / sizes[0], common / sizes[1])
            same = same or (detection.name == other.name and covered > 0.9)
        if not same:
            kept.append(detection)
    names = [detection.name for detection in kept]
    scores = []
    for name, number in requested:
        if name not in names:
            names = [name if name in other else other for other in names]
        scores.append(0.5 * (name in names) + 0.5 * (name in names and names.count(name) == number))
    return float(np.mean(scores))


@pytest.fixture
def detections() -> list[ClassDetection]:
    rng = np.random.default_rng(3)
    boxes = random_boxes(400, 5)
    boxes[1::3] = boxes[::3][: len(boxes[1::3])] + rng.normal(0, 2, (len(boxes[1::3]), 1))
    return [
        ClassDetection(str(rng.choice(["dog", "bear", "teddy bear"])), float(rng.uniform(0.3, 1)), tuple(box))
        for box in boxes.tolist()
    ]


def test_counts_are_the_published_ones(detections: list[ClassDetection]) -> None:
    rng = np.random.default_rng(4)
    scores = set()
    for _ in range(300):
        some = [detections[at] for at in rng.integers(0, len(detections), int(rng.integers(0, 7)))]
        requested = [(str(rng.choice(["dog", "bear", "teddy bear"])), int(rng.integers(1, 4))) for _ in range(2)]
        assert numeracy(some, requested) == pytest.approx(reference_count(some, requested))
        scores.add(numeracy(some, requested))
    assert scores == {0, 0.25, 0.5, 0.75, 1}


@pytest.mark.parametrize("relation", ["left of", "right of", "above", "below", "next to", "near"])
def test_relations_are_the_published_ones(detections: list[ClassDetection], relation: str) -> None:
    for a, b in zip(detections[::2], detections[1::2], strict=True):
        some = [
            ClassDetection("dog", a.score, a.corners),
            ClassDetection("cat", b.score, b.corners),
            ClassDetection("dog", 1.0, b.corners),
        ]
        score = 0.25 * a.score + 0.25 * b.score + reference_t2i(relation, a.corners, b.corners) / 2
        assert spatial(some, "dog", relation, "cat") == pytest.approx(score if score >= 0.5 else 0)


def test_one_of_two_is_worth_nothing() -> None:
    assert spatial([ClassDetection("dog", 1.0, (0, 0, 9, 9))], "dog", "left of", "cat") == 0
    assert spatial([], "dog", "left of", "cat") == 0


def test_a_girl_is_a_person_and_a_ship_a_boat() -> None:
    person, boat = ClassDetection("person", 1.0, (0, 0, 9, 9)), ClassDetection("boat", 1.0, (90, 0, 99, 9))
    assert spatial([person, boat], "girl", "left of", "boat") == 1
    assert numeracy([person, boat], [("girl", 1), ("ship", 1)]) == 1


def test_nothing_asked_is_not_known() -> None:
    assert math.isnan(numeracy([], []))
    assert distinct([]) == []


def scene_of(boxes: list[Box], side: int = 512) -> Scene:
    return Scene(usable(boxes, side, side), Vocabulary(COCO_80), side, side, 0.05, lambda _: Naming(None))


def test_the_relation_or_the_numbers_are_scored() -> None:
    boxes = [Box("dog", (0, 0, 0.2, 0.2), 1.0), Box("couch", (0.7, 0, 0.2, 0.2), 1.0)]
    spec = PromptSpec("?", (RequestedObject("dog"), RequestedObject("sofa")), (Relation(0, "left of", 1),))
    judged, score = requirements(spec, scene_of(boxes), 0.3)
    assert score == 1
    assert [requirement.violated for requirement in judged if requirement.failure == "wrong_relation"] == [0]
    assert (
        requirements(PromptSpec("?", (RequestedObject("dog", 2, True), RequestedObject("cat"))), scene_of(boxes), 0.3)[
            1
        ]
        == 0.25
    )


def test_a_distance_does_not_depend_on_the_pictures_size() -> None:
    boxes = [Box("dog", (0, 0, 0.1, 0.1), 1.0), Box("cat", (0.6, 0.6, 0.1, 0.1), 1.0)]
    spec = PromptSpec("?", (RequestedObject("dog"), RequestedObject("cat")), (Relation(0, "near", 1),))
    scores = [requirements(spec, scene_of(boxes, side), 0.3)[1] for side in (128, 512, 2048)]
    assert scores == pytest.approx([scores[1]] * 3)
    assert scores[1] == pytest.approx(0.5 + 150 / (0.6 * 512) / 2)


def test_what_it_does_not_judge_is_unknown() -> None:
    boxes = [Box("dog", (0, 0, 0.2, 0.2), 1.0)]
    spec = PromptSpec(
        "?", (RequestedObject("dog"), RequestedObject("fountain")), (Relation(0, "behind", 1),), excluded=("cat",)
    )
    judged, score = requirements(spec, scene_of(boxes), 0.3)
    assert math.isnan(score)
    assert [requirement.failure for requirement in judged if requirement.known] == ["missing_object"]
    assert all(requirement.reason for requirement in judged if not requirement.known)

"""GenEval's verdict, against a plain second implementation, over all of its own prompts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import suite

from benchmarks.composition.reference import reference_geneval
from loupe.brain.core.records import Box
from loupe.brain.measures.composition.colors import Naming
from loupe.brain.measures.composition.geneval import COLORS, Clause, detected, evaluate, requirements
from loupe.brain.measures.composition.scene import Scene
from loupe.brain.perception.detectors.detection import usable
from loupe.brain.perception.detectors.vocabulary import Vocabulary
from loupe.brain.prompts.spec import Attribute, PromptSpec, Relation, RequestedObject

LEFT, RIGHT = (0.0, 40.0, 20.0, 60.0), (70.0, 40.0, 95.0, 60.0)


def reference(boxes_of: Mapping[str, list], metadata: Mapping[str, Any], color_of: Mapping[tuple, str]) -> bool:
    """The published procedure, word by word: ``boxes_of`` maps a class to (corners, score), by score."""
    limit = 0.9 if metadata["tag"] == "counting" else 0.3
    objects = {name: [box for box, score in boxes if score > limit][:16] for name, boxes in boxes_of.items()}
    correct, groups = True, []
    for clause in metadata.get("include", []):
        mine = objects.get(clause["class"], [])[: clause["count"]]
        matched = len(mine) >= clause["count"]
        if matched and "color" in clause:
            matched = sum(color_of[box] == clause["color"] for box in mine) >= clause["count"]
        if matched and "position" in clause:
            relation, target = clause["position"]
            others = groups[target]
            matched = others is not None and all(relation in reference_geneval(a, b) for a in mine for b in others)
        correct = correct and matched
        groups.append(mine if matched else None)
    for clause in metadata.get("exclude", []):
        correct = correct and len(objects.get(clause["class"], [])) < clause["count"]
    return correct


def own(metadata: Mapping[str, Any]) -> PromptSpec:
    """GenEval's metadata as what a prompt asks for."""
    more = {clause["class"]: clause["count"] for clause in metadata.get("exclude", [])}
    objects = tuple(
        RequestedObject(
            clause["class"],
            clause["count"],
            more.get(clause["class"]) == clause["count"] + 1,
            (Attribute("color", clause["color"]),) if "color" in clause else (),
        )
        for clause in metadata["include"]
    )
    relations = tuple(
        Relation(place, clause["position"][0], clause["position"][1])
        for place, clause in enumerate(metadata["include"])
        if "position" in clause
    )
    return PromptSpec(metadata["prompt"], objects, relations)


def scene_of(boxes: Sequence[Box], color_of: Mapping[tuple, str], labels: Sequence[str]) -> Scene:
    return Scene(
        usable(boxes, 512, 512),
        Vocabulary(labels),
        512,
        512,
        0.05,
        lambda detection: Naming(color_of.get(detection.corners), {}),
    )


def test_prompts_like_genevals_have_the_published_verdict() -> None:
    assert min(verdicts_of(suite.metadata(), suite.CLASSES, rounds=6).values()) > 100


def test_all_of_genevals_prompts_have_the_published_verdict(shared_data: Path) -> None:
    lines = (shared_data / "8_prompts/geneval/evaluation_metadata.jsonl").read_text().splitlines()
    labels = (shared_data / "8_prompts/geneval/object_names.txt").read_text().split("\n")
    assert min(verdicts_of(list(map(json.loads, lines)), labels, rounds=3).values()) > 100


def verdicts_of(rows: Sequence[Mapping[str, Any]], labels: Sequence[str], rounds: int) -> dict[bool, int]:
    """Holds the rules to the reference for random detections, through the clauses and through the check's own
    requirements; returns how often the verdict was right and how often wrong.
    """
    rng = np.random.default_rng(0)
    verdicts = {True: 0, False: 0}
    for metadata in rows:
        classes = list(dict.fromkeys(clause["class"] for clause in metadata["include"]))
        for _ in range(rounds):
            boxes = []
            for name in classes:
                for _ in range(int(rng.integers(0, 5)) if metadata["tag"] == "counting" else int(rng.integers(1, 3))):
                    x, y = rng.uniform(0, 0.7, 2)
                    size = (x, y, rng.uniform(0.05, 0.29), rng.uniform(0.05, 0.29))
                    boxes.append(
                        Box(name, size, float(rng.choice([0.2, 0.35, 0.5, 0.92, 0.97]) + rng.uniform(0, 0.02)))
                    )
            requested = {clause["class"]: clause.get("color", "red") for clause in metadata["include"]}
            detections = usable(boxes, 512, 512)
            colors = {
                detection.corners: requested[detection.label] if rng.random() < 0.7 else str(rng.choice(COLORS))
                for detection in detections
            }
            by_class = {
                name: [(detection.corners, detection.score) for detection in detections if detection.label == name]
                for name in classes
            }
            wanted = reference(by_class, metadata, colors)
            verdicts[wanted] += 1
            include = [
                Clause(
                    clause["class"],
                    clause["count"],
                    clause.get("color"),
                    (tuple(clause["position"]),) if "position" in clause else (),
                )
                for clause in metadata["include"]
            ]
            exclude = [Clause(clause["class"], clause["count"]) for clause in metadata.get("exclude", [])]
            kept = detected(by_class, metadata["tag"] == "counting")
            assert (
                evaluate(kept, include, exclude, lambda _, crops, c=colors: [c[box] for box in crops]).correct == wanted
            )
            assert requirements(own(metadata), scene_of(boxes, colors, labels))[1] == wanted, metadata
    return verdicts


def test_at_most_sixteen_above_the_threshold_the_best_first() -> None:
    boxes = {"dog": [((0, 0, at, 9), at / 100) for at in range(1, 100)], "cat": [((0, 0, 9, 9), 0.3)]}
    assert [box[2] for box in detected(boxes)["dog"]] == list(range(99, 83, -1))
    assert "cat" not in detected(boxes)
    assert len(detected(boxes, counting=True)["dog"]) == 9


def test_overlaps_are_dropped_where_it_is_asked_for() -> None:
    boxes = {"dog": [((0.0, 0.0, 9.0, 9.0), 0.9), ((0.0, 0.0, 9.0, 8.0), 0.8), ((50.0, 0.0, 59.0, 9.0), 0.7)]}
    assert len(detected(boxes)["dog"]) == 3
    assert [box[0] for box in detected(boxes, max_iou=0.5)["dog"]] == [0, 50]


def test_a_missing_target_is_no_target() -> None:
    verdict = evaluate({"dog": [LEFT]}, [Clause("cat"), Clause("dog", positions=(("left of", 0),))], [])
    assert [finding.failure for finding in verdict.findings] == ["missing_object", "wrong_relation"]
    assert verdict.findings[1].observed == "no target"


def test_exclude_counts_from_its_number_on() -> None:
    boxes = {"dog": [LEFT, RIGHT]}
    assert evaluate(boxes, [Clause("dog", 2)], [Clause("dog", 3)]).correct is True
    assert evaluate(boxes, [Clause("dog", 2)], [Clause("dog", 2)]).findings[0].failure == "wrong_count"
    assert evaluate(boxes, [], [Clause("dog")]).findings[0].failure == "negation_violated"


@pytest.mark.parametrize(
    ("named", "correct"),
    [
        (["red", "red"], True),
        (["red", None], None),
        ([None, None], None),
        (["red", "blue"], False),
        ([None, "blue"], False),
    ],
)
def test_a_color_that_is_not_known_is_not_guessed(named: list, correct: bool | None) -> None:
    verdict = evaluate({"dog": [LEFT, RIGHT]}, [Clause("dog", 2, "red")], [], lambda *_: named)
    assert verdict.correct is correct
    assert evaluate({"dog": [LEFT]}, [Clause("dog", 1, "red")], []).correct is None


def test_every_detected_object_has_to_stand_right_to_every_target() -> None:
    middle = (40.0, 40.0, 50.0, 60.0)
    clauses = [Clause("cat"), Clause("dog", 2, positions=(("left of", 0),))]
    assert evaluate({"cat": [RIGHT], "dog": [LEFT, middle]}, clauses, []).correct is True
    assert evaluate({"cat": [middle], "dog": [LEFT, RIGHT]}, clauses, []).correct is False


def test_the_order_of_the_objects_does_not_matter() -> None:
    boxes = [Box("dog", (0, 0.4, 0.2, 0.2), 0.9), Box("cat", (0.7, 0.4, 0.2, 0.2), 0.9)]
    for first, second in itertools.permutations(("dog", "cat")):
        subject = (first, second).index("dog")
        spec = PromptSpec(
            "?", (RequestedObject(first), RequestedObject(second)), (Relation(subject, "left of", 1 - subject),)
        )
        assert requirements(spec, scene_of(boxes, {}, ["dog", "cat"]))[1] == 1
        spec = PromptSpec(
            "?", (RequestedObject(first), RequestedObject(second)), (Relation(1 - subject, "left of", subject),)
        )
        judged, score = requirements(spec, scene_of(boxes, {}, ["dog", "cat"]))
        assert score == 0
        assert [requirement.failure for requirement in judged if requirement.violated == 1] == ["wrong_relation"]


def test_a_noun_without_a_label_is_unknown_not_missing() -> None:
    judged, score = requirements(PromptSpec("?", (RequestedObject("fountain"),)), scene_of([], {}, ["dog"]))
    assert not judged[0].known
    assert "no label for 'fountain'" in judged[0].reason
    assert np.isnan(score)

"""T2I-CompBench's scores from boxes: soft ones, for two-dimensional relations and for numbers of objects.

Huang et al.: T2I-CompBench, NeurIPS 2023 (github.com/Karine-Huang/T2I-CompBench, MIT; UniDet evaluation). Reproduced
from the published rule. A relation's score is a quarter of each object's confidence and half of how well the first
boxes stand to each other; below 0.5 it is 0. A number's score is 0.5 for being there and 0.5 for the exact count,
averaged over the objects; of boxes of one class that cover each other by more than 0.9 the first one counts.

>>> dog, cat = ClassDetection("dog", 1.0, (0, 0, 10, 10)), ClassDetection("cat", 0.8, (50, 0, 60, 10))
>>> spatial([dog, cat], "dog", "left of", "cat"), numeracy([dog, cat], [("dog", 1), ("cat", 3)])
(0.95, 0.75)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from loupe.brain.core.relations import SIZE_RELATIONS, RelationName
from loupe.brain.imaging.boxes import Corners
from loupe.brain.measures.composition.geometry import t2i_position, t2i_same
from loupe.brain.measures.composition.scene import (
    ObjectDetections,
    Requirement,
    Scene,
    group_detections,
    unknown_word,
)
from loupe.brain.prompts.spec import PromptSpec

#: the long side of the pictures that its distance of 150 pixels is meant for
LONG_SIDE = 512
_PEOPLE = ("girl", "boy", "man", "woman")
_NAMES = {
    **dict.fromkeys(_PEOPLE, "person"),
    "ship": "boat",
    "telivision": "tv",
    "goldfish": "fish",
    "painting": "picture",
}
#: the relations that it measures
RELATIONS = RelationName.of_kind("side", "distance")


@dataclass(frozen=True)
class ClassDetection:
    """One detection, as the original has it.

    Attributes:
        name: its class
        score: in [0, 1]
        corners: in pixels of a picture with a long side of about 512
    """

    name: str
    score: float
    corners: Corners


def spatial(detections: Sequence[ClassDetection], subject: str, relation: str, target: str) -> float:
    """Returns the score of a relation, in {0} and [0.5, 1]; of each class the first detection counts.

    Args:
        detections: in the detector's order, which is by confidence
        subject: the class of the first object
        relation: one of "left of", "right of", "above", "below", "next to", "near"
        target: the class of the other object
    """
    names = [detection.name for detection in detections]
    subject, target = ("person" if name in _PEOPLE else name for name in (subject, target))
    if subject not in names or target not in names:
        return 0.0  # a quarter of one confidence is below 0.5
    a, b = detections[names.index(subject)], detections[names.index(target)]
    score = 0.25 * a.score + 0.25 * b.score + t2i_position(relation, a.corners, b.corners) / 2
    return score if score >= 0.5 else 0.0


def distinct(detections: Sequence[ClassDetection]) -> list[ClassDetection]:
    """Returns the detections without those that cover, or are covered by, an earlier one of their class."""
    kept: list[ClassDetection] = []
    for detection in detections:
        if not any(detection.name == other.name and t2i_same(detection.corners, other.corners) for other in kept):
            kept.append(detection)
    return kept


def numeracy(detections: Sequence[ClassDetection], requested: Sequence[tuple[str, int]]) -> float:
    """Returns the score of a prompt with numbers, in [0, 1]; NaN for no objects.

    As in the original, a class that is not there is looked for in the names of other classes ("bear" in "teddy
    bear"), and these are renamed for the objects that follow.

    Args:
        detections: in the detector's order
        requested: class and number, in the prompt's order
    """
    if not requested:
        return math.nan
    names = [detection.name for detection in distinct(detections)]
    score = 0.0
    for name, number in requested:
        name = _NAMES.get(name, name)
        if name not in names:
            names = [name if name in other else other for other in names]
        if name in names:
            score += 0.5 / len(requested) + (0.5 / len(requested) if names.count(name) == number else 0.0)
    return score


def requirements(spec: PromptSpec, scene: Scene, confidence: float) -> tuple[tuple[Requirement, ...], float]:
    """Returns what is asked for with T2I-CompBench's verdict on each, and the prompt's score.

    The score is that of the relations where there are any (their mean), else that of the numbers; NaN where a noun has
    no label. Attributes, sizes and what is excluded have no verdict: the original asks BLIP for attributes.

    Args:
        spec: what is asked for
        scene: what was detected
        confidence: below which detections are left out
    """
    groups = group_detections(spec, scene)
    scale = LONG_SIDE / max(scene.width, scene.height)
    sure = [detection for detection in scene.detections if detection.score >= confidence]
    detections = [
        ClassDetection(scene.vocabulary.means(detection.label), detection.score, _scaled(detection.corners, scale))
        for detection in sure
    ]
    bounds = {id(scaled): detection.bounds for scaled, detection in zip(detections, sure, strict=True)}
    judged: list[Requirement] = []
    for group in groups:
        judged += _object(group, scene, detections, bounds)
    scores = []
    for relation in spec.relations:
        score, requirement = _relation(
            relation.name, groups[relation.subject], groups[relation.object], scene, detections, bounds
        )
        scores.append(score)
        judged.append(requirement)
    judged += [
        Requirement("negation_violated", f"no {noun}", "", math.nan, "T2I-CompBench does not judge what is excluded")
        for noun in spec.excluded
    ]
    if scores:
        return tuple(judged), sum(scores) / len(scores)
    if any(group.match is None for group in groups):
        return tuple(judged), math.nan
    return tuple(judged), numeracy(detections, [(_names(group, scene)[0], group.min_count) for group in groups])


def _names(group: ObjectDetections, scene: Scene) -> tuple[str, ...]:
    assert group.match is not None
    return tuple(scene.vocabulary.means(label) for label in group.match.labels)


def _scaled(box: Corners, scale: float) -> Corners:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


#: where each scaled detection is in the picture, by its id: x, y, width, height in [0, 1]
_Bounds: TypeAlias = dict[int, tuple[float, float, float, float]]


def _object(
    group: ObjectDetections, scene: Scene, detections: Sequence[ClassDetection], bounds: _Bounds
) -> list[Requirement]:
    """Whether it is there and how many there are; what it is like has no verdict."""
    if group.match is None:
        return [Requirement("missing_object", str(group), "", math.nan, unknown_word(group.name))]
    names = _names(group, scene)
    of_group = [detection for detection in distinct(detections) if detection.name in names]
    places = tuple(bounds[id(detection)] for detection in of_group)
    observed = f"{len(of_group)} found"
    judged = [Requirement("missing_object", str(group), observed, float(not of_group), "", places)]
    if group.counted and group.requested.exact and of_group:
        miscounted = float(len(of_group) != group.min_count)
        judged.append(Requirement("wrong_count", str(group), observed, miscounted, "", places))
    elif group.counted:
        why = "none was found" if group.requested.exact else "T2I-CompBench counts exact numbers only"
        judged.append(Requirement("wrong_count", str(group), observed, math.nan, why))
    why = "T2I-CompBench judges no attribute by boxes"
    return judged + [
        Requirement("wrong_attribute", f"{attribute.value} {group.name}", "", math.nan, why)
        for attribute in group.requested.attributes
    ]


def _relation(
    name: str,
    subject: ObjectDetections,
    target: ObjectDetections,
    scene: Scene,
    detections: Sequence[ClassDetection],
    bounds: _Bounds,
) -> tuple[float, Requirement]:
    """The relation's score, NaN where it has none, and its verdict."""
    wanted = f"{subject.name} {name} {target.name}"
    failure = "wrong_size" if name in SIZE_RELATIONS else "wrong_relation"
    if subject.match is None or target.match is None:
        missing = subject if subject.match is None else target
        return math.nan, Requirement(failure, wanted, "", math.nan, unknown_word(missing.name))
    if name not in RELATIONS:
        return math.nan, Requirement(failure, wanted, "", math.nan, f"T2I-CompBench does not judge {name}")
    subjects, targets = _names(subject, scene), _names(target, scene)
    a = next((detection for detection in detections if detection.name in subjects), None)
    b = next((detection for detection in detections if detection.name in targets), None)
    score = spatial(detections, a.name if a else subjects[0], name, b.name if b else targets[0])
    if a is None or b is None:
        return score, Requirement("wrong_relation", wanted, "", math.nan, "one of them was not found")
    position = t2i_position(name, a.corners, b.corners)
    places = (bounds[id(a)], bounds[id(b)])
    return score, Requirement("wrong_relation", wanted, f"position {position:.2f}", 1 - position, "", places)

"""T2I-CompBench's scores from boxes: soft ones, for two-dimensional relations and for numbers of things.

Huang et al.: T2I-CompBench, NeurIPS 2023 (github.com/Karine-Huang/T2I-CompBench, MIT; UniDet evaluation). Reproduced
from the published rule. A relation's score is a quarter of each object's confidence and half of how well the first
boxes stand to each other; below 0.5 it is 0. A number's score is 0.5 for being there and 0.5 for the exact count,
averaged over the objects; of boxes of one class that cover each other by more than 0.9 the first one counts.

>>> dog, cat = Found("dog", 1.0, (0, 0, 10, 10)), Found("cat", 0.8, (50, 0, 60, 10))
>>> spatial([dog, cat], "dog", "left of", "cat"), numeracy([dog, cat], [("dog", 1), ("cat", 3)])
(0.95, 0.75)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loupe.brain.imaging.boxes import Corners
from loupe.brain.measures.composition.geometry import AXES, NEAR, t2i_position, t2i_same
from loupe.brain.measures.composition.scene import ObjectDetections, Requirement, Scene, things, unknown_word
from loupe.brain.prompts.spec import SIZES, PromptSpec

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
RELATIONS = (*AXES, *NEAR)


@dataclass(frozen=True)
class ClassDetection:
    """One detection.

    Attributes:
        name: its class
        score: in [0, 1]
        corners: in pixels of a picture with a long side of about 512
    """

    name: str
    score: float
    corners: Corners


def spatial(found: Sequence[ClassDetection], subject: str, relation: str, target: str) -> float:
    """Returns the score of a relation, in {0} and [0.5, 1]; of each class the first detection counts.

    Args:
        found: in the detector's order, which is by confidence
        subject: the class of the first object
        relation: one of "left of", "right of", "above", "below", "next to", "near"
        target: the class of the other object
    """
    names = [one.name for one in found]
    subject, target = ("person" if name in _PEOPLE else name for name in (subject, target))
    if subject not in names or target not in names:
        return 0.0  # a quarter of one confidence is below 0.5
    a, b = found[names.index(subject)], found[names.index(target)]
    score = 0.25 * a.score + 0.25 * b.score + t2i_position(relation, a.corners, b.corners) / 2
    return score if score >= 0.5 else 0.0


def distinct(found: Sequence[ClassDetection]) -> list[ClassDetection]:
    """Returns the detections without those that cover, or are covered by, an earlier one of their class."""
    kept: list[ClassDetection] = []
    for one in found:
        if not any(one.name == other.name and t2i_same(one.corners, other.corners) for other in kept):
            kept.append(one)
    return kept


def numeracy(found: Sequence[ClassDetection], asked: Sequence[tuple[str, int]]) -> float:
    """Returns the score of a prompt with numbers, in [0, 1]; NaN for no objects.

    As in the original, a class that is not there is looked for in the names of other classes ("bear" in "teddy
    bear"), and these are renamed for the objects that follow.

    Args:
        found: in the detector's order
        asked: class and number, in the prompt's order
    """
    if not asked:
        return math.nan
    names = [one.name for one in distinct(found)]
    score = 0.0
    for name, number in asked:
        name = _NAMES.get(name, name)
        if name not in names:
            names = [name if name in other else other for other in names]
        if name in names:
            score += 0.5 / len(asked) + (0.5 / len(asked) if names.count(name) == number else 0.0)
    return score


def judge(spec: PromptSpec, scene: Scene, confidence: float) -> tuple[tuple[Requirement, ...], float]:
    """Returns what is asked for with T2I-CompBench's verdict on each, and the prompt's score.

    The score is that of the relations where there are any (their mean), else that of the numbers; NaN where a noun has
    no label. Attributes, sizes and what is excluded have no verdict: the original asks BLIP for attributes.

    Args:
        spec: what is asked for
        scene: what was seen
        confidence: below which detections are left out
    """
    asked = things(spec, scene)
    scale = LONG_SIDE / max(scene.width, scene.height)
    seen = [one for one in scene.seen if one.score >= confidence]
    found = [ClassDetection(scene.vocabulary.means(one.label), one.score, _scaled(one.corners, scale)) for one in seen]
    bounds = {id(box): one.bounds for box, one in zip(found, seen, strict=True)}
    requirements: list[Requirement] = []
    for thing in asked:
        if thing.match is None:
            requirements.append(Requirement("missing_object", str(thing), "", math.nan, unknown_word(thing.asked.name)))
            continue
        mine = [box for box in distinct(found) if box.name in _names(thing, scene)]
        places = tuple(bounds[id(box)] for box in mine)
        words = f"{len(mine)} found"
        requirements.append(Requirement("missing_object", str(thing), words, float(not mine), "", places))
        if thing.counted and thing.asked.exact and mine:
            requirements.append(
                Requirement("wrong_count", str(thing), words, float(len(mine) != thing.minimum), "", places)
            )
        elif thing.counted:
            why = "none was found" if thing.asked.exact else "T2I-CompBench counts exact numbers only"
            requirements.append(Requirement("wrong_count", str(thing), words, math.nan, why))
        for fact in thing.asked.attributes:
            wanted = f"{fact.value} {thing.asked.name}"
            requirements.append(
                Requirement("wrong_attribute", wanted, "", math.nan, "T2I-CompBench judges no attribute by boxes")
            )
    scores = []
    for relation in spec.relations:
        subject, target = asked[relation.subject], asked[relation.object]
        wanted = f"{subject.asked.name} {relation.name} {target.asked.name}"
        failure = "wrong_size" if relation.name in SIZES else "wrong_relation"
        if subject.match is None or target.match is None:
            scores.append(math.nan)
            word = (subject if subject.match is None else target).asked.name
            requirements.append(Requirement(failure, wanted, "", math.nan, unknown_word(word)))
        elif relation.name not in RELATIONS:
            scores.append(math.nan)
            requirements.append(
                Requirement(failure, wanted, "", math.nan, f"T2I-CompBench does not judge {relation.name}")
            )
        else:
            score, requirement = _relation(
                relation.name, wanted, found, _names(subject, scene), _names(target, scene), bounds
            )
            scores.append(score)
            requirements.append(requirement)
    requirements += [
        Requirement("negation_violated", f"no {noun}", "", math.nan, "T2I-CompBench does not judge what is excluded")
        for noun in spec.excluded
    ]
    if scores:
        return tuple(requirements), sum(scores) / len(scores)
    if any(thing.match is None for thing in asked):
        return tuple(requirements), math.nan
    return tuple(requirements), numeracy(found, [(_names(thing, scene)[0], thing.minimum) for thing in asked])


def _names(thing: ObjectDetections, scene: Scene) -> tuple[str, ...]:
    assert thing.match is not None
    return tuple(scene.vocabulary.means(label) for label in thing.match.labels)


def _scaled(box: Corners, scale: float) -> Corners:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


def _relation(
    name: str,
    wanted: str,
    found: Sequence[ClassDetection],
    subjects: tuple[str, ...],
    targets: tuple[str, ...],
    bounds: dict[int, tuple[float, float, float, float]],
) -> tuple[float, Requirement]:
    subject = next((box for box in found if box.name in subjects), None)
    target = next((box for box in found if box.name in targets), None)
    score = spatial(found, subject.name if subject else subjects[0], name, target.name if target else targets[0])
    if subject is None or target is None:
        return score, Requirement("wrong_relation", wanted, "", math.nan, "one of them was not found")
    held = t2i_position(name, subject.corners, target.corners)
    places = (bounds[id(subject)], bounds[id(target)])
    return score, Requirement("wrong_relation", wanted, f"position {held:.2f}", 1 - held, "", places)

"""What a prompt asks for, one by one, with the calibrated likelihood that the picture does not keep to it.

What is not sure is unknown, with the reason: a noun that the detector has no label for, a count that depends on the
threshold, a side that people would not decide on, a color that one may take for the wanted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from loupe.brain.core.relations import SIZE_RELATIONS
from loupe.brain.imaging.boxes import iou
from loupe.brain.measures.composition import agreement, calibrated
from loupe.brain.measures.composition.calibrated import Estimate, settled, unknown
from loupe.brain.measures.composition.colors import describe, mismatch, term
from loupe.brain.measures.composition.scene import (
    SAME_OBJECT,
    ObjectDetections,
    Requirement,
    Scene,
    counted_words,
    group_detections,
    unknown_word,
)
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.perception.detectors.vocabulary import LIVING, Vocabulary, gives_room
from loupe.brain.prompts.spec import Attribute, PromptSpec

#: more surplus people or animals than this are a crowd, which a prompt does not have to name
CROWD = 3
#: what is wanted where a prompt gives room for nobody
_NOBODY_ELSE = "nobody and nothing else alive"


def requirements(
    spec: PromptSpec, scene: Scene, sure: float, confidence: float, decidable: float = calibrated.DECIDABLE
) -> tuple[Requirement, ...]:
    """Returns everything that the prompt asks for, each with how likely it is violated, or unknown.

    Args:
        spec: what is asked for
        scene: what was detected
        sure: in (0.5, 1]: how likely a violation, or its absence, has to be; what lies between is unknown
        confidence: below which a detection is no evidence that an object is where it says
        decidable: how likely people would give a verdict on a side, rather than call it undecidable
    """
    groups = group_detections(spec, scene)
    judged: list[Requirement] = []
    for group in groups:
        judged += _object(group, scene, sure, confidence)
    for relation in spec.relations:
        subject, target = (
            _Located(group, group.above(confidence)) for group in (groups[relation.subject], groups[relation.object])
        )
        judged.append(_relation(relation.name, subject, target, sure, decidable))
    for noun in spec.excluded:
        judged.append(_excluded(noun, scene, sure))
    return tuple(judged)


def _requirement(
    failure: str,
    wanted: str,
    detections: Sequence[Detection],
    estimate: Estimate,
    sure: float,
    observed: str = "",
    question: str = "",
) -> Requirement:
    final = settled(estimate, sure)
    return Requirement(
        failure,
        wanted,
        observed or counted_words(detections),
        final.probability,
        final.reason,
        tuple(detection.bounds for detection in detections[:20]),
        detections[0].score if detections else None,
        question,
    )


def _object(group: ObjectDetections, scene: Scene, sure: float, confidence: float) -> list[Requirement]:
    """Whether it is there, how many there are, and what they are like."""
    name, match = group.name, group.match
    if match is None or group.min_count == 0:
        why = unknown_word(name) if match is None else f"none of {name} is asked for"
        judged = [Requirement("missing_object", str(group), "", math.nan, why)]
        if group.counted:
            judged.append(Requirement("wrong_count", str(group), "", math.nan, why))
        return judged + [
            Requirement("wrong_attribute", f"{attribute.value} {name}", "", math.nan, why)
            for attribute in group.requested.attributes
        ]
    gone = calibrated.missing(group.detections, scene.floor)
    if match.kind == "wider" and gone.probability > 1 - sure:
        gone = unknown(f"there may be a {name} that the detector has no label for")
    judged = [
        _requirement("missing_object", str(group), group.detections, gone, sure, question=agreement.presence(name))
    ]
    if group.counted:
        question = agreement.number(group.min_count, name) if group.requested.exact else ""
        count = _count(group, scene, confidence)
        judged.append(_requirement("wrong_count", str(group), group.detections, count, sure, question=question))
    located = group.above(confidence)
    for attribute in group.requested.attributes:
        estimate, observed = _attribute(group, located, attribute, scene)
        wanted, question = f"{attribute.value} {name}", agreement.attribute(name, attribute.value)
        judged.append(_requirement("wrong_attribute", wanted, located, estimate, sure, observed, question))
    return judged


def _count(group: ObjectDetections, scene: Scene, confidence: float) -> Estimate:
    match = group.match
    assert match is not None
    if not group.above(confidence):
        return unknown(f"no {group.name} is there for sure")
    if group.shared:
        return unknown(f"the detector does not tell {group.name} from something else that is asked for")
    size = (scene.width, scene.height)
    estimate = calibrated.counted(group.detections, group.min_count, group.requested.exact, size)
    if match.kind == "same" or math.isnan(estimate.probability):
        return estimate
    # of people some may be women, of animals there may be some without a label: only one direction is proof
    fewer = calibrated.counted(group.detections, group.min_count, False, size)
    if match.kind == "narrower" and fewer.probability == 1:
        return fewer
    return unknown(f"how many of them are {group.name} is not known")


def _attribute(
    group: ObjectDetections, located: Sequence[Detection], attribute: Attribute, scene: Scene
) -> tuple[Estimate, str]:
    """How likely the attribute is another one, and what was observed: of colors only."""
    if attribute.kind != "color":
        return unknown(f"{attribute.kind} is not judged by boxes"), ""
    if not located:
        return unknown(f"no {group.name} is there for sure"), ""
    color = term(attribute.value)
    if color is None:
        return unknown(f"{attribute.value} is none of the colors that are told apart"), ""
    return _colored(group, located, color, scene)


def _colored(group: ObjectDetections, located: Sequence[Detection], wanted: str, scene: Scene) -> tuple[Estimate, str]:
    """The largest mismatch of as many as are asked for; unknown where other objects of its label are asked for."""
    chosen = located[: max(group.min_count, 1)]
    named = [scene.color(detection) for detection in chosen]
    observed = "; ".join(describe(naming.shares, 2) for naming in named)
    if group.shared:
        return unknown(f"which one is the {group.name} is not known"), observed
    rates = [mismatch(naming, wanted) for naming in named]
    if len(located) > len(chosen):
        # with more of them than asked for, one of another color is no failure
        others = [mismatch(scene.color(detection), wanted) for detection in located]
        kept = sorted(rate for rate in others if rate is not None)
        if len(kept) < len(others) or len(kept) < len(chosen):
            return unknown(f"which one is meant to be {wanted} is not known"), observed
        return Estimate(max(kept[: len(chosen)])), observed
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates) and max(known, default=0.0) < 0.5:
        return unknown(f"whether it is {wanted} cannot be told from its pixels"), observed
    return Estimate(max(known)), observed


class _Located(NamedTuple):
    """One side of a relation: its object, and the detections that are sure enough to say where it is."""

    group: ObjectDetections
    detections: list[Detection]


def _relation(name: str, subject: _Located, target: _Located, sure: float, decidable: float) -> Requirement:
    failure = "wrong_size" if name in SIZE_RELATIONS else "wrong_relation"
    wanted = f"{subject.group.name} {name} {target.group.name}"
    shown = [*subject.detections[:1], *target.detections[:1]]
    for side in (subject, target):
        if side.group.match is None:
            return _requirement(failure, wanted, shown, unknown(unknown_word(side.group.name)), sure)
        if not side.detections:
            return _requirement(failure, wanted, shown, unknown(f"no {side.group.name} is there for sure"), sure)
    subject_match, target_match = subject.group.match, target.group.match
    if subject_match and target_match and set(subject_match.labels) & set(target_match.labels):
        why = f"the detector does not tell {subject.group.name} from {target.group.name}"
        return _requirement(failure, wanted, shown, unknown(why), sure)
    if name in SIZE_RELATIONS:
        estimate = calibrated.sized(name, subject.detections, target.detections)
    else:
        estimate = calibrated.related(name, subject.detections, target.detections, decidable)
    question = agreement.relation(subject.group.name, name, target.group.name)
    return _requirement(failure, wanted, shown, estimate, sure, question=question)


def _excluded(noun: str, scene: Scene, sure: float) -> Requirement:
    """Never "is there no X": how likely there is one."""
    match = scene.vocabulary.find(noun)
    detections = scene.of(match)
    presence = 1 - calibrated.missing(detections, scene.floor).probability
    estimate, question = Estimate(presence), ""
    if match is None:
        estimate = unknown(unknown_word(noun))
    elif match.kind == "narrower" and presence > 1 - sure:
        estimate = unknown(f"whether it is a {noun} is not known")
    elif match.kind == "wider" and presence < sure:
        estimate = unknown(f"there may be a {noun} that the detector has no label for")
    else:
        question = agreement.presence(noun)
    return _requirement("negation_violated", f"no {noun}", detections, estimate, sure, question=question)


def surplus(spec: PromptSpec, scene: Scene, confidence: float) -> Requirement:
    """Returns the person or animal that the prompt gives no room for and that the detector is surest of.

    ``violated`` is its confidence, 0 where there is none. Unknown where the prompt was not understood as a whole,
    asks for nothing by name, names a place or a group that brings people or animals with it, or where there are more
    than three: a crowd is a scene and no slip.

    Args:
        spec: what is asked for
        scene: what was detected
        confidence: below which a detection is no evidence
    """
    if spec.unparsed or not spec.objects:
        why = "the prompt was not understood as a whole" if spec.unparsed else "the prompt names no objects"
        return _open_surplus(why)
    nouns = [requested.name for requested in spec.objects]
    requested_detections = [(noun, scene.of(scene.vocabulary.find(noun))) for noun in nouns]
    named = {label for noun in (*nouns, *spec.excluded) for label in _living(noun)}
    words = [*nouns, *spec.prompt.replace(",", " ").replace(".", " ").split()]
    extra: list[Detection] = []
    for label in LIVING:
        if label in named:
            continue
        of_label = [
            detection
            for detection in scene.of(scene.vocabulary.find(label))
            if detection.score >= confidence
            and not any(_same(detection, other) for _, others in requested_detections for other in others)
        ]
        if of_label and any(gives_room(word, label) for word in words):
            return _open_surplus(f"the prompt gives room for a {label}", of_label)
        extra += of_label
    for noun, detections in requested_detections if extra else ():
        # the object itself under another name: a schnauzer is called a bear, an ostrich a cow
        unlabeled = scene.vocabulary.find(noun) is None
        if unlabeled or (_living(noun) and not any(detection.score >= confidence for detection in detections)):
            why = f"it may be the {noun} itself" + (", which the detector has no label for" if unlabeled else "")
            return _open_surplus(why, extra)
    extra.sort(key=lambda detection: -detection.score)
    if len(extra) > CROWD:
        return _open_surplus("a crowd or a herd: part of the scene", extra)
    observed = ", ".join(f"{scene.vocabulary.means(detection.label)} {detection.score:.2f}" for detection in extra)
    best = extra[0].score if extra else None
    places = tuple(detection.bounds for detection in extra)
    return Requirement("extra_object", _NOBODY_ELSE, observed, best or 0.0, "", places, best)


def _open_surplus(why: str, detections: Sequence[Detection] | None = None) -> Requirement:
    """Whether there is an extra object is not known."""
    observed = "" if detections is None else counted_words(detections)
    return Requirement("extra_object", _NOBODY_ELSE, observed, math.nan, why)


def _same(a: Detection, b: Detection) -> bool:
    """Whether two boxes of different labels may be one object."""
    return iou(a.corners, b.corners) > SAME_OBJECT


def _living(noun: str) -> tuple[str, ...]:
    """The people and animals that a noun stands for: of "animal" all animals, of "woman" person."""
    match = Vocabulary(LIVING).find(noun)
    return match.labels if match else ()

"""What a prompt asks for, one by one, with the calibrated likelihood that the picture does not keep to it.

What is not sure is unknown, with the reason: a noun that the detector has no label for, a count that depends on the
threshold, a side that people would not decide on, a colour that one may take for the wanted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from loupe.brain.imaging.boxes import iou
from loupe.brain.measures.composition import agreement, calibrated
from loupe.brain.measures.composition.calibrated import Estimate, settled, unknown
from loupe.brain.measures.composition.colors import describe, mismatch, term
from loupe.brain.measures.composition.scene import (
    SAME_THING,
    ObjectDetections,
    Requirement,
    Scene,
    counted_words,
    things,
    unknown_word,
)
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.perception.detectors.vocabulary import LIVING, Vocabulary, gives_room
from loupe.brain.prompts.spec import SIZES, PromptSpec

#: more surplus people or animals than this are a crowd, which a prompt does not have to name
CROWD = 3


def judge(
    spec: PromptSpec, scene: Scene, sure: float, confidence: float, decidable: float = calibrated.DECIDABLE
) -> tuple[Requirement, ...]:
    """Returns everything that the prompt asks for, each with how likely it is violated, or unknown.

    Args:
        spec: what is asked for
        scene: what was seen
        sure: in (0.5, 1]: how likely a violation, or its absence, has to be; what lies between is unknown
        confidence: below which a detection is no evidence that a thing is where it says
        decidable: how likely people would give a verdict on a side, rather than call it undecidable
    """
    asked = things(spec, scene)
    requirements: list[Requirement] = []
    for thing in asked:
        requirements += _thing(thing, scene, sure, confidence)
    for relation in spec.relations:
        subject, target = (
            (thing, _there(thing, confidence)) for thing in (asked[relation.subject], asked[relation.object])
        )
        requirements.append(_relation(relation.name, subject, target, sure, decidable))
    for noun in spec.excluded:
        requirements.append(_excluded(noun, scene, sure))
    return tuple(requirements)


def _atom(
    failure: str,
    wanted: str,
    seen: Sequence[Detection],
    estimate: Estimate,
    sure: float,
    found: str = "",
    question: str = "",
) -> Requirement:
    final = settled(estimate, sure)
    return Requirement(
        failure,
        wanted,
        found or counted_words(tuple(seen)),
        final.probability,
        final.reason,
        tuple(one.bounds for one in seen[:20]),
        seen[0].score if seen else None,
        question,
    )


def _thing(thing: ObjectDetections, scene: Scene, sure: float, confidence: float) -> list[Requirement]:
    """Whether it is there, how many there are, and what they are like."""
    name, match = thing.asked.name, thing.match
    if match is None or thing.minimum == 0:
        why = unknown_word(name) if match is None else f"none of {name} is asked for"
        requirements = [Requirement("missing_object", str(thing), "", math.nan, why)]
        if thing.counted:
            requirements.append(Requirement("wrong_count", str(thing), "", math.nan, why))
        return requirements + [
            Requirement("wrong_attribute", f"{a.value} {name}", "", math.nan, why) for a in thing.asked.attributes
        ]
    gone = calibrated.missing(thing.seen, scene.floor)
    if match.kind == "wider" and gone.probability > 1 - sure:
        gone = unknown(f"there may be a {name} that the detector has no label for")
    requirements = [_atom("missing_object", str(thing), thing.seen, gone, sure, question=agreement.presence(name))]
    there = _there(thing, confidence)
    if thing.counted:
        question = agreement.number(thing.minimum, name) if thing.asked.exact else ""
        requirements.append(
            _atom("wrong_count", str(thing), thing.seen, _count(thing, there, scene), sure, question=question)
        )
    for fact in thing.asked.attributes:
        if fact.kind == "color" and there and term(fact.value):
            estimate, found = _colored(thing, there, term(fact.value) or "", scene)
        else:
            found = ""
            why = f"{fact.kind} is not judged by boxes" if fact.kind != "color" else f"no {name} is there for sure"
            if fact.kind == "color" and there:
                why = f"{fact.value} is none of the colours that are told apart"
            estimate = unknown(why)
        question = agreement.attribute(name, fact.value)
        requirements.append(_atom("wrong_attribute", f"{fact.value} {name}", there, estimate, sure, found, question))
    return requirements


def _count(thing: ObjectDetections, there: Sequence[Detection], scene: Scene) -> Estimate:
    match = thing.match
    assert match is not None
    if not there:
        return unknown(f"no {thing.asked.name} is there for sure")
    if thing.shared:
        return unknown(f"the detector does not tell {thing.asked.name} from something else that is asked for")
    size = (scene.width, scene.height)
    estimate = calibrated.counted(thing.seen, thing.minimum, thing.asked.exact, size)
    if match.kind == "same" or math.isnan(estimate.probability):
        return estimate
    # of people some may be women, of animals there may be some without a label: only one direction is proof
    fewer = calibrated.counted(thing.seen, thing.minimum, False, size)
    if match.kind == "narrower" and fewer.probability == 1:
        return fewer
    return unknown(f"how many of them are {thing.asked.name} is not known")


def _colored(thing: ObjectDetections, there: Sequence[Detection], wanted: str, scene: Scene) -> tuple[Estimate, str]:
    """The largest mismatch of as many as are asked for; unknown where other things of its label are asked for."""
    chosen = there[: max(thing.minimum, 1)]
    named = [scene.color(one) for one in chosen]
    found = "; ".join(describe(naming.shares, 2) for naming in named)
    if thing.shared:
        return unknown(f"which one is the {thing.asked.name} is not known"), found
    rates = [mismatch(naming, wanted) for naming in named]
    if len(there) > len(chosen):
        # with more of them than asked for, one of another colour is no failure
        others = [mismatch(scene.color(one), wanted) for one in there]
        kept = sorted(rate for rate in others if rate is not None)
        if len(kept) < len(others) or len(kept) < len(chosen):
            return unknown(f"which one is meant to be {wanted} is not known"), found
        return Estimate(max(kept[: len(chosen)])), found
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates) and max(known, default=0.0) < 0.5:
        return unknown(f"whether it is {wanted} cannot be told from its pixels"), found
    return Estimate(max(known)), found


def _there(thing: ObjectDetections, confidence: float) -> list[Detection]:
    return [one for one in thing.seen if one.score >= confidence]


def _relation(
    name: str,
    subject: tuple[ObjectDetections, list[Detection]],
    target: tuple[ObjectDetections, list[Detection]],
    sure: float,
    decidable: float,
) -> Requirement:
    failure = "wrong_size" if name in SIZES else "wrong_relation"
    (one, ones), (other, others) = subject, target
    wanted = f"{one.asked.name} {name} {other.asked.name}"
    shown = [*ones[:1], *others[:1]]
    for thing, there in (subject, target):
        if thing.match is None:
            return _atom(failure, wanted, shown, unknown(unknown_word(thing.asked.name)), sure)
        if not there:
            return _atom(failure, wanted, shown, unknown(f"no {thing.asked.name} is there for sure"), sure)
    if one.match and other.match and set(one.match.labels) & set(other.match.labels):
        why = f"the detector does not tell {one.asked.name} from {other.asked.name}"
        return _atom(failure, wanted, shown, unknown(why), sure)
    if name in SIZES:
        estimate = calibrated.sized(name, ones, others)
    else:
        estimate = calibrated.related(name, ones, others, decidable)
    return _atom(failure, wanted, shown, estimate, sure, "", agreement.relation(one.asked.name, name, other.asked.name))


def _excluded(noun: str, scene: Scene, sure: float) -> Requirement:
    """Never "is there no X": how likely there is one."""
    match = scene.vocabulary.find(noun)
    seen = scene.of(match)
    if match is None:
        return _atom("negation_violated", f"no {noun}", seen, unknown(unknown_word(noun)), sure)
    there = 1 - calibrated.missing(seen, scene.floor).probability
    if match.kind == "narrower" and there > 1 - sure:
        return _atom("negation_violated", f"no {noun}", seen, unknown(f"whether it is a {noun} is not known"), sure)
    if match.kind == "wider" and there < sure:
        why = f"there may be a {noun} that the detector has no label for"
        return _atom("negation_violated", f"no {noun}", seen, unknown(why), sure)
    return _atom("negation_violated", f"no {noun}", seen, Estimate(there), sure, question=agreement.presence(noun))


def surplus(spec: PromptSpec, scene: Scene, confidence: float) -> Requirement:
    """Returns the person or animal that the prompt gives no room for and that the detector is surest of.

    ``violated`` is its confidence, 0 where there is none. Unknown where the prompt was not understood as a whole,
    asks for nothing by name, names a place or a group that brings people or animals with it, or where there are more
    than three: a crowd is a scene and no slip.
    """
    wanted = "nobody and nothing else alive"
    if spec.unparsed or not spec.objects:
        why = "the prompt was not understood as a whole" if spec.unparsed else "the prompt names no objects"
        return Requirement("extra_object", wanted, "", math.nan, why)
    nouns = [asked.name for asked in spec.objects]
    asked_for = [(noun, scene.of(scene.vocabulary.find(noun))) for noun in nouns]
    named = {label for noun in (*nouns, *spec.excluded) for label in _living(noun)}
    words = [*nouns, *spec.prompt.replace(",", " ").replace(".", " ").split()]
    found: list[Detection] = []
    for label in LIVING:
        if label in named:
            continue
        mine = [
            one
            for one in scene.of(scene.vocabulary.find(label))
            if one.score >= confidence and not any(_same(one, other) for _, seen in asked_for for other in seen)
        ]
        if mine and any(gives_room(word, label) for word in words):
            why = f"the prompt gives room for a {label}"
            return Requirement("extra_object", wanted, counted_words(tuple(mine)), math.nan, why)
        found += mine
    for noun, seen in asked_for if found else ():
        # the thing itself under another name: a schnauzer is called a bear, an ostrich a cow
        unlabeled = scene.vocabulary.find(noun) is None
        if unlabeled or (_living(noun) and not any(one.score >= confidence for one in seen)):
            why = f"it may be the {noun} itself" + (", which the detector has no label for" if unlabeled else "")
            return Requirement("extra_object", wanted, counted_words(tuple(found)), math.nan, why)
    found.sort(key=lambda one: -one.score)
    if len(found) > CROWD:
        return Requirement(
            "extra_object", wanted, counted_words(tuple(found)), math.nan, "a crowd or a herd: part of the scene"
        )
    words_found = ", ".join(f"{scene.vocabulary.means(one.label)} {one.score:.2f}" for one in found)
    places = tuple(one.bounds for one in found)
    best = found[0].score if found else None
    return Requirement("extra_object", wanted, words_found, best or 0.0, "", places, best)


def _same(one: Detection, other: Detection) -> bool:
    """Whether two boxes of different labels may be one thing."""
    return iou(one.corners, other.corners) > SAME_THING


def _living(noun: str) -> tuple[str, ...]:
    """The people and animals that a noun stands for: of "animal" all animals, of "woman" person."""
    match = Vocabulary(LIVING).find(noun)
    return match.labels if match else ()

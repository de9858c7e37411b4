"""GenEval's verdict from boxes: a prompt is followed or it is not, and a thing that is not found is missing.

Ghosh, Hajishirzi, Schmidt: GenEval, NeurIPS 2023 (github.com/djghosh13/geneval, MIT). Reproduced from the published
rule, with its numbers: detections above 0.3 (0.9 where the prompt asks for a count), at most 16 of a class, no
suppression of overlaps unless asked for, every found thing has to stand right to every target, and "exclude" fails
from its count on. What the original leaves to CLIP, the colour, is a callback here.

>>> found = {"dog": [(60.0, 0.0, 90.0, 30.0)], "cat": [(0.0, 0.0, 30.0, 30.0)]}
>>> evaluate(found, [Clause("cat"), Clause("dog", positions=(("left of", 0),))], []).findings[0].failure
'wrong_relation'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.imaging.boxes import Corners, iou
from loupe.brain.measures.composition.colors import describe, term
from loupe.brain.measures.composition.geometry import geneval_relations
from loupe.brain.measures.composition.scene import ObjectDetections, Requirement, Scene, things, unknown_word
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.prompts.spec import SIZES, PromptSpec

THRESHOLD, COUNTING_THRESHOLD, MAX_OBJECTS, SHRINK = 0.3, 0.9, 16, 0.1
#: the colours that GenEval asks for
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
RELATIONS = ("left of", "right of", "above", "below")

#: maps a class and its boxes to the colour of each; None: not known
ColorNamer = Callable[[str, Sequence[Corners]], Sequence[str | None]]


@dataclass(frozen=True)
class Clause(Record):
    """One clause of GenEval's metadata.

    Attributes:
        name: the class
        count: at least so many (include), or fewer than so many (exclude)
        color: what all of them have to be, or None
        positions: relations to earlier clauses, e.g. ``(("left of", 0),)``; the original has at most one
    """

    name: str
    count: int = 1
    color: str | None = None
    positions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Finding(Record):
    """One clause that is not kept.

    Attributes:
        failure: missing_object, wrong_count, wrong_attribute, wrong_relation or negation_violated
        clause: the place of the clause among those of its kind
        found: what was found instead
        excluded: whether it is one of the exclude clauses
    """

    failure: str
    clause: int
    found: str
    excluded: bool = False


@dataclass(frozen=True)
class Verdict(Record):
    """GenEval's verdict.

    Attributes:
        correct: whether every clause is kept; None where a colour that decides it is not known
        findings: the clauses that are not kept
        open: the places of the include clauses whose colour is not known
    """

    correct: bool | None
    findings: tuple[Finding, ...] = ()
    open: tuple[int, ...] = ()


def detected(
    boxes: Mapping[str, Sequence[tuple[Corners, float]]],
    counting: bool = False,
    threshold: float = THRESHOLD,
    counting_threshold: float = COUNTING_THRESHOLD,
    maximum: int = MAX_OBJECTS,
    overlap: float = 1.0,
) -> dict[str, list[Corners]]:
    """Returns the boxes that GenEval keeps, by class, the most confident first; classes without one are left out.

    Args:
        boxes: by class: corners in pixels and confidence
        counting: whether the prompt asks for a count
        threshold: the confidence that a box has to exceed
        counting_threshold: the same for counting prompts
        maximum: how many boxes of a class are looked at
        overlap: the IoU from which a box is dropped for a better one; 1 drops none

    >>> detected({"dog": [((0, 0, 9, 9), 0.4), ((0, 0, 9, 8), 0.95)]}, counting=True)
    {'dog': [(0, 0, 9, 8)]}
    """
    limit = counting_threshold if counting else threshold
    found = {}
    for name, mine in boxes.items():
        order = sorted((one for one in mine if one[1] > limit), key=lambda one: -one[1])[:maximum]
        kept: list[Corners] = []
        for box, _ in order:
            if overlap == 1 or all(_wide_iou(other, box) < overlap for other in kept):
                kept.append(box)
        if kept:
            found[name] = kept
    return found


def _wide_iou(a: Corners, b: Corners) -> float:
    """GenEval's IoU takes a box for one pixel wider and higher than the difference of its corners."""
    wider = [(left, top, right + 1, bottom + 1) for left, top, right, bottom in (a, b)]
    return iou(wider[0], wider[1])


def evaluate(
    found: Mapping[str, Sequence[Corners]],
    include: Sequence[Clause],
    exclude: Sequence[Clause],
    colors: ColorNamer | None = None,
    shrink: float = SHRINK,
) -> Verdict:
    """Returns GenEval's verdict.

    Args:
        found: the boxes by class as ``detected`` gives them
        include: what has to be there; positions name earlier clauses
        exclude: what may not be there so many times
        colors: names the colours of boxes; without it a colour is not known
        shrink: how much of the boxes' sizes is taken off their offset
    """
    findings: list[Finding] = []
    groups: list[Sequence[Corners] | None] = []
    open_: list[int] = []
    for place, clause in enumerate(include):
        mine = list(found.get(clause.name, ()))[: clause.count]
        wrong: Finding | None = None
        if len(mine) < clause.count:
            wrong = Finding("wrong_count" if mine else "missing_object", place, f"{len(mine)} {clause.name}")
        else:
            if clause.color is not None:
                named: list[str | None] = list(colors(clause.name, mine)) if colors else [None] * len(mine)
                right = named.count(clause.color)
                if right < clause.count and right + named.count(None) >= clause.count:
                    open_.append(place)
                elif right < clause.count:
                    wrong = Finding("wrong_attribute", place, ", ".join(name or "unknown" for name in named))
            for relation, target in clause.positions if wrong is None else ():
                wrong = _misplaced(relation, mine, groups[target], place, shrink)
                if wrong is not None:
                    break
        if wrong is not None:
            findings.append(wrong)
        groups.append(mine if wrong is None else None)
    for place, clause in enumerate(exclude):
        count = len(found.get(clause.name, ()))
        if count >= clause.count:
            failure = "negation_violated" if clause.count == 1 else "wrong_count"
            findings.append(Finding(failure, place, f"{count} {clause.name}", True))
    return Verdict(False if findings else None if open_ else True, tuple(findings), tuple(open_))


def _misplaced(
    relation: str, mine: Sequence[Corners], target: Sequence[Corners] | None, place: int, shrink: float
) -> Finding | None:
    if target is None:
        return Finding("wrong_relation", place, "no target")
    for box in mine:
        for other in target:
            seen = geneval_relations(box, other, shrink)
            if relation not in seen:
                return Finding("wrong_relation", place, " and ".join(sorted(seen)) or "on top of each other")
    return None


def judge(spec: PromptSpec, scene: Scene) -> tuple[tuple[Requirement, ...], float]:
    """Returns what is asked for with GenEval's verdict on each (0 or 1), and 1 where the whole prompt is followed.

    Nouns without a label are unknown (the original has none of these), and so are relations and attributes that GenEval
    does not know. The score of the whole is NaN where something unknown decides it.
    """
    asked = things(spec, scene)
    order = _order(spec)
    place_of = {thing: place for place, thing in enumerate(order)}
    include: list[Clause] = []
    for thing in order:
        color = next((term(fact.value) for fact in asked[thing].asked.attributes if fact.kind == "color"), None)
        positions = tuple(
            (relation.name, place_of[relation.object])
            for relation in spec.relations
            if relation.subject == thing and relation.name in RELATIONS and place_of[relation.object] < place_of[thing]
        )
        include.append(Clause(str(thing), asked[thing].minimum, color if color in COLORS else None, positions))
    boxes = {str(place): [(one.corners, one.score) for one in _all(scene, thing)] for place, thing in enumerate(asked)}
    numbered = [place for place, thing in enumerate(asked) if thing.asked.exact and thing.counted]
    exclude = [Clause(str(place), asked[place].minimum + 1) for place in numbered]
    matches = [scene.vocabulary.find(noun) for noun in spec.excluded]
    for noun, match in zip(spec.excluded, matches, strict=True):
        boxes[f"no {noun}"] = [(one.corners, one.score) for one in scene.seen if match and one.label in match.labels]
        exclude.append(Clause(f"no {noun}"))
    kept = detected(boxes, counting=bool(numbered))
    by_corners = {one.corners: one for one in scene.seen}

    def named(_: str, crops: Sequence[Corners]) -> list[str | None]:
        return [scene.color(by_corners[box]).name for box in crops]

    verdict = evaluate(kept, include, exclude, named)
    requirements = _atoms(spec, scene, asked, order, verdict, kept, numbered)
    if verdict.findings and any(requirement.violated == 1 for requirement in requirements):
        return requirements, 0.0
    return requirements, math.nan if any(
        not requirement.known for requirement in requirements
    ) or verdict.correct is None else 1.0


def _all(scene: Scene, thing: ObjectDetections) -> list[Detection]:
    labels = thing.match.labels if thing.match else ()
    return [one for one in scene.seen if one.label in labels]


def _order(spec: PromptSpec) -> list[int]:
    """The objects so that what a relation starts from comes after what it points to, as GenEval has it."""
    order: list[int] = []

    def visit(thing: int, path: tuple[int, ...]) -> None:
        if thing in order or thing in path:
            return
        for relation in spec.relations:
            if relation.subject == thing:
                visit(relation.object, (*path, thing))
        order.append(thing)

    for thing in range(len(spec.objects)):
        visit(thing, ())
    return order


def _atoms(
    spec: PromptSpec,
    scene: Scene,
    asked: tuple[ObjectDetections, ...],
    order: list[int],
    verdict: Verdict,
    kept: Mapping[str, Sequence[Corners]],
    numbered: list[int],
) -> tuple[Requirement, ...]:
    """The verdict's findings, and what it found nothing wrong with, as atoms."""
    wrong = {order[one.clause]: one for one in verdict.findings if not one.excluded}
    more = {one.clause: one for one in verdict.findings if one.excluded}
    bounds = {one.corners: one.bounds for one in scene.seen}
    requirements: list[Requirement] = []

    def add(
        failure: str, wanted: str, value: float, found: str = "", reason: str = "", boxes: Sequence[Corners] = ()
    ) -> None:
        requirements.append(Requirement(failure, wanted, found, value, reason, tuple(bounds[box] for box in boxes)))

    for place, thing in enumerate(asked):
        finding, boxes = wrong.get(place), kept.get(str(place), ())
        failure = finding.failure if finding else ""
        found = finding.found.replace(f" {place}", f" {thing.asked.name}") if finding else f"{len(boxes)} found"
        if thing.match is None:
            add("missing_object", str(thing), math.nan, reason=unknown_word(thing.asked.name))
            continue
        add("missing_object", str(thing), float(failure == "missing_object"), found, boxes=boxes)
        if thing.counted:
            surplus = place in numbered and numbered.index(place) in more
            add(
                "wrong_count",
                str(thing),
                float(failure == "wrong_count" or surplus),
                f"{len(boxes)} found",
                boxes=boxes,
            )
        for fact in thing.asked.attributes:
            name, there = f"{fact.value} {thing.asked.name}", failure not in ("missing_object", "wrong_count")
            if fact.kind == "color" and term(fact.value) in COLORS and there and order.index(place) not in verdict.open:
                add("wrong_attribute", name, float(failure == "wrong_attribute"), found, boxes=boxes[: thing.minimum])
            else:
                shares = describe(scene.color(thing.seen[0]).shares) if thing.seen else ""
                add("wrong_attribute", name, math.nan, shares, f"whether it is {fact.value} is not known", boxes)
    for relation in spec.relations:
        subject, target = asked[relation.subject], asked[relation.object]
        wanted = f"{subject.asked.name} {relation.name} {target.asked.name}"
        finding = wrong.get(relation.subject)
        boxes = [*kept.get(str(relation.subject), ())[:1], *kept.get(str(relation.object), ())[:1]]
        if relation.name not in RELATIONS:
            failure = "wrong_size" if relation.name in SIZES else "wrong_relation"
            add(failure, wanted, math.nan, reason=f"GenEval does not judge {relation.name}")
        elif subject.match is None or target.match is None:
            missing = subject if subject.match is None else target
            add("wrong_relation", wanted, math.nan, reason=unknown_word(missing.asked.name))
        elif finding is not None and finding.failure != "wrong_relation":
            add("wrong_relation", wanted, math.nan, reason=f"not looked at: {finding.failure.replace('_', ' ')}")
        else:
            add(
                "wrong_relation",
                wanted,
                float(finding is not None),
                finding.found if finding else relation.name,
                "",
                boxes,
            )
    for at, noun in enumerate(spec.excluded):
        boxes = kept.get(f"no {noun}", ())
        if scene.vocabulary.find(noun) is None:
            add("negation_violated", f"no {noun}", math.nan, reason=unknown_word(noun))
        else:
            add(
                "negation_violated", f"no {noun}", float(len(numbered) + at in more), f"{len(boxes)} found", boxes=boxes
            )
    return tuple(requirements)

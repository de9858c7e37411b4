"""GenEval's verdict from boxes: a prompt is followed or it is not, and an object that is not detected is missing.

Ghosh, Hajishirzi, Schmidt: GenEval, NeurIPS 2023 (github.com/djghosh13/geneval, MIT). Reproduced from the published
rule, with its numbers: detections above 0.3 (0.9 where the prompt asks for a count), at most 16 of a class, no
suppression of overlaps unless asked for, every detected object has to stand right to every target, and "exclude"
fails from its count on. What the original leaves to CLIP, the color, is a callback here.

>>> boxes = {"dog": [(60.0, 0.0, 90.0, 30.0)], "cat": [(0.0, 0.0, 30.0, 30.0)]}
>>> evaluate(boxes, [Clause("cat"), Clause("dog", positions=(("left of", 0),))], []).findings[0].failure
'wrong_relation'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.relations import SIZE_RELATIONS, RelationName
from loupe.brain.imaging.boxes import Corners, iou
from loupe.brain.measures.composition.colors import describe, term
from loupe.brain.measures.composition.geometry import geneval_relations, widened
from loupe.brain.measures.composition.scene import (
    ObjectDetections,
    Requirement,
    Scene,
    group_detections,
    unknown_word,
)
from loupe.brain.perception.detectors.vocabulary import Match
from loupe.brain.prompts.spec import PromptSpec

THRESHOLD, COUNTING_THRESHOLD, MAX_OBJECTS, SHRINK = 0.3, 0.9, 16, 0.1
#: the colors that GenEval asks for
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
#: the relations that it measures
RELATIONS = RelationName.of_kind("side")

#: maps a class and its boxes to the color of each; None: not known
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
        observed: what is in the picture instead
        excluded: whether it is one of the exclude clauses
    """

    failure: str
    clause: int
    observed: str
    excluded: bool = False


@dataclass(frozen=True)
class Verdict(Record):
    """GenEval's verdict.

    Attributes:
        correct: whether every clause is kept; None where a color that decides it is not known
        findings: the clauses that are not kept
        open: the places of the include clauses whose color is not known
    """

    correct: bool | None
    findings: tuple[Finding, ...] = ()
    open: tuple[int, ...] = ()


def detected(
    boxes: Mapping[str, Sequence[tuple[Corners, float]]],
    counting: bool = False,
    threshold: float = THRESHOLD,
    counting_threshold: float = COUNTING_THRESHOLD,
    max_objects: int = MAX_OBJECTS,
    max_iou: float = 1.0,
) -> dict[str, list[Corners]]:
    """Returns the boxes that GenEval keeps, by class, the most confident first; classes without one are left out.

    Args:
        boxes: by class: corners in pixels and confidence
        counting: whether the prompt asks for a count
        threshold: the confidence that a box has to exceed
        counting_threshold: the same for counting prompts
        max_objects: how many boxes of a class are looked at
        max_iou: the IoU from which a box is dropped for a better one; 1 drops none

    >>> detected({"dog": [((0, 0, 9, 9), 0.4), ((0, 0, 9, 8), 0.95)]}, counting=True)
    {'dog': [(0, 0, 9, 8)]}
    """
    limit = counting_threshold if counting else threshold
    by_class = {}
    for name, scored in boxes.items():
        above = [(box, confidence) for box, confidence in scored if confidence > limit]
        kept: list[Corners] = []
        for box, _ in sorted(above, key=lambda pair: -pair[1])[:max_objects]:
            if max_iou == 1 or all(iou(widened(other), widened(box)) < max_iou for other in kept):
                kept.append(box)
        if kept:
            by_class[name] = kept
    return by_class


def evaluate(
    boxes: Mapping[str, Sequence[Corners]],
    include: Sequence[Clause],
    exclude: Sequence[Clause],
    colors: ColorNamer | None = None,
    shrink: float = SHRINK,
) -> Verdict:
    """Returns GenEval's verdict.

    Args:
        boxes: by class, as ``detected`` gives them
        include: what has to be there; positions name earlier clauses
        exclude: what may not be there so many times
        colors: names the colors of boxes; without it a color is not known
        shrink: how much of the boxes' sizes is taken off their offset
    """
    findings: list[Finding] = []
    groups: list[Sequence[Corners] | None] = []
    open_: list[int] = []
    for place, clause in enumerate(include):
        chosen = list(boxes.get(clause.name, ()))[: clause.count]
        wrong: Finding | None = None
        if len(chosen) < clause.count:
            wrong = Finding("wrong_count" if chosen else "missing_object", place, f"{len(chosen)} {clause.name}")
        else:
            if clause.color is not None:
                named: list[str | None] = list(colors(clause.name, chosen)) if colors else [None] * len(chosen)
                right = named.count(clause.color)
                if right < clause.count and right + named.count(None) >= clause.count:
                    open_.append(place)
                elif right < clause.count:
                    wrong = Finding("wrong_attribute", place, ", ".join(name or "unknown" for name in named))
            for relation, target in clause.positions if wrong is None else ():
                wrong = _misplaced(relation, chosen, groups[target], place, shrink)
                if wrong is not None:
                    break
        if wrong is not None:
            findings.append(wrong)
        groups.append(chosen if wrong is None else None)
    for place, clause in enumerate(exclude):
        count = len(boxes.get(clause.name, ()))
        if count >= clause.count:
            failure = "negation_violated" if clause.count == 1 else "wrong_count"
            findings.append(Finding(failure, place, f"{count} {clause.name}", True))
    return Verdict(False if findings else None if open_ else True, tuple(findings), tuple(open_))


def _misplaced(
    relation: str, chosen: Sequence[Corners], target: Sequence[Corners] | None, place: int, shrink: float
) -> Finding | None:
    if target is None:
        return Finding("wrong_relation", place, "no target")
    for box in chosen:
        for other in target:
            sides = geneval_relations(box, other, shrink)
            if relation not in sides:
                return Finding("wrong_relation", place, " and ".join(sorted(sides)) or "on top of each other")
    return None


def requirements(spec: PromptSpec, scene: Scene) -> tuple[tuple[Requirement, ...], float]:
    """Returns what is asked for with GenEval's verdict on each (0 or 1), and 1 where the whole prompt is followed.

    Nouns without a label are unknown (the original has none of these), and so are relations and attributes that GenEval
    does not know. The score of the whole is NaN where something unknown decides it.

    Args:
        spec: what is asked for
        scene: what was detected
    """
    groups = group_detections(spec, scene)
    order = _order(spec)
    boxes = {str(place): _scored(scene, group.match) for place, group in enumerate(groups)}
    numbered = [place for place, group in enumerate(groups) if group.requested.exact and group.counted]
    exclude = [Clause(str(place), groups[place].min_count + 1) for place in numbered]
    for noun in spec.excluded:
        boxes[f"no {noun}"] = _scored(scene, scene.vocabulary.find(noun))
        exclude.append(Clause(f"no {noun}"))
    kept = detected(boxes, counting=bool(numbered))
    by_corners = {detection.corners: detection for detection in scene.detections}

    def named(_: str, crops: Sequence[Corners]) -> list[str | None]:
        return [scene.color(by_corners[box]).name for box in crops]

    verdict = evaluate(kept, _include(spec, groups, order), exclude, named)
    judged = _judged(spec, scene, groups, order, verdict, kept, numbered)
    if verdict.findings and any(requirement.violated == 1 for requirement in judged):
        return judged, 0.0
    known = verdict.correct is not None and all(requirement.known for requirement in judged)
    return judged, 1.0 if known else math.nan


def _scored(scene: Scene, match: Match | None) -> list[tuple[Corners, float]]:
    """The boxes of a noun with their confidence, each one that there is: GenEval drops none for another."""
    labels = match.labels if match else ()
    return [(detection.corners, detection.score) for detection in scene.detections if detection.label in labels]


def _order(spec: PromptSpec) -> list[int]:
    """The objects so that what a relation starts from comes after what it points to, as GenEval has it."""
    order: list[int] = []

    def visit(place: int, path: tuple[int, ...]) -> None:
        if place in order or place in path:
            return
        for relation in spec.relations:
            if relation.subject == place:
                visit(relation.object, (*path, place))
        order.append(place)

    for place in range(len(spec.objects)):
        visit(place, ())
    return order


def _include(spec: PromptSpec, groups: Sequence[ObjectDetections], order: Sequence[int]) -> list[Clause]:
    """The objects as GenEval's clauses, in that order; a relation to a later one is left out."""
    clause_of = {place: clause for clause, place in enumerate(order)}
    include: list[Clause] = []
    for place in order:
        group = groups[place]
        colors = (attribute.value for attribute in group.requested.attributes if attribute.kind == "color")
        color = next(map(term, colors), None)
        positions = tuple(
            (relation.name, clause_of[relation.object])
            for relation in spec.relations
            if relation.subject == place
            and relation.name in RELATIONS
            and clause_of[relation.object] < clause_of[place]
        )
        include.append(Clause(str(place), group.min_count, color if color in COLORS else None, positions))
    return include


def _judged(
    spec: PromptSpec,
    scene: Scene,
    groups: tuple[ObjectDetections, ...],
    order: list[int],
    verdict: Verdict,
    kept: Mapping[str, Sequence[Corners]],
    numbered: list[int],
) -> tuple[Requirement, ...]:
    """The verdict's findings, and what nothing is wrong with, as requirements."""
    wrong = {order[finding.clause]: finding for finding in verdict.findings if not finding.excluded}
    more = {finding.clause: finding for finding in verdict.findings if finding.excluded}
    bounds = {detection.corners: detection.bounds for detection in scene.detections}
    judged: list[Requirement] = []

    def add(
        failure: str, wanted: str, value: float, observed: str = "", reason: str = "", boxes: Sequence[Corners] = ()
    ) -> None:
        judged.append(Requirement(failure, wanted, observed, value, reason, tuple(bounds[box] for box in boxes)))

    for place, group in enumerate(groups):
        finding, boxes = wrong.get(place), kept.get(str(place), ())
        failure = finding.failure if finding else ""
        observed = finding.observed.replace(f" {place}", f" {group.name}") if finding else f"{len(boxes)} found"
        if group.match is None:
            add("missing_object", str(group), math.nan, reason=unknown_word(group.name))
            continue
        add("missing_object", str(group), float(failure == "missing_object"), observed, boxes=boxes)
        if group.counted:
            surplus = place in numbered and numbered.index(place) in more
            miscounted = float(failure == "wrong_count" or surplus)
            add("wrong_count", str(group), miscounted, f"{len(boxes)} found", boxes=boxes)
        complete = failure not in ("missing_object", "wrong_count")
        for attribute in group.requested.attributes:
            wanted = f"{attribute.value} {group.name}"
            is_color = attribute.kind == "color" and term(attribute.value) in COLORS
            if is_color and complete and order.index(place) not in verdict.open:
                value = float(failure == "wrong_attribute")
                add("wrong_attribute", wanted, value, observed, boxes=boxes[: group.min_count])
            else:
                shares = describe(scene.color(group.detections[0]).shares) if group.detections else ""
                add("wrong_attribute", wanted, math.nan, shares, f"whether it is {attribute.value} is not known", boxes)
    for relation in spec.relations:
        subject, target = groups[relation.subject], groups[relation.object]
        wanted = f"{subject.name} {relation.name} {target.name}"
        finding = wrong.get(relation.subject)
        boxes = [*kept.get(str(relation.subject), ())[:1], *kept.get(str(relation.object), ())[:1]]
        if relation.name not in RELATIONS:
            failure = "wrong_size" if relation.name in SIZE_RELATIONS else "wrong_relation"
            add(failure, wanted, math.nan, reason=f"GenEval does not judge {relation.name}")
        elif subject.match is None or target.match is None:
            missing = subject if subject.match is None else target
            add("wrong_relation", wanted, math.nan, reason=unknown_word(missing.name))
        elif finding is not None and finding.failure != "wrong_relation":
            add("wrong_relation", wanted, math.nan, reason=f"not looked at: {finding.failure.replace('_', ' ')}")
        else:
            observed = finding.observed if finding else relation.name
            add("wrong_relation", wanted, float(finding is not None), observed, boxes=boxes)
    for at, noun in enumerate(spec.excluded):
        boxes = kept.get(f"no {noun}", ())
        if scene.vocabulary.find(noun) is None:
            add("negation_violated", f"no {noun}", math.nan, reason=unknown_word(noun))
        else:
            value = float(len(numbered) + at in more)
            add("negation_violated", f"no {noun}", value, f"{len(boxes)} found", boxes=boxes)
    return tuple(judged)

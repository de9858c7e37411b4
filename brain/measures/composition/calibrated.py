"""How likely it is that what a prompt asks for is violated, from boxes; and where no likelihood can be had.

Three of the numbers here are fitted on human verdicts, the others are rules and say so:

- **Sides** (left of, right of, above, below): an ordered logistic regression (fails < undecidable < holds) on one
  number, ``geometry.side_gap``. Fitted on the human verdicts of SpatialBench-UC (Rostane 2026, CC BY 4.0,
  github.com/amineross/SpatialBench-UC; fitted coefficients are all that was taken) for Stable Diffusion 1.5 pictures
  with the Faster R-CNN boxes stored there. Split by prompt: the prompts of object pairs with an even number are
  fitted on (56 verdicts, 42 of them with both objects detected), those with an odd one are measured on
  (``python -m benchmarks.composition spatial``). ``DECIDABLE`` was chosen on the first half, too.
- **Presence with YOLOX-nano**: a logistic regression on the logit of the best score of a label, at even odds, on
  ImageNet photos whose class is one of COCO's, against labels of things that are not in them; half of the photos are
  fitted on.
- **Absence with a detector that says nothing below about 0.5**: where Faster R-CNN gives no box of one object, people
  could see both objects in 9 of 35 pictures of SpatialBench-UC.

    python -m benchmarks.composition fit      prints the coefficients again
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loupe.brain.core.relations import RelationName
from loupe.brain.core.shares import whole
from loupe.brain.imaging.boxes import area, containment
from loupe.brain.measures.composition.geometry import AXES, NEAR, apart, edge_distance, side_gap
from loupe.brain.perception.detectors.detection import Detection

#: the ordered regression: its slope, and where a failure and where success is as likely as not
SIDE_SLOPE, SIDE_FAILS, SIDE_HOLDS = 5.97, -2.57, 1.35
#: how likely either verdict has to be; what is left is that people call it undecidable. Of the half that is fitted on,
#: the highest one, in steps of 0.05, that decides 45 % of the pictures: 29 of 56, 20 of 21 as the person did
DECIDABLE = 0.3
#: the logistic regression of presence on the logit of the best score: intercept and slope
PRESENCE = (7.36, 3.28)
#: a floor up to which a detector's silence is judged by ``PRESENCE``
LOW_FLOOR = 0.15
#: how likely an object is missing that a detector with a higher floor does not give: 26 of 35
MISSING_ABOVE_FLOOR = 0.74
#: the confidences at which objects are counted
LEVELS = (0.25, 0.35, 0.45, 0.55, 0.65)
#: beyond these many a detector's count is not trusted
MAX_COUNTED = 10
#: the share of the picture below which an object may be background that nobody counts
SMALL = 0.01
#: the IoU, and the share that lies inside another one, from which a detection may be a part of that one
_MAX_IOU, _MAX_INSIDE = 0.5, 0.9
#: areas have to differ by this factor for the larger one to be larger for sure, and for the same size the other way
# round
SIZE_FACTOR = 1.5


@dataclass(frozen=True)
class Estimate:
    """How likely something is violated.

    Attributes:
        probability: in [0, 1]; NaN where none can be had
        reason: why none can be had, else empty
    """

    probability: float
    reason: str = ""


def unknown(reason: str) -> Estimate:
    """Returns the estimate that there is none."""
    return Estimate(math.nan, reason)


def sigmoid(value: float) -> float:
    """Returns 1 / (1 + exp(-value)), for any value."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def presence(score: float) -> float:
    """Returns how likely an object is there whose best box has this confidence; 0 stands for no box at all.

    Of YOLOX-nano, at even odds.

    >>> round(presence(0.0), 2), round(presence(0.5), 2)
    (0.09, 1.0)
    """
    bounded = min(max(score, 0.05), 0.99)
    intercept, slope = PRESENCE
    return sigmoid(intercept + slope * math.log(bounded / (1 - bounded)))


def missing(detections: Sequence[Detection], floor: float) -> Estimate:
    """Returns how likely none of an object is there.

    Args:
        detections: of it, the most confident first
        floor: the confidence below which the detector gives none

    >>> missing((), 0.5).probability
    0.74
    """
    if detections:
        return Estimate(1 - presence(detections[0].score))
    return Estimate(1 - presence(0.0) if floor <= LOW_FLOOR else MISSING_ABOVE_FLOOR)


def counted(detections: Sequence[Detection], min_count: int, exact: bool, size: tuple[int, int]) -> Estimate:
    """Returns how likely the count is wrong: the share of the ways to count by which it is.

    A way to count is a confidence from ``LEVELS`` (as far as the detections go down), with or without objects that lie
    mostly inside another one of their kind, with or without objects below 1 % of the picture. Where fewer are detected
    than asked for, the others may have been missed: each as likely as the detector is unsure of those that it gives. A
    rule, not fitted.

    Args:
        detections: of one object, the most confident first
        min_count: how many are asked for
        exact: whether there may not be more
        size: of the picture in pixels
    """
    scores = [detection.score for detection in detections if detection.score >= LEVELS[0]]
    if min_count > MAX_COUNTED or len(scores) > 2 * MAX_COUNTED:
        return unknown(f"more than {MAX_COUNTED} are not counted by boxes")
    unsure = 1 - sum(scores) / max(len(scores), 1)
    ways: list[float] = []
    for level in LEVELS:
        sure = [detection for detection in detections if detection.score >= level]
        large = [detection for detection in sure if area(detection.corners) >= SMALL * size[0] * size[1]]
        for chosen in (sure, large, _outer(sure)):
            lacking = min_count - len(chosen)
            ways.append(1 - unsure**lacking if lacking > 0 else float(exact and lacking < 0))
    return Estimate(sum(ways) / len(ways))


def _outer(detections: Sequence[Detection]) -> list[Detection]:
    """Without what lies mostly inside a more confident one, or overlaps it by half."""
    kept: list[Detection] = []
    for place in apart([detection.corners for detection in detections], _MAX_IOU):
        detection = detections[place]
        if all(containment(detection.corners, other.corners) < _MAX_INSIDE for other in kept):
            kept.append(detection)
    return kept


def plausible(detections: Sequence[Detection], min_ratio: float = 0.5, max_count: int = 4) -> list[Detection]:
    """Returns the detections that may be the one that is meant: those with at least half the best one's confidence."""
    return [detection for detection in detections[:max_count] if detection.score >= min_ratio * detections[0].score]


def side(gap: float) -> tuple[float, float]:
    """Returns how likely people say that a side is wrong, and that it is right; the rest is that they cannot say.

    Args:
        gap: ``geometry.side_gap``

    >>> [round(value, 2) for value in side(1.0)], [round(value, 2) for value in side(-1.0)]
    ([0.0, 0.99], [0.97, 0.0])
    """
    z = SIDE_SLOPE * gap
    return sigmoid(SIDE_FAILS - z), sigmoid(z - SIDE_HOLDS)


def _sides(name: str, subjects: Sequence[Detection], objects: Sequence[Detection]) -> tuple[float, float]:
    """``side`` averaged over all pairs that may be meant, by their confidence: pairs that disagree leave it open."""
    fails = holds = total = 0.0
    for a in plausible(subjects):
        for b in plausible(objects):
            if a is b or a.corners == b.corners:
                continue
            weight = a.score * b.score
            wrong, right = side(side_gap(name, a.corners, b.corners))
            fails, holds, total = fails + weight * wrong, holds + weight * right, total + weight
    return (fails / total, holds / total) if total > 0 else (0.0, 0.0)


def related(
    name: str, subjects: Sequence[Detection], objects: Sequence[Detection], decidable: float = DECIDABLE
) -> Estimate:
    """Returns how likely a relation is violated, where boxes can tell.

    Left of, right of, above and below are fitted; on, under, in, next to and near are rules that say 0.05, 0.95 or
    nothing. In front of and behind boxes do not show.

    Args:
        name: one of ``core.relations.SPATIAL_RELATIONS``
        subjects: detections of the first object, the most confident first, at least one
        objects: of the other one, at least one
        decidable: how likely people would give that verdict, rather than call it undecidable
    """
    if name in AXES:
        fails, holds = _sides(name, subjects, objects)
        if max(fails, holds) < decidable:
            return unknown(f"whether it is {name} cannot be told from where the boxes are")
        return Estimate(fails / (fails + holds))
    a, b = subjects[0].corners, objects[0].corners
    if len(plausible(subjects)) > 1 or len(plausible(objects)) > 1:
        return unknown(f"several objects may be meant by {name}")
    if name in NEAR:
        return _between(edge_distance(a, b), 0.25, 2.0, f"whether it is {name} cannot be told from the distance")
    if name == RelationName.IN:
        inside = containment(a, b) if area(a) <= area(b) else 0.0
        return _between(1 - inside, 0.2, 0.95, "whether it is in it cannot be told from the overlap")
    if name in (RelationName.ON, RelationName.UNDER):
        fails, holds = side(side_gap(RelationName.ABOVE if name == RelationName.ON else RelationName.BELOW, a, b))
        across = min(a[2], b[2]) - max(a[0], b[0])
        if fails >= decidable and fails > holds:
            return Estimate(fails / (fails + holds))
        if holds >= decidable and across > 0 and edge_distance(a, b) < 0.1:
            return Estimate(fails / (fails + holds))
        return unknown(f"whether it is {name} it cannot be told from where the boxes are")
    return unknown(f"boxes do not show what is {name} what")


def sized(name: str, subjects: Sequence[Detection], objects: Sequence[Detection]) -> Estimate:
    """Returns how likely it is wrong which of two things is larger in the picture, by the areas of their boxes.

    A rule, not fitted: the areas of all pairs that may be meant have to differ by 1.5 in the same direction.

    Args:
        name: one of ``core.relations.SIZE_RELATIONS``
        subjects: detections of the first object, the most confident first, at least one
        objects: of the other one, at least one
    """
    logs = [
        math.log(area(a.corners) / area(b.corners)) / math.log(SIZE_FACTOR)
        for a in plausible(subjects)
        for b in plausible(objects)
        if a.corners != b.corners
    ]
    if not logs:
        return unknown("both may be the same box")
    low, high = min(logs), max(logs)
    if name == RelationName.SAME_SIZE_AS:
        return _between(max(abs(low), abs(high)), 1.0, 2.5, "the sizes are nearly the same")
    if name == RelationName.SMALLER_THAN:
        low, high = -high, -low
    if low >= 1:
        return Estimate(0.05)
    return Estimate(0.95) if high <= -1 else unknown("the sizes are too much alike, or several objects may be meant")


def _between(value: float, holds: float, fails: float, reason: str) -> Estimate:
    if value <= holds:
        return Estimate(0.05)
    return Estimate(0.95) if value >= fails else unknown(reason)


def settled(estimate: Estimate, sure: float) -> Estimate:
    """Returns the estimate, or unknown where it is neither a violation nor none for sure.

    Args:
        estimate: how likely
        sure: in (0.5, 1]: how likely a verdict has to be

    >>> settled(Estimate(0.6), 0.8).reason
    'too close to call: 60 % likely wrong'
    """
    if math.isnan(estimate.probability) or not 1 - sure < estimate.probability < sure:
        return estimate
    return unknown(f"too close to call: {whole(estimate.probability)} likely wrong")

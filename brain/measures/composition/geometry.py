"""Pure functions over boxes: how two of them stand to each other by three rules.

A box is (left, top, right, bottom) in pixels, y downwards. Pixels and not shares of the picture, because the published
rules measure angles and distances in pixels. Sources: GenEval (Ghosh, Hajishirzi, Schmidt, NeurIPS 2023, MIT) and
T2I-CompBench (Huang et al., NeurIPS 2023, MIT); both are reproduced from the published rule, not copied.

>>> dog, cat = (0.0, 40.0, 20.0, 60.0), (60.0, 40.0, 90.0, 60.0)
>>> geneval_relations(dog, cat)
frozenset({'left of'})
>>> t2i_position("left of", dog, cat)
1.0
>>> round(side_gap("left of", dog, cat), 2)
2.6
"""

from __future__ import annotations

import math

from loupe.brain.core.relations import RelationName
from loupe.brain.imaging.boxes import Corners, area, center, containment, iou

#: the axis of each side (0: x, 1: y), and the sign of the offset on it from the other object to the subject
AXES: dict[str, tuple[int, int]] = {
    relation.value: (relation.axis, relation.sign) for relation in RelationName if relation.axis is not None
}
#: relations that T2I-CompBench measures by distance
NEAR = RelationName.of_kind("distance")


def geneval_relations(a: Corners, b: Corners, shrink: float = 0.1, min_share: float = 0.5) -> frozenset[str]:
    """Returns where ``a`` is seen from ``b`` by GenEval's rule: none, one or two of left of, right of, above, below.

    The offset between the centers is shrunk on each axis by ``shrink`` times the sum of both sizes, and divided by the
    norm of the unshrunk offset. An axis counts where more than ``min_share`` is left.

    >>> sorted(geneval_relations((0, 0, 10, 10), (30, 30, 40, 40)))
    ['above', 'left of']
    >>> geneval_relations((0, 0, 10, 10), (1, 0, 11, 10))
    frozenset()
    """
    (ax, ay), (bx, by) = center(a), center(b)
    dx, dy = ax - bx, ay - by
    wide, high = abs(a[2] - a[0]) + abs(b[2] - b[0]), abs(a[3] - a[1]) + abs(b[3] - b[1])
    x = math.copysign(max(abs(dx) - shrink * wide, 0.0), dx)
    y = math.copysign(max(abs(dy) - shrink * high, 0.0), dy)
    if abs(x) < 1e-3 and abs(y) < 1e-3:
        return frozenset()
    norm = math.sqrt(dx * dx + dy * dy)
    shares = (x / norm, y / norm)
    return frozenset(name for name, (axis, sign) in AXES.items() if sign * shares[axis] > min_share)


def t2i_position(relation: str, a: Corners, b: Corners, max_iou: float = 0.1, max_distance: float = 150.0) -> float:
    """Returns how well ``a`` stands to ``b`` as asked, in [0, 1], by T2I-CompBench's rule.

    A side holds (1) where the centers are apart in its direction, more so than across it, and the boxes' IoU is below
    ``max_iou``; with more overlap it is ``max_iou`` / IoU. "next to" and "near" hold where the centers are less than
    ``max_distance`` apart on either axis; beyond that it is ``max_distance`` over the larger of the two. Other
    relations have 0, as in the original.

    Args:
        relation: one of "left of", "right of", "above", "below", "next to", "near"
        a: the subject
        b: the object that it stands to
        max_iou: in [0, 1]
        max_distance: in pixels; the original pictures have a long side of 512

    >>> t2i_position("near", (0, 0, 10, 10), (300, 300, 310, 310))
    0.5
    """
    (ax, ay), (bx, by) = center(a), center(b)
    x, y = ax - bx, ay - by
    if relation in NEAR:
        if abs(x) < max_distance or abs(y) < max_distance:
            return 1.0
        return max_distance / max(abs(x), abs(y))
    if relation not in AXES:
        return 0.0
    axis, sign = AXES[relation]
    along, across = ((x, y), (y, x))[axis]
    if along * sign <= 0 or abs(along) <= abs(across):
        return 0.0
    overlap = iou(a, b)
    return 1.0 if overlap < max_iou else max_iou / overlap


def widened(box: Corners) -> Corners:
    """Returns a box as the published rules see it: one pixel wider and higher than the difference of its corners."""
    left, top, right, bottom = box
    return left, top, right + 1, bottom + 1


def t2i_same(a: Corners, b: Corners) -> bool:
    """Returns whether T2I-CompBench's counting takes two boxes of one class for the same object.

    That is where the share of either one that the other covers is above 0.9; of ``widened`` boxes, as in the original,
    which looks at the IoU, too: it is never the larger one.

    >>> t2i_same((0, 0, 100, 100), (10, 10, 50, 50)), t2i_same((0, 0, 100, 100), (50, 0, 150, 100))
    (True, False)
    """
    return containment(widened(a), widened(b)) > 0.9


def side_gap(relation: str, a: Corners, b: Corners) -> float:
    """Returns how far ``a`` lies on the asked side of ``b``, in units of half the sum of both sizes on that axis.

    1 where the boxes just touch there, more beyond, 0 where the centers are level, below 0 on the wrong side.

    >>> side_gap("above", (0, 0, 10, 10), (0, 10, 10, 20))
    1.0
    """
    axis, sign = AXES[relation]
    half = (a[axis + 2] - a[axis] + b[axis + 2] - b[axis]) / 2
    return sign * (center(a)[axis] - center(b)[axis]) / half if half > 0 else 0.0


def edge_distance(a: Corners, b: Corners) -> float:
    """Returns the shortest way from one box to the other, in units of their mean size; 0 where they touch or overlap.

    >>> edge_distance((0, 0, 10, 10), (20, 0, 30, 10))
    1.0
    """
    x = max(b[0] - a[2], a[0] - b[2], 0.0)
    y = max(b[1] - a[3], a[1] - b[3], 0.0)
    size = (math.sqrt(area(a)) + math.sqrt(area(b))) / 2
    return math.hypot(x, y) / size if size > 0 else 0.0


def apart(boxes: list[Corners], max_iou: float) -> list[int]:
    """Returns the places of the boxes that are kept when each one that overlaps a kept one is dropped, best first.

    Args:
        boxes: the likeliest first
        max_iou: the IoU from which two boxes are taken for one object; 1 keeps all

    >>> apart([(0, 0, 10, 10), (0, 0, 10, 9), (20, 0, 30, 10)], 0.5)
    [0, 2]
    """
    kept: list[int] = []
    for place, box in enumerate(boxes):
        if max_iou >= 1 or all(iou(box, boxes[other]) < max_iou for other in kept):
            kept.append(place)
    return kept

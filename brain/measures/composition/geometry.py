"""Pure functions over boxes: overlap, and how two boxes stand to each other by three rules.

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

from loupe.brain.imaging.boxes import Corners, area, center, iou

#: the axis that a relation is about (0: x, 1: y), and the sign of the offset from the other object to the subject
AXES: dict[str, tuple[int, int]] = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
#: relations that T2I-CompBench measures by distance
NEAR = ("next to", "near")


def geneval_relations(a: Corners, b: Corners, shrink: float = 0.1, minimum: float = 0.5) -> frozenset[str]:
    """Returns where ``a`` is seen from ``b`` by GenEval's rule: none, one or two of left of, right of, above, below.

    The offset between the centres is shrunk on each axis by ``shrink`` times the sum of both sizes, and divided by the
    norm of the unshrunk offset. An axis counts where more than ``minimum`` is left.

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
    found = {
        "left of": x / norm < -minimum,
        "right of": x / norm > minimum,
        "above": y / norm < -minimum,
        "below": y / norm > minimum,
    }
    return frozenset(name for name, holds in found.items() if holds)


def t2i_position(relation: str, a: Corners, b: Corners, overlap: float = 0.1, distance: float = 150.0) -> float:
    """Returns how well ``a`` stands to ``b`` as asked, in [0, 1], by T2I-CompBench's rule.

    A side holds (1) where the centres are apart in its direction, more so than across it, and the boxes' IoU is below
    ``overlap``; with more overlap it is ``overlap`` / IoU. "next to" and "near" hold where the centres are less than
    ``distance`` apart on either axis; beyond that it is ``distance`` over the larger of the two. Other relations have
    0, as in the original.

    Args:
        relation: one of "left of", "right of", "above", "below", "next to", "near"
        a: the subject
        b: the object that it stands to
        overlap: in [0, 1]
        distance: in pixels; the original pictures have a long side of 512

    >>> t2i_position("near", (0, 0, 10, 10), (300, 300, 310, 310))
    0.5
    """
    (ax, ay), (bx, by) = center(a), center(b)
    x, y = ax - bx, ay - by
    if relation in NEAR:
        if abs(x) < distance or abs(y) < distance:
            return 1.0
        return distance / max(abs(x), abs(y))
    if relation not in AXES:
        return 0.0
    axis, sign = AXES[relation]
    along, across = ((x, y), (y, x))[axis]
    if along * sign <= 0 or abs(along) <= abs(across):
        return 0.0
    common = iou(a, b)
    return 1.0 if common < overlap else overlap / common


def t2i_same(a: Corners, b: Corners) -> bool:
    """Returns whether T2I-CompBench's counting takes two boxes of one class for the same object.

    That is where their IoU, or the share of either one that the other covers, is above 0.9. Sizes count one pixel more
    than the difference of the corners, as in the original.

    >>> t2i_same((0, 0, 100, 100), (10, 10, 50, 50)), t2i_same((0, 0, 100, 100), (50, 0, 150, 100))
    (True, False)
    """
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + 1)
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + 1)
    common = wide * high
    one, other = ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b))
    return max(common / (one + other - common), common / one, common / other) > 0.9


def side_gap(relation: str, a: Corners, b: Corners) -> float:
    """Returns how far ``a`` lies on the asked side of ``b``, in units of half the sum of both sizes on that axis.

    1 where the boxes just touch there, more beyond, 0 where the centres are level, below 0 on the wrong side.

    >>> side_gap("above", (0, 0, 10, 10), (0, 10, 10, 20))
    1.0
    """
    axis, sign = AXES[relation]
    half = (a[axis + 2] - a[axis] + b[axis + 2] - b[axis]) / 2
    return sign * (center(a)[axis] - center(b)[axis]) / half if half > 0 else 0.0


def side_offset(relation: str, a: Corners, b: Corners, width: float, height: float) -> float:
    """Returns how far the centre of ``a`` lies on the asked side of that of ``b``, as a share of the picture.

    >>> side_offset("right of", (80, 0, 100, 20), (0, 0, 20, 20), 100, 50)
    0.8
    """
    axis, sign = AXES[relation]
    return sign * (center(a)[axis] - center(b)[axis]) / (width, height)[axis]


def edge_distance(a: Corners, b: Corners) -> float:
    """Returns the shortest way from one box to the other, in units of their mean size; 0 where they touch or overlap.

    >>> edge_distance((0, 0, 10, 10), (20, 0, 30, 10))
    1.0
    """
    x = max(b[0] - a[2], a[0] - b[2], 0.0)
    y = max(b[1] - a[3], a[1] - b[3], 0.0)
    size = (math.sqrt(area(a)) + math.sqrt(area(b))) / 2
    return math.hypot(x, y) / size if size > 0 else 0.0


def apart(boxes: list[Corners], maximum: float) -> list[int]:
    """Returns the places of the boxes that are kept when each one that overlaps a kept one is dropped, best first.

    Args:
        boxes: the likeliest first
        maximum: the IoU from which two boxes are taken for one object; 1 keeps all

    >>> apart([(0, 0, 10, 10), (0, 0, 10, 9), (20, 0, 30, 10)], 0.5)
    [0, 2]
    """
    kept: list[int] = []
    for place, box in enumerate(boxes):
        if maximum >= 1 or all(iou(box, boxes[other]) < maximum for other in kept):
            kept.append(place)
    return kept

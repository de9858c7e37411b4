"""Which of the bodies that a landmark model draws are people: it sees them in trees and dogs, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from loupe.brain.core.records import Box
from loupe.brain.imaging.boxes import from_bounds, iou

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.landmarks.pose import Pose

_MIN_PERSON = 0.4


def people_in(find: Callable[[np.ndarray, tuple[str, ...]], Sequence[Box]], picture: np.ndarray) -> list[Box]:
    """Returns the people that a detector is sure enough of.

    Args:
        find: of a detector: boxes of a picture's objects, by the classes that are asked for
        picture: (H, W, 3) uint8 RGB
    """
    boxes = find(picture, ("person",))
    return [box for box in boxes if box.label == "person" and (box.confidence or 0.0) >= _MIN_PERSON]


def owner(pose: Pose, people: Sequence[Box]) -> Box | None:
    """Returns the person that the points of a body which can be seen lie on, or None.

    Args:
        pose: a body
        people: boxes of people, of a detector
    """
    from loupe.brain.measures.anatomy.body_shape import SEEN

    size = pose.size
    shown = pose.relative[pose.visibility >= SEEN].clip(0, 1)
    if len(shown) < 8:
        return None
    low, high = shown.min(0), shown.max(0)
    if min((high - low) * size) < 1:
        return None
    mine = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    best = max(people, key=lambda box: iou(mine, from_bounds(box.bounds)))
    return best if iou(mine, from_bounds(best.bounds)) > 0.4 else None

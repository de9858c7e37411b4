"""Where a failure lies, by what the check saw that flags it: boxes, landmarks, a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loupe.brain.core.records import Box, Points
from loupe.brain.generation.region import around, of_boxes, of_map

#: landmarks lie inside of what they mark: the box around them is grown by this share
_AROUND_POINTS = 0.3
#: what covers as much of the picture has no place
_EVERYWHERE = 0.97
_SOUND = ("as wanted", "unknown")
_SOUND_VERDICTS = ("sound", "usual", "unknown")


def located(
    failure: str,
    boxes: Sequence[Box],
    points: Sequence[Points],
    heat: np.ndarray | None,
    size: tuple[int, int],
    *,
    unknown: bool = False,
) -> np.ndarray | None:
    """Returns the (H, W) bool mask of where a failure lies; None where it has no place, and is the whole picture's.

    Args:
        failure: the failure mode
        boxes, points, heat: what the check that flags it saw
        size: (width, height) of the picture
        unknown: whether it is not known to be there: then what the check could not judge counts, too
    """
    own = _named(failure, boxes, unknown)
    places = [box.bounds for box in own]
    if any(box[2] * box[3] >= _EVERYWHERE for box in places):
        return None
    mask = of_boxes(places, size) if places else None
    marked = [box for each in _bad(points, unknown) if (box := around(each.points)) is not None]
    if marked:
        grown = of_boxes(marked, size, grow=_AROUND_POINTS)
        mask = grown if mask is None else mask | grown
    if mask is None and heat is not None:
        mask = of_map(heat, size)
    return None if mask is None or not mask.any() or mask.mean() >= _EVERYWHERE else mask


def _named(failure: str, boxes: Sequence[Box], unknown: bool) -> list[Box]:
    """Returns the boxes of a failure: a check may name it in short, as ``substitution`` of ``text_substitution``."""
    own = [box for box in boxes if box.label and box.label in failure]
    if own:
        return own
    bad = [box for box in boxes if box.label not in _SOUND]
    return bad or [box for box in boxes if unknown and box.label == "unknown"]


def _bad(points: Sequence[Points], unknown: bool) -> list[Points]:
    bad = [each for each in points if each.attributes.get("verdict") not in _SOUND_VERDICTS]
    return bad or [each for each in points if unknown and each.attributes.get("verdict") == "unknown"]

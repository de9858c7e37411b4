"""Whose a hand or a face is: a person's, an animal's or nobody's, by what a detector sees around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from loupe.brain.core.records import Box
    from loupe.brain.perception.landmarks.figure import Figure

Owner = Literal["person", "animal", "nobody"]
#: the classes of COCO that are animals
ANIMALS = frozenset(("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"))
#: how sure the detector has to be of a person, and of an animal
_PERSON, _ANIMAL = 0.3, 0.5


def owner(figure: Figure, objects: Sequence[Box]) -> Owner:
    """Returns in whose box the middle of a figure lies; a person's counts before an animal's.

    Args:
        figure: of a picture
        objects: of the same picture, as a detector of COCO's classes gives them
    """
    x, y = (float(value) for value in figure.relative.mean(0))
    here = [
        box
        for box in objects
        if box.bounds[0] <= x <= box.bounds[0] + box.bounds[2] and box.bounds[1] <= y <= box.bounds[1] + box.bounds[3]
    ]
    if any(box.label == "person" and (box.confidence or 0.0) >= _PERSON for box in here):
        return "person"
    return "animal" if any(box.label in ANIMALS and (box.confidence or 0.0) >= _ANIMAL for box in here) else "nobody"

"""What was read of N images: what is there, and what models said of it. No FiftyOne."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loupe.brain.core.evaluation import Kind
from loupe.brain.evaluation.matching import Boxes
from loupe.brain.evaluation.segmentation import Segmented

#: how a case-folded class is shown that is written in several ways
_MAX_NAMED = 5


@dataclass(frozen=True, eq=False)
class Side:
    """The ground truths, or what one model said.

    Attributes:
        known: (N,) bool: of which images there is anything, be it an empty list
        label: (N,) int64: of a classification the class, -1 where there is none
        score: (N,) float64: its confidence, NaN where there is none
        boxes: of a detection the boxes
        attributes: of boxes, by name (B,) objects: the values that objects are sliced by; None where there is none
        left_out: how many boxes were left out: of no area, of no finite corners, or without a class
    """

    known: np.ndarray
    label: np.ndarray | None = None
    score: np.ndarray | None = None
    boxes: Boxes | None = None
    attributes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class Labels:
    """The ground truths of N images and what models said.

    Attributes:
        kind: what they are
        ids: (N,) the samples
        classes: the names of the classes, in the order of their codes
        cluster: (N,) int64: which images belong together
        truth: what is there
        models: by the field of the predictions
        masks: of a segmentation, by model
        notes: what else is to be known
    """

    kind: Kind
    ids: Sequence[str]
    classes: tuple[str, ...]
    cluster: np.ndarray
    truth: Side
    models: Mapping[str, Side]
    masks: Mapping[str, Segmented] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def written_differently(truths: Sequence[str], predictions: Sequence[str]) -> list[str]:
    """Returns a sentence where classes differ by case or blanks only: to a computer they are different classes.

    >>> written_differently(["Cat", "dog"], ["cat", "dog"])
    ["classes that differ by case or blanks only are different classes: 'Cat' and 'cat'"]
    """
    ways: dict[str, set[str]] = {}
    for name in [*truths, *predictions]:
        ways.setdefault(" ".join(name.split()).casefold(), set()).add(name)
    mixed = [" and ".join(map(repr, sorted(names))) for names in ways.values() if len(names) > 1]
    if not mixed:
        return []
    more = f" and {len(mixed) - _MAX_NAMED} more" if len(mixed) > _MAX_NAMED else ""
    listed = "; ".join(mixed[:_MAX_NAMED])
    return [f"classes that differ by case or blanks only are different classes: {listed}{more}"]


def on_one_side(truths: Sequence[str], predictions: Sequence[str]) -> list[str]:
    """Returns sentences on classes that are never predicted, and on predicted ones that never occur.

    >>> on_one_side(["cat"], ["cat", "dog"])
    ['predicted, but never a ground truth: dog']
    """
    sentences = []
    for text, own, other in (
        ("predicted, but never a ground truth", predictions, truths),
        ("never predicted by any model", truths, predictions),
    ):
        alone = sorted(set(own) - set(other))
        if alone:
            more = f" and {len(alone) - _MAX_NAMED} more" if len(alone) > _MAX_NAMED else ""
            sentences.append(f"{text}: {', '.join(alone[:_MAX_NAMED])}{more}")
    return sentences

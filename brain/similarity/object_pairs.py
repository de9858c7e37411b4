"""Which objects are the same: equal crops, crops that are nearly alike, and crops of which the middle is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loupe.brain.core.records import ProgressCallback, Threshold
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.sets.leaks import Leaks
from loupe.brain.similarity import fingerprints
from loupe.brain.similarity.cohesion import mean_similarities
from loupe.brain.similarity.duplicates import ComparedBefore, IndexPair, equal_pictures, grouped, similar_pictures
from loupe.brain.similarity.fingerprints import Contents
from loupe.brain.similarity.objects import Objects

#: a pair of which the middle alone is the same: cut out, and on another background
MIDDLE = "middle"
#: what is compared, in this order
PARTS = ("whole", MIDDLE)


@dataclass(frozen=True, eq=False)
class AlikeObjects:
    """What comparing M objects gave.

    Attributes:
        pairs: kind pixels, near or middle; of objects that are equal, each with the first
        groups: those that the pairs connect, the object with the most pixels first
        exact: (M,) float32: how many others are equal to each; NaN where it has not been compared
        near: (M,) float32: the highest similarity to another; NaN where it has not been compared
        similarities: of each of ``PARTS`` by places a < b; what is kept for the next time
        compared: of each of ``PARTS`` the places of those that were compared
        means: how alike the members of each group are to its first one on average, in [0, 1]
    """

    pairs: list[IndexPair]
    groups: list[list[int]]
    means: np.ndarray
    exact: np.ndarray
    near: np.ndarray
    similarities: dict[str, dict[tuple[int, int], float]] = field(default_factory=dict)
    compared: dict[str, np.ndarray] = field(default_factory=dict)


def alike(
    known: Objects,
    spec: Duplicates,
    threshold: Threshold,
    before: Mapping[str, ComparedBefore],
    report: ProgressCallback,
    *,
    exact: bool = True,
    near: bool = True,
) -> AlikeObjects:
    """Compares the objects with each other; a reason is noted for those that show too little to be compared.

    Two boxes of one picture that have much in common are no pair: they look alike for that.

    Args:
        known: M objects
        spec: the measure
        threshold: what is nearly the same
        before: what is known already of each of ``PARTS``
        report: called now and then
        exact, near: what to look for
    """
    whole = known.contents()
    equal = equal_pictures(whole)
    highest = np.full(len(equal.counts), math.nan, np.float32)
    pairs: dict[tuple[int, int], IndexPair] = {(pair[0], pair[1]): pair for pair in equal.pairs} if exact else {}
    similarities: dict[str, dict[tuple[int, int], float]] = {}
    compared: dict[str, np.ndarray] = {}
    for part in PARTS if near else ():
        contents = whole if part == "whole" else known.middles()
        shared = _of_compared(known.shared, contents)
        similar = similar_pictures(contents, equal, spec, before[part], None, report, without=shared)
        np.fmax(highest, similar.highest, out=highest)
        similarities[part], compared[part] = similar.similarities, similar.compared
        for a, b, kind, value in similar.pairs(threshold):
            pairs.setdefault((a, b), (a, b, kind if part == "whole" else MIDDLE, value))
    if near and not exact:  # equal ones are near ones, too
        pairs |= {(a, b): (a, b, "near", value) for a, b, _, value in equal.pairs}
    _note(known, whole)
    listed = sorted(pairs.values())
    groups = grouped(whole, listed)
    means = np.ones(len(groups))
    if near:
        inside = np.zeros(len(highest), dtype=bool)
        inside[[at for group in groups for at in group]] = True
        means = mean_similarities(
            groups,
            equal.first,
            [(whole, similarities["whole"]), (known.middles(inside), similarities[MIDDLE])],
        )
    return AlikeObjects(listed, groups, means, equal.counts, highest, similarities, compared)


def across(
    known: Objects, groups: np.ndarray, spec: Leaks, threshold: Threshold, report: ProgressCallback
) -> tuple[list[IndexPair], np.ndarray]:
    """Compares each object with those of other splits only.

    Args:
        known: M objects; a reason is noted for those that show too little to be compared
        groups: (M,) ints: the split of each; negative: in none, and not compared
        spec: the measure
        threshold: what is nearly the same
        report: called now and then

    Returns:
        every pair across two splits, and each object's highest similarity to one of another split: (M,) float32, NaN
        where it has not been compared
    """
    highest = np.full(len(groups), math.nan, np.float32)
    pairs: dict[tuple[int, int], IndexPair] = {}
    for part in PARTS:
        contents = known.contents() if part == "whole" else known.middles()
        own, values = fingerprints.across(
            contents, groups, threshold, per_image=spec.per_image, minimum=spec.min_hash, report=report
        )
        np.fmax(highest, values, out=highest)
        for (a, b), (kind, value) in own.items():
            pairs.setdefault((a, b), (a, b, kind if part == "whole" else MIDDLE, value))
        if part == "whole":
            _note(known, contents)
    return sorted(pairs.values()), highest


def _note(known: Objects, whole: Contents) -> None:
    """Notes why crops were not compared; that the middle of one was not is no reason."""
    for at, reason in whole.reasons.items():
        known.reasons.setdefault(at, reason)


def _of_compared(shared: tuple[np.ndarray, np.ndarray], contents: Contents) -> tuple[np.ndarray, np.ndarray]:
    both = (contents.places[shared[0]] >= 0) & (contents.places[shared[1]] >= 0)
    return shared[0][both], shared[1][both]


def labeled_differently(pairs: Sequence[IndexPair], labels: Sequence[str | None]) -> list[IndexPair]:
    """Returns the pairs whose two objects have two classes; one without a class says nothing.

    >>> labeled_differently([(0, 1, "near", 0.9), (0, 2, "near", 0.9)], ["car", "van", None])
    [(0, 1, 'near', 0.9)]
    """
    return [
        pair
        for pair in pairs
        if labels[pair[0]] is not None and labels[pair[1]] is not None and labels[pair[0]] != labels[pair[1]]
    ]

"""Which of N pictures are the same, or nearly: equal ones by their hashes, near ones by their similarities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.records import ProgressCallback, Threshold
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity import fingerprints, matching
from loupe.brain.similarity.fingerprints import Contents

#: two pictures by their indices, how they are the same (bytes, pixels or near), and their similarity in [0, 1]
IndexPair = tuple[int, int, str, float]

#: similarities below count as 0, and are not kept
_MIN_KEPT = 0.3


@dataclass(frozen=True, eq=False)
class EqualPictures:
    """Pictures with equal pixels.

    Attributes:
        first: (N,) ints: for each the first one that is equal to it: itself, where none before it is
        counts: (N,) float32: how many others are equal to it; NaN for a file that cannot be read
        pairs: each picture that is not the first of its kind, with the first
        apart: (N,) bool: which are equal only to such as somebody decided to be no duplicates of it: they are in no
            pair, and count none
    """

    first: np.ndarray
    counts: np.ndarray
    pairs: tuple[IndexPair, ...]
    apart: np.ndarray


@dataclass(frozen=True, eq=False)
class ComparedBefore:
    """What an earlier comparison has left.

    Attributes:
        old: (N,) bool: which were compared with each other
        similarities: the similarities of those that were kept, by indices a < b
    """

    old: np.ndarray
    similarities: dict[tuple[int, int], float]


@dataclass(frozen=True, eq=False)
class SimilarPictures:
    """Pictures that are not equal, compared.

    Attributes:
        similarities: of at least 0.3, in [0, 1], by indices a < b
        highest: (N,) float32: the highest similarity to another one, 1 where there is an equal one; NaN where unknown
        compared: the indices of those that were compared, one of each that are equal
        hidden: the pairs that somebody decided to be no duplicates
    """

    similarities: dict[tuple[int, int], float]
    highest: np.ndarray
    compared: np.ndarray
    hidden: frozenset[tuple[int, int]] = frozenset()

    def pairs(self, threshold: Threshold) -> list[IndexPair]:
        """Returns the pairs that are near duplicates by that threshold."""
        beyond = threshold.violates(np.array(list(self.similarities.values()), dtype=np.float64))
        return [
            (a, b, "near", value)
            for ((a, b), value), near in zip(self.similarities.items(), beyond.tolist(), strict=True)
            if near and (a, b) not in self.hidden
        ]


def equal_pictures(known: Contents, distinct: np.ndarray | None = None) -> EqualPictures:
    """Returns which pictures have equal pixels: equal bytes decode to equal pixels.

    Args:
        known: the pictures
        distinct: (N,) ints: pictures with one number were decided to be no duplicates of each other; -1: nothing was
    """
    n = len(known.pixels)
    first, apart = np.arange(n), np.zeros(n, dtype=bool)
    for members in matching.equal(known.pixels):
        first[members] = members[0]
        # only as a whole: a new copy is one of all of them
        apart[members] = distinct is not None and distinct[members[0]] >= 0 and len(set(distinct[members])) == 1
    counts = np.bincount(first, minlength=n)[first].astype(np.float32) - 1
    counts[[pixels is None for pixels in known.pixels]] = math.nan
    counts[apart] = 0.0
    pairs = [
        (int(first[index]), int(index), known.kind(int(first[index]), int(index)), 1.0)
        for index in np.flatnonzero((first != np.arange(n)) & ~apart)
    ]
    return EqualPictures(first, counts, tuple(pairs), apart)


def similar_pictures(
    known: Contents,
    equal: EqualPictures,
    spec: Duplicates,
    before: ComparedBefore,
    further: tuple[np.ndarray, np.ndarray] | None,
    report: ProgressCallback,
    distinct: np.ndarray | None = None,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    listed: Sequence[tuple[int, int]] = (),
) -> SimilarPictures:
    """Compares the pictures that are not equal.

    Args:
        known: the pictures; a reason is noted for those that show too little to be compared
        equal: which of them are equal
        spec: the measure
        before: what is known already
        further: two arrays of indices: pairs to compare beside those that the hashes suggest
        report: called now and then
        distinct: as for ``equal_pictures``
        without: two arrays of indices: pairs that are not compared
        listed: pairs that another search has found, to be compared unless they were
    """
    n = len(equal.first)
    new = ~before.old
    chosen = np.flatnonzero((known.places >= 0) & (equal.first == np.arange(n)))
    if further is not None:
        some = new[further[0]] | new[further[1]]
        further = (further[0][some], further[1][some])
    also = {
        (min(a, b), max(a, b)) for a, b in equal.first[np.array(listed, np.int64).reshape(-1, 2)].tolist() if a != b
    }
    if also := also - before.similarities.keys():
        more = np.array(sorted(also))
        none = (np.zeros(0, np.int64),) * 2
        further = tuple(np.concatenate(both) for both in zip(further or none, more.T, strict=True))  # type: ignore[assignment]
    compared, a, b, values = fingerprints.compare(
        known,
        chosen,
        per_image=spec.per_image,
        minimum=spec.min_hash,
        report=report,
        new=new,
        further=further,
        without=without,
    )
    chosen_now = set(chosen.tolist())
    similarities = {pair: value for pair, value in before.similarities.items() if chosen_now.issuperset(pair)}
    for low, high, value in zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), values.tolist(), strict=True):
        if value >= _MIN_KEPT:
            similarities[low, high] = max(similarities.get((low, high), 0.0), value)

    highest = np.full(n, math.nan, dtype=np.float32)
    highest[compared] = 0.0
    hidden = set()
    for (low, high), value in similarities.items():
        if distinct is not None and distinct[low] >= 0 and distinct[low] == distinct[high]:
            hidden.add((low, high))
            continue
        highest[low], highest[high] = max(highest[low], value), max(highest[high], value)
    copies = (np.bincount(equal.first, minlength=n)[equal.first] > 1) & (known.places >= 0) & ~equal.apart
    highest[copies] = 1.0
    # of equal ones just the first is compared
    highest[equal.apart] = highest[equal.first[equal.apart]]
    for index in np.flatnonzero(copies):
        known.reasons.pop(int(index), None)  # that it has an equal one is known, however little it shows
    return SimilarPictures(similarities, highest, chosen, frozenset(hidden))


def grouped(known: Contents, pairs: Sequence[IndexPair]) -> list[list[int]]:
    """Returns the groups that the pairs connect, the picture with the most pixels first in each."""
    areas = known.areas
    return [
        sorted(group, key=lambda index: (-areas[index], index))
        for group in matching.connected(len(known.prints), [(a, b) for a, b, _, _ in pairs])
    ]

"""How alike the members of a group are to the one that stands for it: groups are chains, and a chain can lead far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loupe.brain.core.records import Threshold
from loupe.brain.similarity import matching
from loupe.brain.similarity.fingerprints import Contents
from loupe.brain.similarity.verification import verified

#: members of a group that are compared with its first one, evenly over the group
_COMPARED = 100

#: what is compared, and the similarities that are known already, by places a < b
Part = tuple[Contents, Mapping[tuple[int, int], float]]


def mean_similarities(groups: Sequence[Sequence[int]], first: np.ndarray, parts: Sequence[Part]) -> np.ndarray:
    """Returns how alike the members of each group are to its first one on average: (G,) float64 in [0, 1].

    Of two that were not compared before, the similarity is told now. 1 for groups of equal ones.

    Args:
        groups: G of places
        first: (N,) ints: for each place the first one that is equal to it: itself, where none before it is
        parts: what counts is the highest similarity of a pair in any of them
    """
    wanted: list[tuple[int, int]] = []
    owners: list[int] = []
    for at, group in enumerate(groups):
        lead = int(first[group[0]])
        others = np.asarray(group[1:])
        some = others[np.unique(np.linspace(0, len(others) - 1, _COMPARED).astype(int))] if len(others) else others
        wanted += [(min(lead, own), max(lead, own)) for own in first[some].tolist()]
        owners += [at] * len(some)
    values = np.zeros(len(wanted))
    for contents, known in parts:
        missing = [
            pair for pair in dict.fromkeys(wanted) if pair[0] != pair[1] and pair not in known and _both(contents, pair)
        ]
        compared = dict(zip(missing, _compared(contents, missing), strict=True))
        own = [1.0 if a == b else known.get((a, b), compared.get((a, b), 0.0)) for a, b in wanted]
        values = np.maximum(values, own)
    total = np.bincount(owners, weights=values, minlength=len(groups))
    return np.asarray(total / np.maximum(np.bincount(owners, minlength=len(groups)), 1))


def _both(contents: Contents, pair: tuple[int, int]) -> bool:
    return bool(contents.places[pair[0]] >= 0 and contents.places[pair[1]] >= 0)


def _compared(contents: Contents, pairs: Sequence[tuple[int, int]]) -> list[float]:
    if not pairs:
        return []
    used, places = np.unique(np.asarray(pairs), return_inverse=True)
    thumbs = contents.thumbs[contents.places[used]]
    a, b = places.reshape(-1, 2).T
    oriented = matching.oriented(thumbs.luma, a, b)
    similar = matching.similarities(thumbs, oriented)
    made = verified(thumbs, oriented, similar, lambda place: contents.previews[int(used[place])])
    return [float(value) for value in made]


def loose(groups: Sequence[Sequence[int]], means: np.ndarray, threshold: Threshold) -> list[int]:
    """Returns which groups are loose: on average their members are no near duplicates of the first one."""
    return [at for at in range(len(groups)) if not threshold.violates(np.array([means[at]]))[0] and means[at] < 1]


def message(groups: Sequence[Sequence[int]], loose_ones: Sequence[int], of: str) -> str:
    """Returns what is to be said of loose groups; empty where there are none.

    >>> message([[1, 2, 3], [4, 5]], [0], "pictures")
    '1 of 2 groups is loose: on average its pictures are no near duplicates of the first, the largest has 3. Look at it before any is dropped, or raise the threshold'
    """  # noqa: E501
    if not loose_ones:
        return ""
    several = len(loose_ones) > 1
    largest = max(len(groups[at]) for at in loose_ones)
    return (
        f"{len(loose_ones):,} of {len(groups):,} groups {'are' if several else 'is'} loose: on average "
        f"{'their' if several else 'its'} {of} are no near duplicates of the first, the largest has {largest:,}. Look "
        f"at {'them' if several else 'it'} before any is dropped, or raise the threshold"
    )

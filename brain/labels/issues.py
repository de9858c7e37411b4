"""What else is wrong with given labels, and which probabilities can be used. Pure arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError

#: how far the rows of given probabilities may be from 1
_SUM = 1e-3


def require_probabilities(probabilities: np.ndarray, n: int, n_classes: int, *, exclusive: bool = True) -> np.ndarray:
    """Returns probabilities that can be used: (N, K) float32.

    Args:
        probabilities: of each class on each sample
        n: how many samples there are
        n_classes: K
        exclusive: whether a sample has just one class, so that its probabilities sum to 1

    Raises:
        InputError: another shape, NaN or infinity, numbers outside [0, 1], or rows that do not sum to 1
    """
    made = np.asarray(probabilities, dtype=np.float32)
    if made.shape != (n, n_classes):
        raise InputError(f"expected probabilities of shape ({n}, {n_classes}), samples by classes, got {made.shape}")
    if not np.isfinite(made).all():
        bad = int((~np.isfinite(made)).any(axis=1).sum())
        raise InputError(f"expected finite probabilities, got NaN or infinity on {bad:,} of {n:,} samples")
    if (made < 0).any() or (made > 1 + _SUM).any():
        instead = "softmax" if exclusive else "sigmoid"
        raise InputError(
            f"expected probabilities from 0 to 1, got others: are these logits? Take their {instead} first"
        )
    if not exclusive:
        return made
    sums = made.sum(axis=1)
    off = np.abs(sums - 1) > _SUM
    if off.any():
        raise InputError(
            f"expected probabilities that sum to 1, got {sums[off][0]:.4g} on {int(off.sum()):,} of {n:,} samples"
        )
    return made


@dataclass(frozen=True)
class MixedUp:
    """Two classes of which one was given where the other is probable: how often, of how many that were given it."""

    given: int
    suggested: int
    k: int
    n: int


def mixed_up(given: np.ndarray, suggested: np.ndarray, flagged: np.ndarray, n_classes: int) -> list[MixedUp]:
    """Returns which classes are mixed up, the most frequent first.

    Args:
        given: (N,) int64
        suggested: (N,) int64
        flagged: (N,) bool: the issues
        n_classes: how many classes there are
    """
    sizes = np.bincount(given, minlength=n_classes)
    codes, counts = np.unique(given[flagged] * n_classes + suggested[flagged], return_counts=True)
    order = np.lexsort((codes, -counts))
    pairs = [(*divmod(int(codes[at]), n_classes), int(counts[at])) for at in order.tolist()]
    return [MixedUp(a, b, k, int(sizes[a])) for a, b, k in pairs if a != b]


def same_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Returns names that differ only by case, by blanks, hyphens or underscores: they are probably one class.

    >>> same_names(["Cat", "cat", "hot dog", "hot_dog", "dog"])
    [('Cat', 'cat'), ('hot dog', 'hot_dog')]
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        alike["".join(name.casefold().replace("-", " ").replace("_", " ").split())].append(name)
    return [tuple(own) for own in alike.values() if len(own) > 1]


def disagreeing(groups: Sequence[str | None], given: Sequence[str | None]) -> dict[str, list[int]]:
    """Returns the groups of duplicates that have more than one label: by the group, the places of its samples.

    >>> disagreeing(["a", "a", "b", "b", None], ["cat", "dog", "cat", "cat", "dog"])
    {'a': [0, 1]}
    """
    places: dict[str, list[int]] = defaultdict(list)
    for at, (group, label) in enumerate(zip(groups, given, strict=True)):
        if group is not None and label is not None:
            places[group].append(at)
    return {group: own for group, own in places.items() if len({given[at] for at in own}) > 1}


def too_few(given: np.ndarray, groups: np.ndarray, minimum: int = 2) -> np.ndarray:
    """Returns which samples have a class that fewer groups have: (N,) bool. No other label speaks for theirs.

    Args:
        given: (N,) int64: their classes
        groups: (N,) int64: samples of one group never judge each other
        minimum: of groups

    >>> too_few(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 2, 3, 3])).tolist()
    [False, False, True, True, True]
    """
    pairs = np.unique(np.stack([given, groups]), axis=1)
    classes, counts = np.unique(pairs[0], return_counts=True)
    return np.isin(given, classes[counts < minimum])

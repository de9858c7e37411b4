"""Masks that are probably wrong, by a model's: how much of a picture it takes for something else. Pure arithmetic.

What differs along an edge is nobody's mistake: only what is thicker than an edge counts. Where the model says how sure
it is of each pixel, each counts by the square of that. `python -m benchmarks.labels masks` chose this: it ranks wrong
masks above the overlap of classes, and above cleanlab's softmin (Lad & Mueller 2023, arXiv:2307.05080).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: the width of an edge, as a share of the picture's shorter side
_EDGE = 0.01


@dataclass(frozen=True)
class Disagreement:
    """What a model has to say against one mask.

    Attributes:
        score: in [0, 1], higher is worse: the share of the picture's labeled pixels that it takes for something else
        given, suggested: the class of most of those, and what the model has there; -1 where it agrees everywhere
        share: the share of the picture that those two classes differ on, in [0, 1]
    """

    score: float
    given: int
    suggested: int
    share: float


def disagreement(
    given: np.ndarray, predicted: np.ndarray, sure: np.ndarray | None = None, labeled: np.ndarray | None = None
) -> Disagreement:
    """Returns what speaks against a mask.

    Args:
        given, predicted: (H, W) whole numbers from 0 on: the classes
        sure: (H, W) in [0, 1]: how sure the model is of each pixel; all the same by default
        labeled: (H, W) bool: the pixels that somebody labeled, at least one; all by default

    >>> mask = np.zeros((20, 20), dtype=np.int64)
    >>> other = mask.copy()
    >>> other[5:15, 5:15] = 3
    >>> disagreement(mask, other)
    Disagreement(score=0.16, given=0, suggested=3, share=0.16)
    """
    from scipy.ndimage import minimum_filter

    differs = given != predicted
    if labeled is not None:
        differs &= labeled
    size = given.size if labeled is None else int(labeled.sum())
    edge = max(1, round(_EDGE * min(given.shape)))
    thick = minimum_filter(differs, 2 * edge + 1, mode="nearest")
    if not thick.any():
        return Disagreement(0.0, -1, -1, 0.0)
    weight = np.ones(int(thick.sum())) if sure is None else np.clip(sure[thick], 0, 1) ** 2
    codes, place = np.unique(
        given[thick].astype(np.int64) * (int(predicted.max()) + 1) + predicted[thick], return_inverse=True
    )
    sums = np.bincount(place.ravel(), weight)
    worst = int(sums.argmax())
    own, other = divmod(int(codes[worst]), int(predicted.max()) + 1)
    return Disagreement(float(weight.sum()) / size, own, other, float(sums[worst]) / size)


@dataclass
class Agreement:
    """How far all pictures agree on each class: pixels are added up picture by picture."""

    both: dict[int, int] = field(default_factory=dict)
    either: dict[int, int] = field(default_factory=dict)

    def add(self, given: np.ndarray, predicted: np.ndarray, labeled: np.ndarray | None = None) -> None:
        """Adds a picture's masks, see ``disagreement``."""
        own, other = (given, predicted) if labeled is None else (given[labeled], predicted[labeled])
        same = own == other
        for code, count in zip(*np.unique(own[same], return_counts=True), strict=True):
            self.both[int(code)] = self.both.get(int(code), 0) + int(count)
            self.either[int(code)] = self.either.get(int(code), 0) + int(count)
        for values in (own[~same], other[~same]):
            for code, count in zip(*np.unique(values, return_counts=True), strict=True):
                self.either[int(code)] = self.either.get(int(code), 0) + int(count)

    def ious(self) -> dict[int, float]:
        """Returns the intersection over the union of each class, in [0, 1].

        >>> made = Agreement()
        >>> made.add(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]]))
        >>> made.ious()
        {0: 0.5, 1: 0.6666666666666666}
        """
        return {code: self.both.get(code, 0) / count for code, count in sorted(self.either.items())}

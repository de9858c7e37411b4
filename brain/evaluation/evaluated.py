"""What every evaluation gives: ratios of counts by cluster, and numbers that have to be resampled. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import numpy as np

from loupe.brain.evaluation.calibration import BINS
from loupe.brain.stats.bootstrap import Method, Statistic

#: of each metric that is a ratio: (C,) float64 each, how many have it in each cluster, and how many there are
Ratios: TypeAlias = Mapping[str, tuple[np.ndarray, np.ndarray]]

#: thresholds that a hand can move over without matching again
SWEEP = tuple(round(step * 0.05, 2) for step in range(20))


@dataclass(frozen=True, eq=False)
class Resampled:
    """Numbers without a closed form of their interval.

    Attributes:
        names: of the K metrics
        methods: how the interval of each is made of its resamples
        statistic: the numbers of clusters that are taken so many times each
        confidences: of the calibration error: the confidences, which of them were right, and the cluster of each; None
            where they are no chances
        bins: of the calibration error
        moves: whether the numbers of the statistic depend on the threshold
    """

    names: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ()
    statistic: Statistic = lambda _: np.zeros(0)
    confidences: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    bins: int = BINS
    moves: bool = False


class Evaluated(Protocol):
    """What a model did on some images: enough to measure it on any slice, at any threshold.

    Attributes:
        clusters: how many clusters there are: images, unless several belong together
    """

    @property
    def clusters(self) -> int:
        """How many clusters there are."""

    def take(self, images: np.ndarray) -> Self:
        """Returns the same of the images that a mask or some indexes choose."""

    def sizes(self) -> tuple[int, int, int]:
        """Returns how many images, ground truths and predictions there are."""

    def ratios(self, confidence: float | None) -> Ratios:
        """Returns the counts of each ratio at a threshold; None: every prediction counts."""

    def resampled(self, confidence: float | None) -> Resampled:
        """Returns what has to be resampled, at a threshold."""


def ratio_of_counts(true: np.ndarray, false: np.ndarray, missed: np.ndarray) -> Ratios:
    """Returns precision, recall and F1 of true positives, false positives and false negatives by cluster: (C,) each.

    F1 is a ratio of sums like the others: 2 TP / (2 TP + FP + FN).
    """
    return {
        "precision": (true, true + false),
        "recall": (true, true + missed),
        "f1": (2 * true, 2 * true + false + missed),
    }

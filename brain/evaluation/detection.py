"""Detection: boxes that were matched, measured on any images and on any slice of objects. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from loupe.brain.evaluation.average_precision import Ranked, mean_known
from loupe.brain.evaluation.calibration import BINS
from loupe.brain.evaluation.confusion import at_least
from loupe.brain.evaluation.evaluated import Ratios, Resampled, ratio_of_counts
from loupe.brain.evaluation.matching import COCO_IOUS, Boxes, Matches
from loupe.brain.stats.bootstrap import Method

#: from which area in square pixels on an object is medium, and from which on large, as COCO has it
SIZES = (32.0**2, 96.0**2)
SIZE_NAMES = ("small", "medium", "large")


def size_of(area: np.ndarray) -> np.ndarray:
    """Returns the size of objects by their area in square pixels: (N,) int64 into ``SIZE_NAMES``; -1 where it is NaN.

    COCO's own ranges share their ends, where this one takes an object for the larger: no area is counted twice.

    >>> size_of(np.array([100.0, 1024.0, 1e6, np.nan])).tolist()
    [0, 1, 2, -1]
    """
    return np.where(np.isnan(area), -1, np.digitize(area, SIZES))


@dataclass(frozen=True, eq=False)
class Detected:
    """What was predicted in N images and what was there; what is ignored is left out.

    Attributes:
        n: how many images
        classes: how many classes
        ious: the T overlaps; where all of COCO's stand first their mean is taken, too
        level: at which of the T overlaps precision, recall and F1 are measured
        of: (N,) int64: the cluster of each image, from 0 on
        image: (D,) int64: the image of each prediction
        label: (D,) int64: its class
        score: (D,) float64: its confidence; NaN where there is none
        correct: (T, D) bool: whether it is right, at each overlap
        counted: (T, D) bool: whether it counts there
        true_image: (G,) int64: the image of each ground truth
        true_label: (G,) int64: its class
        true_score: (G,) float64: how sure the prediction is that it was matched with; NaN where it was missed
        assigned: whether what is not matched is known to lie in the slice or out of it; else no false positive is known
        bins: of the calibration error
    """

    n: int
    classes: int
    ious: tuple[float, ...]
    level: int
    of: np.ndarray
    image: np.ndarray
    label: np.ndarray
    score: np.ndarray
    correct: np.ndarray
    counted: np.ndarray
    true_image: np.ndarray
    true_label: np.ndarray
    true_score: np.ndarray
    assigned: bool = True
    bins: int = BINS

    @classmethod
    def of_matches(
        cls,
        truths: Boxes,
        predictions: Boxes,
        matches: Matches,
        cluster: np.ndarray,
        classes: int,
        *,
        level: int = 0,
        assigned: bool = True,
        bins: int = BINS,
    ) -> Detected:
        """Returns what was matched in N images; ``cluster`` (N,) is the cluster of each."""
        counts, real = ~matches.ignored.all(axis=0), ~matches.true_ignored
        return cls(
            n=len(cluster),
            classes=classes,
            ious=matches.ious,
            level=level,
            of=cluster,
            image=predictions.image[counts],
            label=predictions.label[counts],
            score=predictions.score[counts],
            correct=matches.match[:, counts] >= 0,
            counted=~matches.ignored[:, counts],
            true_image=truths.image[real],
            true_label=truths.label[real],
            true_score=matches.true_score[level, real],
            assigned=assigned,
            bins=bins,
        )

    @cached_property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.of.max()) + 1 if len(self.of) else 0

    def take(self, images: np.ndarray) -> Self:
        """Returns the same of the images that a mask or some indexes choose."""
        chosen = np.zeros(self.n, dtype=bool)
        chosen[images] = True
        place = np.cumsum(chosen) - 1
        own, true = chosen[self.image], chosen[self.true_image]
        return replace(
            self,
            n=int(chosen.sum()),
            of=np.unique(self.of[chosen], return_inverse=True)[1],
            image=place[self.image[own]],
            label=self.label[own],
            score=self.score[own],
            correct=self.correct[:, own],
            counted=self.counted[:, own],
            true_image=place[self.true_image[true]],
            true_label=self.true_label[true],
            true_score=self.true_score[true],
        )

    def of_class(self, label: int) -> Self:
        """Returns the same of one class, in the same images."""
        own, true = self.label == label, self.true_label == label
        return replace(
            self,
            image=self.image[own],
            label=self.label[own],
            score=self.score[own],
            correct=self.correct[:, own],
            counted=self.counted[:, own],
            true_image=self.true_image[true],
            true_label=self.true_label[true],
            true_score=self.true_score[true],
        )

    def sizes(self) -> tuple[int, int, int]:
        """Returns how many images, ground truths and predictions there are."""
        return self.n, len(self.true_image), int(self.counted[self.level].sum())

    @cached_property
    def scored(self) -> bool:
        """Whether every prediction has a confidence."""
        return bool(len(self.score)) and not np.isnan(self.score).any()

    @cached_property
    def calibrated(self) -> bool:
        """Whether confidences are chances: in [0, 1]."""
        return self.scored and 0 <= self.score.min() <= self.score.max() <= 1

    def ratios(self, confidence: float | None) -> Ratios:
        """Returns precision, recall and F1 over all objects at one overlap."""
        seen = ~np.isnan(self.true_score)
        hit = seen & at_least(self.true_score, confidence)
        true, missed = self._count(self.true_image[hit]), self._count(self.true_image[~hit])
        counted = self.counted[self.level] & at_least(self.score, confidence)
        false = self._count(self.image[counted & ~self.correct[self.level]])
        ratios = ratio_of_counts(true, false, missed)
        return ratios if self.assigned else {"recall": ratios["recall"]}

    @cached_property
    def ranked(self) -> Ranked:
        """The predictions by class, the surest first."""
        of, true_of = self.of[self.image], self.of[self.true_image]
        return Ranked.of(
            self.classes, self.label, self.score, self.correct, ~self.counted, of, self.true_label, true_of
        )

    def resampled(self, confidence: float | None) -> Resampled:
        """Returns the mean average precision over all overlaps and at one, and the calibration error.

        None of them depends on the threshold; without confidences none is known, nor where no false positive is.
        """
        if not self.assigned or not (self.scored or not len(self.score)):
            return Resampled()
        averaged = self.ious[: len(COCO_IOUS)] == COCO_IOUS
        names = (*(("map",) if averaged else ()), f"ap{100 * self.ious[self.level]:.0f}")
        methods: tuple[Method, ...] = tuple("logit" for _ in names)

        def precision(weights: np.ndarray) -> np.ndarray:
            average, _ = self.ranked.measure(weights)
            own = mean_known(average[self.level])
            return np.array([mean_known(average[: len(COCO_IOUS)].mean(axis=0)), own] if averaged else [own])

        own = self.counted[self.level]
        right, cluster = self.correct[self.level, own], self.of[self.image[own]]
        sure = (self.score[own], right, cluster) if self.calibrated else None
        return Resampled(names, methods, precision, sure, self.bins)

    def _count(self, image: np.ndarray) -> np.ndarray:
        return np.bincount(self.of[image], minlength=self.clusters).astype(np.float64)

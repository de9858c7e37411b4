"""Classification: each image has a class and is given one. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from loupe.brain.evaluation import curves
from loupe.brain.evaluation.calibration import BINS
from loupe.brain.evaluation.confusion import NOTHING, Pairs, at_least
from loupe.brain.evaluation.evaluated import Ratios, Resampled, ratio_of_counts


@dataclass(frozen=True, eq=False)
class Classified:
    """The classes of N images and what a model took them for.

    Attributes:
        truth: (N,) int64: the class of each
        predicted: (N,) int64: what it was taken for
        score: (N,) float64: the confidence in that; NaN where there is none
        cluster: (N,) int64: the cluster of each image, from 0 on
        classes: how many classes there are
        positive: the class whose precision, recall and false positives are asked for; None: all classes alike
        bins: of the calibration error
    """

    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray
    cluster: np.ndarray
    classes: int
    positive: int | None = None
    bins: int = BINS

    @cached_property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0

    def take(self, images: np.ndarray) -> Self:
        """Returns the same of the images that a mask or some indexes choose."""
        cluster = np.unique(self.cluster[images], return_inverse=True)[1]
        return replace(
            self,
            truth=self.truth[images],
            predicted=self.predicted[images],
            score=self.score[images],
            cluster=cluster,
        )

    def sizes(self) -> tuple[int, int, int]:
        """Returns how many images, classes of images and predictions there are."""
        return (len(self.truth),) * 3

    @cached_property
    def right(self) -> np.ndarray:
        """(N,) bool: where the class was told."""
        return self.truth == self.predicted

    @cached_property
    def positive_score(self) -> np.ndarray | None:
        """(N,) float64: how sure the model is of the positive class; None unless there are two classes.

        Of two classes the confidence in the other one tells it, too.
        """
        if self.positive is None or self.classes != 2 or not self.scored:
            return None
        return np.where(self.predicted == self.positive, self.score, 1 - self.score)

    @cached_property
    def scored(self) -> bool:
        """Whether every prediction has a confidence in [0, 1]."""
        return bool(
            len(self.score) and not np.isnan(self.score).any() and 0 <= self.score.min() <= self.score.max() <= 1
        )

    def answers(self, confidence: float | None) -> np.ndarray:
        """Returns the class that each image is given at a threshold: (N,) int64; ``NOTHING`` where none is sure enough.

        With a positive class of two, an image is positive where the model is at least so sure of it, and else negative.
        """
        if confidence is not None and self.positive is not None and self.positive_score is not None:
            return np.where(self.positive_score >= confidence, self.positive, 1 - self.positive)
        return np.where(at_least(self.score, confidence), self.predicted, NOTHING)

    def ratios(self, confidence: float | None) -> Ratios:
        """Returns accuracy, and of a positive class precision, recall, F1, false positives and how often it is given.

        Without a positive class: precision of the images that were given a class, where a threshold withholds some.
        """
        answer = self.answers(confidence)
        every, right = self._count(np.ones(len(answer), bool)), self._count(answer == self.truth)
        ratios = {"accuracy": (right, every)}
        if self.positive is not None:
            taken, is_it = answer == self.positive, self.truth == self.positive
            true, false, missed = (self._count(each) for each in (taken & is_it, taken & ~is_it, ~taken & is_it))
            ratios.update(ratio_of_counts(true, false, missed))
            ratios["false_positive_rate"] = (false, self._count(~is_it))
            ratios["selection_rate"] = (self._count(taken), every)
        elif confidence is not None:
            given = self._count(answer != NOTHING)
            ratios.update({"precision": (right, given), "answered": (given, every)})
        return ratios

    def resampled(self, confidence: float | None) -> Resampled:
        """Returns F1 and recall as means over the classes, and where confidences allow it the calibration error.

        With a positive class: the areas under its curves, and the calibration error.
        """
        answer = self.answers(confidence)

        def macro(weights: np.ndarray) -> np.ndarray:
            f1, recall = f1_and_recall(self.truth, answer, weights[self.cluster], self.classes)
            return np.array([_mean(f1), _mean(recall)])

        sure = (self.score, self.right, self.cluster) if self.scored else None
        if self.positive is None:
            names = ("macro_f1", "balanced_accuracy")
            return Resampled(names, ("logit",) * 2, macro, sure, self.bins, moves=True)
        own = self.positive_score
        if own is None:
            return Resampled(confidences=sure, bins=self.bins)
        is_it = self.truth == self.positive

        def areas(weights: np.ndarray) -> np.ndarray:
            each = weights[self.cluster]
            average = curves.average_precision(own, is_it, each)
            return np.array([average, curves.area_under_receiver(own, is_it, each)])

        return Resampled(("ap", "auc"), ("logit",) * 2, areas, sure, self.bins)

    def pairs(self, confidence: float | None) -> Pairs:
        """Returns what each image was taken for, at a threshold."""
        return Pairs(np.arange(len(self.truth)), self.truth, self.answers(confidence), self.score)

    def _count(self, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(self.cluster[chosen], minlength=self.clusters).astype(np.float64)


def f1_and_recall(
    truth: np.ndarray, answer: np.ndarray, weights: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns F1 and recall of each class: (K,) float64; NaN of a class that neither occurs nor is given, or that does
    not occur.

    Args:
        truth: (N,) int64
        answer: (N,) int64; ``NOTHING`` where none was given
        weights: (N,) float64: how often each counts
        classes: how many there are
    """
    right = truth == answer
    given = answer != NOTHING
    true = np.bincount(truth[right], weights[right], classes)
    occurring = np.bincount(truth, weights, classes)
    answered = np.bincount(answer[given], weights[given], classes)
    with np.errstate(invalid="ignore"):
        return 2 * true / (occurring + answered), true / occurring


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")

"""Curves over every confidence threshold: precision and recall, true and false positives. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: a curve is kept in so many points
MAX_POINTS = 200


@dataclass(frozen=True, eq=False)
class Points:
    """Points of a curve, from the surest threshold on.

    Attributes:
        threshold: (P,) float64: everything at least as sure counts
        x, y: (P,) float64
    """

    threshold: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def thinned(self, points: int = MAX_POINTS) -> Points:
        """Returns at most so many of them, evenly, the first and the last among them."""
        if len(self.x) <= points:
            return self
        kept = np.unique(np.linspace(0, len(self.x) - 1, points).round().astype(np.int64))
        return Points(self.threshold[kept], self.x[kept], self.y[kept])


def precision_recall(score: np.ndarray, correct: np.ndarray, positives: float) -> Points:
    """Returns recall (x) and precision (y) at each confidence that occurs.

    Args:
        score: (N,) confidences of predictions, none of them NaN
        correct: (N,) bool
        positives: how many ground truths there are

    >>> points = precision_recall(np.array([0.9, 0.8, 0.8]), np.array([True, False, True]), 4)
    >>> points.threshold.tolist(), points.x.tolist(), points.y.round(3).tolist()
    ([0.9, 0.8], [0.25, 0.5], [1.0, 0.667])
    """
    threshold, right, wrong = _cumulated(score, correct, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Points(threshold, np.divide(right, positives), right / (right + wrong))


def receiver(score: np.ndarray, positive: np.ndarray) -> Points:
    """Returns the false positive rate (x) and the true positive rate (y) at each score, from (0, 0) on.

    Args:
        score: (N,) of the positive class, none of them NaN
        positive: (N,) bool: what the samples are
    """
    threshold, right, wrong = _cumulated(score, positive, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        true, false = right / positive.sum(), wrong / (~positive).sum()
    return Points(np.r_[np.inf, threshold], np.r_[0.0, false], np.r_[0.0, true])


def area_under_receiver(score: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Returns the area under the curve of ``receiver``, in [0, 1]: higher is better, 0.5 is chance.

    It is the chance that a positive scores above a negative, ties counted as half. NaN where either is missing.

    >>> area_under_receiver(np.array([0.9, 0.4, 0.4]), np.array([True, True, False]))
    0.75
    """
    _, right, wrong = _cumulated(score, positive, weights)
    if not len(right) or right[-1] <= 0 or wrong[-1] <= 0:
        return float("nan")
    true, false = np.r_[0.0, right] / right[-1], np.r_[0.0, wrong] / wrong[-1]
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))


def average_precision(score: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Returns the sum of precisions by the recall that each threshold adds, in [0, 1]: higher is better.

    Not interpolated, as scikit-learn's; NaN without a positive.

    >>> round(average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True])), 4)
    0.8333
    """
    _, right, wrong = _cumulated(score, positive, weights)
    if not len(right) or right[-1] <= 0:
        return float("nan")
    gained = np.diff(np.r_[0.0, right]) / right[-1]
    seen = right + wrong
    return float(np.sum(gained * np.divide(right, seen, out=np.zeros(len(seen)), where=seen > 0)))


def _cumulated(
    score: np.ndarray, correct: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns each score that occurs, the highest first, and how many right and wrong ones are at least as high."""
    order = np.argsort(-score, kind="stable")
    ranked, right = score[order], correct[order]
    own = np.ones(len(score)) if weights is None else weights[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]) if len(ranked) else np.zeros(0, dtype=np.int64)
    return ranked[last], np.cumsum(own * right)[last], np.cumsum(own * ~right)[last]

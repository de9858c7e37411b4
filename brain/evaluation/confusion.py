"""What was taken for what: counts of ground truths and predictions by class. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.evaluation.matching import Boxes, Matches, match

#: the class of nothing: of a missed ground truth, or of a prediction where nothing is
NOTHING = -1


@dataclass(frozen=True, eq=False)
class Pairs:
    """What was taken for what, pair by pair.

    Attributes:
        image: (P,) int64: the image of each
        truth, predicted: (P,) int64: the classes; ``NOTHING`` where there is none
        score: (P,) float64: the prediction's confidence; NaN where there is none
    """

    image: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray

    def counts(self, classes: int) -> np.ndarray:
        """Returns how many: (K + 1, K + 1) int64, ground truths by row; the last row and column are of nothing."""
        width = classes + 1
        row = np.where(self.truth == NOTHING, classes, self.truth)
        column = np.where(self.predicted == NOTHING, classes, self.predicted)
        return np.bincount(row * width + column, minlength=width * width).reshape(width, width)


def of_boxes(truths: Boxes, predictions: Boxes, matches: Matches, level: int, confidence: float | None) -> Pairs:
    """Returns the pairs of boxes.

    First come the matches within a class, so that the diagonal is the true positives that recall counts. What they
    leave is matched by overlap whatever its class, again the surest first: those are the confusions. Crowds and what
    is ignored are left out.

    Args:
        truths, predictions: that ``matches`` was made of
        matches: of ground truths and predictions of one class
        level: which of its overlaps
        confidence: predictions below it are left out, and those without a confidence; None: all count
    """
    hit = matches.match[level]
    counted = ~matches.ignored[level] & at_least(predictions.score, confidence)
    right = np.flatnonzero(counted & (hit >= 0))
    left = np.flatnonzero(counted & (hit < 0))
    missed = ~matches.true_ignored
    missed[hit[right]] = False
    missing = np.flatnonzero(missed)

    rest, of = truths.take(missing), predictions.take(left)
    every = max(1, len(left))
    confused = match(_of_any_class(rest), _of_any_class(of), [matches.ious[level]], max_detections=every).match[0]
    mixed = confused >= 0
    gone = np.ones(len(missing), dtype=bool)
    gone[confused[mixed]] = False

    truth_at = np.concatenate([hit[right], missing[confused[mixed]], np.full((~mixed).sum(), -1), missing[gone]])
    own_at = np.concatenate([right, left[mixed], left[~mixed], np.full(gone.sum(), -1)])
    has_truth, has_own = truth_at >= 0, own_at >= 0

    image = np.empty(len(truth_at), dtype=np.int64)
    image[has_truth] = truths.image[truth_at[has_truth]]
    image[has_own] = predictions.image[own_at[has_own]]
    truth, predicted, score = np.full(len(image), NOTHING), np.full(len(image), NOTHING), np.full(len(image), np.nan)
    truth[has_truth] = truths.label[truth_at[has_truth]]
    predicted[has_own] = predictions.label[own_at[has_own]]
    score[has_own] = predictions.score[own_at[has_own]]
    return Pairs(image, truth, predicted, score)


def _of_any_class(boxes: Boxes) -> Boxes:
    return Boxes(boxes.image, np.zeros_like(boxes.label), boxes.box, boxes.score, np.zeros(len(boxes), dtype=bool))


def at_least(score: np.ndarray, confidence: float | None) -> np.ndarray:
    """Returns which confidences reach a threshold; NaN reaches none, and everything counts where there is no threshold.

    >>> at_least(np.array([0.5, 0.2, np.nan]), 0.5).tolist(), at_least(np.array([np.nan]), None).tolist()
    ([True, False, False], [True])
    """
    if confidence is None:
        return np.ones(len(score), dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.asarray(score >= confidence)

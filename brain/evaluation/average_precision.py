"""Average precision as COCO computes it: precision made monotone, read at 101 recalls. Pure arithmetic.

T.-Y. Lin et al., "Microsoft COCO", ECCV 2014, and the code of pycocotools, which the tests hold this to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: the recalls at which precision is read
RECALLS = np.linspace(0.0, 1.0, 101)
_EPSILON = np.spacing(1)


@dataclass(frozen=True, eq=False)
class Ranked:
    """Predictions of K classes, class by class, the surest first; made once, and weighted at will.

    Attributes:
        starts: (K + 1,) int64: where each class begins
        correct: (T, D) bool, at each of T overlaps
        counted: (T, D) bool: those that are not ignored
        cluster: (D,) int64: the cluster of each
        true_label: (G,) int64: the class of each ground truth that is not ignored
        true_cluster: (G,) int64: its cluster
    """

    starts: np.ndarray
    correct: np.ndarray
    counted: np.ndarray
    cluster: np.ndarray
    true_label: np.ndarray
    true_cluster: np.ndarray

    @classmethod
    def of(
        cls,
        classes: int,
        label: np.ndarray,
        score: np.ndarray,
        correct: np.ndarray,
        ignored: np.ndarray,
        cluster: np.ndarray,
        true_label: np.ndarray,
        true_cluster: np.ndarray,
    ) -> Ranked:
        """Returns them ranked; of equal scores the first stands first.

        Args:
            classes: how many classes there are
            label, score, cluster: (D,) of predictions; a score that is NaN stands last
            correct, ignored: (T, D) bool
            true_label, true_cluster: (G,) of ground truths that are not ignored
        """
        order = np.lexsort((-np.nan_to_num(score, nan=-np.inf), label))
        starts = np.searchsorted(label[order], np.arange(classes + 1))
        return cls(starts, correct[:, order], ~ignored[:, order], cluster[order], true_label, true_cluster)

    def measure(self, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns the average precision and the highest recall: (T, K) each, NaN of a class without ground truth.

        Args:
            weights: (C,) float64: how often each cluster is taken; once each by default
        """
        levels, classes = len(self.correct), len(self.starts) - 1
        each = None if weights is None else weights[self.true_cluster]
        positives = np.bincount(self.true_label, each, classes)
        right, wrong = self._counts(weights)
        precision_of = np.full((levels, classes), np.nan)
        recall_of = np.full((levels, classes), np.nan)
        for label in np.flatnonzero(positives):
            first, last = self.starts[label], self.starts[label + 1]
            true = right[:, first + 1 : last + 1] - right[:, first : first + 1]
            false = wrong[:, first + 1 : last + 1] - wrong[:, first : first + 1]
            recall = true / positives[label]
            precision = np.zeros((levels, last - first + 1))  # beyond the last there is none
            precision[:, :-1] = true / (true + false + _EPSILON)
            precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            for level in range(levels):
                at = recall[level].searchsorted(RECALLS, side="left")
                precision_of[level, label] = precision[level, at].mean()
            recall_of[:, label] = recall[:, -1] if last > first else 0.0
        return precision_of, recall_of

    def _counts(self, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Returns how many right and wrong ones stand before each place: (T, D + 1) each."""
        levels, n = self.correct.shape
        counts = np.zeros((2, levels, n + 1))
        right, wrong = self.correct & self.counted, ~self.correct & self.counted
        own = 1.0 if weights is None else weights[self.cluster]
        np.cumsum(right * own, axis=1, out=counts[0, :, 1:])
        np.cumsum(wrong * own, axis=1, out=counts[1, :, 1:])
        return counts[0], counts[1]


def mean_known(values: np.ndarray | Sequence[float]) -> float:
    """Returns the mean of what is not NaN; NaN where nothing is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")

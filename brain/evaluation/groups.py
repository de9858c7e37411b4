"""How far the slices of a model are apart: differences and ratios between groups, by fairlearn's MetricFrame.

H. Weerts et al., "Fairlearn: Assessing and Improving Fairness of AI Systems", arXiv:2303.16626 (2023). Pure arithmetic.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from loupe.brain.core.evaluation import Disparity, SliceMetrics
from loupe.brain.evaluation.evaluated import Ratios


def disparities(rows: Sequence[SliceMetrics], counts: Sequence[Ratios], min_samples: int) -> list[Disparity]:
    """Returns how far the slices of one model are apart in each metric that is a ratio of counts.

    A slice with fewer ground truths than the minimum is left out, since its extremes are chance, and so is one where
    the metric is not known; which they are is said. With fewer than two slices left there is nothing to compare.

    The highest of many slices is high by chance, too: see the intervals of both before believing a difference.

    Args:
        rows: of S slices
        counts: of each of them the counts by cluster
        min_samples: how many ground truths a slice needs
    """
    made = []
    for metric in dict.fromkeys(name for each in counts for name in each):
        kept, left_out = [], []
        for row, own in zip(rows, counts, strict=True):
            k, n = own.get(metric, (np.zeros(0), np.zeros(0)))
            if row.truths < min_samples or not n.sum():
                left_out.append(str(row.slice))
            else:
                kept.append((str(row.slice), k, n))
        if len(kept) >= 2:
            made.append(_disparity(rows[0].model, metric, kept, left_out))
    return made


def _disparity(
    model: str, metric: str, kept: Sequence[tuple[str, np.ndarray, np.ndarray]], left_out: Sequence[str]
) -> Disparity:
    frame = _frame(kept)
    shares = frame.by_group
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0 / 0 where the metric is 0 in every slice
        ratio = float(frame.ratio(method="between_groups"))
    return Disparity(
        model=model,
        metric=metric,
        difference=float(frame.difference(method="between_groups")),
        ratio=ratio if math.isfinite(ratio) else math.nan,
        highest=kept[int(shares.idxmax())][0],
        lowest=kept[int(shares.idxmin())][0],
        slices=len(kept),
        left_out=tuple(left_out),
    )


def _frame(kept: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Any:
    """Returns the frame of the slices, which are called by their places: a name may be of any form."""
    from fairlearn.metrics import MetricFrame

    def share(n: Any, k: Any) -> float:
        return float(np.sum(k) / np.sum(n))

    every = [np.concatenate([own[part] for own in kept]) for part in (2, 1)]
    place = np.repeat(np.arange(len(kept)), [len(own[1]) for own in kept])
    return MetricFrame(metrics=share, y_true=every[0], y_pred=every[1], sensitive_features=place)

"""Turns what a model did into records: metrics with intervals, of all images and of any slice. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.evaluation import ClassMetrics, Curve, Metric, SliceMetrics
from loupe.brain.core.results import Slice
from loupe.brain.evaluation import curves
from loupe.brain.evaluation.average_precision import mean_known
from loupe.brain.evaluation.calibration import error_interval, reliability
from loupe.brain.evaluation.classification import Classified, f1_and_recall
from loupe.brain.evaluation.confusion import NOTHING, at_least
from loupe.brain.evaluation.detection import Detected
from loupe.brain.evaluation.evaluated import SWEEP, Evaluated, Ratios, Resampled
from loupe.brain.evaluation.segmentation import Segmented, overlaps
from loupe.brain.stats.bootstrap import RESAMPLES, intervals
from loupe.brain.stats.intervals import wilson_clustered

#: a slice with fewer ground truths says little
MIN_SAMPLES = 20


@dataclass(frozen=True)
class Setting:
    """What rows are measured with.

    Attributes:
        confidence: the threshold; None: every prediction counts
        interval: how sure the intervals are, in (0, 1)
        resamples: of the bootstrap; 0: what has no closed form gets no interval
        seed: of the bootstrap
        min_samples: fewer ground truths are few
    """

    confidence: float | None = None
    interval: float = 0.95
    resamples: int = RESAMPLES
    seed: int = 0
    min_samples: int = MIN_SAMPLES


def row(
    evaluated: Evaluated, model: str, of: Slice, setting: Setting, known: Mapping[str, Metric] | None = None
) -> SliceMetrics:
    """Returns the metrics of a slice, with their intervals.

    Args:
        evaluated: what the model did on the slice
        model: the model's name
        of: the slice
        setting: what it is measured with
        known: its metrics at another threshold: what does not depend on it is not resampled again
    """
    images, truths, predictions = evaluated.sizes()
    metrics = of_ratios(evaluated.ratios(setting.confidence), setting.interval)
    own = evaluated.resampled(setting.confidence)
    if known is not None and not own.moves:
        metrics |= {name: known[name] for name in own.names}
    elif own.names:
        metrics |= _resampled(own, evaluated.clusters, truths, setting)
    if own.confidences is not None:
        metrics["ece"] = known["ece"] if known is not None else _calibration(own, setting)
    return SliceMetrics(model, of, images, truths, predictions, metrics, few=truths < setting.min_samples)


def _resampled(own: Resampled, clusters: int, truths: int, setting: Setting) -> dict[str, Metric]:
    values = own.statistic(np.ones(clusters)) if clusters else np.full(len(own.names), np.nan)
    low = high = np.full(len(own.names), np.nan)
    if setting.resamples and clusters > 1:
        low, high = intervals(
            own.statistic,
            clusters,
            resamples=setting.resamples,
            seed=setting.seed,
            confidence=setting.interval,
            method=own.methods,
        )
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    metrics = {}
    for at, name in enumerate(own.names):
        # what is added up to 1 in floats may end a hair above it
        value = float(values[at]) if math.isnan(values[at]) else min(float(values[at]), 1.0)
        metrics[name] = Metric(value, float(low[at]), float(high[at]), truths, "bootstrap")
    return metrics


def _calibration(own: Resampled, setting: Setting) -> Metric:
    assert own.confidences is not None
    score, right, cluster = own.confidences
    low = high = math.nan
    if setting.resamples and len(score):
        # clusters without a prediction say nothing of confidence
        held = np.unique(cluster, return_inverse=True)[1]
        facts = {"resamples": setting.resamples, "seed": setting.seed, "confidence": setting.interval, "bins": own.bins}
        low, high = error_interval(score, right, held, **facts)  # type: ignore[arg-type]
    return Metric(reliability(score, right, bins=own.bins).error, low, high, len(score), "bootstrap")


def of_ratios(ratios: Ratios, interval: float = 0.95) -> dict[str, Metric]:
    """Returns each ratio of counts by cluster with its interval."""
    metrics = {}
    for name, (k, n) in ratios.items():
        total = n.sum()
        low, high = wilson_clustered(k, n, interval) if len(n) else (math.nan, math.nan)
        value = float(k.sum() / total) if total else math.nan
        single = "wilson" if (n <= 1).all() else "clustered"
        metrics[name] = Metric(value, float(low), float(high), int(total), single)  # type: ignore[arg-type]
    return metrics


def sweep(evaluated: Evaluated, interval: float = 0.95) -> dict[str, list[Metric]]:
    """Returns each ratio with its interval at each threshold of ``SWEEP``; nothing is matched again."""
    steps = [of_ratios(evaluated.ratios(threshold), interval) for threshold in SWEEP]
    return {name: [step[name] for step in steps] for name in steps[0]}


def can_be_swept(evaluated: Evaluated) -> bool:
    """Returns whether the confidences are of [0, 1], which ``SWEEP`` goes through, as far as there are any."""
    if isinstance(evaluated, Segmented):
        return False
    assert isinstance(evaluated, (Classified, Detected))
    known = evaluated.score[~np.isnan(evaluated.score)]
    return bool(len(known) and known.min() >= 0 and known.max() <= 1)


def best_confidence(evaluated: Evaluated) -> float:
    """Returns the lowest of the confidences at which F1, or without it accuracy, is highest; NaN without confidences.

    It is chosen on the very samples that it is measured on: at that threshold their F1 flatters a little.
    """
    if isinstance(evaluated, Segmented):
        return math.nan
    scores = evaluated.score if isinstance(evaluated, Detected) else _scores(evaluated)
    scores = np.unique(scores[~np.isnan(scores)])
    if not len(scores):
        return math.nan
    candidates = scores[np.unique(np.linspace(0, len(scores) - 1, min(len(scores), 200)).astype(int))].tolist()

    def height(threshold: float) -> float:
        ratios = evaluated.ratios(threshold)
        k, n = ratios.get("f1", ratios.get("accuracy", (np.zeros(1), np.zeros(1))))
        return float(k.sum() / n.sum()) if n.sum() else -1.0

    return float(max(candidates, key=lambda threshold: (height(threshold), -threshold)))


def _scores(evaluated: Evaluated) -> np.ndarray:
    assert isinstance(evaluated, Classified)
    return evaluated.score if evaluated.positive_score is None else evaluated.positive_score


def curves_of(evaluated: Evaluated, model: str, interval: float = 0.95) -> list[Curve]:
    """Returns the curves of a model; none where any of its predictions has no confidence."""
    if isinstance(evaluated, Segmented):
        return []
    assert isinstance(evaluated, (Classified, Detected))
    if np.isnan(evaluated.score).any():
        return []
    if isinstance(evaluated, Detected):
        own = evaluated.counted[evaluated.level]
        score, right = evaluated.score[own], evaluated.correct[evaluated.level, own]
        cluster, positives = evaluated.of[evaluated.image[own]], len(evaluated.true_image)
    else:
        score, right, cluster = evaluated.score, evaluated.right, evaluated.cluster
        positives = len(evaluated.truth)
    if not len(score) or not positives:
        return []
    made = []
    if isinstance(evaluated, Classified) and evaluated.positive is not None:
        sure = evaluated.positive_score
        if sure is not None:
            is_it = evaluated.truth == evaluated.positive
            made.append(_curve(model, "precision_recall", curves.precision_recall(sure, is_it, is_it.sum())))
            made.append(_curve(model, "roc", curves.receiver(sure, is_it)))
    else:
        made.append(_curve(model, "precision_recall", curves.precision_recall(score, right, positives)))
    if score.min() >= 0 and score.max() <= 1:
        made.append(_reliability(model, score, right, cluster, evaluated.bins, interval))
    return made


def _curve(model: str, name: str, points: curves.Points) -> Curve:
    kept = points.thinned()
    at = np.where(np.isinf(kept.threshold), 1.0, kept.threshold)
    return Curve(model, name, *(tuple(each.tolist()) for each in (kept.x, kept.y, at)))  # type: ignore[arg-type]


def _reliability(
    model: str, score: np.ndarray, right: np.ndarray, cluster: np.ndarray, bins: int, interval: float
) -> Curve:
    from loupe.brain.evaluation.calibration import bin_of

    made = reliability(score, right, bins=bins)
    place = bin_of(score, bins)
    used = np.flatnonzero(made.n)
    ends = []
    for each in used:
        of = np.unique(cluster[place == each], return_inverse=True)[1]
        ends.append(wilson_clustered(np.bincount(of, right[place == each]), np.bincount(of), interval))
    columns = (made.confidence[used], made.correct[used], made.n[used])
    low, high = (tuple(float(end[side]) for end in ends) for side in (0, 1))
    x, y, held = (tuple(column.tolist()) for column in columns)
    return Curve(model, "reliability", x, y, held, low, high)


def classes_of(evaluated: Evaluated, model: str, names: Sequence[str], confidence: float | None) -> list[ClassMetrics]:
    """Returns the metrics of each class that occurs or is predicted.

    Args:
        evaluated: what the model did
        model: its name
        names: of the classes
        confidence: the threshold
    """
    if isinstance(evaluated, Detected):
        return _classes_of_boxes(evaluated, model, names, confidence)
    if isinstance(evaluated, Segmented):
        confusion = evaluated.confusion()
        iou, dice = overlaps(confusion)
        truths, given = confusion.sum(axis=1), confusion.sum(axis=0)
        columns = {"iou": iou, "dice": dice, "recall": _share(np.diag(confusion), truths)}
    else:
        assert isinstance(evaluated, Classified)
        answer = evaluated.answers(confidence)
        f1, recall = f1_and_recall(evaluated.truth, answer, np.ones(len(answer)), len(names))
        truths = np.bincount(evaluated.truth, minlength=len(names))
        given = np.bincount(answer[answer != NOTHING], minlength=len(names))
        right = np.bincount(answer[answer == evaluated.truth], minlength=len(names))
        columns = {"precision": _share(right, given), "recall": recall, "f1": f1}
    return [
        ClassMetrics(
            model,
            name,
            int(truths[at]),
            int(given[at]),
            {metric: float(values[at]) for metric, values in columns.items()},
        )
        for at, name in enumerate(names)
        if truths[at] or given[at]
    ]


def _classes_of_boxes(
    evaluated: Detected, model: str, names: Sequence[str], confidence: float | None
) -> list[ClassMetrics]:
    average = evaluated.resampled(confidence).names
    precision, _ = evaluated.ranked.measure() if average else (np.full((1, len(names)), np.nan), None)
    rows = []
    for at, name in enumerate(names):
        own = evaluated.of_class(at)
        _, truths, _ = own.sizes()
        predictions = int((own.counted[own.level] & at_least(own.score, confidence)).sum())
        if not (truths or predictions):
            continue
        metrics = {metric: _value(k, n) for metric, (k, n) in own.ratios(confidence).items()}
        for metric in average:
            if metric == "map":
                metrics["map"] = mean_known(precision[:10, at])
            elif metric != "ece":
                metrics[metric] = float(precision[own.level, at])
        rows.append(ClassMetrics(model, name, truths, predictions, metrics))
    return rows


def _share(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.divide(k, n, out=np.full(len(n), np.nan), where=n > 0)


def _value(k: np.ndarray, n: np.ndarray) -> float:
    return float(k.sum() / n.sum()) if n.sum() else math.nan

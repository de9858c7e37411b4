"""Classification, calibration and curves, against scikit-learn and against loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from loupe.brain.core.errors import InputError
from loupe.brain.evaluation import curves
from loupe.brain.evaluation.calibration import reliability
from loupe.brain.evaluation.classification import Classified
from loupe.brain.evaluation.confusion import NOTHING
from loupe.brain.stats.intervals import wilson


def _made(seed: int, n: int = 400, classes: int = 5, positive: int | None = None) -> Classified:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    score = np.round(rng.uniform(0.5 if classes == 2 else 0.1, 1, n), 2)
    predicted = np.where(rng.random(n) < score, truth, rng.integers(0, classes, n))
    return Classified(truth, predicted, score, np.arange(n), classes, positive)


def _values(made: Classified, confidence: float | None = None) -> dict[str, float]:
    values = {name: k.sum() / n.sum() for name, (k, n) in made.ratios(confidence).items()}
    own = made.resampled(confidence)
    if own.confidences is not None:
        values["ece"] = reliability(*own.confidences[:2], bins=own.bins).error
    return values | dict(zip(own.names, own.statistic(np.ones(made.clusters)), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_of_several_classes_the_metrics_are_scikit_learns(seed: int) -> None:
    made = _made(seed)
    values = _values(made)
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(made.truth, made.predicted))
    assert values["macro_f1"] == pytest.approx(metrics.f1_score(made.truth, made.predicted, average="macro"))
    assert values["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(made.truth, made.predicted))
    assert "precision" not in values  # it would be the accuracy again


def test_a_threshold_withholds_what_is_not_sure() -> None:
    made = _made(4)
    values = _values(made, 0.6)
    given = made.score >= 0.6
    right = given & (made.truth == made.predicted)
    assert values["answered"] == pytest.approx(given.mean())
    assert values["accuracy"] == pytest.approx(right.mean())
    assert values["precision"] == pytest.approx(right.sum() / given.sum())
    answers = np.where(given, made.predicted, 99)
    expected = metrics.f1_score(made.truth, answers, labels=range(5), average="macro", zero_division=0)
    assert values["macro_f1"] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_of_a_positive_class_the_metrics_are_scikit_learns(seed: int) -> None:
    made = _made(seed, classes=2, positive=1)
    values = _values(made)
    sure = np.array([own if given == 1 else 1 - own for own, given in zip(made.score, made.predicted, strict=True)])
    confusion = metrics.confusion_matrix(made.truth, made.predicted)
    assert values["precision"] == pytest.approx(metrics.precision_score(made.truth, made.predicted))
    assert values["recall"] == pytest.approx(metrics.recall_score(made.truth, made.predicted))
    assert values["f1"] == pytest.approx(metrics.f1_score(made.truth, made.predicted))
    assert values["false_positive_rate"] == pytest.approx(confusion[0, 1] / confusion[0].sum())
    assert values["ap"] == pytest.approx(metrics.average_precision_score(made.truth, sure))
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(made.truth, sure))
    # a threshold is put to how sure the model is of the positive class
    moved = _values(made, 0.3)
    assert moved["recall"] == pytest.approx(metrics.recall_score(made.truth, sure >= 0.3))
    assert moved["precision"] == pytest.approx(metrics.precision_score(made.truth, sure >= 0.3))
    assert moved["recall"] > values["recall"]


@pytest.mark.parametrize("seed", range(3))
def test_weighted_areas_and_curves_are_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, positive = np.round(rng.random(300), 2), rng.random(300) < 0.3
    weights = rng.integers(0, 4, 300).astype(float)
    assert curves.area_under_receiver(score, positive, weights) == pytest.approx(
        metrics.roc_auc_score(positive, score, sample_weight=weights)
    )
    assert curves.average_precision(score, positive, weights) == pytest.approx(
        metrics.average_precision_score(positive, score, sample_weight=weights)
    )
    points = curves.precision_recall(score, positive, positive.sum())
    precision, recall, _ = metrics.precision_recall_curve(positive, score)
    assert points.x[::-1] == pytest.approx(recall[:-1])
    assert points.y[::-1] == pytest.approx(precision[:-1])
    roc = curves.receiver(score, positive)
    false, true, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    assert roc.x == pytest.approx(false)
    assert roc.y == pytest.approx(true)


def test_areas_of_one_class_are_not_known() -> None:
    score = np.array([0.2, 0.9])
    assert np.isnan(curves.area_under_receiver(score, np.array([True, True])))
    assert np.isnan(curves.average_precision(score, np.array([False, False])))
    assert len(curves.precision_recall(np.zeros(0), np.zeros(0, bool), 3).x) == 0


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_the_calibration_error_is_that_of_a_loop(bins: int) -> None:
    rng = np.random.default_rng(bins)
    score = np.r_[0.0, 1.0, 0.1, 0.2, np.round(rng.random(500), 2), np.nan]
    right = rng.random(len(score)) < 0.6
    error = excess = 0.0
    for at in range(bins):
        low, high = at / bins, (at + 1) / bins
        held = [i for i in range(len(score) - 1) if low < score[i] <= high or (at == 0 and score[i] == 0)]
        if held:
            gap = np.mean(score[held]) - np.mean(right[held])
            error += len(held) / (len(score) - 1) * abs(gap)
            excess += len(held) / (len(score) - 1) * gap
    made = reliability(score, right, bins=bins)
    assert made.error == pytest.approx(error)
    assert made.excess == pytest.approx(excess)
    doubled = reliability(np.r_[score, score], np.r_[right, right], bins=bins)
    assert reliability(score, right, np.full(len(score), 2.0), bins).error == pytest.approx(doubled.error)


def test_confidences_that_are_no_chances_are_refused_and_give_no_error_of_calibration() -> None:
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        reliability(np.array([0.5, 1.5]), np.array([True, False]))
    made = _made(1)
    logits = Classified(made.truth, made.predicted, made.score * 9, made.cluster, 5)
    assert "ece" in _values(made)
    assert "ece" not in _values(logits)
    some = Classified(made.truth, made.predicted, np.where(made.score > 0.9, np.nan, made.score), made.cluster, 5)
    assert "ece" not in _values(some)
    assert _values(some)["accuracy"] == _values(made)["accuracy"]
    assert (some.answers(0.2)[np.isnan(some.score)] == NOTHING).all()


def test_a_part_is_measured_as_if_it_were_all_there_is() -> None:
    made = _made(2)
    part = np.flatnonzero(made.truth < 3)
    taken = made.take(part)
    alone = Classified(made.truth[part], made.predicted[part], made.score[part], np.arange(len(part)), 5)
    assert _values(taken) == _values(alone)
    assert taken.clusters == len(part)
    assert made.take(np.zeros(0, dtype=int)).clusters == 0


def test_of_images_of_their_own_the_interval_of_accuracy_is_wilsons() -> None:
    from loupe.brain.evaluation.measure import of_ratios

    made = _made(6)
    own = of_ratios(made.ratios(None))["accuracy"]
    right = int((made.truth == made.predicted).sum())
    assert (own.low, own.high) == pytest.approx([float(end) for end in wilson(right, 400)])
    assert (own.n, own.interval) == (400, "wilson")

"""Rows, curves and disparities between slices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.slicing.evaluation import boxes
from loupe.brain.core.results import Slice
from loupe.brain.evaluation.classification import Classified
from loupe.brain.evaluation.detection import Detected
from loupe.brain.evaluation.evaluated import SWEEP
from loupe.brain.evaluation.groups import disparities
from loupe.brain.evaluation.matching import match
from loupe.brain.evaluation.measure import Setting, best_confidence, classes_of, curves_of, row, sweep

#: ProPublica's counts of the COMPAS score "high or medium", by reoffending within two years: (FP, TN, FN, TP)
COMPAS = {"African-American": (805, 990, 532, 1369), "Caucasian": (349, 1139, 461, 505), "Other": (3, 5, 1, 0)}


def _compas() -> dict[str, Classified]:
    groups = {}
    for name, (false, negative, missed, true) in COMPAS.items():
        truth = np.repeat([0, 0, 1, 1], [false, negative, missed, true])
        answer = np.repeat([1, 0, 0, 1], [false, negative, missed, true])
        n = len(truth)
        groups[name] = Classified(truth, answer, np.full(n, np.nan), np.arange(n), 2, positive=1)
    return groups


def test_group_rates_are_those_that_were_published() -> None:
    groups = _compas()
    rows = [row(own, "compas", Slice({"race": name}), Setting()) for name, own in groups.items()]
    black, white, other = (own.metrics["false_positive_rate"] for own in rows)
    assert round(100 * black.value, 2) == 44.85
    assert round(100 * white.value, 2) == 23.45
    assert black.low > white.high
    assert other.n == 8
    made = {each.metric: each for each in disparities(rows, [own.ratios(None) for own in groups.values()], 20)}
    apart = made["false_positive_rate"]
    assert apart.difference == pytest.approx(0.4485 - 0.2345, abs=1e-4)
    assert apart.ratio == pytest.approx(0.2345 / 0.4485, abs=1e-3)
    assert (apart.highest, apart.lowest, apart.slices) == ("race=African-American", "race=Caucasian", 2)
    assert apart.left_out == ("race=Other",)
    assert made["recall"].difference == pytest.approx(1369 / 1901 - 505 / 966)


def test_disparities_of_one_slice_are_none_and_of_nothing_but_zeros_have_no_ratio() -> None:
    groups = _compas()
    rows = [row(own, "compas", Slice({"race": name}), Setting()) for name, own in groups.items()]
    counts = [own.ratios(None) for own in groups.values()]
    assert disparities(rows[:1], counts[:1], 20) == []
    assert disparities(rows, counts, 5000) == []
    nothing = {"recall": (np.zeros(30), np.ones(30))}
    (made,) = disparities(rows[:2], [nothing, nothing], 20)
    assert made.difference == 0
    assert math.isnan(made.ratio)


def test_a_row_has_intervals_around_its_values_and_says_how_they_were_made() -> None:
    truths, predictions = boxes(np.random.default_rng(1), 60)
    detected = Detected.of_matches(truths, predictions, match(truths, predictions), np.arange(60), 4)
    made = row(detected, "model", Slice({}), Setting(resamples=100))
    assert list(made.metrics) == ["precision", "recall", "f1", "map", "ap50", "ece"]
    for name, own in made.metrics.items():
        assert own.low <= own.high, name
        assert own.interval == ("clustered" if name in ("precision", "recall", "f1") else "bootstrap")
        if name != "ece":
            assert own.low < own.value < own.high, name
    assert made == row(detected, "model", Slice({}), Setting(resamples=100))
    assert made.metrics["map"] != row(detected, "model", Slice({}), Setting(resamples=100, seed=1)).metrics["map"]
    without = row(detected, "model", Slice({}), Setting(resamples=0)).metrics["map"]
    assert math.isnan(without.low)
    assert without.value == made.metrics["map"].value


def test_an_empty_slice_knows_nothing_and_says_so() -> None:
    truths, predictions = boxes(np.random.default_rng(1), 10)
    detected = Detected.of_matches(truths, predictions, match(truths, predictions), np.arange(10), 4)
    empty = row(detected.take(np.zeros(10, bool)), "model", Slice({}), Setting())
    assert (empty.images, empty.truths, empty.predictions, empty.few) == (0, 0, 0, True)
    assert not any(own.known for own in empty.metrics.values())
    assert empty.to_dict()["metrics"]["recall"]["value"] is None


def test_a_sweep_is_the_same_row_at_each_threshold() -> None:
    truths, predictions = boxes(np.random.default_rng(1), 40)
    detected = Detected.of_matches(truths, predictions, match(truths, predictions), np.arange(40), 4)
    moved = sweep(detected)
    for at, threshold in enumerate(SWEEP):
        alone = row(detected, "model", Slice({}), Setting(confidence=threshold, resamples=0))
        for name in ("precision", "recall", "f1"):
            own, other = moved[name][at], alone.metrics[name]
            assert own == other or (math.isnan(own.value) and math.isnan(other.value))
    best = best_confidence(detected)
    values = {
        at: row(detected, "m", Slice({}), Setting(at, resamples=0)).metrics["f1"].value for at in (best, 0.0, 0.9)
    }
    assert values[best] == max(values.values())


def test_curves_and_classes_of_boxes() -> None:
    truths, predictions = boxes(np.random.default_rng(1), 40)
    detected = Detected.of_matches(truths, predictions, match(truths, predictions), np.arange(40), 4)
    made = {curve.name: curve for curve in curves_of(detected, "model")}
    assert list(made) == ["precision_recall", "reliability"]
    curve = made["precision_recall"]
    at = curve.at.index(0.5) if 0.5 in curve.at else 10
    ratios = detected.ratios(curve.at[at])
    assert curve.x[at] == pytest.approx(ratios["recall"][0].sum() / ratios["recall"][1].sum())
    assert curve.y[at] == pytest.approx(ratios["precision"][0].sum() / ratios["precision"][1].sum())
    bins = made["reliability"]
    assert sum(bins.at) == detected.counted[0].sum()
    assert all(low <= y <= high for low, y, high in zip(bins.low, bins.y, bins.high, strict=True))
    names = ["a", "b", "c", "d"]
    rows = classes_of(detected, "model", names, None)
    assert [own.label for own in rows] == names
    average = detected.resampled(None).statistic(np.ones(40))
    assert np.mean([own.metrics["map"] for own in rows]) == pytest.approx(average[0])
    assert np.mean([own.metrics["ap50"] for own in rows]) == pytest.approx(average[1])
    assert sum(own.truths for own in rows) == len(detected.true_image)

"""Groups side by side: published counts, fairlearn's differences, groups of one, coverage of what is farthest apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from loupe.brain.evaluation import bias
from loupe.brain.evaluation.bias import Parts, Settings, how_far_apart, rates_of, rates_of_model, score_gaps
from loupe.brain.evaluation.bias_records import sizes
from loupe.brain.evaluation.labels import Labels, Side
from loupe.brain.evaluation.slicing import Model, Options
from loupe.brain.slicing.columns import Column, combine
from loupe.brain.stats.differences import unpaired

#: ProPublica, Machine Bias (2016): (group, reoffended, called high risk) → people
COMPAS = {
    ("African-American", 0, 1): 805,
    ("African-American", 0, 0): 990,
    ("African-American", 1, 0): 532,
    ("African-American", 1, 1): 1369,
    ("White", 0, 1): 349,
    ("White", 0, 0): 1139,
    ("White", 1, 0): 461,
    ("White", 1, 1): 505,
}
SETTINGS = Settings()


def compas() -> tuple[list[str], np.ndarray, np.ndarray]:
    people = [key for key, n in COMPAS.items() for _ in range(n)]
    return [each[0] for each in people], *(np.array([each[at] for each in people]) for at in (1, 2))  # type: ignore[return-value]


def parts_of(groups: list[Any], cluster: np.ndarray | None = None) -> Parts:
    slices = combine({"group": Column.of(groups)}, len(groups))
    return Parts.of(slices, np.arange(len(groups)) if cluster is None else cluster)


def model(truth: np.ndarray, predicted: np.ndarray, cluster: np.ndarray | None = None) -> Model:
    n = len(truth)
    sides = [Side(np.ones(n, bool), label=each, score=np.full(n, np.nan)) for each in (truth, predicted)]
    cluster = np.arange(n) if cluster is None else cluster
    labels = Labels("classification", [str(at) for at in range(n)], ("0", "1"), cluster, sides[0], {"m": sides[1]})
    return Model(labels, "m", Options(positive="1"))


def by(rates: Any, measure: str) -> dict[str, Any]:
    return {each.group.removeprefix("group="): each for each in rates if each.measure == measure}


def test_propublicas_rates_and_fairlearns_parity() -> None:
    from fairlearn.metrics import (
        MetricFrame,
        demographic_parity_difference,
        equalized_odds_difference,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score, precision_score

    groups, truth, predicted = compas()
    rates = rates_of_model(model(truth, predicted), parts_of(groups), SETTINGS, label="1")
    wrong = by(rates, "false_positive_rate")
    assert f"{wrong['African-American'].share.rate:.4f}" == "0.4485"
    assert f"{wrong['White'].share.rate:.4f}" == "0.2345"
    assert (wrong["White"].share.k, wrong["White"].share.n) == (349, 1488)
    frame = MetricFrame(
        metrics={
            "false_positive_rate": false_positive_rate,
            "recall": true_positive_rate,
            "selection_rate": selection_rate,
            "accuracy": accuracy_score,
            "precision": precision_score,
        },
        y_true=truth,
        y_pred=predicted,
        sensitive_features=groups,
    )
    for metric in frame.by_group.columns:
        for group, rate in by(rates, metric).items():
            assert rate.share.rate == pytest.approx(frame.by_group.loc[group, metric]), (metric, group)
    apart = {each.name: each for each in how_far_apart(rates, SETTINGS)}
    assert apart["demographic parity"].difference == pytest.approx(
        demographic_parity_difference(truth, predicted, sensitive_features=groups)
    )
    assert apart["equalized odds"].difference == pytest.approx(
        equalized_odds_difference(truth, predicted, sensitive_features=groups)
    )
    # equalized odds instead of the two that it is made of
    assert set(apart) == {"demographic parity", "equalized odds", "accuracy", "precision"}
    first = wrong["African-American"]
    low, high = unpaired(805, 1795, 349, 1488)
    assert (first.low, first.high) == (pytest.approx(float(low)), pytest.approx(float(high)))
    assert first.difference == pytest.approx(0.4485 - 0.2345, abs=1e-4)
    assert first.p < 1e-30


def test_of_two_groups_the_interval_is_newcombes() -> None:
    groups, truth, predicted = compas()
    (apart,) = how_far_apart(rates_of(parts_of(groups), truth == 0, predicted == 1, "label", "x", SETTINGS), SETTINGS)
    low, high = unpaired(805, 1795, 349, 1488)
    assert (apart.low, apart.high) == (pytest.approx(float(low)), pytest.approx(float(high)))
    assert (apart.highest, apart.lowest) == ("group=African-American", "group=White")


def test_fairlearns_bootstrap_is_sure_of_a_group_of_one_and_this_is_not() -> None:
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score

    rng = np.random.default_rng(0)
    groups = [*["a"] * 60, *["b"] * 60, "alone"]
    truth, predicted = rng.integers(0, 2, 121), rng.integers(0, 2, 121)
    facts = {"y_true": truth, "y_pred": predicted, "sensitive_features": groups, "random_state": 0}
    # every resample that holds the group holds the same sample
    frame = MetricFrame(metrics=accuracy_score, n_boot=100, ci_quantiles=[0.025, 0.975], **facts)
    low, high = frame.by_group_ci
    assert low["alone"] == high["alone"]
    rates = rates_of_model(model(truth, predicted), parts_of(groups), SETTINGS, label="1")
    alone = by(rates, "accuracy")["alone"]
    assert alone.few
    assert alone.share.high - alone.share.low > 0.7
    corrected = bias.corrected_rates(rates)
    assert math.isnan(by(corrected, "accuracy")["alone"].q)
    apart = next(each for each in how_far_apart(rates, SETTINGS) if each.name == "accuracy")
    assert (apart.groups, apart.left_out) == (2, ("group=alone",))
    made = bias.group_sizes(parts_of(groups), SETTINGS)
    assert [each.few for each in made] == [False, False, True]
    (sentence,) = sizes(made, 20)
    assert sentence == "groups of one sample, of which nothing can be said: group=alone"


def test_a_group_without_positives_has_no_recall_and_is_left_out() -> None:
    groups = [*["a"] * 50, *["b"] * 50, *["c"] * 50]
    truth = np.r_[np.tile([0, 1], 50), np.zeros(50, int)]
    rates = rates_of_model(model(truth, truth.copy()), parts_of(groups), SETTINGS, label="1")
    none = by(rates, "recall")["c"]
    assert (none.share.n, none.few) == (0, True)
    assert math.isnan(none.difference)
    assert math.isnan(none.share.low)
    odds = next(each for each in how_far_apart(rates, SETTINGS) if each.name == "equalized odds")
    assert odds.left_out == ("group=c",)
    assert odds.difference == 0
    # nobody has a positive: there is no such parity, and nothing breaks
    nothing = rates_of_model(model(np.zeros(150, int), truth), parts_of(groups), SETTINGS, label="1")
    assert "equalized odds" not in {each.name for each in how_far_apart(nothing, SETTINGS)}


def test_a_rate_against_the_rest_of_labels() -> None:
    groups = ["a"] * 40 + ["b"] * 60
    holds, asked = np.arange(100) < 30, np.arange(100) % 10 > 0
    first = by(rates_of(parts_of(groups), asked, holds, "label", "cat", SETTINGS), "cat")["a"]
    assert (first.share.k, first.share.n, first.rest.k, first.rest.n) == (27, 36, 0, 54)
    assert first.difference == 0.75
    assert "labeled cat: 75 % in group=a, 0 % elsewhere, +75 points [" in first.sentence


def test_copies_count_once() -> None:
    groups = ["a"] * 30 + ["b"] * 30
    holds = np.r_[np.arange(30) < 15, np.arange(30) < 5]
    once = rates_of(parts_of(groups), np.ones(60, bool), holds, "label", "x", SETTINGS)[0]
    many = rates_of(
        parts_of([each for each in groups for _ in range(6)], np.repeat(np.arange(60), 6)),
        np.ones(360, bool),
        np.repeat(holds, 6),
        "label",
        "x",
        SETTINGS,
    )[0]
    assert many.share.n == 180
    assert many.effective_n <= 30
    assert many.high - many.low >= once.high - once.low
    assert many.p >= once.p


def test_scores_are_compared_by_welch() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(1)
    groups = ["a"] * 40 + ["b"] * 80
    values = rng.normal(size=120) + np.r_[np.ones(40), np.zeros(80)]
    values[[3, 100]] = np.nan
    first = score_gaps(parts_of(groups), "sharpness", values, SETTINGS)[0]
    known = np.isfinite(values)
    expected = ttest_ind(values[:40][known[:40]], values[40:][known[40:]], equal_var=False)
    assert first.p == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval()
    assert (first.low, first.high) == (pytest.approx(ends.low), pytest.approx(ends.high))
    assert first.n == 39
    assert score_gaps(parts_of(groups), "constant", np.ones(120), SETTINGS) == []
    assert score_gaps(parts_of(groups), "nothing", np.full(120, np.nan), SETTINGS) == []


@pytest.mark.parametrize("groups", [2, 5])
def test_the_interval_of_the_farthest_covers(groups: int) -> None:
    rng = np.random.default_rng(2)
    true = np.linspace(0.3, 0.4, groups)
    names = [str(at) for at in range(groups) for _ in range(60)]
    parts, every, held = parts_of(names), np.ones(60 * groups, bool), 0
    for _ in range(200):
        holds = rng.random(60 * groups) < np.repeat(true, 60)
        (apart,) = how_far_apart(rates_of(parts, every, holds, "label", "x", SETTINGS), SETTINGS)
        held += apart.low <= 0.1 <= apart.high
    assert held / 200 > 0.92


def test_a_sample_in_several_groups_counts_in_each() -> None:
    slices = combine({"tag": Column.of([["x", "y"], ["x"], ["y"], []])}, 4)
    parts = Parts.of(slices, np.arange(4))
    assert {name: own.tolist() for name, own in zip(parts.names, parts.members, strict=True)} == {
        "tag=x": [0, 1],
        "tag=y": [0, 2],
        "tag=(none)": [3],
    }
    holds = np.array([True, False, False, True])
    first, *_ = rates_of(parts, np.ones(4, bool), holds, "label", "x", SETTINGS)
    assert (first.share.k, first.share.n, first.rest.k, first.rest.n) == (1, 2, 1, 2)


def test_groups_of_alike_samples_differ_by_chance_only() -> None:
    """Six groups of about 17 clusters of six: as if independent, something is named nearly always."""
    known, unknown = 0, 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(100), 6)
        group = [str(each) for each in rng.integers(0, 6, 100)[cluster]]
        labels = np.where(rng.random(600) < 0.7, rng.integers(0, 6, 100)[cluster], rng.integers(0, 6, 600))
        for alike in (cluster, np.arange(600)):
            parts, every = parts_of(group, alike), np.ones(600, bool)
            rates = [
                rate for at in range(6) for rate in rates_of(parts, every, labels == at, "label", str(at), SETTINGS)
            ]
            named = any(each.q <= 0.05 for each in bias.corrected_rates(rates))
            known, unknown = known + (named and alike is cluster), unknown + (named and alike is not cluster)
    assert known <= 5
    assert unknown >= 20

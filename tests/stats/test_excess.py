"""Excess of failures: exact tests against scipy's, ratios against statsmodels', clusters by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.stats.effective_n import design_effect, intraclass
from loupe.brain.stats.excess import excess_p, risk_ratio


def test_p_is_that_of_fishers_exact_test() -> None:
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(0)
    n, rest_n = rng.integers(1, 60, 200), rng.integers(1, 300, 200)
    k, rest_k = rng.binomial(n, 0.3), rng.binomial(rest_n, 0.2)
    expected = [
        fisher_exact([[a, b - a], [c, d - c]], alternative="greater")[1]
        for a, b, c, d in zip(k, n, rest_k, rest_n, strict=True)
    ]
    assert excess_p(k, n, rest_k, rest_n) == pytest.approx(expected, rel=1e-9)


def test_p_of_nothing_is_1_and_tiny_ones_are_not_0() -> None:
    assert excess_p([0, 0, 5], [0, 5, 5], [3, 3, 0], [9, 9, 0]).tolist() == [1, 1, 1]
    assert 0 < excess_p(400, 500, 100, 2000) < 1e-100
    assert excess_p([], [], 3, 9).shape == (0,)


def test_a_design_effect_divides_the_counts() -> None:
    assert excess_p(40, 80, 60, 400, 4.0) == pytest.approx(excess_p(10, 20, 15, 100))
    # between whole numbers, p lies between theirs
    low, high = excess_p([10, 11], 20, 15, 100)
    assert high < excess_p(42, 80, 60, 400, 4.0) < low
    assert excess_p(3, 9, 5, 90, 0.5) == pytest.approx(excess_p(3, 9, 5, 90)), "never fewer than 1"


def test_p_of_clusters_is_small_as_seldom_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = alone = 0
    for _ in range(600):
        rate = rng.beta(0.2 * 1.5, 0.8 * 1.5, 150)  # an intraclass correlation of 0.4
        clusters = np.repeat(np.arange(150), 6)
        failed = rng.random(900) < rate[clusters]
        inside = clusters < 40
        rho = intraclass(failed, clusters)
        design = design_effect(clusters, rho)
        counts = failed[inside].sum(), inside.sum(), failed[~inside].sum(), (~inside).sum()
        hits += excess_p(*counts, design) < 0.05
        alone += excess_p(*counts) < 0.05
    assert hits / 600 < 0.075
    assert alone / 600 > 0.15


def test_the_intraclass_correlation_is_that_of_the_draw() -> None:
    rng = np.random.default_rng(2)
    for rho in (0.0, 0.1, 0.5):
        size = 1 / max(rho, 1e-9) - 1
        rate = rng.beta(0.3 * size, 0.7 * size, 3000) if rho else np.full(3000, 0.3)
        clusters = np.repeat(np.arange(3000), rng.integers(1, 8, 3000))
        assert intraclass(rng.random(len(clusters)) < rate[clusters], clusters) == pytest.approx(rho, abs=0.04)
    assert intraclass(np.zeros(0, bool), np.zeros(0, int)) == 0
    assert intraclass(np.ones(4, bool), np.array([0, 0, 1, 1])) == 0, "where all fail nothing is known"
    assert intraclass(np.array([True, False]), np.array([0, 0])) == 0


def test_the_ratio_and_its_interval_are_those_of_statsmodels() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    for counts in ((30, 100, 10, 100), (0, 20, 10, 100), (5, 20, 0, 100), (20, 20, 3, 50)):
        _, low, high = risk_ratio(*counts)
        expected = confint_proportions_2indep(*counts, compare="ratio", method="log-adjusted")
        assert (low, high) == pytest.approx(expected)
    assert risk_ratio(30, 100, 10, 100)[0] == pytest.approx(3)
    assert risk_ratio(5, 20, 0, 100)[0] == float("inf")
    for counts in ((0, 9, 0, 9), (0, 0, 1, 9), (1, 9, 0, 0)):
        assert np.isnan(risk_ratio(*counts)).all()
    wide = risk_ratio(30, 100, 10, 100, 4, 4)
    narrow = risk_ratio(30, 100, 10, 100)
    assert np.log(wide[2] / wide[1]) == pytest.approx(2 * np.log(narrow[2] / narrow[1]))


@pytest.mark.parametrize(("rate", "rest"), [(0.3, 0.1), (0.1, 0.1), (0.06, 0.02)])
def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says(rate: float, rest: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    rng = np.random.default_rng(3)
    covered = 0
    for k, other in zip(rng.binomial(100, rate, 2000), rng.binomial(900, rest, 2000), strict=True):
        _, low, high = risk_ratio(k, 100, other, 900)
        covered += low <= rate / rest <= high
    low, high = proportion_confint(covered, 2000, method="wilson")
    assert high > 0.93
    assert low < 0.985

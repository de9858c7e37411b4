"""Differences of means where samples come in groups: against scipy, statsmodels and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.stats.mean_differences import contrast, difference_of_means, mean_interval


def test_with_groups_of_one_it_is_welch() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(0)
    values = np.r_[rng.normal(size=30), rng.normal(1, 3, size=12)]
    new = np.arange(42) >= 30
    made = difference_of_means(values, new, np.arange(42))
    interval = ttest_ind(values[new], values[~new], equal_var=False).confidence_interval()
    assert (made.low, made.high) == pytest.approx((interval.low, interval.high))
    assert made.value == pytest.approx(made.new - made.reference)


def test_the_error_is_that_of_a_regression_with_clusters() -> None:
    from statsmodels.api import OLS, add_constant

    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(50), rng.integers(1, 7, 50))
    new = groups % 2 == 0
    values = rng.normal(size=50)[groups] + rng.normal(size=len(groups)) + new
    made = difference_of_means(values, new, groups)
    fit = OLS(values, add_constant(new.astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    assert made.value == pytest.approx(fit.params[1])
    assert made.error == pytest.approx(fit.bse[1] * np.sqrt(25 / 24))


def test_what_a_group_has_in_common_on_both_sides_drops_out() -> None:
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(2)
    common = 10 * rng.normal(size=40)
    before, after = common + rng.normal(size=40), common + 0.5 + rng.normal(size=40)
    groups = np.tile(np.arange(40), 2)
    made = difference_of_means(np.r_[before, after], np.arange(80) >= 40, groups)
    interval = ttest_rel(after, before).confidence_interval()
    assert (made.low, made.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("only_new", [0, 1, 5])
def test_the_interval_covers_where_some_groups_are_on_one_side_only(only_new: int) -> None:
    rng = np.random.default_rng(5)
    groups = np.concatenate([np.repeat(np.arange(40), 4), np.repeat(np.arange(40, 40 + only_new), 2)])
    new = np.concatenate([np.tile([True, False, False, True], 40), np.ones(2 * only_new, dtype=bool)])
    hits = 0
    for _ in range(1000):
        values = rng.normal(size=40 + only_new)[groups] + rng.normal(size=len(groups))
        made = difference_of_means(values, new, groups)
        hits += made.low <= 0 <= made.high
    assert 0.93 <= hits / 1000 <= 0.975


def test_the_contrast_is_the_interaction_of_a_regression() -> None:
    from statsmodels.api import OLS

    rng = np.random.default_rng(3)
    new, inside = rng.random(300) < 0.4, rng.random(300) < 0.3
    values = rng.normal(size=300) + 2 * (new & inside)
    design = np.stack([np.ones(300), new, inside, new & inside], axis=1).astype(float)
    fit = OLS(values, design).fit(cov_type="HC0")
    value, error = contrast(values, new, inside, np.arange(300))
    assert value == pytest.approx(fit.params[3])
    assert error == pytest.approx(fit.bse[3], rel=0.02)
    assert np.isnan(contrast(values, new, np.zeros(300, dtype=bool), np.arange(300))[0])


@pytest.mark.parametrize("n", [10, 40])
def test_the_interval_of_a_mean_of_groups_covers(n: int) -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(n), 3)
    hits = 0
    for _ in range(1000):
        values = rng.normal(size=n)[groups] + rng.normal(size=3 * n)
        _, low, high = mean_interval(values, groups)
        hits += low <= 0 <= high
    assert 0.93 <= hits / 1000 <= 0.97


def test_too_few_groups_have_no_interval() -> None:
    made = difference_of_means(np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.array([0, 0, 1]))
    assert made.value == -1.5
    assert np.isnan(made.low)
    assert np.isnan(difference_of_means(np.array([1.0]), np.array([True]), np.array([0])).value)
    assert np.isnan(mean_interval(np.array([1.0, 2.0]), np.array([0, 0]))[1])

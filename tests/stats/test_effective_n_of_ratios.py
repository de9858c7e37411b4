"""Intervals of ratios over clusters, against Wilson's, closed forms and statsmodels-free loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from loupe.brain.core.errors import InputError
from loupe.brain.stats.effective_n import effective_n_of_ratios, effective_n_of_values
from loupe.brain.stats.intervals import wilson, wilson_clustered


def test_of_objects_of_their_own_it_is_wilsons() -> None:
    rng = np.random.default_rng(0)
    k = (rng.random((3, 50)) < 0.3).astype(float)
    low, high = wilson_clustered(k, np.ones((3, 50)), 0.9)
    expected = wilson(k.sum(axis=1), 50, 0.9)
    assert low == pytest.approx(expected[0])
    assert high == pytest.approx(expected[1])


def test_objects_that_are_copies_of_each_other_are_worth_one() -> None:
    rng = np.random.default_rng(1)
    k = (rng.random(200) < 0.3).astype(float)
    worth = effective_n_of_ratios(k * 5, np.full(200, 5.0))
    few = (stats.t.ppf(0.975, 199) / stats.norm.ppf(0.975)) ** 2
    assert worth == pytest.approx(1000 / (5 * 200 / 199 * 999 / 1000) / few)
    # and objects that have nothing in common with their cluster are worth themselves, about
    apart = rng.binomial(5, 0.3, 4000)
    assert 0.9 * 20_000 < effective_n_of_ratios(apart, np.full(4000, 5.0)) <= 20_000


def test_the_variance_is_that_of_the_ratio_of_sums() -> None:
    """The linearized variance, by a loop, is what the effective number stands for."""
    rng = np.random.default_rng(2)
    n = rng.integers(0, 9, 80).astype(float)
    k = rng.binomial(n.astype(int), rng.beta(2, 3, 80)).astype(float)
    share, used = k.sum() / n.sum(), n > 0
    variance = (
        used.sum() / (used.sum() - 1) * sum((a - share * b) ** 2 for a, b in zip(k, n, strict=True)) / n.sum() ** 2
    )
    independent = share * (1 - share) / (n.sum() - 1)
    few = (stats.t.ppf(0.975, used.sum() - 1) / stats.norm.ppf(0.975)) ** 2
    assert effective_n_of_ratios(k, n) == pytest.approx(n.sum() / max(variance / independent, 1) / few)


def test_of_counts_and_of_values_it_is_the_same() -> None:
    rng = np.random.default_rng(3)
    for rate in (0, 0.1, 0.5, 1):
        n = rng.integers(0, 5, (4, 30))
        k = rng.binomial(n, rate)
        for own_k, own_n, worth in zip(k, n, effective_n_of_ratios(k, n, 0.9), strict=True):
            values = np.concatenate([np.arange(size) < count for size, count in zip(own_n, own_k, strict=True)])
            assert effective_n_of_values(values.astype(float), np.repeat(np.arange(30), own_n), 0.9) == pytest.approx(
                worth
            )


def test_values_that_are_the_same_but_for_rounding_tell_nothing_of_their_clusters() -> None:
    assert effective_n_of_values(np.full(12, 0.1), np.repeat([0, 1, 2], 4)) == pytest.approx(3)
    assert effective_n_of_values(np.full(6, 1 / 3), np.array([0, 0, 0, 0, 0, 1])) == pytest.approx(36 / 26)


def test_where_nothing_varies_clusters_count_and_of_nothing_nothing_is_known() -> None:
    assert effective_n_of_ratios(np.full(10, 4.0), np.full(10, 4.0)) == pytest.approx(10)
    assert effective_n_of_ratios([0, 0, 0], [1, 2, 3]) == pytest.approx(36 / 14)
    low, high = wilson_clustered(np.full(10, 4.0), np.full(10, 4.0))
    assert high == 1
    assert low < float(wilson(40, 40)[0])  # forty objects of ten pictures are not forty pictures
    assert np.isnan(wilson_clustered([0.0], [0.0])).all()
    assert np.isnan(wilson_clustered(np.zeros((2, 0)), np.zeros((2, 0)))).all()
    with pytest.raises(InputError, match="0 <= k <= n"):
        effective_n_of_ratios([2.0], [1.0])
    with pytest.raises(InputError, match="confidence"):
        wilson_clustered([1.0], [1.0], 1.0)

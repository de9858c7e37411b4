"""Intervals of ratios over clusters, against Wilson's, closed forms and statsmodels-free loops."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.stats.effective_n import effective_n_of_ratios
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
    assert worth == pytest.approx(199)
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
    assert effective_n_of_ratios(k, n) == pytest.approx(min(share * (1 - share) / variance, n.sum()))


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

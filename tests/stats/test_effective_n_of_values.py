"""How much clustered pictures are worth: against statsmodels' cluster-robust variance, and by the coverage it gives."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from loupe.brain.stats.effective_n import effective_n_of_values
from loupe.brain.stats.intervals import wilson


def test_it_is_the_cluster_robust_variance_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    clusters = rng.integers(0, 40, 300)
    values = (rng.random(300) < rng.beta(1, 3, 40)[clusters]).astype(float)
    robust = sm.OLS(values, np.ones(300)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "df_correction": True, "use_correction": True}
    )
    # theirs corrects for small samples by G / (G - 1) * (n - 1) / (n - k) with k = 1
    plain = values.var(ddof=1) / 300
    design_effect = float(robust.bse[0]) ** 2 / plain
    few = (stats.t.ppf(0.975, len(np.unique(clusters)) - 1) / stats.norm.ppf(0.975)) ** 2
    assert design_effect > 1.5
    assert effective_n_of_values(values, clusters) == pytest.approx(300 / (design_effect * few))


def test_where_nothing_belongs_together_it_is_n_and_never_more() -> None:
    values = np.array([1.0, 0, 1, 0, 0])
    assert effective_n_of_values(values, None) == 5
    assert effective_n_of_values(values, np.array([4, 2, 9, 1, 7])) == 5
    assert effective_n_of_values(values, np.array([0, 0, 1, 1, 2])) <= 5
    assert effective_n_of_values(np.array([]), None) == 0


def test_where_all_are_alike_each_cluster_counts_once() -> None:
    assert effective_n_of_values(np.zeros(12), np.repeat([0, 1, 2], 4)) == 3
    assert effective_n_of_values(np.array([1.0, 0, 1, 0]), np.zeros(4, dtype=int)) == 1


def test_intervals_of_clustered_pictures_cover_what_they_say() -> None:
    rng = np.random.default_rng(2)
    covered = {"clusters": 0, "plain": 0}
    clusters = np.repeat(np.arange(60), 5)
    for _ in range(400):
        values = (rng.random(300) < rng.beta(0.6, 1.4, 60)[clusters]).astype(float)
        for name, worth in (("clusters", effective_n_of_values(values, clusters)), ("plain", 300.0)):
            low, high = wilson(worth * values.mean(), worth)
            covered[name] += bool(low <= 0.3 <= high)
    assert covered["clusters"] >= 0.92 * 400
    assert covered["plain"] < 0.85 * 400


def test_clusters_that_balance_are_not_worth_more_than_their_pictures() -> None:
    values, clusters = np.tile([1.0, 0.0], 20), np.repeat(np.arange(20), 2)
    few = (stats.t.ppf(0.975, 19) / stats.norm.ppf(0.975)) ** 2
    assert effective_n_of_values(values, clusters) == pytest.approx(40 / few)

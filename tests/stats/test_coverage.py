"""How often the intervals hold the true rate: of nominal 95 %, 93 to 97 % from n = 10 on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from loupe.brain.stats.effective_n import Cells, effective_n_of_slices
from loupe.brain.stats.intervals import jeffreys, wilson

RATES = np.arange(1, 51) / 100


@pytest.mark.parametrize("interval", [wilson, jeffreys])
@pytest.mark.parametrize("n", [10, 12, 15, 20, 30, 50, 100, 300])
def test_independent_samples_over_rates_of_1_to_50_percent(interval: Callable, n: int) -> None:
    k = np.arange(n + 1)
    low, high = interval(k, n)
    peer = np.stack(proportion_confint(k, n, method=interval.__name__))
    # Jeffreys' ends are closed here, for no failures and for nothing but failures
    assert np.stack([low, high])[:, 1:-1] == pytest.approx(peer[:, 1:-1], abs=1e-9)
    holds = (low <= RATES[:, None]) & (RATES[:, None] <= high)
    coverage = (holds * stats.binom.pmf(k, n, RATES[:, None])).sum(axis=1)
    assert 0.93 <= coverage.mean() <= 0.97
    assert coverage.min() > 0.85


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3, 0.6])
def test_samples_in_groups_that_fail_together(correlation: float) -> None:
    rng = np.random.default_rng(11)
    held, one_by_one = [], []
    for rate in (0.02, 0.1, 0.3, 0.5):
        for _ in range(300):
            sizes = rng.geometric(1 / 6, (3, 40))
            both = (1 - correlation) / correlation if correlation else 0
            shares = (
                rng.beta(rate * both, (1 - rate) * both, sizes.shape) if correlation else np.full(sizes.shape, rate)
            )
            failures = rng.binomial(sizes, shares)
            at = np.arange(sizes.size)
            n, k = sizes.ravel().astype(float), failures.ravel().astype(float)
            made = effective_n_of_slices(Cells(at // 40, at, n, k), Cells(at * 0, at, n, k), 3)
            share, as_n = failures.sum(1) / sizes.sum(1), made.effective_n
            low, high = wilson(share * as_n, as_n)
            held += ((low <= rate) & (rate <= high)).tolist()
            low, high = wilson(failures.sum(1), sizes.sum(1))
            one_by_one += ((low <= rate) & (rate <= high)).tolist()
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(one_by_one) < (0.97, 0.88, 0.75, 0.62)[[0.0, 0.1, 0.3, 0.6].index(correlation)]

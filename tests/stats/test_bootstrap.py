"""The bootstrap of clusters: against closed forms, scipy, and by what it has to leave open."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from loupe.brain.core.errors import InputError
from loupe.brain.stats.bootstrap import draws, intervals
from loupe.brain.stats.intervals import wilson


def _mean(values: np.ndarray):  # type: ignore[no-untyped-def]
    return lambda weights: np.array([weights @ values / weights.sum()])


@pytest.mark.parametrize("method", ["percentile", "bca", "basic"])
def test_it_is_scipys(method: str) -> None:
    values = np.random.default_rng(0).gamma(1.5, size=80)
    low, high = intervals(_mean(values), 80, resamples=4000, method=method)  # type: ignore[arg-type]
    names = {"percentile": "percentile", "bca": "BCa", "basic": "basic"}
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method=names[method], rng=np.random.default_rng(1)
    ).confidence_interval
    width = expected.high - expected.low
    assert low[0] == pytest.approx(expected.low, abs=0.06 * width)
    assert high[0] == pytest.approx(expected.high, abs=0.06 * width)


def test_methods_may_differ_by_number_and_the_seed_decides() -> None:
    values = np.random.default_rng(0).gamma(1.0, size=50)

    def both(weights: np.ndarray) -> np.ndarray:
        return np.repeat(weights @ values / weights.sum(), 3)

    low, high = intervals(both, 50, method=("percentile", "basic", "bca"))
    estimate = values.mean()
    assert low[1] == pytest.approx(2 * estimate - high[0])
    assert high[1] == pytest.approx(2 * estimate - low[0])
    assert high[2] > high[0]  # a skewed mean: BCa reaches further up
    assert (intervals(both, 50, method="basic")[0] == intervals(both, 50, method="basic")[0]).all()
    assert (intervals(both, 50)[0] != intervals(both, 50, seed=1)[0]).all()


def test_on_log_odds_it_stays_within_0_and_1_and_never_collapses() -> None:
    rng = np.random.default_rng(2)
    values = (rng.random(400) < 0.9).astype(float)
    low, high = intervals(_mean(values), 400, resamples=2000, method="logit")
    share = values.mean()
    wald = stats.norm.ppf(0.975) / np.sqrt(400 * share * (1 - share))
    expected = [1 / (1 + np.exp(-(np.log(share / (1 - share)) + side * wald))) for side in (-1, 1)]
    assert [low[0], high[0]] == pytest.approx(expected, abs=0.004)
    low, high = intervals(_mean(np.ones(20)), 20, method="logit")
    assert high[0] == 1
    assert low[0] == pytest.approx(float(wilson(20, 20)[0]))
    few = intervals(_mean(np.array([0.0, 0.0, 1.0])), 3, method="logit")
    assert 0 < few[0][0] < 1 / 3 < few[1][0] < 1


def test_each_resample_takes_as_many_clusters_as_there_are() -> None:
    drawn = np.array(list(draws(30, 200, 0)))
    assert (drawn.sum(axis=1) == 30).all()
    assert drawn.mean() == pytest.approx(1)
    assert drawn.var() == pytest.approx(29 / 30, abs=0.1)


def test_what_is_not_known_stays_so() -> None:
    nan = float("nan")
    for clusters, statistic in [
        (0, lambda w: np.array([1.0])),
        (1, lambda w: np.array([1.0])),
        (9, lambda w: np.array([nan])),
        # known of the whole, and of few resamples only
        (9, lambda w: np.array([1.0 if (w == 1).all() else nan])),
    ]:
        low, high = intervals(statistic, clusters)
        assert np.isnan(low).all()
        assert np.isnan(high).all()
    with pytest.raises(InputError, match="50 resamples"):
        intervals(_mean(np.ones(3)), 3, resamples=10)
    with pytest.raises(InputError, match="confidence"):
        intervals(_mean(np.ones(3)), 3, confidence=95)

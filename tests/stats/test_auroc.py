"""The area under the curve against scikit-learn, its variance against DeLong's, its interval by coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from loupe.brain.core.errors import InputError
from loupe.brain.stats.auroc import _variance, auroc, auroc_interval


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_that_of_scikit_learn_ties_and_all(seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    values, positive = rng.integers(0, 6, 80).astype(float), rng.random(80) < 0.3
    assert auroc(values, positive) == pytest.approx(roc_auc_score(positive, values))
    assert auroc(-values, positive) == pytest.approx(1 - auroc(values, positive))


def test_the_variance_is_delongs_of_every_pair() -> None:
    rng = np.random.default_rng(1)
    values, positive = rng.integers(0, 9, 40).astype(float), np.arange(40) < 15
    wins = (values[positive][:, None] > values[~positive]) + 0.5 * (values[positive][:, None] == values[~positive])
    expected = wins.mean(axis=1).var(ddof=1) / 15 + wins.mean(axis=0).var(ddof=1) / 25
    assert _variance(values, positive, np.arange(40), wins.mean()) == pytest.approx(expected)


def test_copies_of_a_sample_count_once() -> None:
    rng = np.random.default_rng(2)
    values, positive = rng.normal(size=60), np.arange(60) < 25
    alone = auroc_interval(values, positive, np.arange(60))
    copied = auroc_interval(np.repeat(values, 5), np.repeat(positive, 5), np.repeat(np.arange(60), 5))
    assert copied[0] == pytest.approx(alone[0])
    assert 0.95 < (copied[2] - copied[1]) / (alone[2] - alone[1]) < 1.15
    apart = auroc_interval(np.repeat(values, 5), np.repeat(positive, 5), np.arange(300))
    assert (apart[2] - apart[1]) < 0.6 * (alone[2] - alone[1])


@pytest.mark.parametrize(("distance", "group"), [(0.0, 1), (1.0, 1), (2.5, 1), (1.0, 4)])
def test_the_interval_covers(distance: float, group: int) -> None:
    rng, true = np.random.default_rng(3), norm.cdf(distance / np.sqrt(2))
    m, n, held = 10, 16, 0
    of = np.repeat(np.arange(m + n), group)
    for _ in range(400):
        common = rng.normal(size=m + n)[of]
        own = rng.normal(size=len(of))
        values = np.sqrt(0.5) * (common + own) if group > 1 else own
        positive = of < m
        _, low, high = auroc_interval(values + distance * positive, positive, of)
        held += low <= true <= high
    assert held / 400 > 0.92


def test_the_ends() -> None:
    values = np.arange(30.0)
    assert auroc_interval(values, values >= 20, np.arange(30))[2] == 1.0
    assert auroc_interval(values, values < 20, np.arange(30))[1] == 0.0
    assert np.isnan(auroc_interval(values, values < 0, np.arange(30))).all()
    # one group: nothing is known of how groups differ
    low, high = auroc_interval(values, values >= 20, np.zeros(30, int))[1:]
    assert low < 0.3
    assert high == 1.0
    with pytest.raises(InputError, match="between 0 and 1"):
        auroc_interval(values, values > 3, np.arange(30), 95)


def test_equal_values_say_nothing() -> None:
    value, low, high = auroc_interval(np.zeros(40), np.arange(40) < 20, np.arange(40))
    assert (value, round((low + high) / 2, 6)) == (0.5, 0.5)
    assert rankdata(np.zeros(3)).tolist() == [2, 2, 2]

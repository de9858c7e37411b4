"""Proportions and their intervals, against scipy's own and against figures from the literature."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from scipy import stats

from loupe.brain.core.errors import InputError
from loupe.brain.stats.intervals import Proportion, jeffreys, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_scipys(confidence: float) -> None:
    n = np.array([1, 2, 5, 10, 37, 1000, 100_000])
    for share in (0.0, 0.003, 0.2, 0.5, 0.9, 1.0):
        k = np.round(n * share).astype(int)
        low, high = wilson(k, n, confidence)
        for index in range(len(n)):
            peer = stats.binomtest(int(k[index]), int(n[index])).proportion_ci(confidence, method="wilson")
            assert low[index] == pytest.approx(peer.low, abs=1e-12)
            assert high[index] == pytest.approx(peer.high, abs=1e-12)


def test_wilson_gives_newcombes_published_figures() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for k, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert np.round(wilson(k, n), 4).tolist() == [low, high]


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_jeffreys_is_the_quantiles_of_its_posterior(confidence: float) -> None:
    tail = (1 - confidence) / 2
    for k, n in ((1, 10), (5, 10), (9, 10), (3, 4000)):
        low, high = jeffreys(k, n, confidence)
        posterior = stats.beta(k + 0.5, n - k + 0.5)
        assert posterior.ppf([tail, 1 - tail]) == pytest.approx([float(low), float(high)], rel=1e-9)


def test_jeffreys_gives_published_figures() -> None:
    # Brown, Cai & DasGupta (2001), table 5: n = 10, and the ends closed
    assert np.round(jeffreys(2, 10), 3).tolist() == [0.044, 0.503]
    assert jeffreys(0, 10)[0] == 0
    assert jeffreys(10, 10)[1] == 1


@pytest.mark.parametrize("interval", [wilson, jeffreys])
def test_no_failures_and_nothing_but_failures(interval) -> None:
    low, high = interval([0, 30], [30, 30])
    assert low[0] == 0
    assert 0.06 < high[0] < 0.13  # about three in n
    assert high[1] == 1
    assert low[1] == pytest.approx(1 - high[0])


@pytest.mark.parametrize("interval", [wilson, jeffreys])
def test_nothing_judged_is_nan_without_a_warning(interval) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = interval([0, 1], [0, 4])
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()
    assert np.isnan(interval(0, 0)).all()


@pytest.mark.parametrize("interval", [wilson, jeffreys])
def test_refuses_what_is_no_proportion(interval) -> None:
    for k, n, confidence in ((2, 1, 0.95), (-1, 5, 0.95), (1, 5, 1.0), (1, 5, 0.0), (1, 5, 95)):
        with pytest.raises(InputError):
            interval(k, n, confidence)


def test_wilson_covers_a_rare_failure_where_the_textbook_interval_does_not() -> None:
    n, p = 50, 0.02
    chance = stats.binom.pmf(np.arange(n + 1), n, p)
    low, high = wilson(np.arange(n + 1), n)
    share = np.arange(n + 1) / n
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    assert chance[(low <= p) & (p <= high)].sum() > 0.92
    assert chance[(share - half <= p) & (p <= share + half)].sum() < 0.7


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_a_proportion_has_its_rate_and_scipys_interval(confidence: float) -> None:
    share = Proportion.of(np.int64(3), 40, confidence)
    peer = stats.binomtest(3, 40).proportion_ci(confidence, method="wilson")
    assert (share.n, share.k, share.rate) == (40, 3, 3 / 40)
    assert (share.low, share.high) == pytest.approx((peer.low, peer.high), abs=1e-12)
    assert {type(value) for value in share.to_dict().values()} == {int, float}
    assert Proportion.of(3, 40) == Proportion.of(3, 40, 0.95)


def test_a_proportion_of_nothing_is_not_known() -> None:
    share = Proportion.of(0, 0)
    assert np.isnan([share.rate, share.low, share.high]).all()
    assert str(share) == "not known"
    assert share.to_dict() == {"n": 0, "k": 0, "low": None, "high": None}
    with pytest.raises(InputError, match="failures <= n"):
        Proportion.of(2, 1)


def test_a_proportion_goes_through_json_and_is_read_as_0_1_0_wrote_it() -> None:
    share = Proportion.of(7, 9)
    assert Proportion.from_dict(json.loads(json.dumps(share.to_dict()))) == share
    before = {"count": 7, "n": 9, "rate": 7 / 9, "low": share.low, "high": share.high}
    assert Proportion.from_dict(before) == share
    nothing = Proportion.from_dict({"count": 0, "n": 0, "rate": None, "low": None, "high": None})
    assert (nothing.n, math.isnan(nothing.low), math.isnan(nothing.high)) == (0, True, True)
    with pytest.raises(KeyError):
        Proportion.from_dict({"n": 9, "low": 0.1, "high": 0.2})

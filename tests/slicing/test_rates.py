"""Rates and their intervals, against scipy's own and against figures from the literature."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from loupe.brain.core.errors import InputError
from loupe.brain.slicing.rates import NONE, State, groups, rates
from loupe.brain.stats.intervals import jeffreys, wilson


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


def test_jeffreys_is_the_quantiles_of_its_posterior() -> None:
    for k, n in ((1, 10), (5, 10), (9, 10), (3, 4000)):
        low, high = jeffreys(k, n, 0.9)
        posterior = stats.beta(k + 0.5, n - k + 0.5)
        assert posterior.cdf(low) == pytest.approx(0.05)
        assert posterior.sf(high) == pytest.approx(0.05)
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


def test_groups_stand_in_natural_order() -> None:
    distinct, codes = groups(["b", "a10", None, "a9", "b"])
    assert distinct == ["a9", "a10", "b", None]
    assert codes.tolist() == [2, 1, 3, 0, 2]
    assert groups([10, 9, None])[0] == [9, 10, None]
    assert groups([True, False])[0] == [False, True]
    assert groups([])[0] == []
    assert groups(["10", "9", "x", 3])[0] == [3, "9", "10", "x"]


def test_rates_count_every_state_apart() -> None:
    state = np.array([State.FAILED, State.PASSED, State.PASSED, State.UNKNOWN, State.UNCHECKED, State.UNCHECKED])
    (rate,) = rates({"blur": state})
    assert (rate.n, rate.failures, rate.unknown, rate.unchecked) == (3, 1, 1, 2)
    assert rate.rate == pytest.approx(1 / 3)
    assert (rate.low, rate.high) == pytest.approx([float(end) for end in wilson(1, 3)])
    assert str(rate.slice) == "all"


def test_rates_of_several_factors_are_the_combinations_that_occur() -> None:
    rng = np.random.default_rng(3)
    time = rng.choice(["day", "night", None], 400).tolist()
    rain = rng.choice([True, False], 400).tolist()
    rain = [True if hour is None else wet for hour, wet in zip(time, rain, strict=True)]
    states = {name: rng.integers(0, 4, 400).astype(np.int8) for name in ("blur", "dark")}
    found = rates(states, {"scenario.time": time, "rain": rain}, confidence=0.9)

    assert len(found) == 5 * 2  # (none) with no rain does not occur
    assert [rate.failure for rate in found[:4]] == ["blur", "dark"] * 2
    assert found[-1].slice.values == {"scenario.time": NONE, "rain": "True"}
    for rate in found:
        hour, wet = rate.slice.values.values()
        rows = [i for i in range(400) if (time[i] or NONE) == hour and str(rain[i]) == wet]
        held = [states[rate.failure][i] for i in rows]
        assert rate.failures == held.count(State.FAILED)
        assert rate.n == held.count(State.FAILED) + held.count(State.PASSED)
        assert rate.unknown == held.count(State.UNKNOWN)
        assert rate.unchecked == held.count(State.UNCHECKED)
        assert (rate.low, rate.high) == pytest.approx([float(end) for end in wilson(rate.failures, rate.n, 0.9)])


def test_a_slice_where_nothing_was_judged_has_no_rate() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (rate,) = rates({"blur": np.array([State.UNKNOWN, State.UNCHECKED])}, {"time": ["day", "day"]})
    assert rate.n == 0
    assert np.isnan([rate.rate, rate.low, rate.high]).all()
    assert rate.to_dict()["rate"] is None
    assert rates({}) == []

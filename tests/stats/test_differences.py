"""Differences of two proportions: against statsmodels, scipy, published figures and brute force, and by coverage."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from loupe.brain.core.errors import InputError
from loupe.brain.stats import differences as own

TABLES = [(56, 70, 48, 80), (0, 10, 3, 12), (5, 56, 0, 29), (10, 10, 0, 20), (1, 1000, 4, 900), (30, 31, 30, 31)]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_unpaired_differences_and_ratios_are_statsmodels(confidence: float) -> None:
    for table in TABLES:
        peer = confint_proportions_2indep(*table, method="newcomb", compare="diff", alpha=1 - confidence)
        assert own.unpaired(*table, confidence) == pytest.approx(peer, abs=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs divides by zero where there is no failure
            peer = confint_proportions_2indep(
                *table, method="score", compare="ratio", alpha=1 - confidence, correction=False
            )
        assert own.ratio(*table, confidence) == pytest.approx(peer, abs=1e-9, rel=1e-6)
    all_at_once = own.unpaired(*np.array(TABLES).T, confidence)
    assert np.array(all_at_once)[:, 2].tolist() == [float(end) for end in own.unpaired(*TABLES[2], confidence)]


def test_unpaired_differences_are_newcombes_published_figures() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
    for table, low, high in (
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
    ):
        assert np.round(own.unpaired(*table), 4).tolist() == [low, high]


def test_the_test_of_two_samples_is_chi_squared_with_one_less_and_fishers_where_few_are_expected() -> None:
    for k_a, n_a, k_b, n_b in TABLES[:1] + [(7, 12, 1, 9), (40, 400, 60, 410)]:
        table = [[k_a, n_a - k_a], [k_b, n_b - k_b]]
        statistic = stats.chi2_contingency(table, correction=False)[0] * (n_a + n_b - 1) / (n_a + n_b)
        assert own.unpaired_p(k_a, n_a, k_b, n_b) == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-9)
    for k_a, n_a, k_b, n_b in ((0, 5, 1, 9), (1, 1000, 0, 5), (0, 7, 0, 9)):
        peer = stats.fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1]
        assert own.unpaired_p(k_a, n_a, k_b, n_b) == pytest.approx(peer)
    assert own.unpaired_p([0, 3], [0, 5], [1, 0], [4, 0]).tolist() == [1, 1]


def test_paired_intervals_are_the_published_figures() -> None:
    # M. W. Fagerland, S. Lydersen & P. Laake, Statistics in Medicine 33 (2014) 2850, table V: two examples
    assert np.round(own.paired(1, 7, 21), 3).tolist() == [-0.517, -0.026]
    assert np.round(own.paired_newcombe(1, 1, 7, 12), 3).tolist() == [-0.507, -0.026]
    # Newcombe, Statistics in Medicine 17 (1998) 2635, table II, method 10
    assert np.round(own.paired_newcombe(36, 12, 2, 0), 4).tolist() == [0.0569, 0.3404]


def _tango(only_a: int, only_b: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Tango's interval by brute force: the likeliest chances under each difference are looked for by number."""

    def statistic(delta: float) -> float:
        def unlikely(chance: float) -> float:
            parts = (only_a, chance + delta), (only_b, chance), (n - only_a - only_b, 1 - 2 * chance - delta)
            return -sum(count * np.log(max(each, 1e-300)) for count, each in parts if count)

        low, high = max(0.0, -delta), (1 - delta) / 2
        chance = optimize.minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
        return (only_a - only_b - n * delta) / np.sqrt(n * (2 * chance + delta * (1 - delta)))

    estimate = (only_a - only_b) / n
    ends = []
    for wanted, side in ((z, (-0.9999, estimate)), (-z, (estimate, 0.9999))):
        ends.append(optimize.brentq(lambda delta, want=wanted: statistic(delta) - want, *side, xtol=1e-9))
    return ends[0], ends[1]


@pytest.mark.parametrize(("only_a", "only_b", "n"), [(1, 7, 21), (5, 5, 40), (12, 3, 50), (2, 0, 30), (30, 41, 400)])
def test_paired_is_tangos_by_brute_force(only_a: int, only_b: int, n: int) -> None:
    assert own.paired(only_a, only_b, n) == pytest.approx(_tango(only_a, only_b, n), abs=2e-5)


def test_pairs_the_other_way_round_are_the_negative_and_the_ends_are_within_bounds() -> None:
    a, b, n = np.array([[0, 0, 1], [10, 0, 10], [3, 8, 20], [0, 0, 5], [50, 2, 1000]]).T
    low, high = own.paired(a, b, n)
    other_low, other_high = own.paired(b, a, n)
    assert low == pytest.approx(-other_high)
    assert high == pytest.approx(-other_low)
    assert (low >= -1).all()
    assert (high <= 1).all()
    assert ((low <= (a - b) / n) & ((a - b) / n <= high)).all()


def test_mcnemar_is_statsmodels_and_the_mid_p_counts_its_own_chance_half() -> None:
    for a, b in ((1, 7), (0, 0), (3, 3), (0, 5), (40, 61), (4, 0)):
        peer = statsmodels_mcnemar([[9, a], [b, 9]], exact=True).pvalue
        assert own.mcnemar(a, b, mid=False) == pytest.approx(peer)
        mid = 1.0 if a == b else peer - stats.binom.pmf(min(a, b), a + b, 0.5)
        assert own.mcnemar(a, b) == pytest.approx(mid)
    assert own.mcnemar(2.5, 7.5) == pytest.approx(own.mcnemar(7.5, 2.5))
    assert own.mcnemar(2, 7) < own.mcnemar(2.5, 7) < own.mcnemar(3, 7)
    one_sided = stats.binom.sf(6, 8, 0.5) - stats.binom.pmf(7, 8, 0.5) / 2
    assert own.more_often_p(7, 1) == pytest.approx(one_sided)
    assert own.more_often_p(1, 7) == pytest.approx(1 - one_sided)
    assert own.more_often_p(0, 0) == pytest.approx(0.5)


def test_holm_is_statsmodels() -> None:
    p = np.random.default_rng(0).random(30) ** 3
    assert own.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert own.holm([]).tolist() == []


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize(("rate_a", "rate_b"), [(0.3, 0.3), (0.5, 0.3), (0.5, 0.5)])
def test_intervals_cover_what_they_say(n: int, rate_a: float, rate_b: float) -> None:
    a, b = (each.ravel() for each in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    chance = stats.binom.pmf(a, n, rate_a) * stats.binom.pmf(b, n, rate_b)
    low, high = own.unpaired(a, n, b, n)
    assert 0.93 < chance[(low <= rate_a - rate_b) & (rate_a - rate_b <= high)].sum() < 0.97
    low, high = own.ratio(a, n, b, n)
    assert 0.93 < chance[(low <= rate_a / rate_b) & (rate_a / rate_b <= high)].sum() < 0.97

    possible = a + b <= n
    only_a, only_b = a[possible], b[possible]
    both = rate_a * rate_b
    table = [rate_a - both, rate_b - both, 1 - rate_a - rate_b + 2 * both]
    chance = stats.multinomial.pmf(np.stack([only_a, only_b, n - only_a - only_b], axis=1), n, table)
    low, high = own.paired(only_a, only_b, n)
    assert 0.93 < chance[(low <= rate_a - rate_b) & (rate_a - rate_b <= high)].sum() < 0.98
    if rate_a == rate_b:
        assert chance[own.mcnemar(only_a, only_b) <= 0.05].sum() < 0.055


def test_nothing_judged_is_nan_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for low, high in (own.unpaired(0, 0, 1, 4), own.ratio(1, 4, 0, 0), own.paired(0, 0, 0)):
            assert np.isnan([low, high]).all()
        assert [float(end) for end in own.ratio(0, 10, 0, 10)] == [0, np.inf]


@pytest.mark.parametrize(
    "call",
    [
        lambda: own.unpaired(3, 2, 1, 5),
        lambda: own.unpaired(-1, 2, 1, 5),
        lambda: own.unpaired(1, 2, 1, 5, 95),
        lambda: own.paired(3, 3, 5),
        lambda: own.paired(-1, 3, 5),
        lambda: own.paired(1, 3, 5, 1.0),
        lambda: own.mcnemar(-1, 3),
        lambda: own.more_often_p(1, -3),
        lambda: own.ratio(3, 2, 1, 5),
    ],
)
def test_what_is_no_count_is_refused(call: Any) -> None:
    with pytest.raises(InputError):
        call()

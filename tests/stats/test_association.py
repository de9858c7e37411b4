"""p of a slice against its rest, against scipy's tests; q against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from loupe.brain.core.errors import InputError
from loupe.brain.stats.association import ENOUGH, p_values, q_values


def test_small_tables_are_fishers_exact_test() -> None:
    rng = np.random.default_rng(7)
    n, rest = rng.integers(1, 80, 500), rng.integers(1, 400, 500)
    k, rest_k = rng.integers(0, n + 1), rng.integers(0, rest + 1)
    expected = [
        stats.fisher_exact([[a, b - a], [c, d - c]]).pvalue for a, b, c, d in zip(k, n, rest_k, rest, strict=True)
    ]
    assert p_values(k, n, rest_k, rest) == pytest.approx(expected, abs=1e-9)
    # a rare failure in a large set: few are expected
    assert p_values([9], [3000], [2991], [997_000])[0] == pytest.approx(
        stats.fisher_exact([[9, 2991], [2991, 997_000 - 2991]]).pvalue, rel=1e-6
    )


def test_large_tables_are_pearsons_with_n_minus_1_and_close_to_fishers() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        n, rest = rng.integers(6 * ENOUGH, 9 * ENOUGH, 2)
        k, rest_k = rng.binomial(n, 0.3), rng.binomial(rest, 0.28 + 0.04 * rng.random())
        table = np.array([[k, n - k], [rest_k, rest - rest_k]])
        assert (stats.contingency.expected_freq(table) >= ENOUGH).all()
        (p,) = p_values([k], [n], [rest_k], [rest])
        chi = stats.chi2_contingency(table, correction=False).statistic * (n + rest - 1) / (n + rest)
        assert p == pytest.approx(stats.chi2.sf(chi, 1), rel=1e-9)
        exact = stats.fisher_exact(table).pvalue
        assert p == pytest.approx(exact, rel=0.25)
        assert p == pytest.approx(exact, abs=0.02)


def test_what_has_no_rest_has_no_p_and_what_never_differs_has_1() -> None:
    p = p_values([0, 3, 0, 5], [0, 3, 9, 5], [3, 0, 0, 6], [9, 0, 9, 6])
    assert np.isnan(p[:2]).all()
    assert p[2:].tolist() == [1, 1]
    assert p_values([], [], [], []).shape == (0,)
    for wrong in (([3], [2], [0], [1]), ([-1], [2], [0], [1]), ([1], [2], [2], [1])):
        with pytest.raises(InputError, match="0 <= failures <= n"):
            p_values(*wrong)


def test_q_is_that_of_statsmodels_over_what_has_a_p() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(200) ** 3
    p[::7] = np.nan
    known = ~np.isnan(p)
    q = q_values(p)
    assert q[known] == pytest.approx(multipletests(p[known], method="fdr_bh")[1])
    assert np.isnan(q[~known]).all()
    assert q_values([]).shape == (0,)
    assert np.isnan(q_values([np.nan])).all()
    table = p[:4].reshape(2, 2)
    assert q_values(table).shape == (2, 2)

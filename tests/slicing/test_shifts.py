"""What is counted of two sides, against scipy and written-out loops."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.shifts import Classes, Numbers, indicator, taken

N = 200


def sides(rng: np.random.Generator, columns: int = 30) -> np.ndarray:
    return rng.permuted(np.tile(np.arange(N) < 80, (columns, 1)), axis=1).T


def test_the_statistics_of_few_values_are_those_of_scipy() -> None:
    """With no more values than bins nothing is lost by counting."""
    from scipy.stats import ks_2samp, mannwhitneyu

    rng = np.random.default_rng(0)
    values = rng.integers(0, 12, N).astype(float)
    values[:7] = np.nan
    every = sides(rng)
    statistics, means = Numbers("x", "score", values).statistics(every)
    known = ~np.isnan(values)
    for at, side in enumerate(every.T):
        new, reference = values[side & known], values[~side & known]
        assert statistics["KS"][at] == pytest.approx(ks_2samp(new, reference).statistic)
        u = mannwhitneyu(new, reference).statistic / (len(new) * len(reference))
        assert statistics["rank sum"][at] == pytest.approx(abs(u - 0.5), abs=1e-9)
        assert means[at] == pytest.approx(new.mean() - reference.mean())


def test_of_many_values_the_bins_lose_little() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(size=N))
    every = sides(rng)
    made = Numbers("x", "score", values).statistics(every)[0]["KS"]
    exact = np.array([ks_2samp(values[side], values[~side]).statistic for side in every.T])
    assert (made <= exact + 1e-9).all()
    assert np.abs(made - exact).max() < 0.04
    assert np.corrcoef(made, exact)[0, 1] > 0.9


def test_the_mix_is_tested_by_chi_square_and_measured_by_total_variation() -> None:
    from scipy.stats import chi2_contingency

    rng = np.random.default_rng(2)
    values = rng.choice(["a", "b", "c", None], N, p=[0.5, 0.3, 0.15, 0.05]).tolist()
    every = sides(rng)
    statistics, variation = Classes("x", "labels", Column.of(values)).statistics(every)
    names = ["a", "b", "c", None]
    for at, side in enumerate(every.T):
        table = [
            [sum(value == name and own == new for value, own in zip(values, side, strict=True)) for name in names]
            for new in (False, True)
        ]
        assert statistics["chi-square"][at] == pytest.approx(chi2_contingency(table, correction=False).statistic)
        shares = np.array(table) / np.sum(table, axis=1, keepdims=True)
        assert variation[at] == pytest.approx(0.5 * np.abs(shares[0] - shares[1]).sum())


def test_of_many_classes_the_rare_ones_are_counted_together() -> None:
    rng = np.random.default_rng(3)
    values = [f"class {number}" for number in rng.zipf(1.3, 5000) % 3000]
    quantity = Classes("x", "labels", Column.of(values))
    new = np.arange(5000) >= 2500
    statistics, variation = quantity.statistics(new[:, None])
    effect = quantity.effect(new, np.arange(5000), np.zeros(9), rng)
    assert statistics["chi-square"][0] > 0
    assert effect.value == pytest.approx(variation[0])
    assert effect.low < effect.value
    assert len(effect.changes) == 5
    assert len(quantity._folded()[1]) == 50
    assert quantity._folded()[1][-1].endswith(" others")


@pytest.mark.parametrize("moved", [0.0, 0.05, 0.2])
def test_the_interval_of_a_mix_covers(moved: float) -> None:
    rng = np.random.default_rng(4)
    mixes = [np.array([0.5, 0.3, 0.2]), np.array([0.5 - moved, 0.3, 0.2 + moved])]
    hits = 0
    for _ in range(300):
        values = [value for mix in mixes for value in rng.choice(3, 150, p=mix).tolist()]
        quantity = Classes("x", "labels", Column.of(values))
        effect = quantity.effect(np.arange(300) >= 150, np.arange(300), np.zeros(1), rng)
        hits += effect.low <= moved <= effect.high
    assert 0.92 <= hits / 300 <= 0.99


def test_a_sample_with_several_classes_counts_in_each() -> None:
    column = Column.of([["a", "b"], ["a"], [], ["b", "c"]])
    assert [column.values[code] for code in taken(column, np.array([3, 0])).codes] == ["b", "c", "a", "b"]
    assert taken(column, np.array([3, 0])).samples.tolist() == [0, 0, 1, 1]
    _, variation = Classes("x", "labels", column).statistics(np.array([[True], [True], [False], [False]]))
    # a 2/3, b 1/3 against b, c and none a third each
    assert variation[0] == pytest.approx(2 / 3)


def test_the_share_of_the_unknown_is_of_those_that_were_looked_at() -> None:
    looked = np.array([True, True, True, False])
    quantity = indicator("x unknown", "unknown", looked, np.array([True, False, False, True]))
    assert quantity.known().tolist() == [True, True, True, False]
    effect = quantity.effect(np.array([True, False, False, False]), np.arange(4), np.zeros(1), np.random.default_rng(0))
    assert (effect.reference, effect.new, effect.name) == (0.0, 1.0, "difference of the share")

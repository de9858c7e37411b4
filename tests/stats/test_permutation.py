"""Permuted sides keep groups together, and the p values of permutations are what a count of all of them gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from loupe.brain.stats.permutation import correct, permute, surprise


def test_a_group_changes_sides_as_a_whole_and_the_sides_keep_their_number_of_groups() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), rng.integers(1, 6, 30))
    new = groups >= 20
    made = permute(new, groups, 200, np.random.default_rng(2))
    for group in range(30):
        assert np.unique(made.sides[groups == group], axis=0).shape[0] == 1
    first = np.array([np.flatnonzero(groups == group)[0] for group in range(30)])
    assert (made.sides[first].sum(axis=0) == 10).all()
    assert (made.sides[:, 0] == new).all()
    assert made.units == (20, 10)
    assert made.exchanged == 0


def test_a_group_on_both_sides_is_permuted_within() -> None:
    groups = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    new = np.array([True, False, False, False, True, False, True, False])
    made = permute(new, groups, 400, np.random.default_rng(0))
    assert (made.sides[:4].sum(axis=0) == 1).all()
    assert (made.sides[4:6].sum(axis=0) == 1).all()
    assert (made.sides[6:].sum(axis=0) == 1).all()
    assert made.sides[:4, 1:].mean(axis=1) == pytest.approx([0.25] * 4, abs=0.08)
    assert made.exchanged == 6
    assert made.units == (3, 3)
    assert made.distinct == pytest.approx(4 * 2 * 2)


def test_every_choice_of_the_new_side_is_as_likely() -> None:
    made = permute(np.array([True, True, False, False, False]), np.arange(5), 20_000, np.random.default_rng(3))
    codes = (1 << np.arange(5)) @ made.sides[:, 1:]
    _, counts = np.unique(codes, return_counts=True)
    assert len(counts) == 10
    assert made.distinct == pytest.approx(10)
    assert counts / 20_000 == pytest.approx([0.1] * 10, abs=0.01)


def test_p_is_that_of_all_permutations() -> None:
    """Against a count of all 252 ways to choose 5 of 10."""
    values = np.array([0.1, 0.9, 1.4, 2.2, 2.4, 2.5, 3.1, 3.3, 4.0, 5.2])
    every = [abs(values[list(chosen)].mean()) for chosen in itertools.combinations(range(10), 5)]
    exact = np.mean(np.array(every) >= abs(values[5:].mean()) - 1e-12)
    made = permute(np.arange(10) >= 5, np.arange(10), 20_000, np.random.default_rng(4))
    far = (values @ made.sides / 5)[None]
    assert correct(far).p[0] == pytest.approx(exact, abs=0.004)


def test_p_values_are_never_below_what_so_many_permutations_can_show() -> None:
    far = np.r_[100.0, np.random.default_rng(0).normal(size=99)][None]
    corrected = correct(far)
    assert corrected.p[0] == corrected.adjusted[0] == corrected.overall == 0.01


def test_the_correction_is_that_of_westfall_and_young() -> None:
    """Against the same written out as loops."""
    rng = np.random.default_rng(5)
    far = rng.normal(size=(6, 500)) + rng.normal(size=500)  # they hang together
    far[:, 0] += [3, 2.5, 1, 0, 2, -1]
    order = sorted(range(6), key=lambda k: -far[k, 0])
    expected, before = {}, 0.0
    for at, k in enumerate(order):
        rest = order[at:]
        before = max(before, np.mean([max(far[j, column] for j in rest) >= far[k, 0] - 1e-9 for column in range(500)]))
        expected[k] = before
    corrected = correct(far)
    assert corrected.adjusted == pytest.approx([expected[k] for k in range(6)])
    assert corrected.overall == min(expected.values())
    assert (corrected.adjusted >= corrected.p).all()


def test_what_is_less_far_is_never_surer() -> None:
    """The farther of two has a heavy tail: alone, the other would be surer than the first step allows."""
    heavy, light = np.r_[3.0, np.full(30, 5.0), np.zeros(69)], np.r_[2.9, np.zeros(99)]
    corrected = correct(np.stack([heavy, light]))
    assert corrected.p.tolist() == [0.31, 0.01]
    assert corrected.adjusted.tolist() == [0.31, 0.31]


def test_of_statistics_that_hang_together_the_correction_asks_for_less_than_bonferroni() -> None:
    rng = np.random.default_rng(6)
    shared = rng.normal(size=2000)
    shared[0] = 2.3
    far = np.tile(shared, (20, 1)) + 0.01 * rng.normal(size=(20, 2000))
    corrected = correct(surprise(far))
    assert corrected.overall < 2 * corrected.p[0]
    assert corrected.tail > 0.03, "20 times the same is one test"
    apart = correct(surprise(rng.normal(size=(20, 2000))))
    assert 0.001 < apart.tail < 0.005, "20 tests of their own have to reach about 0.05 / 20"


def test_surprise_sets_statistics_of_any_scale_and_skew_side_by_side() -> None:
    rng = np.random.default_rng(7)
    far = surprise(np.stack([rng.normal(size=4001), 1000 + rng.chisquare(2, 4001), 1e-6 * rng.gamma(9, size=4001)]))
    highest = far[:, 1:].argmax(axis=0)
    counts = np.bincount(np.argmax(far[:, 1:], axis=0), minlength=3)
    assert counts / 4000 == pytest.approx([1 / 3] * 3, abs=0.05)
    assert len(highest) == 4000
    assert np.quantile(far[:, 1:], 0.95, axis=1) == pytest.approx([-np.log(0.05)] * 3, abs=0.25)


def test_how_it_was_is_set_side_by_side_as_a_permutation_is() -> None:
    """Whichever column is taken for how it was, as many of the others are as far: so p is exact, for several, too."""
    rng = np.random.default_rng(8)
    statistics = np.stack([rng.normal(size=40), rng.exponential(size=40), rng.normal(size=40) ** 2])
    highest = surprise(statistics).max(axis=0)
    for column in range(1, 40):
        swapped = statistics.copy()
        swapped[:, [0, column]] = swapped[:, [column, 0]]
        assert surprise(swapped).max(axis=0)[0] == pytest.approx(highest[column])


def test_a_gross_shift_among_many_is_not_hidden_by_its_own_size() -> None:
    rng = np.random.default_rng(9)
    for size in (6, 10, 50, 1e6):
        statistics = rng.normal(size=(60, 1000))
        statistics[17, 0] = size
        assert correct(surprise(statistics)).adjusted[17] <= 0.003


def test_what_permuting_does_not_move_is_not_far() -> None:
    far = surprise(np.full((1, 100), 3.7) + np.linspace(0, 1e-9, 100))
    assert correct(far).p[0] == 1.0
    assert correct(np.zeros((0, 100))).overall == 1.0
    huge = surprise(np.r_[1e9, np.random.default_rng(0).normal(size=99)][None])
    assert np.isfinite(huge).all()
    assert correct(huge).p[0] == 0.01

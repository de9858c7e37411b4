"""Splits: of the sizes asked for, stratified, with whole groups; held against every possibility where those are few."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.labels.splits import NOWHERE, Targets, assign, deviation, in_order, merged, repaired


def classes_of(labels: np.ndarray) -> sparse.csr_matrix:
    """Returns the (N, L) matrix of one class a sample."""
    n = len(labels)
    return sparse.csr_matrix((np.ones(n), (np.arange(n), labels)), shape=(n, int(labels.max()) + 1))


def distance(split: np.ndarray, shares: np.ndarray, classes: np.ndarray) -> float:
    """Returns how far splits are from their targets, as the module defines it, computed from its words."""
    every = np.column_stack([classes, np.ones(len(split))])
    total = every.sum(axis=0)
    weights = 1 / np.maximum(total, 1)
    weights[-1] *= max(1, classes.shape[1])
    held = np.stack([every[split == at].sum(axis=0) for at in range(len(shares))])
    return float((weights * (held - shares[:, None] * total) ** 2).sum())


@pytest.mark.parametrize("seed", range(6))
def test_small_sets_come_near_the_best_of_all_splits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, targets = 16, Targets.of({"train": 0.5, "val": 0.25, "test": 0.25})
    groups = merged([(np.arange(n), rng.integers(0, 8, n))], n)
    classes = (rng.random((n, 3)) < 0.4).astype(float)
    n_groups = groups.max() + 1
    made = distance(
        assign(targets, n, classes=sparse.csr_matrix(classes), groups=groups, seed=0), targets.shares, classes
    )
    every = [
        distance(np.array(places)[groups], targets.shares, classes)
        for places in itertools.product(range(3), repeat=int(n_groups))
    ]
    # of thousands of splits at most one in two hundred is better
    assert np.mean(np.array(every) < made - 1e-9) <= 0.005
    assert made <= np.median(every) / 4


def test_classes_without_groups_are_exact_to_a_sample() -> None:
    labels = np.repeat(np.arange(5), [7, 100, 33, 400, 60])
    targets = Targets.of({"train": 0.7, "val": 0.2, "test": 0.1})
    split = assign(targets, 600, classes=classes_of(labels), groups=np.arange(600), seed=3)
    for label in range(5):
        counts = np.bincount(split[labels == label], minlength=3)
        assert np.abs(counts - targets.shares * counts.sum()).max() < 1
    assert np.abs(np.bincount(split) - targets.shares * 600).max() <= 1


def test_groups_stay_whole_and_seeds_decide() -> None:
    rng = np.random.default_rng(1)
    few = rng.permutation(2000)[:60]
    groups = merged([(np.arange(2000), rng.integers(0, 200, 2000)), (few, rng.integers(0, 30, 60))], 2000)
    targets = Targets.of({"train": 0.8, "test": 0.2})
    first = assign(targets, 2000, classes=None, groups=np.arange(2000), seed=0)
    again = assign(targets, 2000, classes=None, groups=np.arange(2000), seed=0)
    other = assign(targets, 2000, classes=None, groups=np.arange(2000), seed=1)
    assert (first == again).all()
    assert (first != other).any()
    split = assign(targets, 2000, classes=None, groups=groups, seed=0)
    assert len(set(groups)) > 100
    assert all(len(set(split[groups == group])) == 1 for group in np.unique(groups))


def test_groups_of_two_kinds_are_joined_where_they_touch() -> None:
    scene = np.arange(5), np.array([0, 0, 1, 1, 2])
    patient = np.arange(6), np.array([5, 6, 6, 7, 8, 8])
    groups = merged([scene, patient], 7)
    assert len(set(groups[:4])) == 1
    assert groups[4] == groups[5]
    assert len(set(groups)) == 3
    assert sorted(set(groups)) == [0, 1, 2]


def test_rare_classes_reach_every_split() -> None:
    labels = np.array([0] * 990 + [1] * 10)
    targets = Targets.of({"train": 0.6, "val": 0.2, "test": 0.2})
    split = assign(targets, 1000, classes=classes_of(labels), groups=np.arange(1000), seed=0)
    assert np.bincount(split[labels == 1], minlength=3).tolist() == [6, 2, 2]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train": 1.0}, "at least two splits"),
        ({"train": 0.8, "test": 0.3}, "sum to 1"),
        ({"train": 1.2, "test": -0.2}, "above 0"),
        ({"train": float("nan"), "test": 0.5}, "above 0"),
    ],
)
def test_sizes_that_are_none(sizes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Targets.of(sizes)


def test_a_group_larger_than_a_split_is_refused() -> None:
    groups = np.array([0] * 90 + list(range(1, 11)))
    with pytest.raises(InputError, match="one of 90 samples where the largest split holds 80 of 100"):
        assign(Targets.of({"train": 0.8, "test": 0.2}), 100, classes=None, groups=groups, seed=0)
    with pytest.raises(InputError, match="at least as many groups as splits"):
        assign(Targets.of({"a": 0.5, "b": 0.5}), 5, classes=None, groups=np.zeros(5, dtype=np.int64), seed=0)


def test_time_goes_forward_with_a_gap() -> None:
    times = np.array([5.0, 1, 2, 3, 4, 6, 7, 8, 9, 10, np.nan])
    targets = Targets.of({"train": 0.6, "test": 0.4})
    split = in_order(targets, times, np.arange(11))
    assert [sorted(times[split == at]) for at in range(2)] == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10]]
    assert split[10] == NOWHERE
    # the last of train is at least two seconds before the first of test
    split = in_order(targets, times, np.arange(11), gap=2)
    assert [sorted(times[split == at]) for at in range(2)] == [[1, 2, 3, 4, 5], [7, 8, 9, 10]]
    assert max(times[split == 0]) + 2 <= min(times[split == 1])


def test_ties_and_groups_never_stand_on_both_sides_of_a_cut() -> None:
    times = np.array([1.0, 1, 1, 1, 1, 2, 2, 3, 3, 3])
    split = in_order(Targets.of({"train": 0.5, "test": 0.5}), times, np.arange(10))
    for time in (1, 2, 3):
        assert len(set(split[times == time])) == 1
    groups = np.array([0, 1, 2, 3, 9, 5, 6, 7, 8, 9])
    split = in_order(Targets.of({"train": 0.5, "test": 0.5}), times, groups)
    assert split[4] == split[9] == NOWHERE
    assert (split[[0, 1, 2, 3, 5, 6, 7, 8]] != NOWHERE).all()
    with pytest.raises(InputError, match="none in train"):
        in_order(Targets.of({"train": 0.5, "test": 0.5}), np.ones(10), np.arange(10))


@pytest.mark.parametrize("seed", range(8))
def test_a_repair_moves_as_few_as_any_split_without_a_torn_group(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 9
    groups = merged([(np.arange(n), rng.integers(0, 4, n))], n)
    split = rng.integers(0, 3, n)
    made = repaired(split, 3, groups)
    assert all(len(set(made[groups == group])) == 1 for group in set(groups))
    fewest = min(
        int((np.array(places)[groups] != split).sum())
        for places in itertools.product(range(3), repeat=int(groups.max()) + 1)
    )
    assert int((made != split).sum()) == fewest


def test_a_repair_leaves_what_is_right_and_evens_out_ties() -> None:
    split = np.array([0, 0, 1, 1, 0, 1, NOWHERE])
    groups = np.array([0, 0, 1, 1, 2, 2, 3])
    made = repaired(split, 2, groups)
    assert made[:4].tolist() == [0, 0, 1, 1]
    assert made[6] == NOWHERE
    # two torn pairs: one goes to each side
    made = repaired(np.array([0, 1, 0, 1]), 2, np.array([0, 0, 1, 1]))
    assert sorted(np.bincount(made, minlength=2)) == [2, 2]


def test_how_far_from_the_shares_is_counted_over_every_class() -> None:
    targets = Targets.of({"a": 0.5, "b": 0.5})
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    off, rounding = deviation(np.array([0, 0, 0, 1, 0, 1, 1]), targets, classes_of(labels))
    # of class 0 three of four stand in a; of three samples one side has to get two, half a one too many
    assert off == pytest.approx(0.25)
    assert rounding == pytest.approx(0.5 / 3)
    assert deviation(np.array([0, 1, NOWHERE]), targets, None) == (0.0, 0.0)


def test_what_rounding_costs_is_what_the_best_of_all_whole_numbers_costs() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        n, shares = int(rng.integers(1, 12)), rng.dirichlet(np.ones(3))
        best = min(
            max(abs(a - shares[0] * n), abs(b - shares[1] * n), abs(n - a - b - shares[2] * n))
            for a in range(n + 1)
            for b in range(n + 1 - a)
        )
        targets = Targets(("a", "b", "c"), shares)
        assert deviation(np.zeros(n, dtype=np.int64), targets, None)[1] == pytest.approx(best / n)

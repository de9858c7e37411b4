"""Where a new model got worse: planted slices are named, and none is where nothing changed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from loupe.brain.core.shares import tenths
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.regressions import Units, _first_half, counts_of, find
from loupe.brain.stats.differences import unpaired_p


def made(seed: int, *, n: int = 2000, worse: float = 0.0, everywhere: float = 0.0, pair: bool = False) -> Units:
    """Pairs of which those with f1 = 1 (and f0 = 1) fail more by ``worse``."""
    rng = np.random.default_rng(seed)
    factors = {f"f{at}": rng.integers(0, levels, n) for at, levels in enumerate((2, 3, 4, 6))}
    hit = (factors["f1"] == 1) & ((factors["f0"] == 1) | (not pair))
    draw = rng.random(n)
    old = draw < 0.1
    new = np.where(rng.random(n) < 0.5, draw, rng.random(n)) < 0.1 + everywhere + worse * hit
    columns = {name: Column.of(values.tolist()) for name, values in factors.items()}
    return Units("new", "old", new.astype(float), old.astype(float), None, columns, True)


def unpaired(units: Units) -> Units:
    """The same with pictures that have no partner: each unit is one of the new or one of the old one."""
    is_new = np.random.default_rng(0).random(len(units)) < 0.5
    return dataclasses.replace(
        units,
        failed_new=np.where(is_new, units.failed_new, np.nan),
        failed_old=np.where(is_new, np.nan, units.failed_old),
        paired=False,
    )


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        ({"worse": 0.25}, {"f1": "1"}),
        ({"worse": 0.4, "pair": True}, {"f0": "1", "f1": "1"}),
        ({"everywhere": 0.15}, {}),
    ],
)
def test_a_planted_slice_is_named_once(paired: bool, planted: dict[str, float], expected: dict[str, str]) -> None:
    right = several = 0
    for seed in range(10):
        units = made(seed, **planted)
        confirmed = [each for each in find(units if paired else unpaired(units), seed=seed) if each.confirmed]
        right += bool(confirmed) and dict(confirmed[0].slice.values) == expected
        several += len(confirmed) > 1
    assert right >= 7
    assert several <= 2


@pytest.mark.parametrize("paired", [True, False])
def test_where_nothing_changed_nothing_is_confirmed(paired: bool) -> None:
    wrong = 0
    for seed in range(60):
        units = made(seed, n=1000)
        wrong += any(each.confirmed for each in find(units if paired else unpaired(units), seed=seed))
    assert wrong <= 7  # 5 % of 60 are 3; more than 7 by a chance of 1 %


def test_clusters_stay_together_and_are_no_evidence_of_their_own() -> None:
    # each prompt was drawn 20 times, and all of its pictures share a fate: 20 prompts are no 400 pairs
    wrong = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(40), 20)
        time = Column.of([["day", "night"][at % 2] for at in cluster.tolist()])
        new, old = (rng.random(40)[cluster] < 0.3).astype(float), (rng.random(40)[cluster] < 0.3).astype(float)
        wrong += any(each.confirmed for each in find(Units("n", "o", new, old, cluster, {"time": time}, True)))
    assert wrong <= 5


def test_a_regression_says_what_changed_on_all_of_its_pairs() -> None:
    units = made(3, worse=0.3)
    regression = find(units)[0]
    rows = np.flatnonzero(np.array([value == 1 for value in _values(units.factors["f1"])]))
    own = regression.difference
    assert (own.a, own.b, own.n) == ("new", "old", len(rows))
    assert own.rate_a == pytest.approx(units.failed_new[rows].mean())
    assert own.only_b == ((units.failed_old[rows] == 1) & (units.failed_new[rows] == 0)).sum()
    assert str(regression).startswith(f"new fails more where f1=1: {tenths(own.rate_a)} against {tenths(own.rate_b)}")
    assert regression.q <= 0.05
    assert counts_of(units, rows).only_a == own.only_a


def test_small_slices_no_units_and_no_factors() -> None:
    units = made(1, n=300, worse=0.5)
    assert not any(each.slice.values for each in find(units, min_samples=301))
    assert find(made(1, n=0)) == []
    none = dataclasses.replace(made(1, everywhere=0.2), factors={})
    assert [dict(each.slice.values) for each in find(none)] == [{}]
    same = dataclasses.replace(units, failed_new=units.failed_old)
    assert find(same) == []


def test_a_sample_with_several_values_is_in_several_slices() -> None:
    units = made(2, worse=0.3)
    tags = [["a", "b"] if value == 1 else ["b"] for value in _values(units.factors["f1"])]
    listed = dataclasses.replace(units, factors={"tags": Column.of(tags)})
    assert dict(find(listed)[0].slice.values) == {"tags": "a"}


def _values(column: Column) -> list[object]:
    return [column.values[code] for code in column.codes.tolist()]


def cells(*of: tuple[int, int, int]) -> Units:
    """Pairs of the cells a, b …: for each how many, in how many only the new one failed, and only the old one."""
    new, old, where = [], [], []
    for name, (n, only_new, only_old) in zip("abcdef", of, strict=False):
        new += [1.0] * only_new + [0.0] * (n - only_new)
        old += [0.0] * only_new + [1.0] * only_old + [0.0] * (n - only_new - only_old)
        where += [name] * n
    return Units("new", "old", np.array(new), np.array(old), None, {"cell": Column.of(where)}, True)


def _confirmed(units: Units, seed: int) -> list[dict[str, str]]:
    return [dict(each.slice.values) for each in find(units, seed=seed) if each.confirmed]


def test_a_slice_that_is_hardly_worse_than_the_rest_is_all_and_one_far_worse_is_its_own() -> None:
    # a alone is the surest, but the rest got worse as well, and nearly as much
    alike = cells((800, 136, 40), (1200, 315, 230))
    assert sum(_confirmed(alike, seed)[:1] == [{}] for seed in range(12)) >= 10
    apart = cells((800, 240, 40), (1200, 140, 90))
    assert all(_confirmed(apart, seed)[0] == {"cell": "a"} for seed in range(8))


def test_two_slices_are_both_named() -> None:
    units = cells((400, 100, 10), (400, 90, 10), (2000, 60, 60))
    assert {each.get("cell") for each in _confirmed(units, 0)} >= {"a", "b"}


def test_what_counts_is_the_other_half_one_sided() -> None:
    units = unpaired(made(5, worse=0.3))
    regression = find(units, seed=3)[0]
    second = np.random.default_rng(3).permutation(len(units)) >= len(units) / 2
    rows = np.flatnonzero(second & (np.array(_values(units.factors["f1"])) == 1))
    counts = counts_of(units, rows)
    p = float(unpaired_p(counts.k_a, counts.n_a, counts.k_b, counts.n_b))
    assert regression.p == pytest.approx(p / 2)
    better = dataclasses.replace(units, failed_new=units.failed_old, failed_old=units.failed_new)
    assert not any(each.confirmed for each in find(better, seed=3))


def test_the_pictures_of_a_cluster_are_in_one_half() -> None:
    clusters = np.random.default_rng(0).integers(0, 30, 400)
    first = _first_half(dataclasses.replace(made(0, n=400), clusters=clusters), seed=1)
    assert all(len(set(first[clusters == cluster])) == 1 for cluster in range(30))
    assert len(set(clusters[first])) == 15

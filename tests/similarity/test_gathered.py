"""Vectors as they come: the same as of all at once, and none held twice."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from loupe.brain.similarity import cells, gathered, outliers
from loupe.brain.similarity.gathered import Gathered, scaled
from loupe.brain.similarity.neighbors import nearest, usable


@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_what_comes_bit_by_bit_is_what_comes_at_once(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(gathered, "_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    given = rng.normal(size=(50, 6))
    given[::9] = 0
    given[4, 2] = np.nan
    held, by_place = Gathered(50), Gathered(50)
    for at, vector in enumerate(given):
        held.put(at, vector)
    for at in rng.permutation(50).tolist():
        by_place.put(at, given[at])
    expected = scaled(given.astype(np.float32))
    for made in (held.vectors(), by_place.vectors(), usable(list(given))):
        np.testing.assert_array_equal(made.unit, expected.unit)
        np.testing.assert_array_equal(made.index, expected.index)
        assert made.reasons == expected.reasons


def test_the_most_frequent_size_may_come_later() -> None:
    given = [np.ones(3), np.zeros(3), None, np.ones(5), np.zeros(5), np.full(5, np.nan), np.ones(5), np.ones(2)]
    made = usable(given)
    assert made.index.tolist() == [3, 6]
    assert made.unit.shape == (2, 5)
    assert made.reasons == {
        0: "a vector of 3 numbers, most of the others have 5",
        1: "a vector of 3 numbers, most of the others have 5",
        2: "no vector",
        4: "a vector of zeros",
        5: "a vector with NaN or infinity",
        7: "a vector of 2 numbers, most of the others have 5",
    }


def test_without_scaling_zeros_stay_and_nan_goes() -> None:
    held = Gathered(4, unit=False)
    for at, vector in enumerate([np.zeros(2), np.array([3.0, 4.0]), np.array([np.inf, 0]), None]):
        held.put(at, vector)
    made = held.vectors()
    assert made.unit.tolist() == [[0, 0], [3, 4]]
    assert made.index.tolist() == [0, 1]
    assert made.reasons == {2: "a vector with NaN or infinity", 3: "no vector"}


def test_no_vector_is_held_twice() -> None:
    n, size = 20_000, 128
    rng = np.random.default_rng(0)
    tracemalloc.start()
    held = Gathered(n)
    for at in range(n):
        held.put(at, rng.random(size, np.float32))
    made = held.vectors()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the matrix, the places, and what is scaled at once
    assert peak < made.unit.nbytes + 6 * 4096 * size * 4


def test_far_ones_are_far_from_some_drawn_by_chance_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3_000, 16)).astype(np.float32) * np.linspace(1, 0.2, 16, dtype=np.float32)
    vectors += 3 * np.eye(16, dtype=np.float32)[0]
    vectors[:10] = np.eye(16)[rng.permutation(16)[:10]] * -5 + rng.normal(size=(10, 16)) * 0.1
    unit = scaled(vectors).unit
    exact = outliers.distances(unit, 10)
    np.testing.assert_allclose(exact, np.maximum(1 - nearest(unit, 10)[1], 0))
    assert outliers.message(len(unit)) == ""
    monkeypatch.setattr(cells, "EXACT_UP_TO", 1_000)
    monkeypatch.setattr(outliers, "REFERENCE", 600)
    some = outliers.distances(unit, 10)
    assert some.shape == exact.shape
    assert "drawn by chance" in outliers.message(len(unit))
    assert (some >= exact - 1e-5).all(), "nothing is nearer among fewer"
    drawn = np.sort(np.random.default_rng(0).choice(3_000, 600, replace=False))
    own = unit[drawn] @ unit[drawn].T
    np.fill_diagonal(own, -2)
    np.testing.assert_allclose(some[drawn], 1 - np.sort(own, axis=1)[:, ::-1][:, :10], atol=1e-5)
    ranks = [np.argsort(np.argsort(each.mean(1))) for each in (exact, some)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.9
    farthest = [set(np.argsort(-each.mean(1))[:10].tolist()) for each in (exact, some)]
    assert len(farthest[0] & farthest[1]) >= 8

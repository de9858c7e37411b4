"""Exact neighbors, against scikit-learn, and vectors that cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from loupe.brain.similarity import neighbors


@pytest.fixture
def unit(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """(300, 16), with 20 near copies; tiles of 64, so that there are several."""
    monkeypatch.setattr(neighbors, "_TILE", 64)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 16))
    vectors[280:] = vectors[:20] + 0.01 * rng.normal(size=(20, 16))
    return neighbors.usable(list(vectors)).unit


def test_the_nearest_are_sklearns(unit: np.ndarray) -> None:
    distances, expected = NearestNeighbors(n_neighbors=6, metric="cosine").fit(unit).kneighbors()
    indices, cosines = neighbors.nearest(unit, 6)
    assert (indices == expected).mean() > 0.99
    np.testing.assert_allclose(1 - cosines, distances, atol=1e-5)


def test_the_nearest_of_others(unit: np.ndarray) -> None:
    distances, _ = NearestNeighbors(n_neighbors=3, metric="cosine").fit(unit[50:]).kneighbors(unit[:50])
    _, cosines = neighbors.nearest(unit[:50], 3, unit[50:])
    np.testing.assert_allclose(1 - cosines, distances, atol=1e-5)


def test_of_few_all_others_are_nearest() -> None:
    unit = np.eye(3, dtype=np.float32)
    assert neighbors.nearest(unit, 10)[0].shape == (3, 2)
    assert neighbors.nearest(unit[:1], 10)[0].shape == (1, 0)
    assert neighbors.nearest(unit[:0], 10)[0].shape == (0, 0)


def test_progress_counts_vectors(unit: np.ndarray) -> None:
    done: list[int] = []
    neighbors.pairs_above(unit, 0.6, step=done.append)
    assert done == [64, 128, 192, 256, 300]
    done.clear()
    neighbors.nearest(unit, 3, step=done.append)
    assert done == [*range(16, 300, 16), 300]


@pytest.mark.parametrize("grouped", [False, True])
def test_the_pairs_above_are_all_of_them(unit: np.ndarray, grouped: bool) -> None:
    groups = np.arange(300) % 2 if grouped else None
    cosine = unit @ unit.T
    expected = {
        (a, b)
        for a, b in zip(*np.nonzero(cosine > 0.6), strict=True)
        if a < b and (groups is None or groups[a] != groups[b])
    }
    a, b, value = neighbors.pairs_above(unit, 0.6, groups=groups)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {(int(x), int(y)) for x, y in expected}
    np.testing.assert_allclose(value, cosine[a, b], atol=1e-6)


def test_where_all_are_alike_the_pairs_are_bounded() -> None:
    unit = neighbors.usable([np.ones(8) + 1e-3 * row for row in np.eye(8)] * 25).unit
    a, _, _ = neighbors.pairs_above(unit, 0.9, maximum=4)
    assert 100 < len(a) <= 200 * 200 // 2
    assert len(neighbors.pairs_above(unit, 0.9)[0]) == 200 * 199 // 2


def test_what_cannot_be_compared_has_a_reason_and_the_rest_goes_on() -> None:
    given = [
        np.ones(4),
        None,
        np.array([1, np.nan, 0, 0]),
        np.zeros(4),
        np.ones(7),
        np.array([1, 2, 3, np.inf]),
        -np.ones(4),
    ]
    before = [None if vector is None else vector.copy() for vector in given]
    vectors = neighbors.usable(given)
    assert vectors.index.tolist() == [0, 6]
    np.testing.assert_allclose(np.linalg.norm(vectors.unit, axis=1), 1)
    assert vectors.reasons == {
        1: "no vector",
        2: "a vector with NaN or infinity",
        3: "a vector of zeros",
        4: "a vector of 7 numbers, most of the others have 4",
        5: "a vector with NaN or infinity",
    }
    for vector, other in zip(given, before, strict=True):
        assert vector is None or np.array_equal(vector, other, equal_nan=True)
    assert len(neighbors.usable([]).unit) == 0


def test_those_nearest_to_one_are_those_of_all() -> None:
    unit = np.random.default_rng(3).normal(size=(200, 8)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    indices, cosines = neighbors.nearest(unit[:5], 6, unit)
    for at in range(5):
        own = neighbors.nearest_to(unit[at], unit, 6)
        assert own[0].tolist() == indices[at].tolist()
        assert own[1] == pytest.approx(cosines[at], abs=1e-6)

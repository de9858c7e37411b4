"""k-center greedy against the plain algorithm, and against the best possible on small cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from loupe.brain.selection.centers import k_center
from loupe.brain.selection.distances import squared, to_nearest


def unit(n: int, size: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(n, size)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def plain(vectors: np.ndarray, n: int, start: np.ndarray | None = None) -> tuple[list[int], float]:
    """The algorithm as it is written down, one vector after the other."""
    if start is None:
        order = [int(np.argmax(vectors @ vectors.mean(axis=0)))]
        nearest = squared(vectors, vectors[order])[:, 0]
    else:
        order, nearest = [], squared(vectors, start).min(axis=1)
    while len(order) < n:
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, squared(vectors, vectors[order[-1:]])[:, 0])
    nearest[order] = 0
    return order, float(np.sqrt(nearest.max()))


@pytest.mark.parametrize(("n", "size", "seed"), [(300, 40, 0), (5000, 6, 1), (9000, 32, 2), (6000, 3, 3), (8000, 2, 4)])
def test_it_is_the_plain_algorithm(n: int, size: int, seed: int) -> None:
    vectors = unit(n, size, seed)
    made = k_center(vectors, 150, np.random.default_rng(0))
    order, radius = plain(vectors, 150)
    assert made.order.tolist() == order
    assert made.radius == pytest.approx(radius, abs=1e-4)
    assert made.copies == 0


def test_it_goes_on_from_what_is_chosen_already() -> None:
    vectors, start = unit(4000, 8, 3), unit(50, 8, 4)
    made = k_center(vectors, 60, np.random.default_rng(0), start=start)
    order, radius = plain(vectors, 60, start)
    assert made.order.tolist() == order
    assert made.radius == pytest.approx(radius, abs=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_the_radius_is_at_most_twice_the_best(seed: int) -> None:
    vectors = unit(13, 2 + seed % 3, seed)
    apart = np.sqrt(squared(vectors, vectors))
    for n in (1, 2, 4):
        best = min(apart[:, list(chosen)].min(axis=1).max() for chosen in combinations(range(13), n))
        made = k_center(vectors, n, np.random.default_rng(0))
        assert made.radius == pytest.approx(apart[:, made.order].min(axis=1).max(), abs=1e-3)
        assert made.radius <= 2 * best + 1e-3


def test_copies_come_last_and_are_counted() -> None:
    vectors = unit(5, 4, 0)[np.arange(40) % 5]
    made = k_center(vectors, 12, np.random.default_rng(0))
    assert len({int(each) % 5 for each in made.order[:5]}) == 5
    assert len(set(made.order.tolist())) == 12
    assert made.copies == 7
    assert made.radius == 0
    again = k_center(vectors, 12, np.random.default_rng(0))
    assert again.order.tolist() == made.order.tolist()


def test_all_alike() -> None:
    made = k_center(np.ones((9, 4), np.float32) / 2, 9, np.random.default_rng(0))
    assert sorted(made.order.tolist()) == list(range(9))
    assert made.copies == 8


def test_everything() -> None:
    made = k_center(unit(30, 4, 1), 30, np.random.default_rng(0))
    assert sorted(made.order.tolist()) == list(range(30))
    assert made.radius == 0


def test_the_nearest_of_many_blocks() -> None:
    a, b = unit(3000, 4, 1), unit(9000, 4, 2)
    np.testing.assert_allclose(to_nearest(a, b), np.clip(2 - 2 * (a @ b.T).max(axis=1), 0, 4), atol=1e-5)

"""Pairs looked for in cells, against all pairs; and that it is told when they are not found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from loupe.brain.core.proportions import Proportion
from loupe.brain.similarity import cells, matching, neighbors
from loupe.brain.similarity.cells import Cells, Expected, Nearest, Thoroughness


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 are very many."""
    monkeypatch.setattr(cells, "EXACT_UP_TO", 200)
    monkeypatch.setattr(cells, "CONTROLS", 300)


def unit(n: int, seed: int = 0, size: int = 24) -> np.ndarray:
    """(n, size): the last tenth are near copies of the first."""
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(n, size)).astype(np.float32)
    made[-n // 10 :] = made[: n // 10] + 0.15 * rng.normal(size=(n // 10, size))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def looked_for(vectors: np.ndarray, keep: int, minimum: float, probes: int, **given: object) -> Nearest:
    nearest = Nearest(len(vectors), keep, minimum)
    cells.search(Cells.of(vectors), [vectors], nearest, probes=probes, **given)  # type: ignore[arg-type]
    return nearest


def test_in_all_cells_the_nearest_are_those_of_brute_force() -> None:
    vectors = unit(600)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    expected = np.sort(np.where(cosines > 0.3, cosines, -2), axis=1)[:, ::-1][:, :5]
    nearest = looked_for(vectors, 5, 0.3, probes=600)
    np.testing.assert_allclose(nearest.cosines, expected, atol=1e-5)
    row, other, cosine = nearest.pairs()
    np.testing.assert_allclose(cosine, cosines[row, other], atol=1e-5)
    assert len(set(zip(row.tolist(), other.tolist(), strict=True))) == len(row), "none stands there twice"


def test_the_members_of_the_cells_are_all_vectors_once() -> None:
    vectors = unit(500)
    placed = Cells.of(vectors)
    assert sorted(placed.members.tolist()) == list(range(500))
    assert (placed.starts[0], placed.starts[-1]) == (0, 500)
    np.testing.assert_array_equal(placed.vectors, vectors[placed.members])
    nearest = (placed.vectors @ placed.centers.T).argmax(1)
    np.testing.assert_array_equal(np.repeat(np.arange(len(placed)), np.diff(placed.starts)), nearest)


def test_the_highest_of_several_views_counts_once() -> None:
    vectors = unit(300)
    other = np.roll(vectors, 1, axis=1)
    both = np.maximum(vectors @ vectors.T, other @ vectors.T)
    np.fill_diagonal(both, -2)
    nearest = Nearest(300, 4, 0.1)
    placed = Cells.of(vectors)
    cells.search(placed, [vectors, other], nearest, probes=300)
    cells.search(placed, [other], nearest, probes=300)
    np.testing.assert_allclose(nearest.cosines, np.sort(both, axis=1)[:, ::-1][:, :4], atol=1e-5)


def test_chosen_ones_look_for_others_of_another_group() -> None:
    vectors, chosen, groups = unit(300), np.arange(0, 300, 7), np.arange(300) % 2
    nearest = Nearest(300, 3, 0.2)
    cells.search(Cells.of(vectors), [vectors[chosen]], nearest, probes=300, chosen=chosen, groups=groups)
    row, other, _ = nearest.pairs()
    assert set(row.tolist()) <= set(chosen.tolist())
    assert (groups[row] != groups[other]).all()
    cosines = vectors[chosen] @ vectors.T
    cosines[groups[chosen][:, None] == groups] = -2
    np.testing.assert_allclose(
        nearest.cosines[chosen, 0], np.where(cosines.max(1) > 0.2, cosines.max(1), -2), atol=1e-5
    )


@pytest.mark.parametrize("rows", [1, 7])
def test_a_cell_of_all_is_compared_in_pieces(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(cells, "_ROWS", rows)
    monkeypatch.setattr(cells, "_TILE", 50)
    vectors = np.repeat(unit(20), 5, 0)  # five copies of each
    nearest = looked_for(vectors, 4, 0.9, probes=3)
    assert (nearest.indices >= 0).all()
    assert (nearest.indices // 5 == np.arange(100)[:, None] // 5).all()


def test_vectors_of_zeros_are_near_to_nothing() -> None:
    vectors = unit(100)
    vectors[10:30] = 0
    nearest = looked_for(vectors, 3, 0.5, probes=100)
    assert (nearest.indices[10:30] == -1).all()


def test_few_pairs_are_all_pairs_and_of_many_nearly_all(many: None) -> None:
    for n in (200, 2000):
        vectors = unit(n)
        a, b, how = neighbors.near_pairs(vectors, 0.9, 8)
        assert (a < b).all()
        expected = set(zip(*neighbors.pairs_above(vectors, 0.9)[:2], strict=True))
        got = set(zip(a.tolist(), b.tolist(), strict=True))
        assert got <= expected
        assert len(got) >= 0.97 * len(expected)
        assert (how.recall is None) == (n == 200)


def test_more_cells_are_looked_into_until_enough_is_found(monkeypatch: pytest.MonkeyPatch, many: None) -> None:
    monkeypatch.setattr(neighbors, "_PROBES", 1)
    vectors = unit(2000, size=60)
    a, _, how = neighbors.near_pairs(vectors, 0.8, 8)
    assert how.probes > 1
    assert how.recall is not None
    assert how.recall.rate >= cells.WANTED
    monkeypatch.setattr(cells, "MAX_PROBES", 1)
    fewer, _, how = neighbors.near_pairs(vectors, 0.8, 8)
    assert len(fewer) < len(a)
    assert how.recall is not None
    assert how.recall.rate < cells.WANTED, "what is missed is told"
    assert str(how.recall) in how.message(2000, "vectors")


def test_what_was_found_is_counted_by_hand() -> None:
    nearest = Nearest(6, 2, 0.5)
    nearest.indices[:] = [[1, -1], [-1, -1], [-1, -1], [4, 5], [-1, -1], [-1, -1]]
    nearest.cosines[3] = [0.99, 0.98]
    controls = np.array([0, 1, 2, 3])
    expected = Expected(np.array([0, 1, 2, 3, 3]), np.array([1, 0, 4, 1, 2]), np.array([0.9, 0.9, 0.9, 0.97, 0.985]))
    # its own; the other one's; missed; two nearer ones are held; nearer than what is held
    recall = cells.found_of(expected, nearest, controls)
    assert (recall.k, recall.n) == (3, 5)


def test_a_set_without_a_like_pair_says_that_it_is_not_known(many: None) -> None:
    vectors = np.eye(300, dtype=np.float32)
    a, _, how = neighbors.near_pairs(vectors, 0.5, 8)
    assert not len(a)
    assert "is not known" in how.message(300, "pictures")
    assert Thoroughness().message(300, "pictures") == ""
    assert "it found" in Thoroughness(8, Proportion.of(99, 100)).message(300, "pictures")


def pictures(n: int, copies: int) -> np.ndarray:
    """(n, 64, 64) uint8; the last ones are the first, flipped, with a logo, or cropped."""
    rng = np.random.default_rng(0)
    made = np.stack(
        [
            sum(weight * cv2.resize(rng.normal(size=(side, side)), (64, 64), interpolation=cv2.INTER_CUBIC)
                for side, weight in ((4, 40), (9, 25), (20, 12)))
            for _ in range(n)
        ]
    )  # fmt: skip
    made = np.clip(made + 128, 0, 255).astype(np.uint8)
    for index in range(copies):
        copy = made[index].copy()
        if index % 3 == 0:
            copy = copy[:, ::-1]
        elif index % 3 == 1:
            copy[46:62, 2:18] = 240
        else:
            copy = cv2.resize(copy[4:, 4:], (64, 64), interpolation=cv2.INTER_AREA)
        made[n - copies + index] = copy
    return made


def test_candidates_in_cells_are_those_of_all_pairs(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    luma = pictures(500, 60)
    in_cells, how = matching.searched(luma, minimum=0.6)
    monkeypatch.setattr(cells, "EXACT_UP_TO", 500)
    of_all, all_with_all = matching.searched(luma, minimum=0.6)
    assert all_with_all == Thoroughness()
    assert how.recall is not None
    assert how.recall.n > 20
    expected, got = ({tuple(row) for row in _rows(pairs)} for pairs in (of_all, in_cells))
    assert len(got & expected) >= 0.95 * len(expected)
    copies = {(index, 440 + index) for index in range(60)}
    assert len(copies & {(a, b) for a, b, _, _ in got}) >= 0.97 * len(copies & {(a, b) for a, b, _, _ in expected})


def _rows(pairs: matching.Candidates) -> list[list[int]]:
    return [[min(a, b), max(a, b), turn, window] for a, b, turn, window in np.stack(
        [pairs.a, pairs.b, pairs.turn, pairs.window], 1).tolist()]  # fmt: skip


def test_what_is_left_out_takes_no_place_in_cells(many: None) -> None:
    luma = np.repeat(pictures(60, 0), 5, 0)  # five copies of each: with one kept, the left-out copy takes no place
    first = np.arange(0, 300, 5)
    without = (np.concatenate([first, first]), np.concatenate([first + 1, first + 2]))
    pairs, how = matching.searched(luma, per_image=2, minimum=0.9, without=without)
    assert how.recall is not None
    got = set(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))
    assert not got & set(zip(*(each.tolist() for each in without), strict=True))
    assert {a for a, _ in got} >= set(first.tolist())


def test_a_few_new_ones_among_many_are_compared_with_all(many: None) -> None:
    luma = pictures(300, 30)
    _, how = matching.searched(luma, chosen=np.arange(270, 300))
    assert how == Thoroughness()


def test_progress_ends_with_all(many: None) -> None:
    done: list[int] = []
    matching.searched(pictures(260, 20), step=done.append)
    assert done[-1] == 260
    assert done == sorted(done)

"""Which pairs are looked at closely, how often, and what becomes of their similarity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scenes import scene

from loupe.brain.similarity import matching, previews, verification
from loupe.brain.similarity.matching import Candidates
from loupe.brain.similarity.previews import Previews, of_file, preview
from loupe.brain.similarity.thumbnail_similarity import Thumbnails, thumbnails


def thumbs(*pictures: np.ndarray) -> Thumbnails:
    made = [thumbnails(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())) for picture in pictures]
    return Thumbnails.join(made)


def numbered(digit: int) -> np.ndarray:
    """A scene, with a small spot that a thumbnail does not show."""
    picture = scene(0, 400, 500)
    y, x = 120 + 30 * digit, 140 + 40 * digit
    picture[y : y + 12, x : x + 12] = 255 - picture[y : y + 12, x : x + 12]
    return picture


def test_a_pair_is_lowered_where_something_small_differs_and_kept_where_nothing_does() -> None:
    pictures = [numbered(0), numbered(0)[:, ::-1], numbered(3)]
    made = thumbs(*pictures)
    pairs, _ = matching.searched(made.luma)
    before = matching.similarities(made, pairs)
    after = verification.verified(made, pairs, before, lambda place: preview(pictures[place]), workers=2)
    of = {tuple(sorted(pair)): value for *pair, value in zip(pairs.a.tolist(), pairs.b.tolist(), after, strict=True)}
    assert before.min() > 0.9, "on thumbnails they are all alike"
    assert of[0, 1] == before.max() or of[0, 1] > 0.9
    assert of[0, 2] <= 0.5
    assert of[1, 2] <= 0.5


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The pairs that were looked at; those of an even and an odd place are different pictures."""
    seen: list[tuple[int, int]] = []

    def apart(_: Thumbnails, a: int, b: int, *__: object) -> float:
        seen.append((a, b))
        return 0.25 * ((a + b) % 2)

    monkeypatch.setattr(verification, "_apart", apart)
    monkeypatch.setattr(verification, "_AT_ONCE", 2)
    return seen


def all_pairs(n: int) -> Candidates:
    a, b = np.triu_indices(n, 1)
    return Candidates(a, b, np.zeros_like(a), np.zeros_like(a))


def empty(n: int) -> Thumbnails:
    return Thumbnails(np.zeros((n, 64, 64), np.uint8), np.zeros((n, 2, 16, 16), np.int8))


def test_copies_of_one_picture_are_looked_at_about_once_each(looked: list[tuple[int, int]]) -> None:
    pairs = all_pairs(16)
    similar = np.full(len(pairs), 0.9, np.float32)
    done: list[tuple[int, int]] = []
    after = verification.verified(
        empty(16), pairs, similar, lambda _: np.zeros((300, 300, 3), np.uint8), step=lambda *n: done.append(n)
    )
    other = (pairs.a + pairs.b) % 2 == 1
    np.testing.assert_allclose(after[other], 0.5 * 0.75)
    np.testing.assert_allclose(after[~other], 0.9)
    same = [pair for pair in looked if sum(pair) % 2 == 0]
    assert len(same) <= 16
    assert done[-1] == (120, 120)


def test_a_small_picture_proves_nothing_of_two_others(looked: list[tuple[int, int]]) -> None:
    pairs = all_pairs(5)
    similar = np.full(len(pairs), 0.9, np.float32)
    verification.verified(empty(5), pairs, similar, lambda _: np.zeros((90, 90, 3), np.uint8))
    assert sorted(looked) == [(a, b) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)]


def test_a_pair_with_two_candidates_is_looked_at_once_and_lowered_in_both(looked: list[tuple[int, int]]) -> None:
    a, b = np.array([0, 1, 0]), np.array([1, 0, 2])
    pairs = Candidates(a, b, np.array([0, 3, 0]), np.array([0, 0, 0]))
    after = verification.verified(empty(3), pairs, np.array([0.65, 0.9, 0.6], np.float32), lambda _: None)
    assert looked == [(1, 0)], "in the way in which they are most alike"
    np.testing.assert_allclose(after, [0.375, 0.375, 0.6])


def test_pairs_that_are_not_alike_are_not_looked_at(looked: list[tuple[int, int]]) -> None:
    pairs = all_pairs(3)
    similar = np.array([0.7, 0.71, 0.2], np.float32)
    verification.verified(empty(3), pairs, similar, lambda _: None)
    assert looked == [(0, 2)]


def test_a_file_that_has_gone_leaves_the_similarity_as_it_is(tmp_path: Path) -> None:
    pictures = [numbered(0), numbered(3)]
    made = thumbs(*pictures)
    pairs, _ = matching.searched(made.luma)
    before = matching.similarities(made, pairs)
    np.testing.assert_array_equal(
        verification.verified(made, pairs, before, lambda _: of_file(str(tmp_path / "gone.png"))), before
    )


def test_a_preview_has_no_side_above_512_and_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(scene(0, 700, 300)).save(tmp_path / "a.png")
    seen = of_file(str(tmp_path / "a.png"))
    assert seen is not None
    assert seen.shape == (512, 300, 3)
    assert np.abs(seen.mean((0, 1)) - scene(0, 700, 300).mean((0, 1))).max() < 1

    asked: list[int] = []
    monkeypatch.setattr(previews, "_HELD", 2)
    held = Previews(lambda index: asked.append(index))
    for index in (0, 1, 0, 2, 0, 1):
        assert held[index] is None
    assert asked == [0, 1, 2, 1], "the one that was not asked for the longest goes"

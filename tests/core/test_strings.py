"""How far one text is from another: against a table, and by the laws of a distance."""

from __future__ import annotations

import itertools

import pytest

from loupe.brain.core.strings import comparable, distance, similarity


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("flaw", "lawn", 2), ("COFFEE", "COFFEEE", 1), ("ab", "ba", 2)],
)
def test_distances_that_nobody_doubts(first: str, second: str, edits: int) -> None:
    assert distance(first, second) == distance(second, first) == edits


def test_the_way_around_is_never_shorter() -> None:
    words = ["sign", "sing", "sigh", "", "signs", "design"]
    for a, b, c in itertools.product(words, repeat=3):
        assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_similarity_is_a_share_of_the_longer_text() -> None:
    assert similarity("", "") == 1
    assert similarity("", "ab") == 0
    assert similarity("abcd", "abce") == 0.75


def test_what_is_compared_of_a_text() -> None:
    assert comparable("Crème Brûlée — 50 %!") == "cremebrulee50%"

"""Words and characters against the wanted ones."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest

from loupe.brain.core.strings import comparable, distance, similarity
from loupe.brain.measures.text.alignment import align, resegment


def _reference(a: str, b: str) -> int:
    """Levenshtein by its definition, independent of the tabled one."""

    @cache
    def minimum(i: int, j: int) -> int:
        if not i or not j:
            return i or j
        return min(minimum(i - 1, j) + 1, minimum(i, j - 1) + 1, minimum(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return minimum(len(a), len(b))


def test_distance_is_levenshtein() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        a, b = ("".join(rng.choice(list("abc"), rng.integers(0, 9))) for _ in range(2))
        assert distance(a, b) == _reference(a, b)


def test_edits_add_up_to_the_distance() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        a, b = ("".join(rng.choice(list("abc"), rng.integers(4, 9))) for _ in range(2))
        alignment = align([a], [b])
        if alignment.pairs:
            assert sum(edit.size for edit in alignment.edits) == _reference(a, b)
            assert alignment.cer == pytest.approx(_reference(a, b) / len(a))
            assert alignment.ned == pytest.approx(similarity(a, b))


@pytest.mark.parametrize(
    ("wanted", "read", "edits"),
    [
        ("COFFEE", "COFFEE", []),
        ("COFFEE", "COFFEEE", [("duplication", "", "E")]),
        ("COFFEE", "COFFFEE", [("duplication", "", "F")]),
        ("COFFEE", "COFFEEEE", [("duplication", "", "EE")]),
        ("COFFEE", "CCOFFEE", [("duplication", "", "C")]),
        ("COFFEE", "COFEE", [("omission", "F", "")]),
        ("COFFEE", "COFEF", [("substitution", "F", "E"), ("omission", "E", "")]),
        ("COFFEE", "TOFFEE", [("substitution", "C", "T")]),
        ("COFFEE", "COFFREE", [("unrequested", "", "R")]),
        ("COFFEE", "KOFFI", [("substitution", "C", "K"), ("substitution", "E", "I"), ("omission", "E", "")]),
        ("BANANA", "BANANANA", [("duplication", "", "AN")]),
        ("427", "4277", [("duplication", "", "7")]),
        ("427", "42427", [("duplication", "", "42")]),
        ("427", "437", [("substitution", "2", "3")]),
        ("427", "27", [("omission", "4", "")]),
        ("427", "983", [("substitution", "427", "983")]),
        ("4", "7", [("substitution", "4", "7")]),
        ("11", "111", [("duplication", "", "1")]),
    ],
)
def test_one_word(wanted: str, read: str, edits: list[tuple[str, str, str]]) -> None:
    differences = [(edit.kind, edit.wanted, edit.read) for edit in align([wanted], [read]).edits]
    if wanted == "COFFEE" and read in ("COFEF", "KOFFI"):  # several shortest paths: the kinds' sizes are what counts
        assert sum(max(len(a), len(b)) for _, a, b in differences) == _reference(wanted, read)
    else:
        assert differences == edits


def test_a_repeated_word() -> None:
    alignment = align(["OPEN", "DAILY"], ["OPEN", "OPEN", "DAILY"])
    assert [(edit.kind, edit.read, edit.wanted_word) for edit in alignment.edits] == [("duplication", "OPEN", None)]
    assert alignment.word_accuracy == pytest.approx(2 / 3)
    assert alignment.cer == pytest.approx(4 / 9)


def test_a_wanted_repetition_is_none() -> None:
    assert align(["NEW", "YORK", "NEW"], ["NEW", "NEW", "YORK"]).edits == ()


def test_swapped_words_are_paired() -> None:
    alignment = align(["SALE", "SUMMER"], ["SUMMER", "SALE"])
    assert alignment.edits == ()
    assert alignment.pairs == ((0, 1), (1, 0))


def test_a_missing_and_a_surplus_word() -> None:
    alignment = align(["WELCOME", "HOME"], ["HOME", "xyzzyq"])
    assert [(edit.kind, edit.wanted, edit.read) for edit in alignment.edits] == [
        ("omission", "WELCOME", ""),
        ("unrequested", "", "xyzzyq"),
    ]
    assert (alignment.count("omission"), alignment.count("unrequested"), alignment.count("substitution")) == (7, 6, 0)
    assert alignment.cer == pytest.approx(7 / 11)
    assert alignment.word_accuracy == 0.5


def test_the_assignment_is_the_best_one() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        wanted = ["".join(rng.choice(list("abcdef"), 6)) for _ in range(4)]
        read = []
        for word in rng.permutation(wanted):
            at = int(rng.integers(6))
            read.append(word[:at] + str(rng.choice(list("abcdef"))) + word[at + 1 :])
        smallest = min(
            sum(1 - similarity(a, b) for a, b in zip(wanted, order, strict=True))
            for order in itertools.permutations(read)
        )
        alignment = align(wanted, read)
        assert len(alignment.pairs) == 4
        got = sum(1 - similarity(wanted[i], read[j]) for i, j in alignment.pairs)
        assert got == pytest.approx(smallest, abs=0.01)


def test_nothing_wanted_or_nothing_read() -> None:
    nothing = align([], [])
    assert nothing.edits == ()
    assert math.isnan(nothing.cer)
    assert math.isnan(align([], ["HI"]).ned)
    assert align([], ["HI"]).count("unrequested") == 2
    blank = align(["HI"], [])
    assert (blank.cer, blank.ned, blank.word_accuracy, blank.count("omission")) == (1.0, 0.0, 0.0, 2)
    assert nothing.to_dict()["cer"] is None


def test_comparable() -> None:
    assert comparable("Mama's CAFÉ, 50%!") == "mamascafe50%"
    assert comparable("Straße") == comparable("STRASSE")
    assert comparable("ＡＢＣ１２") == "abc12"
    assert comparable("「営業中」") == "営業中"
    assert comparable("—…!") == ""


@pytest.mark.parametrize(
    ("read", "wanted", "pieces"),
    [
        ("COFFEESHOP", "COFFEE SHOP", "COFFEE SHOP"),
        ("C OFF EE SHOP", "COFFEE SHOP", "COFFEE SHOP"),
        ("KEEPOFFTHEGRAS", "KEEP OFF THE GRASS", "KEEP OFF THE GRAS"),
        ("COFFEE SHOP", "COFFEESHOP", "COFFEESHOP"),
        ("SOMETHING ELSE", "COFFEE SHOP", "SOMETHING ELSE"),
        ("", "COFFEE", ""),
    ],
)
def test_spaces_carry_no_evidence(read: str, wanted: str, pieces: str) -> None:
    assert resegment(read.split(), wanted.split()) == pieces.split()


@pytest.mark.timeout(60)  # it takes a second; with every word against every other one it takes an hour
def test_many_words_take_seconds_at_most() -> None:
    wanted = [f"w{n}" for n in range(1500)]
    alignment = align(wanted, wanted[::7])
    assert alignment.count("omission") == sum(map(len, wanted)) - sum(map(len, wanted[::7]))


@pytest.mark.parametrize(
    ("wanted", "read", "unsure", "sure", "open_"),
    [
        ("cafe", "caf", {3}, [], [("omission", "e", "")]),
        ("cafe", "cave", {3}, [("substitution", "f", "v")], []),
        ("coffee", "coffe", {0}, [("omission", "e", "")], []),
        ("strasse", "strabe", {4, 5}, [], [("omission", "s", ""), ("substitution", "s", "b")]),
        ("æther", "aether", {0}, [], [("unrequested", "", "a"), ("substitution", "æ", "e")]),
        ("cafœ", "cafœe", {3}, [], [("unrequested", "", "e")]),
        ("cafebar", "cafbor", {3}, [("substitution", "a", "o")], [("omission", "e", "")]),
        ("cafe", "open", {3}, [("substitution", "ca", "op")], [("substitution", "fe", "en")]),
        ("cafe", "cafe", {3}, [], []),
    ],
)
def test_differences_at_unsure_letters_are_open(
    wanted: str, read: str, unsure: set[int], sure: list[tuple[str, ...]], open_: list[tuple[str, ...]]
) -> None:
    alignment = align([wanted, "sign"], [read, "sign"], [unsure, set()])
    assert [(edit.kind, edit.wanted, edit.read) for edit in alignment.edits] == sure
    assert [(edit.kind, edit.wanted, edit.read) for edit in alignment.open] == open_
    assert align([wanted], [read], [()]) == align([wanted], [read])
    assert align([wanted], [read]).open == ()

"""What is not charged to the picture: letters that the recognizer is not sure of, and names in the prompt."""

from __future__ import annotations

import pytest

from loupe.brain.core.strings import comparable
from loupe.brain.measures.text.alignment import align
from loupe.brain.measures.text.excused import excused, unsure_letters
from loupe.brain.measures.text.line_hypotheses import Line, Reading
from loupe.brain.perception.ocr.regions import Region

KNOWN = frozenset("".join(map(chr, range(0x20, 0x250))) + "営業中がαΣ")


def reading(wanted: list[str], *lines: str, doubts: dict[str, str] | None = None) -> Reading:
    import numpy as np

    region = Region(np.zeros((4, 2), np.float32), 0.9)
    made = tuple(Line(region, tuple(map(comparable, line.split())), line, 0.9) for line in lines)
    words = [word for line in made for word in line.words]
    return Reading(made, align([comparable(word) for word in wanted], words), doubts or {})


def judged(wanted: str, *lines: str, names: tuple[str, ...] = ()) -> Reading:
    words = wanted.split()
    unsure = [unsure_letters(word, KNOWN) for word in words]
    return excused(reading(words, *lines), [comparable(word) for word in words], unsure, names)


@pytest.mark.parametrize(
    ("word", "places"),
    [
        ("OPEN", {}),
        ("50%", {}),
        ("営業中が", {}),
        ("\uff2f\uff30", {}),
        ("CAF\u00c9", {3: "\u00c9"}),
        ("CAFE\u0301", {3: "\u00c9"}),
        ("STRA\u00dfE", {4: "\u00df", 5: "\u00df"}),
        ("\u0110\u00e0", {0: "\u0110", 1: "\u00e0"}),
        ("N\u1eb5ng", {1: "\u1eb5"}),
        ("m\u00b2", {1: "\u00b2"}),
        ("d'\u00c9t\u00e9!", {1: "\u00c9", 3: "\u00e9"}),
        ("m\u0302a", {0: "m\u0302"}),
        ("\u03b1\u03ac", {1: "\u03ac"}),
        ("\u0130", {0: "\u0130"}),
    ],
)
def test_unsure_letters(word: str, places: dict[int, str]) -> None:
    assert unsure_letters(word, KNOWN) == places
    assert all(0 <= place < len(comparable(word)) for place in places)


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        ("CAF\u00c9", "CAF"),
        ("Stra\u00dfe", "StraBe"),
        ("Stra\u00dfe", "Strae"),
        ("\u00c6thelred", "AEthelred"),
        ("\u0141\u00d3D\u0179", "D"),
        ("\u0110\u00e0 N\u1eb5ng", "Nng"),
        ("\u0152uvre", "CEuvre"),
        ("\u00dc", "x"),
    ],
)
def test_what_depends_on_an_unsure_letter_is_unknown_and_no_edit(wanted: str, read: str) -> None:
    result = judged(wanted, read)
    assert [edit for edit in result.alignment.edits if edit.kind != "unrequested"] == []
    assert result.alignment.open
    assert {edit.kind for edit in result.alignment.open} <= set(result.doubts)
    assert next(iter(result.doubts.values())).startswith("the recognizer is not sure of the letters ")


def test_the_pieces_of_a_word_whose_letter_was_lost_are_no_text_of_their_own() -> None:
    result = judged("CR\u00c8ME", "CR", "ME")
    assert result.alignment.edits == ()
    assert {edit.kind for edit in result.alignment.open} == {"omission", "unrequested"}
    assert judged("CR\u00c8ME", "CR", "ME", "HOTEL").alignment.count("unrequested") == 5


def test_other_differences_stand() -> None:
    result = judged("CAF\u00c9 SHOP", "CAF CHOP")
    assert [(edit.kind, edit.wanted) for edit in result.alignment.edits] == [("substitution", "s")]
    assert set(result.doubts) == {"omission", "letters"}
    assert set(judged("CAF\u00c9 SHOP", "CAFX CHOP").doubts) == {"letters"}
    assert judged("CAF\u00c9 SHOP", "CAF\u00c9").alignment.count("omission") == 4
    assert judged("CAF\u00c9", "CAF\u00c9").doubts == {}
    assert judged("CAF\u00c9", "CAFE").doubts == {}
    assert judged("OPEN", "OPIN").alignment.count("substitution") == 1


def test_a_text_of_unsure_letters_is_missing_where_nothing_is_written() -> None:
    assert judged("\u00dc\u00d6").alignment.count("omission") == 2
    assert judged("CAF\u00c9").alignment.count("omission") == 4
    assert judged("CAF\u00c9", "HOTEL").alignment.count("omission") + judged("CAF\u00c9", "HOTEL").alignment.count(
        "substitution"
    )


def test_names_may_be_written_and_need_not_be() -> None:
    names = ("Coca-Cola", "Harry", "Potter")
    for line in ("COCA-COLA", "Coca Cola", "harry potter", "HARRYPOTTER"):
        assert judged("", line, names=names).alignment.edits == ()
        assert judged("", line, names=names).doubts == {}
        assert judged("", line).alignment.count("unrequested") > 0
    assert judged("", "HOTEL", names=names).alignment.count("unrequested") == 5
    assert judged("OPEN", "OPEN", names=names).alignment.edits == ()
    misspelled = judged("", "Coca-Cula HOTEL", names=names)
    assert misspelled.alignment.count("unrequested") == 5
    only = judged("OPEN", "OPEN", "Coca-Cula", names=names)
    assert only.alignment.count("unrequested") == 0
    assert only.doubts == {"unrequested": "'cocacula' may be 'cocacola', which the prompt names"}

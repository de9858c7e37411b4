"""Texts that are not ours are letters, wherever they are shown: each reader is asked what it makes of them."""

from __future__ import annotations

import pytest

from benchmarks.fuzz import letters
from benchmarks.fuzz.drawn import TAGS
from benchmarks.fuzz.owned import PARTS
from loupe.brain.core import shown
from loupe.brain.core.errors import InputError
from loupe.brain.core.tables import Table

NAMES = letters.Names()
HOSTILE = [NAMES.add(*each) for each in PARTS]


@pytest.mark.parametrize("text", HOSTILE)
def test_each_reader_sees_the_name_and_nothing_else(text: str) -> None:
    assert letters.markdown(shown.markdown(text), NAMES) == ""
    assert letters.markdown(f"**{shown.markdown(text)}**", NAMES) == ""
    assert letters.markdown(shown.label(f"{text} of the samples"), NAMES) == ""
    assert letters.markdown(shown.prose(f"got {text}: run `loupe worker`"), NAMES) == ""
    assert letters.html(f"<p title='{shown.html(text)}'>{shown.html(text)}</p>", NAMES, TAGS) == ""
    assert letters.html(f"<b>{shown.plotly(text)}</b>", NAMES) == ""
    assert letters.unprintable(shown.plain(text)) == ""
    assert shown.plain(text).encode()
    assert str(shown.cell(text)).strip() == text.strip()
    assert not str(shown.cell(text)).startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reader_that_gets_it_raw_is_noticed_unless_it_is_letters_anyway(text: str) -> None:
    """So the test above can fail."""
    noticed = letters.markdown(text, NAMES) or letters.html(text, NAMES, TAGS) or letters.unprintable(text)
    assert noticed or text.startswith(("=", "@", "$", "# ", "1. ")) or "long" in text or "🦊" in text


def test_errors_and_tables_can_be_printed() -> None:
    for text in HOSTILE:
        assert letters.unprintable(str(InputError(f"expected a name, got {text}"))) == ""
        made = Table.of(text, (text, "n"), [(text, 1)], text)
        assert letters.unprintable(made.text()) == ""
        assert letters.html(made.html(), NAMES, TAGS) == ""
    assert len(Table.of("", ("a",), [("x" * 10**6,)]).text()) < 10_000


def test_what_helps_to_write_a_language_stays() -> None:
    text = "می\u200cخواهم 👩\u200d👩\u200d👧 日本語\u3000é"
    assert shown.plain(text) == text


def test_commands_between_backticks_are_code_and_nothing_else_is() -> None:
    assert shown.prose("run `loupe weights get all`.") == "run `loupe weights get all`."
    assert shown.prose("`rm -rf x`") == "\\`rm \\-rf x\\`"
    assert shown.label("Samples (all) of ground_truth - 3") == "Samples (all) of ground_truth - 3"

"""What triage panels share: the queue goes on, comes round, and knows what is gone."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def triage(database: str) -> Any:
    """The module, imported once FiftyOne's database is known."""
    from loupe.panels import triage as module

    return module


def test_a_queue_goes_on_to_the_next_open_item_and_comes_round(triage: Any) -> None:
    line = triage.Line(["a", "b", "c", "d"])
    assert line.in_front(None, look=False) == "a"
    line.done |= {"a", "c"}
    assert line.in_front("b", look=False) == "b"
    line.done.add("b")
    assert line.in_front("b", look=False) == "d"
    line.done = {"c", "d"}
    assert line.in_front("d", look=False) == "a"
    line.done = set(line.items)
    assert line.in_front("b", look=False) is None


def test_a_decided_item_stays_in_front_while_it_is_looked_at(triage: Any) -> None:
    line = triage.Line(["a", "b"], done={"a"})
    assert line.in_front("a", look=True) == "a"
    line.gone.add("a")
    assert line.in_front("a", look=True) == "b"
    assert line.in_front("nobody", look=True) == "b"
    assert line.in_front(3, look=True) == "b"


def test_back_and_forth_leave_out_what_is_gone(triage: Any) -> None:
    line = triage.Line(["a", "b", "c"], gone={"b"})
    assert (line.beside("a", 1), line.beside("c", -1)) == ("c", "a")
    assert (line.beside("a", -1), line.beside("c", 1), line.beside("nobody", 1)) == (None, None, None)


@pytest.mark.parametrize(("item", "shown"), [("a", "abcd"), ("c", "bcde"), ("f", "cdef")])
def test_the_strip_is_as_long_as_there_are_items(triage: Any, item: str, shown: str) -> None:
    assert "".join(triage.Line(list("abcdef")).around(item, 1, 2)) == shown
    assert triage.Line(["a"]).around("a", 1, 2) == ["a"]


@pytest.mark.parametrize("undo", [None, 3, "abc", ["a"], [[1, None, {}]], [["a", 3, {}]], [["a", None, None]], [None]])
def test_what_the_app_sends_as_undo_is_untrusted(triage: Any, undo: Any) -> None:
    assert triage._undone(undo) == []


def test_marks_are_drawn_as_text_is_never_markup() -> None:
    import xml.etree.ElementTree
    from urllib.parse import unquote

    from loupe.panels import triage_layout

    address = triage_layout.overlay((400, 200), [("<script>&\"'", (0.5, 0.5, 0.25, 0.5))])
    assert address.startswith("data:image/svg+xml,")
    svg = unquote(address.partition(",")[2])
    assert "<script>" not in svg
    assert 'viewBox="0 0 1000.0 500.0"' in svg
    assert 'x="500.0" y="250.0" width="250.0" height="250.0"' in svg
    assert xml.etree.ElementTree.fromstring(svg) is not None

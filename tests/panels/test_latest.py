"""What the server knows of an open panel, whatever order its events come in."""

from __future__ import annotations

from typing import Any

import pytest

from loupe.panels import latest
from loupe.panels.latest import OpenPanel, Overtaken, Shown


def _draw(panel: OpenPanel, content: Any, **decided: Any) -> Shown:
    with panel.drawing("samples", "view") as drawing:
        return drawing.end(Shown(content=content, of="samples", view="view"), decided)


def test_what_was_overtaken_is_not_drawn() -> None:
    panel = OpenPanel()
    with panel.drawing("samples", "view") as first, panel.drawing("samples", "view") as second:
        second.end(Shown(content="second"), {})
        with pytest.raises(Overtaken):
            first.end(Shown(content="first"), {"factor": "first"})
    assert panel.shown is not None
    assert panel.shown.content == "second"
    assert panel.choices == {}


def test_a_drawing_begins_with_all_that_was_chosen_before_and_ends_with_what_was_chosen_since() -> None:
    panel = OpenPanel()
    panel.choose({"factor": "time"})
    panel.choose({"every_mode": True})
    with panel.drawing("samples", "view") as drawing:
        panel.choose({"shows": "passed"})
        assert drawing.choices == {"factor": "time", "every_mode": True}
        shown = drawing.end(Shown(content="table"), {"factor": "weather"})
    assert shown.choices == panel.choices == {"factor": "weather", "every_mode": True, "shows": "passed"}


def test_what_is_drawn_again_waits_for_a_drawing_that_has_begun_and_for_no_other() -> None:
    panel = OpenPanel()
    assert panel.redraw("view") is None
    _draw(panel, "table")
    with panel.drawing("samples", "view") as slow:
        with pytest.raises(Overtaken):
            panel.redraw("view")
        _draw(panel, "new table")
        again = panel.redraw("another view")  # the slow one will draw nothing
        assert again is not None
        assert (again.content, again.view) == ("new table", "another view")
        with pytest.raises(Overtaken):
            slow.end(Shown(content="old table"), {})
    assert panel.view() == "another view"


def test_a_drawing_has_ended_once_it_is_shown() -> None:
    panel = OpenPanel()
    with panel.drawing("samples", "view") as drawing:
        drawing.end(Shown(content="table", view="view"), {})
        assert panel.redraw("another view") is not None
    assert panel.view() == "another view"


def test_a_drawing_that_broke_off_keeps_nothing_waiting() -> None:
    panel = OpenPanel()
    _draw(panel, "table")

    def break_off() -> None:
        with panel.drawing("samples", "another view"):
            assert panel.view() == "another view"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    again = panel.redraw("view")
    assert again is not None
    assert again.content == "table"


def test_where_a_notice_stands_nothing_is_drawn_again() -> None:
    panel = OpenPanel()
    with panel.drawing("samples", "view") as drawing:
        drawing.end(Shown(notice={"text": "Nothing", "action": ""}, view="view"), {})
    assert panel.redraw("view") is None
    assert panel.view() is None


def test_what_was_kept_is_of_the_same_samples_only() -> None:
    panel = OpenPanel()
    with panel.drawing("samples", "view") as drawing:
        drawing.end(Shown(content="table", of="samples"), {}, kept="column")
    with panel.drawing("samples", "view") as drawing:
        assert drawing.kept == "column"
    with panel.drawing("other samples", "view") as drawing:
        assert drawing.kept is None


def test_inputs_are_made_anew_unless_they_stand_where_the_reader_put_them() -> None:
    panel = OpenPanel()
    turns = []
    for in_place in (False, True, True, False):
        with panel.drawing("samples", "view", in_place=in_place) as drawing:
            turns.append(drawing.end(Shown(content="plot"), {}).turn)
    assert turns == [1, 1, 1, 2]


def test_the_app_is_believed_where_it_is_ahead() -> None:
    name = "ahead"
    first = latest.panel(name, {})
    shown = _draw(first, "table", factor="time")
    # the App's state is as it was before this: what the server knows holds
    assert latest.panel(name, {"serial": shown.serial - 1, "choices": {"factor": "old"}}) is first
    assert latest.panel(name, {"serial": shown.serial}) is first
    # another server has drawn since
    other = latest.panel(name, {"serial": shown.serial + 3, "turn": 7, "choices": {"factor": "weather"}})
    assert (other.shown, other.choices, other.turn) == (None, {"factor": "weather"}, 7)
    assert _draw(other, "table").serial > shown.serial + 3


@pytest.mark.parametrize("state", [{"serial": "9", "turn": None, "choices": ["factor"]}, {"serial": None}])
def test_an_odd_state_is_none(state: dict[str, Any]) -> None:
    known = latest.panel(f"odd {state}", state)
    assert (known.serial, known.turn, known.choices) == (0, 0, {})


def test_the_panel_that_was_used_last_long_ago_is_forgotten() -> None:
    kept = latest.panel("kept", {})
    gone = latest.panel("gone", {})
    for number in range(7):
        latest.panel(f"other {number}", {})
        assert latest.panel("kept", {}) is kept
    assert latest.panel("gone", {}) is not gone

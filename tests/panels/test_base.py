"""What every panel has from its base: notices for errors, late events, several browsers, one way to narrow the view."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.database]

ROOT = Path(__file__).resolve().parents[2]


def _panel() -> Any:
    """A panel that counts samples: what a new panel has to have, and no more."""
    import fiftyone.operators.types as types

    from loupe.brain.core.errors import InputError
    from loupe.panels.base import Notice, Panel, Reading

    class Counts(Panel[int]):
        name = "counts"
        label = "Counts"
        icon = "numbers"
        subject = "counts"
        help_markdown = "How many there are."
        defaults: Mapping[str, Any] = {"times": 1}

        def __init__(self) -> None:
            super().__init__()
            self.reads = 0
            self.fails: str = ""
            self.before_reading: Any = lambda times: None

        def narrowing(self) -> Any:
            from loupe.brain.store.columns import Cell

            return Cell

        def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[int] | Notice:
            self.reads += 1
            self.before_reading(choices["times"])
            if self.fails == "loupe":
                raise InputError("expected a thing, got another: take the thing")
            if self.fails == "read":
                raise ZeroDivisionError("nobody foresaw it " + "x" * 5000)
            return Reading(view.count() * choices["times"], kept=view.count())

        def seen(self, content: int) -> dict[str, Any]:
            return {"count": content}

        def draw(self, panel: types.Object, content: int, shown: Any, narrowed: Any) -> None:
            if self.fails == "draw":
                raise KeyError("nobody foresaw that either")
            panel.md(f"{content} of {shown.choices['times']}", name="count")

        def on_times(self, ctx: Any) -> None:
            self.choose(ctx, times=ctx.params["value"])
            self.refresh(ctx)

        def on_again(self, ctx: Any) -> None:
            self.redraw(ctx)

        def on_fail(self, ctx: Any) -> None:
            raise ZeroDivisionError("a button failed")

    return Counts()


def _text(session: Any) -> str:
    return session.properties()["count"]["default"]


@pytest.fixture
def ten(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(10)], progress=False)
    return dataset


@pytest.fixture
def session(ten: Any) -> Any:
    from panel_session import PanelSession

    return PanelSession(_panel(), ten)


def _limit(session: Any, n: int) -> None:
    from fiftyone.operators.operations import _serialize_view

    session.view = _serialize_view(session.dataset.limit(n))


def test_an_error_while_reading_becomes_a_notice_that_says_what_to_do(session: Any) -> None:
    session.panel.fails = "loupe"
    session.call("on_refresh")
    assert session.state["notice"] == {"text": "expected a thing, got another: take the thing", "action": "refresh"}
    assert session.state["seen"] is None
    assert session.shown() == ["notice", "action"]
    assert session.errors == []  # it was raised on purpose

    session.may_fail, session.panel.fails = True, "read"
    session.call("on_refresh")
    text = session.state["notice"]["text"]
    assert text.startswith("This went wrong: ZeroDivisionError: nobody foresaw it")
    assert "Try again" in text
    assert len(text) < 1000
    assert isinstance(session.errors.pop(), ZeroDivisionError)  # the server's log has it with its place
    assert session.properties()["action"]["view"]["label"] == "Try again"

    session.panel.fails = ""
    session.call("on_refresh")
    assert session.state["notice"] is None
    assert session.shown() == ["count"]


def test_an_error_while_drawing_becomes_a_notice_too(session: Any) -> None:
    session.may_fail, session.panel.fails = True, "draw"
    session.call("on_again")
    assert session.shown() == ["notice", "action"]
    assert "KeyError" in session.properties()["notice"]["view"]["label"]
    assert len(session.errors) == 1
    session.panel.fails = ""
    session.call("on_refresh")
    assert session.shown() == ["count"]


def test_an_error_of_a_button_is_said_and_what_is_drawn_stays(session: Any) -> None:
    session.may_fail = True
    state, output = dict(session.state), dict(session.output)
    session.call("on_fail")
    assert (session.state, session.output) == (state, output)
    assert len(session.messages) == len(session.errors) == 1
    assert "a button failed" in session.messages[0]


def test_a_dataset_that_is_gone_is_a_notice_as_well_as_none_at_all(session: Any) -> None:
    import fiftyone as fo

    session.dataset = None
    session.call("on_change_dataset")
    assert session.state["notice"] == {"text": "Open a dataset to see its counts.", "action": ""}
    assert session.shown() == ["notice"]
    session.call("on_show_all")

    session.dataset = fo.Dataset()
    session.call("on_change_dataset")
    assert "no samples" in session.state["notice"]["text"]
    session.may_fail = True
    session.dataset.delete()
    session.call("on_refresh")
    assert "went wrong" in session.state["notice"]["text"]


def test_only_events_can_be_called(session: Any) -> None:
    state, output = dict(session.state), dict(session.output)
    for method in ("render", "execute", "refresh", "narrow", "_read", "config", "on_nothing", "__init__"):
        session.call(method)
    assert (session.state, session.output, session.panel.reads) == (state, output, 1)


def test_a_new_view_is_read_once_however_often_the_app_says_so(session: Any) -> None:
    _limit(session, 4)
    late = [session.context("on_change_view") for _ in range(3)]  # each with the state as it was before
    for ctx in late:
        session.run(ctx)
    for ctx in late:
        session.answer(ctx)
    assert session.panel.reads == 2
    assert _text(session) == "4 of 1"
    old = session.context("on_change_view")
    session.call("on_times", value=3)
    session.run(old)
    session.answer(old)
    assert session.panel.reads == 3
    assert _text(session) == "12 of 3"


def test_a_notice_is_looked_at_again_with_every_view(session: Any) -> None:
    session.panel.fails = "loupe"
    session.call("on_refresh")
    session.panel.fails = ""
    session.call("on_change_view")
    assert _text(session) == "10 of 1"


def test_a_notice_that_still_holds_is_not_drawn_again(session: Any) -> None:
    """The App says that the view has changed after every answer: one more answer, and it would never end."""
    session.panel.fails = "loupe"
    session.call("on_refresh")
    reads = session.panel.reads
    for _ in range(3):
        event = session.context("on_change_view")
        session.run(event)
        assert event.executor.to_json()["requests"] == []
    assert session.panel.reads == reads + 3
    session.call("on_refresh")
    assert session.shown() == ["notice", "action"], "whoever asks is answered"
    _limit(session, 3)
    event = session.context("on_change_view")
    session.run(event)
    assert event.executor.to_json()["requests"], "the state tells beside which view it stands"


def test_a_notice_looks_by_itself_whether_it_still_holds(session: Any) -> None:
    session.panel.fails = "loupe"
    session.call("on_refresh")
    look = session.properties()["look"]["view"]
    assert (look["interval"], look["on_interval"].rpartition("#")[2]) == (3000, "on_look")
    event = session.context("on_look")
    session.run(event)
    assert event.executor.to_json()["requests"] == []
    session.panel.fails = ""
    session.call("on_look")
    assert _text(session) == "10 of 1"
    reads = session.panel.reads
    session.call("on_look")
    assert (session.panel.reads, session.shown()) == (reads, ["count"]), "what is drawn is not read again"


def test_an_event_that_overtakes_another_is_drawn_and_the_other_is_not(session: Any) -> None:
    slow, quick = session.context("on_times", value=2), session.context("on_times", value=3)
    reading, read_on = threading.Event(), threading.Event()

    def wait(times: int) -> None:
        if times == 2:
            reading.set()
            assert read_on.wait(30)

    session.panel.before_reading = wait
    thread = threading.Thread(target=session.panel.execute, args=(slow,))
    thread.start()
    assert reading.wait(30)
    session.run(quick)
    read_on.set()
    thread.join(30)
    assert slow.executor.to_json()["requests"] == []
    session.answer(slow)
    session.answer(quick)
    assert _text(session) == "30 of 3"
    assert session.state["choices"] == {"times": 3}


def test_a_view_that_is_being_read_is_not_read_twice(session: Any) -> None:
    _limit(session, 4)
    first, second = session.context("on_change_view"), session.context("on_change_view")
    session.panel.before_reading = lambda times: (
        session.run(second) if session.panel.reads == 2 else pytest.fail("it was read twice")
    )
    session.run(first)
    assert second.executor.to_json()["requests"] == []
    session.answer(first)
    assert _text(session) == "4 of 1"


@pytest.fixture
def forgetful() -> Any:
    """Forgets all panels, as a server that was started again."""
    from loupe.panels import latest

    return latest._panels.clear


def test_a_server_that_was_started_again_goes_on_from_the_apps_state(session: Any, forgetful: Any) -> None:
    session.call("on_times", value=3)
    turn = session.state["turn"]
    forgetful()
    state = dict(session.state)
    session.call("on_change_view")
    assert session.state == state
    session.call("on_again")  # what was drawn is gone: it is read again
    assert (session.panel.reads, _text(session)) == (3, "30 of 3")
    assert session.state["turn"] > turn  # no input's name comes back with another meaning
    forgetful()
    _limit(session, 5)
    session.call("on_change_view")
    assert _text(session) == "15 of 3"


def test_two_browsers_of_one_workspace_do_not_disturb_each_other(session: Any) -> None:
    from panel_session import PanelSession

    other = PanelSession(session.panel, session.dataset)  # its panel has the same id
    session.call("on_times", value=3)
    other.call("on_again")
    assert _text(other) == "10 of 1"
    session.call("on_again")
    assert _text(session) == "30 of 3"


# the panels there are


def _panels() -> dict[str, Any]:
    from loupe.panels import register

    class Plugin:
        def __init__(self) -> None:
            self.panels: dict[str, Any] = {}

        def register(self, defined: Any) -> None:
            self.panels[defined.__module__.split(".")[-2]] = defined

    plugin = Plugin()
    register(plugin)
    return plugin.panels


def test_a_panel_is_a_folder_and_a_line(database: str) -> None:
    declared = yaml.safe_load((ROOT / "fiftyone.yml").read_text(encoding="utf-8"))["panels"]
    folders = {path.parent.name for path in (ROOT / "panels").glob("*/panel.py")}
    panels = _panels()
    assert folders == set(declared) == set(panels)
    for folder, defined in panels.items():
        config = defined().config
        assert (config.name, defined.name) == (folder, folder)
        assert config.label
        assert config.help_markdown
        for action in defined.actions:
            assert callable(getattr(defined, f"on_{action}"))


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    import loupe

    dataset = fo.Dataset()
    fill(dataset, 200, flag=False)
    scores = np.random.default_rng(1).normal(0.8, 0.1, 200).clip(0, 1).astype(np.float32)
    dataset.set_values("quality.sharpness", scores.astype(float).tolist())
    loupe.flag(dataset)
    yield dataset
    dataset.delete()


@pytest.mark.parametrize("name", ["failures_by_scenario", "thresholds"])
def test_the_app_takes_nothing_that_the_server_writes_for_a_choice(filled: Any, name: str) -> None:
    from panel_session import PanelSession

    session = PanelSession(_panels()[name](), filled)
    inputs = list(_inputs(session.output))
    assert len(inputs) >= 2
    for path, given in inputs:
        assert given.get("default") is None, path  # a default that changes is taken for one
        assert path[0] not in session.state, path
    assert len(json.dumps(session.state)) < 2_000


def _inputs(given: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if given.get("on_change"):
        yield path, given
    for name, each in given["type"].get("properties", {}).items():
        yield from _inputs(each, (*path, name))


def test_what_one_panel_narrows_the_other_counts_and_each_takes_back_its_own(filled: Any) -> None:
    from fiftyone.operators.operations import _serialize_view
    from panel_session import PanelSession

    panels = _panels()
    table, plot = (PanelSession(panels[name](), filled) for name in ("failures_by_scenario", "thresholds"))

    def follow(from_session: Any, to_session: Any) -> int:
        to_session.view = from_session.view
        to_session.call("on_change_view")
        return len(to_session.samples())

    plot.call("on_failure", value="blur")
    own = filled.match({"scenario.weather": "fog"})
    table.view = _serialize_view(own)
    table.call("on_change_view")
    assert follow(table, plot) == table.content.table.n == len(own)

    row = 1 + table.content.table.values.index("night")
    table.call("on_shows", value="passed")
    table.call("on_every_mode", value=True)
    table.call("on_click", x=table.content.table.modes.index("blur"), y=row)
    n = follow(table, plot)
    assert 0 < n < len(own)
    assert table.content.table.n == len(own)  # its own cell: the table stays, so that the next click can go elsewhere
    assert plot.content.preview.histogram.judged == n
    assert "narrowed" not in plot.properties()["views"]["type"]["properties"]  # it is not the plot's

    plot.call("on_show_passing")
    plot.call("on_move", value=0.8, path=f"slider.blur__{plot.state['turn']}")
    plot.call("on_show_failing")
    failing = len(plot.samples())
    assert 0 < failing < n
    assert plot.content.preview.histogram.judged == n
    assert follow(plot, table) == failing
    side = [score for score in own.values("quality.sharpness") if np.float32(score) < np.float32(0.8)]
    assert table.content.table.n == len(side) > failing  # the plot's side is a stage like any other, the cell is not
    assert "show_all" in table.properties()["picked"]["type"]["properties"]

    table.call("on_show_all")
    assert "show_all" not in table.properties()["picked"]["type"]["properties"]
    follow(table, plot)
    assert plot.content.preview.histogram.judged == len(own)
    plot.call("on_show_all")
    assert plot.samples()._serialize(include_uuids=False) == own._serialize(include_uuids=False)
    plot.call("on_show_all")
    assert len(plot.samples()) == len(own)

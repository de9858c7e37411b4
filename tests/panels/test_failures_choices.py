"""What the reader chooses in the panel, however quickly, and what the App says late."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]


#: the choices that nobody has made
_FOLDED = {
    **{"families": False, "unfolded": [], "layout": "map", "order": "lift", "mode": "any", "trail": []},
    **{"group_by": None, "first": None, "second": None, "named": None},
}


def test_what_the_app_says_of_an_old_view_draws_nothing(session: Any) -> None:
    # seen in a real browser: three times after each event, with the state as it was before and the inputs as they are
    before = dict(session.state)
    session.call("on_factor", value="scenario.weather")
    after, session.output = dict(session.state), {}
    for state in ({**before, "controls": {"factor": "scenario.weather"}}, after):
        session.state = state
        session.call("on_change_view")
        assert session.output == {}
        assert session.state == state


def test_a_quick_reader_gets_all_that_was_chosen_and_no_old_table(session: Any) -> None:
    # each event is sent before the answer to the one before has come
    first = session.context("on_factor", value="scenario.weather")
    second = session.context("on_every_mode", value=True)
    third = session.context("on_shows", value="passed")
    for ctx in (first, second, third):
        session.run(ctx)
    for ctx in (first, second, third):
        session.answer(ctx)
    from loupe.brain.core import registry

    expected = {"factor": "scenario.weather", "shows": "passed", "every_mode": True, **_FOLDED}
    assert session.state["choices"] == expected
    assert session.content.table.modes == tuple(registry.failures())
    assert len(session.cells()) == 1 + len(session.content.table.values) == 5
    assert _chosen(session) == {"factor": "scenario.weather", "shows": "passed"}


def test_nothing_is_written_to_where_the_app_keeps_its_inputs(session: Any) -> None:
    session.call("on_factor", value="scenario.weather")
    session.call("on_every_mode", value=True)
    names = set(session.state)
    inputs = {name for name, each in session.properties().items() if "properties" in each["type"]}
    assert "controls" in inputs
    assert not names & inputs
    for each in session.properties()["controls"]["type"]["properties"].values():
        assert each.get("default") is None


def test_the_state_stays_small_however_much_is_drawn(session: Any) -> None:
    session.dataset.set_values("camera", [f"camera {index % 28}" for index in range(300)])
    session.call("on_factor", value="camera")
    session.call("on_every_mode", value=True)
    assert len(session.cells()) == 29
    assert len(json.dumps(session.state)) < 4_000


def test_another_dataset_forgets_what_was_chosen(session: Any) -> None:
    session.call("on_factor", value="scenario.weather")
    session.call("on_every_mode", value=True)
    switch = _switch(session)
    assert switch["defaultChecked"]
    session.dataset = another = session.dataset.limit(60).clone()
    session.call("on_change_dataset")
    assert session.content.table.n == 60
    assert session.state["choices"] == {"factor": "scenario.time", "shows": "failed", "every_mode": False, **_FOLDED}
    assert not _switch(session)["defaultChecked"]
    assert _switch(session)["key"] != switch["key"]  # or the App would leave it where it stands
    another.delete()


def test_odd_choices_are_not_believed(session: Any) -> None:
    for value in ("no such factor", ["scenario.weather"], None, 3):
        session.call("on_factor", value=value)
        assert session.content.table.factor == "scenario.time"
    for value in ("no such state", ["failed"], None):
        session.call("on_shows", value=value)
        assert _chosen(session)["shows"] == "failed"
    session.call("on_every_mode", value="yes")
    assert not _switch(session)["defaultChecked"]
    session.call("on_click", x=0, y=0)
    assert len(session.samples()) == session.content.table.overall[0].failures > 0


def _chosen(session: Any) -> dict[str, str]:
    controls = session.properties()["controls"]["type"]["properties"]
    return {name: controls[name]["view"]["componentsProps"]["select"]["value"] for name in ("factor", "shows")}


def _switch(session: Any) -> dict[str, Any]:
    controls = session.properties()["more"]["type"]["properties"]
    return controls["every_mode"]["view"]["componentsProps"]["switch"]

"""The panel, run as the App runs it, against the samples' own fields."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loupe.brain.core.results import Rate, Slice
from loupe.brain.stats.intervals import wilson

pytestmark = pytest.mark.slow


def made(failures: int, n: int, value: str | None = "day") -> Rate:
    low, high = (float(end) for end in wilson(failures, n))
    rate = failures / n if n else float("nan")
    return Rate(Slice({} if value is None else {"time": value}), "blur", n, failures, 3, 4, rate, low, high)


def test_every_cell_is_drawn_once_by_how_sure_it_is() -> None:
    from loupe.panels.failures_by_scenario.plot import draw

    cells = [[made(50, 100, None)], [made(1, 4)], [made(0, 0)], [made(0, 500)]]
    data, layout = draw(["all samples", "a", "b", "c"], cells)
    drawn = {trace["name"]: [row[0] is not None for row in trace["z"]] for trace in data}
    assert drawn == {
        "sure": [True, False, False, True],
        "unsure": [False, True, False, False],
        "not judged": [False, False, True, False],
    }
    assert "not<br>judged" in data[2]["text"][2][0]
    assert "± 3" in data[1]["text"][1][0]
    assert "50 %" in data[0]["text"][0][0]
    assert data[0]["hovertext"][3][0].split("<br>")[1:] == [
        "0 % failed: 0 of 500 judged",
        "95 % interval: 0 % to 0.8 %",
        "unknown: 3 · not checked: 4",
    ]
    assert layout["height"] > 4 * 40


def test_labels_and_values_are_text_and_never_markup() -> None:
    from loupe.panels.failures_by_scenario.plot import draw

    nasty = '<a href="javascript:alert(1)">x</a> & <b>'
    data, layout = draw(["all samples", nasty], [[made(1, 9, None)], [made(1, 9, nasty)]])
    assert layout["yaxis"]["ticktext"][1] == html.escape(nasty[:27] + "…", quote=False)
    assert html.escape(nasty, quote=False) in data[1]["hovertext"][1][0]
    assert "<a" not in str(data) + str(layout)


def test_percentages_say_neither_never_nor_always_of_what_is_rare() -> None:
    from loupe.panels.failures_by_scenario.plot import percent

    texts = [percent(share) for share in (0, 0.0004, 0.004, 0.0094, 0.0097, 0.234, 0.994, 0.9999, 1)]
    assert texts == ["0 %", "< 0.1 %", "0.4 %", "0.9 %", "1 %", "23 %", "99 %", "> 99 %", "100 %"]


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from filled import fill

    dataset = fo.Dataset()
    fill(dataset, 300)
    yield dataset
    dataset.delete()


@pytest.fixture
def session(filled: Any) -> Iterator[Any]:
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = filled.clone()
    yield PanelSession(FailuresByScenario(), dataset)
    dataset.delete()


def picked(session: Any) -> dict[str, Any]:
    """Returns what the row below the heat map holds."""
    return session.properties()["picked"]["type"]["properties"]


#: the choices that nobody has made
_FOLDED = {
    **{"families": False, "unfolded": [], "layout": "map", "order": "lift", "mode": "any", "trail": []},
    **{"group_by": None, "first": None, "second": None, "named": None},
}


@pytest.mark.database
def test_the_table_is_that_of_slice(session: Any) -> None:
    import loupe

    table = session.content.table
    assert table.factor == "scenario.time"
    assert table.values == ("day", "night")
    rates = {(str(rate.slice), rate.failure): rate for rate in loupe.slice(session.dataset, "scenario.time")}
    for row, value in enumerate(("day", "night"), start=1):
        for column, mode in enumerate(table.modes):
            rate = rates[f"time={value}", mode]
            assert f"{rate.failures} of {rate.n} judged" in session.cells()[row][column]
            assert f"unknown: {rate.unknown} · not checked: {rate.unchecked}" in session.cells()[row][column]
    assert {rate.failure for rate in rates.values() if rate.failures} > set(table.modes)
    assert len(table.modes) == 12
    session.call("on_every_mode", value=True)
    every = session.content.table
    assert {rate.failure for rate in rates.values() if rate.n} == set(every.modes)
    # what is left out fares better: in none of its rows is it as much worse than overall, surely
    excess = {
        mode: max(0.0, *(row[column].low - every.overall[column].rate for row in every.cells))
        for column, mode in enumerate(every.modes)
    }
    failing = {rate.failure for rate in every.overall if rate.failures}
    assert min(excess[mode] for mode in table.modes) >= max(excess[mode] for mode in failing - set(table.modes))
    assert session.shown() == ["controls", "more", "scrolled", "picked", "totals", "legend"]


@pytest.mark.database
def test_a_click_shows_exactly_the_samples_of_its_cell_and_there_is_a_way_back(session: Any) -> None:
    table = session.content.table
    for row, column in ((2, 1), (1, 0), (0, 2)):  # each from the whole table, whatever was clicked before
        session.call("on_click", x=column, y=row)
        mode = table.modes[column]
        failures = int(re.search(r"failed: (\d+) of", session.cells()[row][column])[1])
        samples = session.samples()
        assert len(samples) == failures > 0
        for sample in samples:
            assert mode in [label.label for label in sample.failures.classifications]
            assert row == 0 or sample.scenario.time == table.values[row - 1]
        assert session.content.table is table
        assert "show_all" in picked(session)
    session.call("on_show_all")
    assert len(session.samples()) == 300
    assert "show_all" not in picked(session)


@pytest.mark.database
@pytest.mark.parametrize("state", ["passed", "unknown", "unchecked"])
def test_a_click_can_show_the_others_of_its_cell(session: Any, state: str) -> None:
    import loupe

    mode = session.content.table.modes[0]
    rate = loupe.slice(session.dataset, "scenario.time", failure=mode)[1]
    expected = {"passed": rate.n - rate.failures, "unknown": rate.unknown, "unchecked": rate.unchecked}
    content = session.content
    session.call("on_shows", value=state)
    assert session.content is content  # nothing is read again
    session.call("on_click", x=0, y=2)
    assert len(session.samples()) == expected[state] > 0


@pytest.mark.database
def test_a_view_of_ones_own_is_what_is_counted_and_what_comes_back(session: Any) -> None:
    from fiftyone.operators.operations import _serialize_view

    session.view = _serialize_view(session.dataset.match({"scenario.weather": "fog"}))
    session.call("on_change_view")
    n = len(session.samples())
    assert session.content.table.n == n
    session.call("on_click", x=0, y=0)
    assert 0 < len(session.samples()) < n
    session.call("on_show_all")
    assert len(session.samples()) == n


@pytest.mark.database
def test_another_factor_with_a_missing_value_and_the_modes_that_never_fail(session: Any) -> None:
    from loupe.brain.core import registry

    few = len(session.content.table.modes)
    session.call("on_factor", value="scenario.weather")
    assert session.content.table.values == ("clear", "fog", "rain", None)
    assert session.state["choices"]["factor"] == "scenario.weather"
    session.call("on_every_mode", value=True)
    assert session.content.table.modes == tuple(registry.failures())
    assert few < len(registry.failures())
    session.call("on_shows", value="passed")
    session.call("on_click", x=0, y=4)
    assert set(session.samples().values("scenario.weather")) == {None}


@pytest.mark.database
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


@pytest.mark.database
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


@pytest.mark.database
def test_nothing_is_written_to_where_the_app_keeps_its_inputs(session: Any) -> None:
    session.call("on_factor", value="scenario.weather")
    session.call("on_every_mode", value=True)
    names = set(session.state)
    inputs = {name for name, each in session.properties().items() if "properties" in each["type"]}
    assert "controls" in inputs
    assert not names & inputs
    for each in session.properties()["controls"]["type"]["properties"].values():
        assert each.get("default") is None


@pytest.mark.database
def test_the_state_stays_small_however_much_is_drawn(session: Any) -> None:
    session.dataset.set_values("camera", [f"camera {index % 28}" for index in range(300)])
    session.call("on_factor", value="camera")
    session.call("on_every_mode", value=True)
    assert len(session.cells()) == 29
    assert len(json.dumps(session.state)) < 4_000


@pytest.mark.database
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


@pytest.mark.database
def test_families_unfold_by_a_click_and_fold_again(session: Any) -> None:
    from loupe.brain.core.taxonomy import FAILURE_MODES
    from loupe.brain.slicing.families import family_of

    rates = session.content.table.overall
    session.call("on_families", value=True)
    table = session.content.table
    assert all(family_of(mode) for mode in table.modes)
    assert len(table.modes) <= 10
    column = table.modes.index("family:artifact")
    assert "click to unfold" in session.cells()[1][column]
    failures = max(rate.failures for rate in rates if FAILURE_MODES[rate.failure].group == "artifact")
    assert table.overall[column].failures >= failures, "a family fails wherever one of its modes does"

    session.call("on_click", x=column, y=1)
    assert session.view == [], "a family narrows nothing"
    unfolded = session.content.table.modes
    assert unfolded[column] == "family:artifact"
    assert family_of(unfolded[column + 1]) is None
    session.call("on_click", x=column + 1, y=1)
    assert 0 < len(session.samples()) < len(session.dataset)
    session.call("on_show_all")
    session.call("on_click", x=column, y=0)
    assert session.content.table.modes == table.modes
    session.call("on_families", value=False)
    assert session.content.table.overall == rates
    for odd in ("artifact", {"a": 1}, None, [3, None]):
        session.state["choices"]["unfolded"] = odd
        session.state["serial"] += 5  # as after a restart of the server: the App's state is believed
        session.call("on_families", value=True)
        assert session.content.table.modes == table.modes


@pytest.mark.database
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


@pytest.mark.database
def test_an_empty_cell_says_so_and_leaves_the_view_alone(session: Any) -> None:
    session.call("on_every_mode", value=True)
    never = next(column for column, text in enumerate(session.cells()[0]) if "0 % failed" in text and " 0 of" in text)
    session.call("on_click", x=never, y=1)
    assert session.view == []
    assert session.messages
    for x, y in ((-1, 0), (0, 99), ("0", 1), (None, None)):
        session.call("on_click", x=x, y=y)
    assert session.view == []


@pytest.mark.database
def test_what_to_do_next_where_there_is_nothing_to_draw(dataset: Any) -> None:
    import fiftyone as fo
    from panel_session import PanelSession

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores
    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    session = PanelSession(FailuresByScenario(), dataset)
    assert "no samples" in session.state["notice"]["text"]

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(4)])
    session.call("on_refresh")
    assert "checked" in session.state["notice"]["text"]
    session.call("on_check")
    assert session.prompted == ["@loupe/loupe/check"]

    _, (check, output) = next(iter(registry.failures().items()))
    store_scores.declare(dataset, [output])
    dataset.set_values("checked", [{check: "made up"}] * 4)
    session.call("on_refresh")
    assert "could judge none" in session.state["notice"]["text"]

    dataset.set_values("camera", ["left", "right"] * 2)
    dataset.set_values(f"quality.{output.name}", [0.0] * 4)
    session.call("on_refresh")
    assert "flagged" in session.state["notice"]["text"]
    assert session.shown() == ["notice", "action"]

    loupe.flag(dataset)
    session.call("on_refresh")
    assert session.content.table.factor == "camera"
    assert session.state["notice"] is None


@pytest.mark.database
def test_without_a_factor_there_is_the_row_of_all_samples(new_dataset: Callable[[], Any]) -> None:
    from panel_session import PanelSession

    import loupe
    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = new_dataset()
    fill_without_scenario(dataset, 60)
    session = PanelSession(FailuresByScenario(), dataset)
    table = session.content.table
    assert (table.factor, table.values, table.cells) == ("", (), ())
    assert {rate.failure: rate for rate in loupe.slice(dataset, [])} | {
        rate.failure: rate for rate in table.overall
    } == {rate.failure: rate for rate in loupe.slice(dataset, [])}
    mode = next(rate for rate in table.overall if rate.failures)
    session.call("on_click", x=table.modes.index(mode.failure), y=0)
    assert len(session.samples()) == mode.failures


@pytest.mark.database
def test_a_class_a_tag_or_a_number_can_be_a_factor_and_a_click_shows_its_samples(
    new_dataset: Callable[[], Any],
) -> None:
    import fiftyone as fo
    from panel_session import PanelSession

    from loupe.panels.failures_by_scenario.panel import FailuresByScenario

    dataset = new_dataset()
    fill_without_scenario(dataset, 120)
    classes, quote = ("cat", "dog"), 'a "quoted\\" <b>'
    dataset.set_values("truth", [fo.Classification(label=classes[n % 2]) for n in range(120)])
    boxes = [[fo.Detection(label="box", bounding_box=[0, 0, 1, 1])] * (n % 3) for n in range(120)]
    dataset.set_values("boxes", [fo.Detections(detections=each) for each in boxes])
    dataset.set_values("tags", [["train"], ["test", quote], []] * 40)
    dataset.set_values("uniqueness", [n / 120 for n in range(120)])
    session = PanelSession(FailuresByScenario(), dataset)
    assert {"truth", "boxes", "tags", "uniqueness"} <= set(session.content.factors)
    assert not [name for name in session.content.factors if name.split(".")[0] in ("quality", "failures", "checked")]

    for factor in ("truth", "boxes", "tags", "uniqueness"):
        session.call("on_factor", value=factor)
        table = session.content.table
        assert table.factor == factor
        assert len(table.values) == {"truth": 2, "boxes": 2, "tags": 4, "uniqueness": 4}[factor]
        for row in range(len(table.values)):
            column = next(at for at, rate in enumerate(table.cells[row]) if rate.failures)
            session.call("on_click", x=column, y=1 + row)
            assert len(session.samples()) == table.cells[row][column].failures, (factor, table.values[row])
            assert session.content.table is table, "it is the panel's own narrowing"
        if factor == "tags":
            # a quote is a quote, and what looks like a tag is none
            row = table.values.index(quote)
            assert f"· {html.escape(quote, quote=False)}<br>" in session.cells()[1 + row][0]
    session.call("on_show_all")
    assert len(session.samples()) == 120


def fill_without_scenario(dataset: Any, n: int) -> None:
    from filled import fill

    fill(dataset, n)
    dataset.delete_sample_field("scenario")


def test_no_cell_is_narrower_than_its_number_however_many_columns_there_are() -> None:
    from loupe.panels.failures_by_scenario.plot import min_width

    assert min_width(["all samples"], 33) - min_width(["all samples"], 32) >= 50
    assert min_width(["x" * 500], 1) == min_width(["x" * 28], 1) < 500

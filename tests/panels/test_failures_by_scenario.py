"""The panel, run as the App runs it, against the samples' own fields: its numbers, its clicks, its words."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database]


def picked(session: Any) -> dict[str, Any]:
    """Returns what the row below the heat map holds."""
    return session.properties()["picked"]["type"]["properties"]


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


def test_an_empty_cell_says_so_and_leaves_the_view_alone(session: Any) -> None:
    session.call("on_every_mode", value=True)
    never = next(column for column, text in enumerate(session.cells()[0]) if "0 % failed" in text and " 0 of" in text)
    session.call("on_click", x=never, y=1)
    assert session.view == []
    assert session.messages
    for x, y in ((-1, 0), (0, 99), ("0", 1), (None, None)):
        session.call("on_click", x=x, y=y)
    assert session.view == []


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

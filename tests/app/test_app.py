"""FiftyOne's App in a real browser, as a person uses it: an operator by its form, the panel, a click on a cell."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import expect, open_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database]


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with a dataset whose scores were never flagged."""
    import fiftyone as fo
    from filled import fill

    from loupe.brain.store.workspace import prepare_app

    dataset = fo.Dataset("signs", persistent=True)
    fill(dataset, 120, files=[str(path) for path in pictures], flag=False)
    workspace = prepare_app(dataset)
    with open_app(
        dataset.name, workspace=workspace, size=(1600, 1000), last=tmp_path_factory.mktemp("browser")
    ) as opened:
        yield opened
    dataset.delete()


@pytest.fixture
def stored(app: app_browser.App) -> Any:
    """The dataset that the App shows, as the database has it now."""
    import fiftyone as fo

    dataset = fo.load_dataset("signs")
    dataset.reload()
    return dataset


def test_the_workspace_opens_with_its_panels_and_says_what_to_do_next(app: app_browser.App) -> None:
    assert app.count() == 120
    app.page.get_by_text("Overview", exact=True).first.wait_for()
    app.page.get_by_text("Embeddings", exact=True).first.wait_for()
    # some of its samples were never checked
    app.page.get_by_role("button", name="Check the images").wait_for()
    app.page.get_by_text("Failures by scenario", exact=True).first.click()
    app.page.get_by_role("button", name="Flag the failures").wait_for()


def test_an_operator_runs_through_its_form(app: app_browser.App, stored: Any) -> None:
    assert stored.count("failures.classifications") == 0
    form = app.open_operator("Loupe: set thresholds")
    assert re.search(r"Flagged \d+ failures on 120 samples", app.submit(form, "Flag"))
    stored.reload()
    assert stored.count("failures.classifications") > 100


def test_a_click_on_a_cell_shows_exactly_its_samples_and_there_is_a_way_back(app: app_browser.App, stored: Any) -> None:
    again = app.page.get_by_role("button", name=re.compile("Refresh|Flag the failures"))
    again.wait_for()
    if "Refresh" not in again.inner_text():
        # the panel has not noticed yet: the browser's own reload is what a person would do
        app.open("signs", "loupe")
        app.page.get_by_text("Failures by scenario", exact=True).first.click()
    heatmap = app.heatmap()
    rows, columns = heatmap.labels()
    assert rows[1:] == ["day", "night"]
    column = next(at for at, text in enumerate(heatmap.hover_texts()[2]) if not text.startswith("<b>Near"))
    failures = int(re.search(r"failed: (\d+) of", heatmap.hover_texts()[2][column])[1])
    assert 0 < failures < 120

    heatmap.click(2, column)
    app.wait_for_count(failures)
    from loupe.brain.core.taxonomy import FAILURE_MODES

    mode = next(mode.name for mode in FAILURE_MODES.values() if mode.title == columns[column])
    expected = stored.match({"scenario.time": "night", "failures.classifications.label": mode})
    assert len(expected) == failures

    app.page.get_by_role("button", name="Show all").click()
    app.wait_for_count(120)
    assert app.heatmap().labels() == (rows, columns)


def test_another_factor_draws_another_table_and_nothing_is_left_of_the_one_before(app: app_browser.App) -> None:
    before = app.heatmap().labels()[0]
    for label, rows in (("weather", ["clear", "fog", "rain", "(none)"]), ("time", before[1:])):
        app.choose("Factor", label)
        heatmap = app.heatmap(rows=1 + len(rows))
        # the App sends late events with an old state: what is drawn stays drawn
        until = time.monotonic() + 3
        while time.monotonic() < until:
            assert heatmap.labels()[0][1:] == rows
            app.page.wait_for_timeout(50)
        assert len(heatmap.hover_texts()) == 1 + len(rows)


def test_a_quick_reader_gets_all_that_was_chosen(app: app_browser.App) -> None:
    few = app.heatmap().labels()[1]
    switch = app.page.get_by_role("checkbox", name="All columns")
    # each choice is made before the answer to the one before has come
    app.choose("Factor", "weather")
    switch.click()
    app.choose("A click shows", "passed")
    from loupe.brain.core import registry

    heatmap = app.heatmap(rows=5)
    app.page.wait_for_function(
        """n => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && plot.data.some(trace => trace.type === 'heatmap') && plot._fullLayout.xaxis.ticktext.length === n)""",
        arg=len(registry.failures()),
    )
    # what the App sends late changes nothing, and the inputs say what is drawn
    app_browser.settle(app.page, 3)
    rows, columns = heatmap.labels()
    assert rows[1:] == ["clear", "fog", "rain", "(none)"]
    assert len(columns) == len(registry.failures()) > len(few)
    expect(switch).to_be_checked()
    shown = [field.inner_text() for field in app.page.get_by_role("combobox").all()]
    assert {"weather", "passed"} <= set(shown)

    switch.click()
    app.choose("Factor", "time")
    app.choose("A click shows", "failed")
    app_browser.settle(app.page, 3)
    assert app.heatmap(rows=3).labels()[1] == few
    expect(switch).not_to_be_checked()

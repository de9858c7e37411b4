"""The panel "Overview", the heat map in a narrow panel, and a run that is stopped, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import app_browser
import pytest
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "overview", 150


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with flagged samples."""
    from filled import fill

    files, last = [str(path) for path in pictures], tmp_path_factory.mktemp("browser")
    with serve_dataset(NAME, lambda dataset: fill(dataset, N, files=files), size=(1400, 900), last=last) as opened:
        yield opened


@pytest.mark.parametrize("word", ["blur", "quality", "duplicates", "label", "report", "hands"])
def test_an_operator_is_found_by_what_it_does(app: app_browser.App, word: str) -> None:
    page = app.page
    page.keyboard.press("`")
    page.locator('[data-cy="operators-browser-search"]').fill(word)
    browser = page.locator('[data-cy="operators-browser"]')
    browser.get_by_text(re.compile("^Loupe: ")).first.wait_for(timeout=10_000)
    page.keyboard.press("Escape")
    browser.wait_for(state="hidden")


def test_the_overview_shows_failures_with_pictures_and_a_way_there_and_back(
    app: app_browser.App, tmp_path: Path
) -> None:
    import fiftyone as fo

    counts = fo.load_dataset(NAME).count_values("failures.classifications.label")
    worst = min(counts, key=lambda name: (-counts[name], name))
    page = app.page
    app.open_panel("Overview")
    page.get_by_role("button", name="Show", exact=True).first.wait_for()
    page.wait_for_function(
        """() => {
            const drawn = [...document.querySelectorAll('img[src*="/media?filepath="]')];
            return drawn.length >= 4 && drawn.every(each => each.naturalWidth > 0);
        }"""
    )
    page.screenshot(path=tmp_path / "overview.png")
    text = page.locator("body").inner_text()
    assert f"{counts[worst]:,} of " in text
    reads_well(text)
    page.get_by_role("button", name="Show", exact=True).first.click()
    app.wait_for_count(counts[worst])
    page.screenshot(path=tmp_path / "narrowed.png")
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)


def test_every_column_keeps_its_number_in_a_narrow_panel_and_the_cells_stay_where_they_are(
    app: app_browser.App, tmp_path: Path
) -> None:
    page = app.page
    page.set_viewport_size({"width": 1000, "height": 900})  # of which the panel has 350
    app.open_panel("Failures by scenario")
    heatmap = app.heatmap()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "controls.png")
    first = page.get_by_text("Factor", exact=True).bounding_box()
    assert heatmap.position(0, 0)[1] - first["y"] < 360, "the controls stack no higher than three rows and the switches"

    # families: one column each, unfolded by a click
    page.get_by_role("checkbox", name="Families").click()
    page.get_by_text("▸ Artifact").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "families.png")
    columns = heatmap.labels()[1]
    heatmap.click(0, next(at for at, text in enumerate(columns) if "Artifact" in text))
    page.get_by_text("▾ Artifact").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "unfolded.png")
    assert len(heatmap.labels()[1]) > len(columns)
    page.get_by_role("checkbox", name="Families").click()
    page.get_by_text("▾ Artifact").wait_for(state="detached")
    page.set_viewport_size({"width": 700, "height": 900})
    page.get_by_role("checkbox", name="All columns").click()
    page.wait_for_function(
        """() => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && plot.data.some(trace => trace.type === 'heatmap') && plot._fullLayout.xaxis.ticktext.length > 20)"""
    )
    app_browser.settle(page, 2)
    x0, x1 = heatmap.position(1, 0)[0], heatmap.position(1, 1)[0]
    page.screenshot(path=tmp_path / "narrow.png")
    assert x1 - x0 > 45, "a cell is as wide as its number"
    hover = heatmap.hover_texts()
    column = next(at for at, text in enumerate(hover[1][:3]) if not re.search(r"\b0 % failed", text))
    before = heatmap.position(1, column)
    heatmap.click(1, column)
    page.get_by_text("Showing failed").wait_for()
    app_browser.settle(page)
    after = heatmap.position(1, column)
    page.screenshot(path=tmp_path / "clicked.png")
    assert abs(after[1] - before[1]) < 2, "what was clicked stays under the mouse"
    page.get_by_role("button", name="Show all", exact=True).first.click()
    page.get_by_text("Showing failed").wait_for(state="detached")
    page.set_viewport_size({"width": 1400, "height": 900})


def test_stop_stops_a_run_and_says_that_it_goes_on_from_there(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: calibrate thresholds")
    form.get_by_role("button", name="Calibrate", exact=True).click()
    stop = app.dialog().get_by_role("button", name="Stop", exact=True)
    stop.wait_for()
    page.screenshot(path=tmp_path / "running.png")
    stop.click()
    dialog = app.ended()
    page.screenshot(path=tmp_path / "stopped.png")
    assert "stopped by you" in app.close(dialog)

"""The panel "Model metrics" in a real browser: slices, the slider by keyboard, a cell that shows its samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from predicted import detections
from served import open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "metrics", 150
#: what the App keeps of the theme in the browser
_THEME = "theme => localStorage.setItem('mui-mode', theme)"


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with two models' boxes that were evaluated by time and size, and the panel open."""
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset(NAME, persistent=True)
    detections(dataset, N, files=[str(path) for path in pictures])
    loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=100)
    with open_app(NAME, panel="Model metrics", size=(1500, 1500), last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened
    dataset.delete()


def _result() -> Any:
    import fiftyone as fo

    import loupe

    dataset = fo.load_dataset(NAME)
    dataset.reload()
    made = loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=50)
    dataset.delete_run(made.key)
    return made


def _sound(page: Any) -> None:
    reads_well(page)


def _drawn(page: Any, kind: str) -> None:
    """Waits for a plot of that kind, drawn."""
    page.wait_for_function(
        """kind => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && plot.data.some(trace => trace.type === kind))""",
        arg=kind,
    )


def test_the_panel_shows_slices_moves_by_keyboard_and_narrows_to_a_cell(app: app_browser.App, tmp_path: Path) -> None:
    page, result = app.page, _result()
    _drawn(page, "heatmap")
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark.png")
    _sound(page)
    value = result.overall[0].metrics["precision"].value
    assert f"{value:.3f}" in page.locator("body").inner_text()

    slider = page.locator('input[aria-label="Threshold"]')
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    moved = result.at(0.5)
    page.get_by_text(f"{moved.overall[0].metrics['precision'].value:.3f}").first.wait_for()
    app_browser.settle(page, 2.5)  # what the App sends late changes nothing, and the keyboard is still the slider's
    assert float(slider.input_value()) == pytest.approx(0.5)
    assert page.evaluate("document.activeElement.ariaLabel") == "Threshold"
    assert "confidence of at least 0.5" in page.locator("body").inner_text()
    page.screenshot(path=tmp_path / "moved.png")

    counts = moved.confusion[0].counts
    row, column = max(((a, b) for a in range(3) for b in range(3) if a != b), key=lambda cell: counts[cell[0]][cell[1]])
    heatmap = app.heatmap()
    heatmap.click(row, column)
    page.get_by_text("taken for").last.wait_for()
    page.get_by_role("button", name="Show all", exact=True).wait_for()
    app_browser.settle(page)
    assert 1 <= app.count() <= counts[row][column]
    page.screenshot(path=tmp_path / "narrowed.png")
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)


@pytest.mark.parametrize(("theme", "width"), [("light", 1500), ("light", 760), ("dark", 760)])
def test_it_fits_in_both_themes_and_narrow(app: app_browser.App, tmp_path: Path, theme: str, width: int) -> None:
    page = app.page
    page.set_viewport_size({"width": width, "height": 1500})
    page.evaluate(_THEME, theme)
    page.reload()
    page.locator('[data-cy="entry-counts"]').wait_for()
    if not page.get_by_text("Matrix of").count():
        app.open_panel("Model metrics")
    _drawn(page, "heatmap")
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / f"{theme}-{width}.png")
    _sound(page)
    over = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
            const box = plot.getBoundingClientRect();
            return box.right - document.documentElement.clientWidth;
        })"""
    )
    assert max(over) <= 0 or width < 800  # the matrix scrolls within its place

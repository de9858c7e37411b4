"""The panel "Compare" in a real browser: leaderboard, two of them, pairs that changed; both themes, a narrow page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "models side by side"
SHOTS = os.environ.get("LOUPE_SHOTS")


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with five models on the same prompts, of which one has an odd name."""
    import fiftyone as fo
    from models_compared import fill_models

    rates = {"signs-1.0": 0.12, "signs-1.1": 0.13, '<b>quick</b> & "fast"': 0.3, "😀 base": 0.32, "tiny": 0.7}
    dataset = fo.Dataset(NAME, persistent=True)
    fill_models(dataset, rates, prompts=80, worse_at_night={"signs-1.1": 0.35}, files=[str(path) for path in pictures])
    with open_app(NAME, panel="Compare", size=(1500, 1250), last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened
    dataset.delete()


def drawn(app: app_browser.App, trace: str) -> list[dict[str, Any]]:
    """Waits for plots with such a trace; returns what each says of its rows: hover texts and labels."""
    app.page.wait_for_function(
        """name => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && plot.data && plot.data.some(trace => trace.name === name))""",
        arg=trace,
    )
    plots: list[dict[str, Any]] = app.page.evaluate(
        """name => [...document.querySelectorAll('.js-plotly-plot')].filter(plot => plot.data)
            .map(plot => ({labels: plot._fullLayout.yaxis.ticktext, width: plot.getBoundingClientRect().width,
                texts: (plot.data.find(trace => trace.name === name) || {}).hovertext || []}))""",
        trace,
    )
    return plots


def shot(app: app_browser.App, tmp_path: Path, name: str) -> None:
    folder = Path(SHOTS) if SHOTS else tmp_path
    app_browser.settle(app.page)
    app.page.screenshot(path=folder / f"compare-{name}.png")


def click_row(app: app_browser.App, plot: int, row: int) -> None:
    """Clicks on the point of a row of a plot."""
    x, y = app.page.evaluate(
        """([index, row]) => {
            const plot = [...document.querySelectorAll('.js-plotly-plot')].filter(each => each.data)[index];
            plot.scrollIntoView({block: 'nearest'});
            const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
            const facts = plot.data.find(trace => trace.name === 'facts');
            const at = facts.y.indexOf(row);
            return [box.left + xaxis._offset + xaxis.d2p(facts.x[at]), box.top + yaxis._offset + yaxis.d2p(row)];
        }""",
        [plot, row],
    )
    app.page.mouse.move(x - 8, y)
    app.page.mouse.move(x, y, steps=4)
    app.page.locator(".hoverlayer .hovertext").first.wait_for()
    app.page.mouse.click(x, y)


def test_the_leaderboard_and_two_of_them_are_the_verbs(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    dataset = fo.load_dataset(NAME)
    comparison = loupe.compare(dataset)
    board, slices = drawn(app, "facts")
    shot(app, tmp_path, "dark" if _is_dark(app) else "light")
    for own, text in zip(comparison.standings, board["texts"], strict=True):
        assert f"{own.rate.failures:,} of {own.rate.n:,} judged" in text
    assert slices["labels"][0].startswith("day")
    body = app.page.locator("body").inner_text()
    reads_well(body)
    assert "<b>quick</b>" in body, "a name is text"


def test_a_click_on_a_row_looks_at_it_and_show_shows_the_pairs_that_changed(
    app: app_browser.App, tmp_path: Path
) -> None:
    import fiftyone as fo

    import loupe

    dataset = fo.load_dataset(NAME)
    comparison = loupe.compare(dataset)
    names = [own.name for own in comparison.standings]
    click_row(app, 0, names.index("signs-1.1"))
    app_browser.settle(app.page, 2.5)
    own = comparison.difference("signs-1.1", names[0])
    label = f"Show {int(own.only_a)} pairs that changed"
    app.page.get_by_role("button", name=label).click()
    app.wait_for_count(2 * int(own.only_a))
    app.page.get_by_role("button", name="Show all", exact=True).wait_for()
    shot(app, tmp_path, "pairs")
    app.page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(len(dataset))

    _, slices = drawn(app, "facts")
    changed = int(re.search(r"([\d,]+) changed", slices["texts"][1])[1])
    assert changed > 0
    click_row(app, 1, 1)
    app.wait_for_count(2 * changed)
    app.page.get_by_text(re.compile("where time = night")).wait_for()
    app.page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(len(dataset))


def test_another_factor_another_failure_and_no_pairs(app: app_browser.App, tmp_path: Path) -> None:
    app.choose("By", "place")
    app.page.wait_for_function(
        """() => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && (plot._fullLayout.yaxis.ticktext || []).some(text => text.startsWith('beach')))"""
    )
    app.choose("Samples", "unpaired")
    app.page.get_by_text("These two share no samples").wait_for()
    shot(app, tmp_path, "unpaired")
    app.choose("Samples", "as pairs")
    app.page.get_by_role("button", name=re.compile("Show .* that changed")).wait_for()
    app.choose("Compare", "time")
    app.page.wait_for_function(
        """() => [...document.querySelectorAll('.js-plotly-plot')].some(plot => plot._fullLayout
            && (plot._fullLayout.yaxis.ticktext || []).some(text => text.includes('night')))"""
    )
    app.choose("Compare", "model")
    drawn(app, "tied")


def test_the_other_theme_and_a_narrow_page(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    dark = _is_dark(app)
    page.get_by_title("Light mode" if dark else "Dark mode").click()
    app_browser.settle(page)
    drawn(app, "tied")
    shot(app, tmp_path, "light" if dark else "dark")
    assert _is_dark(app) != dark
    page.set_viewport_size({"width": 900, "height": 1250})
    app_browser.settle(page)
    shot(app, tmp_path, "narrow")
    board, *_ = drawn(app, "tied")
    overflow = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
            const box = plot.getBoundingClientRect();
            const texts = [...plot.querySelectorAll('.textpoint text, .ytick text')];
            return Math.max(0, ...texts.map(text => text.getBoundingClientRect().right - box.right),
                ...texts.map(text => box.left - text.getBoundingClientRect().left));
        })"""
    )
    assert board["width"] >= 460, "it scrolls"
    assert max(overflow) <= 2, "no text leaves its plot"
    page.set_viewport_size({"width": 1500, "height": 1250})


def _is_dark(app: app_browser.App) -> bool:
    channels = app.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return sum(int(each) for each in re.findall(r"\d+", channels)[:3]) < 3 * 128

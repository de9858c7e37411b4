"""The panel "Failures by scenario" in a real browser: every drawing, the numbers in it, the keyboard, both themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from served import open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database]

NAME, N = "scenarios", 240


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with samples of two models and lists of objects, and the panel open."""
    import fiftyone as fo
    from filled import fill

    dataset = fo.Dataset(NAME, persistent=True)
    fill(dataset, N, files=[str(path) for path in pictures])
    rng = np.random.default_rng(4)
    dataset.set_values("model", [str(model) for model in rng.choice(["new", "old"], N)])
    detections = [
        fo.Detections(
            detections=[fo.Detection(label=label, bounding_box=[0, 0, 1, 1]) for label in rng.choice(["cat", "owl"], n)]
        )
        for n in rng.integers(0, 3, N)
    ]
    dataset.set_values("boxes", detections)
    with open_app(
        NAME, panel="Failures by scenario", size=(1500, 1100), last=tmp_path_factory.mktemp("browser")
    ) as opened:
        opened.heatmap()
        yield opened
    dataset.delete()


@pytest.fixture
def stored(app: app_browser.App) -> Any:
    """The dataset that the App shows, as the database has it now."""
    import fiftyone as fo

    dataset = fo.load_dataset(NAME)
    dataset.reload()
    return dataset


def counted(dataset: Any, mode: str, **where: Any) -> tuple[int, int]:
    """How many samples failed and were judged, counted one by one."""
    from loupe.brain.core import registry

    _, output = registry.failures()[mode]
    failed = judged = 0
    for sample in dataset:
        labels = {box.label for box in sample.boxes.detections} or {None}
        facts = {"time": sample.scenario.time, "model": sample.model}
        fits = all(value in labels if key == "box" else facts[key] == value for key, value in where.items())
        if fits and sample.quality[output.name] is not None and sample.failures is not None:
            judged += 1
            failed += mode in [label.label for label in sample.failures.classifications]
    return failed, judged


def sentence(text: str) -> tuple[int, int]:
    failed, judged = re.search(r"failed: ([\d,]+) of ([\d,]+) judged", text).groups()
    return int(failed.replace(",", "")), int(judged.replace(",", ""))


def mode_named(title: str) -> str:
    from loupe.brain.core.taxonomy import FAILURE_MODES

    return next(mode.name for mode in FAILURE_MODES.values() if mode.title == title)


def readable(app: app_browser.App) -> None:
    """Nothing is undefined, and nothing but what is meant to scroll stands out of the panel."""
    reads_well(app.page)


def points(app: app_browser.App, name: str, count: int) -> list[list[Any]]:
    """Waits for a plot of intervals, and returns x, y and the hover text of each of its points."""
    return app.page.wait_for_function(
        """count => {
            const plot = [...document.querySelectorAll('.js-plotly-plot')].find(each => each.data
                && each.data.some(trace => trace.error_x));
            if (!plot) return null;
            const all = plot.data.filter(trace => trace.error_x)
                .flatMap(trace => trace.x.map((x, at) => [x, trace.y[at], trace.hovertext[at]]));
            return all.length === count ? all : null;
        }""",
        arg=count,
    ).json_value()


def test_the_map_counts_lists_as_one_by_one(app: app_browser.App, stored: Any) -> None:
    app.choose("Factor", "boxes")
    heatmap = app.heatmap(rows=4)
    rows, columns = heatmap.labels()
    assert rows[1:] == ["cat", "owl", "(none)"]
    texts = heatmap.hover_texts()
    for column in (0, 3):
        mode = mode_named(columns[column])
        for row, box in enumerate(("cat", "owl", None), start=1):
            assert sentence(texts[row][column]) == counted(stored, mode, box=box)
    readable(app)
    app.choose("Factor", "time")
    app.heatmap(rows=3)


def test_the_table_is_reached_by_the_keyboard(app: app_browser.App, stored: Any) -> None:
    page = app.page
    app.choose("Shown as", "table")
    first = page.get_by_role("button", name=re.compile(" · night$")).first
    first.wait_for()
    title = first.inner_text().removesuffix(" · night")
    failed, _ = counted(stored, mode_named(title), time="night")
    app_browser.settle(page, 2)  # what the App sends late draws once more
    wanted = first.inner_text()
    page.get_by_role("button", name="Refresh").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == wanted:
            break
    assert page.evaluate("document.activeElement.innerText") == wanted, "Tab does not reach the table"
    # the App takes Enter for itself wherever the keyboard is
    page.keyboard.press("Space")
    app.wait_for_count(failed)
    page.get_by_text(f"Showing failed: {title} · night").wait_for()
    readable(app)


def test_a_cell_is_saved_and_tagged_under_the_name_that_is_given(app: app_browser.App, stored: Any) -> None:
    page = app.page
    name = page.get_by_placeholder(re.compile(" · night$"))
    proposal = name.get_attribute("placeholder")
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_text(re.compile("Tagged .* samples")).wait_for()
    assert stored.count_sample_tags()[proposal] == app.count()
    name.fill("dark ones")
    app_browser.settle(page)
    page.get_by_role("button", name="Save as view").click()
    page.get_by_text("Saved the view 'dark ones'").wait_for()
    stored.reload()
    assert len(stored.load_saved_view("dark ones")) == app.count()
    page.get_by_role("button", name="Show all").click()
    app.wait_for_count(N)


def test_intervals_of_any_failure_and_of_one(app: app_browser.App, stored: Any) -> None:
    app.choose("Shown as", "bars with intervals")
    points(app, "bars", 3)
    app.choose("Failure", "Local blur")
    app.page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].some(each => each.data && each.data.some("
        "trace => trace.error_x && trace.hovertext.some(text => text.includes('Local blur'))))"
    )
    for _, row, text in points(app, "bars", 3):
        where = {} if row == 0 else {"time": ("day", "night")[int(row) - 1]}
        assert sentence(text) == counted(stored, "local_blur", **where)
    readable(app)


def test_two_models_side_by_side(app: app_browser.App, stored: Any) -> None:
    app.choose("Shown as", "two side by side")
    for _, y, text in points(app, "sides", 6):
        row = round(y)
        where = {"model": "new" if y < row else "old"}
        if row:
            where["time"] = ("day", "night")[row - 1]
        assert sentence(text) == counted(stored, "local_blur", **where)
        assert "new against old" in text
    readable(app)


def test_one_goes_into_a_value_and_back(app: app_browser.App, stored: Any) -> None:
    app.choose("Shown as", "heat map")
    heatmap = app.heatmap(rows=3)
    mode = mode_named(heatmap.labels()[1][0])
    heatmap.click(2, 0)
    app.wait_for_count(counted(stored, mode, time="night")[0])
    app.choose("Look within", "model")
    heatmap = app.heatmap(rows=3)
    app.page.get_by_text("time: night", exact=True).wait_for()
    rows, columns = heatmap.labels()
    assert rows == ["<b>all samples</b>", "new", "old"]
    column = columns.index(columns[-1])
    mode = mode_named(columns[column])
    for row, model in enumerate(("new", "old"), start=1):
        assert sentence(heatmap.hover_texts()[row][column]) == counted(stored, mode, time="night", model=model)
    app.page.get_by_role("button", name="All samples").click()
    app.page.get_by_text("time: night", exact=True).wait_for(state="detached")
    assert app.heatmap(rows=3).labels()[0][1:] == ["day", "night"]
    app.page.get_by_role("button", name="Show all").click()
    app.wait_for_count(N)


@pytest.mark.parametrize(("theme", "width"), [("light", 1500), ("dark", 1000), ("light", 1000)])
def test_every_drawing_fits_in_both_themes_and_in_a_narrow_panel(
    app: app_browser.App, tmp_path: Path, theme: str, width: int
) -> None:
    page = app.page
    page.set_viewport_size({"width": width, "height": 1100})  # of 1,000 pixels the panel has 350
    toggle = page.get_by_title("Light mode" if theme == "light" else "Dark mode")
    if toggle.count():
        toggle.first.click()
    for name in ("table", "bars with intervals", "two side by side", "heat map"):
        app.choose("Shown as", name)
        app_browser.settle(page, 2)
        readable(app)
        page.screenshot(path=tmp_path / f"{theme}-{width}-{name.replace(' ', '-')}.png")
        panel = page.get_by_role("combobox").first.bounding_box()
        over = page.evaluate(
            """left => [...document.querySelectorAll('[role="combobox"], button')]
                .filter(each => each.getBoundingClientRect().left >= left && !each.closest('[style*="overflow"]'))
                .map(each => each.getBoundingClientRect().right - window.innerWidth)""",
            panel["x"],
        )
        assert max(over) <= 0, "an input reaches out of the window"

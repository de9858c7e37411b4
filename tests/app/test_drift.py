"""The panel "Drift" in a real browser: what drifted is seen, shown and taken back; in both themes, and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import app_browser
import pytest
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, PER_DAY = "drift", 120


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with a dataset of four days, the last of which drifted; nothing was compared yet."""
    from drifting import fill

    # each file stands there many times: the pictures are only to be seen
    files = [str(path) for path in pictures]
    last = tmp_path_factory.mktemp("browser")
    with serve_dataset(
        NAME, lambda dataset: fill(dataset, PER_DAY, files=files), size=(1500, 1300), last=last
    ) as opened:
        yield opened


def test_from_the_empty_panel_to_what_drifted(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.open_panel("Drift")
    page.get_by_text("Nothing has been compared yet").wait_for()
    page.screenshot(path=tmp_path / "empty.png")
    page.get_by_role("button", name="Compare with a reference").click()
    kinds = ("operators-prompt-modal", "operators-prompt-drawer")
    form = page.locator(", ".join(f'[data-cy="{kind}"]:visible' for kind in kinds)).first
    form.get_by_text("There is nothing to compare with").first.wait_for()
    page.screenshot(path=tmp_path / "form_empty.png")
    form.get_by_role("combobox").filter(has_text="no batches").click()
    page.get_by_role("option", name="taken day", exact=True).click()
    form.get_by_role("combobox").filter(has_text="the first batch").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "form.png")
    message = app.submit(form, "Find")
    assert "1 of 3 batches drifted: 2026-11-04." in message
    page.get_by_role("button", name="Refresh", exact=True).or_(
        page.get_by_role("button", name="Try again")
    ).first.wait_for()


def test_the_map_the_time_and_the_pictures(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    page = app.page
    dataset = fo.load_dataset(NAME)
    loupe.find_drift(
        dataset, reference="first", by="taken day", predictions="predictions", ground_truth="truth", groups=["prompt"]
    )
    page.get_by_role("button", name="Refresh", exact=True).click()
    page.get_by_text("1 of 3 batches drifted").first.wait_for()
    heatmap = app.heatmap()
    page.get_by_text("Over-confidence", exact=True).wait_for()
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "dark.png")
    rows, columns = heatmap.labels()
    assert columns == ["2026-11-02", "2026-11-03", "2026-11-04"]
    heatmap.click(rows.index("sharpness"), 2)
    page.get_by_text("quality.sharpness", exact=True).first.wait_for()
    app_browser.settle(page)
    text = reads_well(page)
    assert "shifted in time=night more than elsewhere" in text
    page.wait_for_function(
        """() => {
            const drawn = [...document.querySelectorAll('img[alt^="Most typical"]')];
            return drawn.length === 16 && drawn.every(each => each.naturalWidth > 0);
        }"""
    )
    page.get_by_text("Most typical of the reference").scroll_into_view_if_needed()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark_below.png")
    page.get_by_role("button", name="Show", exact=True).first.click()
    night = dataset.match({"scenario.time": "night"}).values("taken")
    app.wait_for_count(sum(taken.day == 4 for taken in night))
    page.get_by_text("Showing 2026-11-04, time=night").wait_for()
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(4 * PER_DAY)
    page.get_by_text("Showing 2026-11-04").wait_for(state="detached")


def test_another_batch_by_the_keyboard_and_in_the_light_theme_and_narrow(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Batch", "2026-11-02: no evidence")
    page.get_by_text("So many samples would have shown").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "no_evidence.png")
    app.choose("Batch", "2026-11-04: drifted")
    page.get_by_text("Most typical of the reference").wait_for()
    page.evaluate("() => { localStorage.setItem('mui-mode', 'light'); }")
    page.reload()
    page.locator('[data-cy="entry-counts"]').wait_for()
    app.open_panel("Drift")
    app.heatmap()
    app_browser.settle(page, 3)
    page.screenshot(path=tmp_path / "light.png")
    page.set_viewport_size({"width": 900, "height": 1200})
    app_browser.settle(page, 3)
    page.screenshot(path=tmp_path / "narrow.png")
    heatmap = app.heatmap()
    between = heatmap.position(0, 1)[0] - heatmap.position(0, 0)[0]
    assert between > 45, "a cell is as wide as its number"
    page.get_by_text("Most typical of the reference").scroll_into_view_if_needed()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "narrow_below.png")
    beyond = page.evaluate(
        """() => {
            const part = document.querySelector('img[alt^="Most typical"]').getBoundingClientRect();
            return part.right - window.innerWidth;
        }"""
    )
    assert beyond <= 0, "nothing hangs over the panel's edge"


def test_one_batch_against_the_rest_and_too_few(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    page = app.page
    page.set_viewport_size({"width": 1500, "height": 1000})
    dataset = fo.load_dataset(NAME)
    loupe.find_drift(dataset.skip(3 * PER_DAY), reference=dataset.limit(3 * PER_DAY), groups=["prompt"])
    page.get_by_role("button", name="Refresh", exact=True).click()
    page.get_by_text("Drifted.", exact=True).wait_for()
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "one_batch.png")
    page.get_by_role("button", name="Show the batch", exact=True).click()
    app.wait_for_count(PER_DAY)
    page.get_by_role("button", name="Show all", exact=True).click()

    loupe.find_drift(dataset.limit(10), reference=dataset.skip(430))
    page.get_by_role("button", name="Refresh", exact=True).click()
    page.get_by_text("Compare larger batches").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "too_few.png")
    text = page.locator("body").inner_text()
    assert "Too few samples to tell whether anything drifted." in text
    reads_well(text)

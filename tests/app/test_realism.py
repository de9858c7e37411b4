"""The panel "Realism" in a real browser: from nothing to findings, pictures and charts; in both themes, and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, REAL = "realism-synthetic", "realism-real"


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with a synthetic dataset that nobody has compared with the real one yet."""
    from real_pictures import faulty, photos

    folder = tmp_path_factory.mktemp("realism")
    real = photos(folder / "real")
    synthetic = faulty(folder / "synthetic", real)
    for dataset, name in ((real, REAL), (synthetic, NAME)):
        dataset.name, dataset.persistent = name, True
    with open_app(NAME, size=(1500, 1400), last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened
    for dataset in (synthetic, real):
        dataset.delete()


def _beyond(page: Any) -> float:
    """Returns how far anything of the panel hangs over the page's right edge, in pixels."""
    return float(
        page.evaluate(
            """() => Math.max(...[...document.querySelectorAll('.js-plotly-plot, img[alt^="Pair"], img[alt^="Real"]')]
                .map(each => each.getBoundingClientRect().right)) - window.innerWidth"""
        )
    )


_TITLES = (
    "How real it is", "By ground_truth", "What the set lacks", "Both sets in one map", "Spectra",
    "What it is worth as training data",
)  # fmt: skip


def _walk(page: Any, folder: Path, name: str, titles: tuple[str, ...] = _TITLES) -> None:
    """Takes pictures of all of the panel, one below the other."""
    for number, title in enumerate(titles):
        heading = page.get_by_text(title, exact=True).first
        if heading.count():
            heading.evaluate("each => each.scrollIntoView({block: 'start'})")
            app_browser.settle(page)
            page.screenshot(path=folder / f"{name}_{number + 1}.png")


def test_from_the_empty_panel_to_the_findings(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    page = app.page
    app.open_panel("Realism")
    page.get_by_text("have not been compared with real ones yet").wait_for()
    page.screenshot(path=tmp_path / "empty.png")
    page.get_by_role("button", name="Compare with real images").click()
    kinds = ("operators-prompt-modal", "operators-prompt-drawer")
    form = page.locator(", ".join(f'[data-cy="{kind}"]:visible' for kind in kinds)).first
    form.wait_for()
    page.keyboard.press("Escape")
    synthetic, real = fo.load_dataset(NAME), fo.load_dataset(REAL)
    loupe.compare_to_real(synthetic, real, label="ground_truth", by="ground_truth")
    page.reload()
    page.locator('[data-cy="entry-counts"]').wait_for()
    app.open_panel("Realism")
    page.get_by_text("240 synthetic samples against 300 real ones").wait_for()
    page.get_by_text("COLLAPSE", exact=True).wait_for()
    app_browser.settle(page, 2.5)
    page.screenshot(path=tmp_path / "dark_0.png")
    text = reads_well(page)
    assert "The file format differs" in text
    _walk(page, tmp_path, "dark")


def test_with_the_transfer_in_the_light_theme_and_narrow(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    page = app.page
    synthetic, real = fo.load_dataset(NAME), fo.load_dataset(REAL)
    loupe.test_transfer(synthetic, real[:200], real[200:], label="ground_truth", pool=real[:200])
    page.evaluate("() => { localStorage.setItem('mui-mode', 'light'); }")
    page.reload()
    page.locator('[data-cy="entry-counts"]').wait_for()
    app.open_panel("Realism")
    page.get_by_text("How many real samples it replaces").wait_for()
    app_browser.settle(page, 2.5)
    page.screenshot(path=tmp_path / "light_0.png")
    _walk(page, tmp_path, "light")
    page.set_viewport_size({"width": 900, "height": 1300})
    app_browser.settle(page, 2.5)
    _walk(page, tmp_path, "narrow")
    assert _beyond(page) <= 0, "nothing hangs over the panel's edge"
    reads_well(page)


def test_a_class_and_the_copies_are_shown_and_taken_back(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.store.realism import sides as realism

    page = app.page
    page.set_viewport_size({"width": 1500, "height": 1400})
    page.get_by_role("button", name="Show more", exact=True).first.wait_for()
    app.choose("Show the samples of", "owl")
    app.wait_for_count(60)
    page.get_by_text("Showing ground_truth owl").wait_for()
    app_browser.settle(page)
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(240)
    page.get_by_text("Showing ground_truth owl").wait_for(state="detached")
    app_browser.settle(page)
    nearest = len(realism.kept(fo.load_dataset(NAME), "realism")["pairs"])
    page.get_by_role("button", name="Show the nearest", exact=True).click()
    app.wait_for_count(nearest)
    page.get_by_text("Showing what is nearest to a real sample").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "copies.png")
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(240)


def test_what_is_missing_becomes_prompts_by_the_keyboard(app: app_browser.App, tmp_path: Path) -> None:
    """Generators side by side, then from the holes to the form that draws them; Enter presses, after a list, too."""
    import fiftyone as fo
    from real_pictures import of_generators

    import loupe

    page, name = app.page, "realism-generators"
    real = fo.load_dataset(REAL)
    synthetic = of_generators(tmp_path / "pictures", real)
    synthetic.name, synthetic.persistent = name, True
    try:
        loupe.compare_to_real(synthetic, real, label="ground_truth", by="generation.model")
        page.set_viewport_size({"width": 1500, "height": 1400})
        page.evaluate("() => { localStorage.setItem('mui-mode', 'dark'); }")
        app.open(name)
        app.open_panel("Realism")
        page.get_by_text("Generators side by side").wait_for()
        app_browser.settle(page, 2.5)
        titles = ("Generators side by side", "What the set lacks", "Both sets in one map")
        _walk(page, tmp_path, "generators_dark", titles)
        app.choose("Measure", "coverage")
        page.get_by_text("Coverage: ").wait_for()
        page.get_by_role("button", name="Suggest prompts").last.press("Enter")
        page.get_by_text("were suggested last").wait_for()
        page.get_by_text("a pig in the garden").first.wait_for()
        app_browser.settle(page)
        _walk(page, tmp_path, "suggested_dark", titles[1:2])
        page.evaluate("() => { localStorage.setItem('mui-mode', 'light'); }")
        page.reload()
        page.locator('[data-cy="entry-counts"]').wait_for()
        app.open_panel("Realism")
        page.get_by_text("were suggested last").wait_for()
        app_browser.settle(page, 2.5)
        _walk(page, tmp_path, "suggested_light", titles)
        page.set_viewport_size({"width": 900, "height": 1300})
        app_browser.settle(page, 2.5)
        _walk(page, tmp_path, "suggested_narrow", titles)
        assert _beyond(page) <= 0, "nothing hangs over the panel's edge"
        reads_well(page)
        page.set_viewport_size({"width": 1500, "height": 1400})
        page.get_by_role("button", name="Generate these images").press("Enter")
        page.get_by_text(re.compile("The first prompts?: a pig in the garden")).wait_for()
        page.screenshot(path=tmp_path / "form.png")
        page.keyboard.press("Escape")
    finally:
        synthetic.delete()

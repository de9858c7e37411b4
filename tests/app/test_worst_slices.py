"""The panel "Worst slices" in a real browser: found, shown, put aside and taken back; both themes, and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "worst_slices", 1200


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with flagged samples that nobody has looked through for slices."""
    from filled import fill

    files, last = [str(path) for path in pictures], tmp_path_factory.mktemp("browser")
    with serve_dataset(NAME, lambda dataset: fill(dataset, N, files=files), size=(1500, 1000), last=last) as opened:
        yield opened


def findings() -> Any:
    import fiftyone as fo

    from loupe.brain.store import findings as store

    kept = store.load(fo.load_dataset(NAME))
    assert kept is not None
    return kept.findings


def sound(page: Any) -> None:
    """Fails where something is not there, is not to be seen, or does not fit."""
    reads_well(page)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-cy^="panel-container"], [id^="panel"]')]
            .filter(each => each.scrollWidth > each.clientWidth + 2).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def pictures_drawn(page: Any, number: int) -> None:
    page.wait_for_function(
        """number => {
            const drawn = [...document.querySelectorAll('img[src*="/media?filepath="], img[src^="data:image/svg"]')];
            return drawn.length >= number && drawn.every(each => each.naturalWidth > 0);
        }""",
        arg=number,
    )


def test_from_nothing_to_the_samples_of_the_worst_slice_and_back(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.open_panel("Worst slices")
    page.get_by_text("Nobody has looked for the worst slices").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "empty.png")
    page.get_by_role("button", name="Find the worst slices").click()
    form = page.locator('[data-cy="operators-prompt-modal"]:visible, [data-cy="operators-prompt-drawer"]:visible').first
    form.wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "form.png")
    said_by_run = app.submit(form, "Find")
    known = findings()
    first = known.findings[0]
    assert "more often than the rest" in said_by_run

    page.get_by_text("more often than the rest").first.wait_for()
    page.get_by_text(first.sentence.split(":")[0]).first.wait_for()
    pictures_drawn(page, 5)
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "cards.png")
    sound(page)
    whole = first.whole.n + first.whole.unknown + first.whole.unchecked
    page.get_by_role("button", name=f"Show {whole:,}", exact=True).first.click()
    app.wait_for_count(whole)
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "shown.png")
    page.get_by_role("button", name=f"Show the {first.whole.failures:,} that fail", exact=True).first.click()
    app.wait_for_count(first.whole.failures)
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)


def test_a_finding_is_put_aside_with_a_reason_and_taken_back(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.store import findings as store

    page = app.page
    number = len(findings().by_slice())
    page.get_by_role("button", name="Dismiss …", exact=True).first.click()
    field = page.get_by_placeholder("e.g. known: a lens cap on camera 3")
    field.wait_for()
    field.focus()
    page.keyboard.type("known: <b>night</b> is hard", delay=15)
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "why.png")
    page.get_by_role("button", name="Put aside", exact=True).click()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "pressed.png")
    page.get_by_text("Put aside: 1 slice").wait_for()
    dismissal, *_ = store.dismissed(fo.load_dataset(NAME)).values()
    assert dismissal.reason == "known: <b>night</b> is hard"
    assert page.get_by_role("button", name="Dismiss …", exact=True).count() == number - 1
    page.get_by_text("Put aside: 1 slice").click()
    page.get_by_text("known: <b>night</b> is hard").wait_for()
    page.get_by_text("Not confirmed:").click()
    page.get_by_text("No findings: each looked worse").wait_for()
    app_browser.settle(page)
    page.get_by_role("button", name="Undo", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "aside.png")
    sound(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_text("Put aside:").wait_for(state="detached")
    assert page.get_by_role("button", name="Dismiss …", exact=True).count() == number
    page.get_by_text("Not confirmed:").click()


@pytest.mark.parametrize(("width", "theme"), [(1500, "light"), (760, "light"), (760, "dark")])
def test_it_fits_and_can_be_read_in_both_themes_and_narrow(
    app: app_browser.App, tmp_path: Path, width: int, theme: str
) -> None:
    page = app.page
    page.evaluate("theme => localStorage.setItem('mui-mode', theme)", theme)
    page.set_viewport_size({"width": width, "height": 1000})
    app.open(NAME)
    app.open_panel("Worst slices")
    pictures_drawn(page, 5)
    app_browser.settle(page)
    page.screenshot(path=tmp_path / f"{theme}_{width}.png")
    sound(page)
    # light letters on a dark page, or the other way round
    shades = page.evaluate(
        """() => {
            const text = [...document.querySelectorAll('p')].find(each => each.innerText.includes('times as often'));
            let page = text;
            const parts = color => (color.match(/[\\d.]+/g) || []).slice(0, 3);
            const shade = color => parts(color).reduce((sum, part) => sum + +part, 0) / 765;
            while (page && /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(page).backgroundColor))
                page = page.parentElement;
            const back = getComputedStyle(page || document.body).backgroundColor;
            return [shade(getComputedStyle(text).color), shade(back)];
        }"""
    )
    assert abs(shades[0] - shades[1]) > 0.5, shades
    assert (shades[1] > 0.5) == (theme == "light"), shades


def test_it_says_that_samples_changed(app: app_browser.App, tmp_path: Path) -> None:
    import fiftyone as fo

    sample = fo.load_dataset(NAME).first()
    sample.tags.append("changed")
    sample.save()
    page = app.page
    page.set_viewport_size({"width": 1500, "height": 1000})
    app.open(NAME)
    app.open_panel("Worst slices")
    page.get_by_text("have changed since: look again").wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "stale.png")
    sound(page)

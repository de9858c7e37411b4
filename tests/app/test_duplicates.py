"""The panel "Duplicates" in a real browser: decided by keyboard, undone; in both themes and in a narrow window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from duplicated import draw_groups, fill
from served import expect, fits, reads_well, serve_dataset, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "with-duplicates"


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with four groups of duplicates, and the panel open."""
    paths = draw_groups(tmp_path_factory.mktemp("duplicates"))
    last = tmp_path_factory.mktemp("browser")
    with serve_dataset(NAME, lambda dataset: fill(dataset, paths), panel="Duplicates", last=last) as opened:
        opened.page.get_by_text("0 of 4 groups").wait_for()
        yield opened


def statuses() -> list[str | None]:
    dataset = stored(NAME)
    if not dataset.has_field("deduplicated"):
        return [None] * len(dataset)
    return list(dataset.values("deduplicated.label"))


def _cards(app: app_browser.App) -> Any:
    return app.page.locator('img[title$="keep this one"]')


def _press(app: app_browser.App, key: str) -> None:
    """Presses a key, and waits until another group is drawn."""
    before = _cards(app).first.get_attribute("src")
    app.page.keyboard.press(key)
    _another(app, before)


def _another(app: app_browser.App, before: str | None) -> None:
    app.page.wait_for_function(
        """before => {
            const first = document.querySelector('img[title$="keep this one"]');
            return !first || (first.getAttribute('src') !== before && first.complete && first.naturalWidth > 0);
        }""",
        arg=before,
    )


def _reads_well(app: app_browser.App) -> None:
    reads_well(app.page)
    fits(app.page, "k")


def test_groups_are_decided_by_keys_and_undone(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark.png")
    _reads_well(app)
    expect(page.get_by_text("Leak", exact=True)).to_be_visible()
    page.keyboard.press("3")
    page.get_by_text("your choice").wait_for()
    page.screenshot(path=tmp_path / "chosen.png")
    _press(app, "k")
    assert statuses()[:4] == ["drop", "keep", "drop", None]
    page.get_by_text("1 of 4 groups").wait_for()
    _press(app, "m")
    assert statuses()[3:5] == ["keep", "drop"]
    _press(app, "a")
    assert statuses()[7:10] == ["distinct"] * 3
    _press(app, "z")
    assert statuses()[7:10] == [None] * 3
    _press(app, "ArrowLeft")
    page.get_by_text("one is kept, with the others' labels").wait_for()
    page.screenshot(path=tmp_path / "decided.png")
    _press(app, "ArrowLeft")
    page.keyboard.press("1")
    page.get_by_text("suggested: the best").wait_for()
    _press(app, "k")  # decided anew: what comes next is what is still open
    assert statuses()[:3] == ["drop", "drop", "keep"]
    for key in ("z", "Backspace", "z"):
        _press(app, key)
    assert statuses() == [None] * 12
    page.get_by_text("0 of 4 groups").wait_for()


def test_how_two_pictures_differ_is_seen(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    while "c.png" not in (_cards(app).first.get_attribute("title") or ""):
        _press(app, "ArrowRight")
    _press(app, "ArrowLeft")  # a sharp one and a blurred one
    page.keyboard.press("d")
    page.get_by_text("no difference").wait_for()
    page.keyboard.press("d")
    app_browser.settle(page, 2.5)
    page.locator('img[alt="what differs"]').scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "differ.png")
    boxes = page.evaluate(
        """() => {
            const above = document.querySelector('img[alt="what differs"]');
            const cell = above.closest('[class*=MuiGrid]');
            const images = [...document.querySelectorAll('img')].map(image => image.getBoundingClientRect());
            const box = above.getBoundingClientRect();
            return images.filter(each => Math.abs(each.x - box.x) < 1 && Math.abs(each.y - box.y) < 1).length;
        }"""
    )
    assert boxes == 2, "both lie over each other"
    page.keyboard.press("d")
    page.get_by_text("no difference").wait_for(state="detached")


def test_a_key_that_is_held_decides_one_group(app: app_browser.App) -> None:
    page = app.page
    source = _cards(app).first.get_attribute("src")
    for _ in range(8):  # without a release between: the browser repeats the key
        page.keyboard.down("k")
    page.keyboard.up("k")
    _another(app, source)
    app_browser.settle(page)
    assert statuses().count("keep") == 1


def test_a_note_is_typed_and_its_letters_decide_nothing(app: app_browser.App) -> None:
    page, before = app.page, statuses()
    page.keyboard.press("n")
    page.keyboard.type("kams 123 <b>edge</b> z")
    assert statuses() == before
    page.keyboard.press("Enter")
    _press(app, "k")
    assert set(stored(NAME).values("deduplicated.note")) == {"kams 123 <b>edge</b> z", "", None}


def test_what_is_kept_is_shown_in_the_grid_and_saved(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    dropped = statuses().count("drop")
    page.get_by_role("button", name=f"{dropped} dropped").click()
    app.wait_for_count(dropped)
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(12)
    page.get_by_role("button", name="Save the view of what is kept").click()
    page.get_by_text("is the saved view").wait_for()
    assert len(stored(NAME).load_saved_view("Without duplicates")) == 12 - dropped
    page.get_by_role("button", name="Decide the rest by a rule").click()
    page.get_by_text("Which image of a group", exact=False).first.wait_for()
    page.screenshot(path=tmp_path / "form.png")
    page.get_by_role("button", name="Cancel").click()


def test_it_reads_well_in_the_light_theme_and_in_a_narrow_window(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    page.set_viewport_size({"width": 1000, "height": 900})  # of which the panel has 350
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "narrow.png")
    _reads_well(app)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.get_by_title("Light mode").click()
    app_browser.settle(page, 2)
    page.screenshot(path=tmp_path / "light.png")
    _reads_well(app)
    while _cards(app).count():
        _press(app, "k")
    page.get_by_text(re.compile("All 4 groups are decided")).wait_for()
    page.screenshot(path=tmp_path / "done.png")
    _reads_well(app)

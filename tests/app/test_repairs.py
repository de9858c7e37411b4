"""The panel "Repairs" in a real browser: by keyboard alone, in both themes, in a narrow window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
import repairs
from served import fits, reads_well, serve_dataset, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "repaired"


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with repaired pictures, and the panel open."""
    pictures, last = tmp_path_factory.mktemp("dark"), tmp_path_factory.mktemp("browser")
    with serve_dataset(NAME, lambda dataset: repairs.repaired(dataset, pictures), panel="Repairs", last=last) as opened:
        opened.page.get_by_text("repairs decided").or_(opened.page.get_by_text("8 repairs")).first.wait_for()
        yield opened


def _pictures(app: app_browser.App) -> Any:
    return app.page.locator('img[alt^="Original:"], img[alt^="Attempt"]')


def _statuses() -> list[str]:
    return sorted(each for each in stored(NAME).values("repaired.dark.label") if each)


def _press(app: app_browser.App, key: str, decided: int) -> None:
    app.page.keyboard.press(key)
    app.page.get_by_text(f"{decided} of 8 repairs").wait_for()


def _reads_well(app: app_browser.App) -> None:
    reads_well(app.page)
    fits(app.page, "2 k")


def test_repairs_are_decided_by_keys_alone(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark.png")
    _reads_well(app)
    assert _pictures(app).count() == 2
    for at in range(2):
        assert _pictures(app).nth(at).evaluate("image => image.complete && image.naturalWidth > 0")
    before = _statuses()
    _press(app, "1", 1)
    _press(app, "k", 2)
    now = _statuses()
    assert (now.count("accepted"), now.count("undone")) == (1, 1)
    _press(app, "z", 1)
    _press(app, "z", 0)
    assert _statuses() == before


def test_why_the_gate_refused_stands_there(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Which", "Refused by the gate")
    page.get_by_text("Why the gate refused it").first.wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "refused.png")
    _reads_well(app)
    app.choose("Which", "All repairs, those kept first")


def test_it_reads_well_in_the_light_theme_and_in_a_narrow_window(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    page.set_viewport_size({"width": 1000, "height": 900})  # of which the panel has 350
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "narrow.png")
    _reads_well(app)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.get_by_title("Light mode").click()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "light.png")
    _reads_well(app)

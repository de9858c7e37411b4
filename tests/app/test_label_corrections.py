"""The panel "Label issues" in a real browser: labels put right by keyboard alone; both themes and a narrow window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from noisy_digits import fill, issues
from served import expect, fits, reads_well, serve_dataset, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, INTO = "noisy-digits", "ground_truth_corrected"


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with digits, some of them with a wrong label, and the panel open."""
    pictures, last = tmp_path_factory.mktemp("digits"), tmp_path_factory.mktemp("browser")
    with serve_dataset(NAME, lambda dataset: fill(dataset, pictures), panel="Label issues", last=last) as opened:
        opened.page.get_by_text("issues decided").wait_for()
        yield opened


def _dataset() -> Any:
    return stored(NAME)


def _large(app: app_browser.App) -> Any:
    return app.page.locator('img[alt^="Label:"]').first


def _press(app: app_browser.App, *keys: str) -> None:
    """Presses keys, and waits until another picture is drawn."""
    before = _large(app).get_attribute("src")
    for key in keys:
        app.page.keyboard.press(key)
    _another(app, before)


def _another(app: app_browser.App, before: str | None) -> None:
    app.page.wait_for_function(
        """before => {
            const large = document.querySelector('img[alt^="Label:"]');
            return large && large.getAttribute('src') !== before && large.complete && large.naturalWidth > 0;
        }""",
        arg=before,
    )


def _corrected(ids: list[str]) -> list[str | None]:
    values = dict(zip(*_dataset().values(["id", f"{INTO}.label"]), strict=True))
    return [values[each] for each in ids]


def _column(ids: list[str], path: str) -> list[str | None]:
    values = dict(zip(*_dataset().values(["id", path]), strict=True))
    return [values[each] for each in ids]


def _reads_well(app: app_browser.App) -> None:
    reads_well(app.page)
    fits(app.page, "3 u")


def test_labels_are_put_right_by_keys_alone(app: app_browser.App, tmp_path: Path) -> None:
    page, ids = app.page, issues(_dataset())
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "dark.png")
    _reads_well(app)
    given, suggested = _column(ids, "ground_truth.label"), _column(ids, "label_issues.label")
    expect(page.get_by_role("button", name=f"Accept: {suggested[0]}")).to_be_visible()
    _press(app, "1")
    _press(app, "k")
    _press(app, "x")
    assert _corrected(ids[:4]) == [suggested[0], given[1], None, given[3]]
    assert _column(ids, "ground_truth.label") == given
    page.get_by_text(f"3 of {len(ids)}").wait_for()
    _press(app, "z")
    assert _corrected(ids[:3]) == [suggested[0], given[1], given[2]]
    _press(app, "3")
    _press(app, "ArrowLeft")
    page.get_by_text("Unsure,", exact=False).first.wait_for()
    _press(app, "ArrowRight")


def test_any_class_is_chosen_by_its_name_without_a_mouse(app: app_browser.App, tmp_path: Path) -> None:
    page, ids = app.page, issues(_dataset())
    front = Path(_large(app).get_attribute("alt").rpartition(" ")[2]).stem
    names = [Path(each).stem for each in _column(ids, "filepath")]
    sample_id = ids[names.index(front)]
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox"
    page.keyboard.type("9")
    page.get_by_role("option", name="9").wait_for()
    page.screenshot(path=tmp_path / "classes.png")
    _press(app, "Enter")
    assert _corrected([sample_id]) == ["9"]
    # and left without a choice, the keys are the buttons' again
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    _press(app, "z")
    assert _corrected([sample_id]) == _column([sample_id], "ground_truth.label")


def test_a_pair_of_classes_is_clicked_and_its_issues_come_alone(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    first = page.get_by_role("button", name=re.compile(r"→ \d")).first
    given, suggested = re.findall(r"(\d) → (\d)", first.inner_text())[0]
    first.click()
    page.get_by_role("button", name="All", exact=True).wait_for()
    app_browser.settle(page)
    page.screenshot(path=tmp_path / "pair.png")
    expect(page.get_by_role("button", name=f"Accept: {suggested}")).to_be_visible()
    expect(page.get_by_role("button", name=f"Keep: {given}")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="All", exact=True).wait_for(state="detached")


def test_at_random_there_is_nothing_to_accept(app: app_browser.App, tmp_path: Path) -> None:
    page = app.page
    app.choose("Which, in which order", "All labels, at random: measures what remains")
    page.get_by_text("Mixed up:").wait_for(state="detached")
    for _ in range(10):  # a few of them are issues as well
        if page.get_by_text("nothing is suggested instead").is_visible():
            break
        _press(app, "ArrowRight")
    assert not page.get_by_role("button", name=re.compile("^Accept:")).count()
    _press(app, "k")
    page.screenshot(path=tmp_path / "random.png")
    app.choose("Which, in which order", f"The most probable issues first ({len(issues(_dataset()))})")
    page.get_by_role("button", name=re.compile("^Accept:")).wait_for()


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
    _press(app, "2")
    page.get_by_role("button", name="Accept by score").click()
    page.get_by_text("Where the corrected labels go", exact=False).first.wait_for()
    page.screenshot(path=tmp_path / "accept.png")
    page.get_by_role("button", name="Cancel").click()

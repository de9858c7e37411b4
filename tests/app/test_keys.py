"""``panels/keys.js`` on a page of its own: which keys press which button, and when they press none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import needs_chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = Path(app_browser.ROOT) / "panels" / "keys.js"
PAGE = """
<button aria-keyshortcuts="1 r" onclick="window.pressed.push('real')">Real</button>
<button aria-keyshortcuts="ArrowLeft" disabled onclick="window.pressed.push('back')">Back</button>
<button aria-keyshortcuts="u" style="display:none" onclick="window.pressed.push('hidden')">Hidden</button>
<button aria-keyshortcuts="u" onclick="window.pressed.push('unsure')">Unsure</button>
<button id="plain" onclick="window.pressed.push('plain')">Plain</button>
<input id="note" aria-keyshortcuts="n"><input id="other"><textarea id="long"></textarea>
<div data-cy="panel-content-realism">
<button onclick="window.pressed.push('ours')">Ours</button>
<button disabled onclick="window.pressed.push('never')">Never</button>
<a href="#here" onclick="window.pressed.push('link')">Link</a>
</div>
<div data-cy="panel-content-Samples"><button onclick="window.pressed.push('theirs')">Theirs</button></div>
<div id="over"></div>
"""
#: as FiftyOne does: it takes Enter of the whole page, so that the browser presses no button by it
TAKES_ENTER = "document.addEventListener('keydown', event => event.key === 'Enter' && event.preventDefault())"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs_chromium()
    with app_browser.browser_page(600, 400) as page:
        yield page


@pytest.fixture
def page(browser: Any) -> Any:
    browser.goto("about:blank")
    browser.set_content(PAGE)
    browser.evaluate("window.pressed = []; window.seen = [];")
    for _ in range(2):  # a second load of the script adds no second listener
        browser.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    browser.evaluate("document.addEventListener('keydown', event => window.seen.push(event.key))")
    return browser


def pressed(page: Any) -> list[str]:
    return page.evaluate("window.pressed")


def test_a_key_presses_the_button_that_names_it_once(page: Any) -> None:
    for key in ("1", "r", "R", "u"):
        page.keyboard.press(key)
    assert pressed(page) == ["real", "real", "real", "unsure"]
    assert "1" not in page.evaluate("window.seen"), "the page's own listeners do not see it"


def test_other_keys_are_the_pages_own(page: Any) -> None:
    for key in ("x", "2", "Escape", "ArrowLeft", "Control+u", "Alt+1", "Meta+u"):
        page.keyboard.press(key)
    assert pressed(page) == []
    assert {"x", "2", "Escape", "ArrowLeft"} <= set(page.evaluate("window.seen"))


@pytest.mark.parametrize("key", ["r", "Enter"])
def test_a_held_key_presses_once(page: Any, key: str) -> None:
    page.get_by_role("button", name="Real").focus()
    for _ in range(5):
        page.keyboard.down(key)
    page.keyboard.up(key)
    assert pressed(page) == ["real"]


def test_space_and_a_plain_button_are_as_ever(page: Any) -> None:
    page.get_by_role("button", name="Real").press("Space")
    page.get_by_role("button", name="Plain").press("Enter")
    assert pressed(page) == ["real", "plain"]


def test_enter_presses_what_has_the_focus_in_our_panels_though_the_app_takes_it(page: Any) -> None:
    page.evaluate(TAKES_ENTER)
    for role, name in (("button", "Ours"), ("button", "Theirs"), ("button", "Plain"), ("link", "Link")):
        page.get_by_role(role, name=name).press("Enter")
    assert pressed(page) == ["ours", "link"]
    page.get_by_role("button", name="Ours").focus()
    for key in ("Control+Enter", "Alt+Enter", "Space"):
        page.keyboard.press(key)
    for _ in range(4):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    assert pressed(page) == ["ours", "link", "ours", "ours"], "Space is the browser's; a held Enter presses once"


def test_the_script_knows_every_panel() -> None:
    import yaml

    known = yaml.safe_load((Path(app_browser.ROOT) / "fiftyone.yml").read_text(encoding="utf-8"))["panels"]
    script = SCRIPT.read_text(encoding="utf-8")
    listed = script.split("const PANELS = [")[1].split("]")[0]
    assert sorted(re.findall(r'"(\w+)"', listed)) == sorted(known)


@pytest.mark.parametrize("field", ["note", "other", "long"])
def test_what_is_typed_presses_nothing(page: Any, field: str) -> None:
    page.focus(f"#{field}")
    page.keyboard.type("1ru n")
    assert pressed(page) == []
    assert page.input_value(f"#{field}") == "1ru n"


def test_a_field_is_reached_by_its_key_and_left_by_enter(page: Any) -> None:
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.id") == "note"
    assert page.input_value("#note") == "", "the key itself is not typed"
    page.keyboard.type("u")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == ""
    page.keyboard.press("u")
    assert pressed(page) == ["unsure"]
    # a field that is not ours keeps its Enter
    page.focus("#other")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "other"


@pytest.mark.parametrize("over", ['data-cy="modal"', 'role="dialog"', 'role="listbox"', 'role="menu"'])
def test_keys_rest_while_something_lies_over_the_page(page: Any, over: str) -> None:
    page.evaluate(f"""document.querySelector('#over').innerHTML = '<div {over}>over</div>'""")
    page.keyboard.press("1")
    assert pressed(page) == []
    page.evaluate("document.querySelector('#over').firstChild.style.display = 'none'")
    page.keyboard.press("1")
    assert pressed(page) == ["real"]

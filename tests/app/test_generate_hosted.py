"""The form of ``generate`` with a hosted service, in a real browser: price, key, a run that fails, one that works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from hosted_server import KEY, HostedServer, Plan
from served import expect, open_app, reads_well

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "hosted"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="module")
def app(database: str, shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App of an empty dataset, whose server has a key for other addresses and none of OpenAI."""
    pytest.importorskip("openai")
    import fiftyone as fo
    from PIL import Image

    path = tmp_path_factory.mktemp("pictures") / "first.png"
    Image.new("RGB", (32, 32), "gray").save(path)
    dataset = fo.Dataset(NAME, persistent=True)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    before = {name: os.environ.pop(name, None) for name in ("OPENAI_API_KEY", "LOUPE_HOSTED_API_KEY")}
    os.environ["LOUPE_HOSTED_API_KEY"] = KEY
    try:
        with open_app(NAME, size=(1400, 1000), last=shots) as opened:
            yield opened
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        dataset.delete()


@pytest.fixture(scope="module")
def server() -> Iterator[HostedServer]:
    made = HostedServer(Plan(price=4.0)).start()
    yield made
    made.stop()


def _field(form: Any, title: str) -> Any:
    return form.locator(f"xpath=.//*[text()='{title}']/following::*[self::input or self::textarea][1]")


def _drawn_by(app: app_browser.App, form: Any, option: str) -> None:
    form.locator("xpath=.//*[text()='Who draws']/following::*[@role='combobox'][1]").click()
    app.page.get_by_role("option", name=re.compile(f"^{option}")).click()


def _form(app: app_browser.App, thing: str = "cup") -> Any:
    form = app.open_operator("Loupe: generate images")
    app_browser.settle(app.page)
    _field(form, "Prompts").fill(f"a red {thing}\na blue {thing}")
    return form


def test_the_price_and_a_missing_key_are_said_before(app: app_browser.App, shots: Path) -> None:
    form = _form(app)
    _drawn_by(app, form, "OpenAI")
    form.get_by_text(re.compile("Set the environment variable OPENAI_API_KEY")).wait_for()
    form.get_by_text(re.compile(r"^About \$0\.03: 2 images at \$0\.01317 each")).wait_for()
    form.get_by_text(re.compile("2 prompts × 1 = 2 images")).wait_for()
    app_browser.settle(app.page)
    app.page.screenshot(path=shots / "missing_key.png")
    form.get_by_text(re.compile(r"^About \$0\.03")).scroll_into_view_if_needed()
    app.page.screenshot(path=shots / "price.png")
    button = form.get_by_role("button", name="Generate", exact=True)
    expect(button).to_be_disabled()
    reads_well(app.page)
    app.page.keyboard.press("Escape")


def _elsewhere(app: app_browser.App, server: HostedServer, folder: Path, thing: str = "cup") -> Any:
    form = _form(app, thing)
    _drawn_by(app, form, "Another address")
    form.get_by_text("As that server calls it").wait_for()
    app_browser.settle(app.page)
    _field(form, "Model to draw with").fill("mine")
    _field(form, "Address of the server").fill(f"{server.url}/v1")
    form.get_by_text(re.compile("^Nobody says what an image of mine costs there")).wait_for()
    form.get_by_text("Show settings").click()
    _field(form, "Folder for the images").fill(str(folder))
    _field(form, "Price per image").fill("0.04")
    form.get_by_text(re.compile(r"^About \$0\.08: 2 images at \$0\.04 each \(yours\)")).wait_for()
    return form


def test_a_wrong_key_ends_with_the_reason_and_shows_no_key(
    app: app_browser.App, server: HostedServer, shots: Path, tmp_path: Path
) -> None:
    server.plan.always = "401"
    form = _elsewhere(app, server, tmp_path / "images")
    app.page.screenshot(path=shots / "elsewhere.png")
    form.get_by_role("button", name="Generate", exact=True).click()
    dialog = app.ended()
    dialog.locator(".MuiAlert-root").wait_for()
    app.page.screenshot(path=shots / "wrong_key.png")
    text = app.close(dialog)
    assert "does not accept the key in LOUPE_HOSTED_API_KEY" in text
    assert KEY not in app.page.content()
    server.plan.always = ""


@pytest.mark.parametrize("width", [1400, 420])
def test_a_run_tells_what_it_cost(
    app: app_browser.App, server: HostedServer, shots: Path, tmp_path: Path, width: int
) -> None:
    app.page.set_viewport_size({"width": width, "height": 1000})
    form = _elsewhere(app, server, tmp_path / "images", f"hat {width}")
    app.page.screenshot(path=shots / f"form_{width}.png")
    form.get_by_role("button", name="Generate", exact=True).click()
    dialog = app.ended()
    app.page.screenshot(path=shots / f"done_{width}.png")
    text = app.close(dialog)
    assert "Generated 2 images" in text
    assert "Cost of these images so far: $0.08, by the price list" in text
    reads_well(text)
    app.page.set_viewport_size({"width": 1400, "height": 1000})

"""The form of generate in a real browser: a suite with its first prompts, and what of a prompt is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from served import reads_well, serve_dataset, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "a suite"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return tmp_path_factory.mktemp("generate")


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], shots: Path) -> Iterator[app_browser.App]:
    """The App with a dataset that nothing was generated for."""

    def fill(dataset: Any) -> None:
        import fiftyone as fo

        dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures[:2]], progress=False)

    with serve_dataset(NAME, fill, size=(1100, 1000), last=shots) as opened:
        yield opened


def _field(form: Any, title: str) -> Any:
    """Returns the text field below a title."""
    return form.locator(f"xpath=.//*[text()='{title}']/following::*[self::input or self::textarea][1]")


def test_a_suite_shows_its_first_prompts_and_is_drawn(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: generate images")
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name=re.compile("^A suite")).click()
    form.get_by_text(re.compile("Its categories become scenario fields")).wait_for()
    form.get_by_role("combobox").nth(1).click()
    page.get_by_role("option", name=re.compile("^geneval")).wait_for()
    page.screenshot(path=shots / "suites.png")
    page.get_by_role("option", name=re.compile("^signs")).click()
    form.get_by_text(re.compile("^240 prompts × 1 = 240 images. The first prompts: a red sign that says")).wait_for()
    _field(form, "Number of prompts").fill("3")
    form.get_by_text(re.compile("^3 prompts × 1 = 3 images")).wait_for()
    page.screenshot(path=shots / "signs.png")
    reads_well(form)
    form.get_by_role("button", name="Generate", exact=True).click()
    assert "Generated 3 images" in app.close(app.ended())
    dataset = stored(NAME)
    assert dataset.values("scenario.suite")[2:] == ["signs"] * 3
    assert all(dataset.values("scenario.digits")[2:])


def test_what_the_model_does_not_read_is_said_before(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: generate images")
    _field(form, "Prompts").fill("a (red sign:1.3) that says 7, <lora:felt:1> --v 6")
    form.get_by_text(re.compile("Weights: left out of 1 prompt, for diffusion does not read them")).wait_for()
    form.get_by_text(re.compile("The first prompt: a red sign that says 7")).wait_for()
    page.screenshot(path=shots / "left_out.png")
    _field(form, "Prompts").fill("a {red|blue sign")
    form.get_by_text(re.compile("Expected } for the {")).first.wait_for()
    page.screenshot(path=shots / "refused.png")
    reads_well(form)
    form.get_by_role("button", name="Cancel", exact=True).click()
    form.wait_for(state="detached")


def test_the_device_is_asked_for_among_the_settings(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: generate images")
    form.get_by_text("Show settings").click()
    field = _field(form, "Device to run on")
    field.wait_for()
    field.scroll_into_view_if_needed()
    field.click()
    page.get_by_role("option", name=re.compile("^all GPUs of the machine that runs this")).wait_for()
    page.screenshot(path=shots / "devices.png")
    page.get_by_role("option", name=re.compile("^all GPUs")).click()
    page.screenshot(path=shots / "all.png")
    reads_well(form)
    page.keyboard.press("Escape")

"""Coverage, suggested prompts and augmentation in a real browser: each says what to do next; narrow, too."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import app_browser
import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "lacking", 240


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with cats that are hardly ever out at night."""
    if app_browser.find_chromium() is None:
        reason = "NO CHROMIUM: the App is not tested. Debian: apt-get install chromium; or: playwright install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    import fiftyone as fo

    folder = tmp_path_factory.mktemp("pictures")
    path = folder / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    dataset = fo.Dataset(NAME, persistent=True)
    samples = []
    for number in range(N):
        kind = ("cat", "dog", "<b>owl</b>")[number % 3]
        night = number % 2 and (kind != "cat" or number == 3)
        samples.append(
            fo.Sample(
                filepath=str(path),
                prompt=f"a {kind} by {'night' if night else 'day'}, number {number}",
                scenario=fo.DynamicEmbeddedDocument(kind=kind, time="night" if night else "day"),
            )
        )
    dataset.add_samples(samples, dynamic=True, progress=False)
    with app_browser.serve(NAME) as address, app_browser.browser_page(1400, 1000) as page:
        opened = app_browser.App(page, address)
        try:
            opened.open(NAME)
            yield opened
        finally:
            page.screenshot(path=tmp_path_factory.mktemp("browser") / "last.png")
    dataset.delete()


def shown(app: app_browser.App, file: Path) -> str:
    """Returns the text of the result's dialog, which has to fit."""
    dialog = app.ended()
    app.page.wait_for_timeout(500)
    app.page.screenshot(path=file)
    text = str(dialog.inner_text())
    assert not re.search(r"\bundefined\b|\bNaN\b|\bnan\b", text)
    return text


def test_from_what_is_missing_to_prompts_and_copies(app: app_browser.App, tmp_path: Path) -> None:
    form = app.open_operator("Loupe: coverage and balance")
    form.get_by_text("scenario.time").first.wait_for()
    app.page.wait_for_timeout(3000)
    app.page.screenshot(path=tmp_path / "form.png")
    form.get_by_role("button", name="Look", exact=True).click(timeout=20_000)
    text = shown(app, tmp_path / "coverage.png")
    assert "cat × time=night" in text
    assert "too few" in text
    assert "suggest prompts" in text
    app.close(app.dialog())

    form = app.open_operator("Loupe: suggest prompts")
    app.page.wait_for_timeout(3000)
    app.page.screenshot(path=tmp_path / "prompts_form.png")
    form.get_by_role("button", name="Suggest", exact=True).click(timeout=20_000)
    text = shown(app, tmp_path / "prompts.png")
    assert "a cat by night, number" in text
    app.close(app.dialog())

    app.page.set_viewport_size({"width": 900, "height": 1000})
    form = app.open_operator("Loupe: augment rare samples")
    app.page.wait_for_timeout(3000)
    app.page.screenshot(path=tmp_path / "augment_form.png")
    form.get_by_role("button", name="Augment", exact=True).click(timeout=20_000)
    assert f"Added {N} images" in shown(app, tmp_path / "augment.png")

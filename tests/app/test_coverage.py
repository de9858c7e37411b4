"""Coverage, suggested prompts and augmentation in a real browser: each says what to do next; narrow, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from PIL import Image
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME, N = "lacking", 240


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with cats that are hardly ever out at night."""
    import fiftyone as fo

    folder = tmp_path_factory.mktemp("pictures")
    path = folder / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
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

    def fill(dataset: Any) -> None:
        dataset.add_samples(samples, dynamic=True, progress=False)

    with serve_dataset(NAME, fill, size=(1400, 1000), last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def shown(app: app_browser.App, file: Path) -> str:
    """Returns the text of the result's dialog, which has to fit."""
    dialog = app.ended()
    app_browser.settle(app.page)
    app.page.screenshot(path=file)
    text = str(dialog.inner_text())
    reads_well(text)
    return text


def test_from_what_is_missing_to_prompts_and_copies(app: app_browser.App, tmp_path: Path) -> None:
    form = app.open_operator("Loupe: coverage and balance")
    form.get_by_text("scenario.time").first.wait_for()
    app_browser.settle(app.page, 3)
    app.page.screenshot(path=tmp_path / "form.png")
    form.get_by_role("button", name="Look", exact=True).click()
    text = shown(app, tmp_path / "coverage.png")
    assert "cat × time=night" in text
    assert "too few" in text
    assert "suggest prompts" in text
    app.close(app.dialog())

    form = app.open_operator("Loupe: suggest prompts")
    app_browser.settle(app.page, 3)
    app.page.screenshot(path=tmp_path / "prompts_form.png")
    form.get_by_role("button", name="Suggest", exact=True).click()
    text = shown(app, tmp_path / "prompts.png")
    assert "a cat by night, number" in text
    app.close(app.dialog())

    app.page.set_viewport_size({"width": 900, "height": 1000})
    form = app.open_operator("Loupe: augment rare samples")
    app_browser.settle(app.page, 3)
    app.page.screenshot(path=tmp_path / "augment_form.png")
    form.get_by_role("button", name="Augment", exact=True).click()
    assert f"Added {N} images" in shown(app, tmp_path / "augment.png")

"""The panel "Thresholds" in a real browser, as a person uses it: moved by the keyboard, saved, both sides shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from served import expect, reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database]

NAME, N = "thresholds", 200


@pytest.fixture(scope="module")
def app(database: str, pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with flagged samples, a fifth of them with a sharpness next to the threshold, and the panel open."""
    from filled import fill

    import loupe

    def filled(dataset: Any) -> None:
        fill(dataset, N, files=[str(path) for path in pictures], flag=False)
        scores = np.float32(np.linspace(0.4, 1.0, N)).astype(float).tolist()
        dataset.set_values("quality.sharpness", [None, None, *scores[2:]])
        loupe.flag(dataset)

    with serve_dataset(NAME, filled, panel="Thresholds", last=tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def _failing(value: float) -> int:
    import fiftyone as fo

    scores = [score for score in fo.load_dataset(NAME).values("quality.sharpness") if score is not None]
    return int((np.float32(scores) < np.float32(value)).sum())


def test_a_line_is_moved_by_the_keyboard_saved_and_shown(app: app_browser.App) -> None:
    page = app.page
    page.get_by_text("judged fail").wait_for()
    field = page.locator("div", has=page.get_by_text("Failure", exact=True)).filter(has=page.get_by_role("combobox"))
    field.last.get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile("^Blur:")).click()
    page.get_by_text(f"{_failing(0.6)} of {N - 2} judged fail below 0.6").wait_for()
    expect(page.get_by_role("button", name="Save and flag")).to_be_disabled()

    slider = page.locator('input[aria-label="Threshold"]')
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    value = float(slider.input_value())
    assert value == pytest.approx(0.65)
    assert _failing(0.65) > _failing(0.6)
    counts = page.get_by_text(f"{_failing(value)} of {N - 2} judged fail below 0.65")
    counts.wait_for()
    # what the App sends late changes nothing, and the keyboard is still the slider's
    app_browser.settle(page, 3)
    expect(counts).to_be_visible()
    assert float(slider.input_value()) == value
    assert page.evaluate("document.activeElement.ariaLabel") == "Threshold"

    # a picture on either side is there, not a broken one
    pictures = page.locator('img[alt^="score"]')
    assert pictures.count() == 8
    page.wait_for_function(
        "() => [...document.querySelectorAll('img[alt^=\"score\"]')].every(each => each.naturalWidth > 0)"
    )
    reads_well(page)

    page.get_by_role("button", name="Save and flag").click()
    origin = page.get_by_text("Set by")
    origin.wait_for()
    assert re.search(
        r"below 0\.65\. Set by .+ on \d{4}-\d\d-\d\d \d\d:\d\d UTC; the default is 0\.6", origin.inner_text()
    )
    import fiftyone as fo

    dataset = fo.load_dataset(NAME)
    dataset.reload()
    assert dataset.count_values("failures.classifications.label")["blur"] == _failing(0.65)

    page.get_by_role("button", name="Show all failing").click()
    app.wait_for_count(_failing(0.65))
    page.get_by_role("button", name="Show these in the grid").click()
    app.wait_for_count(8)
    page.get_by_role("button", name="Show all", exact=True).click()
    app.wait_for_count(N)
    expect(page.get_by_text(f"{_failing(0.65)} of {N - 2} judged fail below 0.65")).to_be_visible()

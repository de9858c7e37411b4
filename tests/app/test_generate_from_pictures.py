"""The form of generate in a real browser where it draws from pictures: fields are offered, a run in boxes, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from PIL import Image
from served import expect, reads_well, serve_dataset, stored

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "signs to draw in"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return tmp_path_factory.mktemp("from_pictures")


@pytest.fixture(scope="module")
def app(database: str, shots: Path) -> Iterator[app_browser.App]:
    """The App with three pictures, of which a box each is marked."""

    def fill(dataset: Any) -> None:
        import fiftyone as fo

        rng = np.random.default_rng(0)
        samples = []
        for at in range(3):
            path = shots / f"{at}.png"
            Image.fromarray(rng.integers(90, 160, (32, 96, 3), dtype=np.uint8)).save(path)
            box = fo.Detection(label="text", bounding_box=[0.25, 0.25, 0.5, 0.5])
            prompt = f'a red sign that says "{at}", day, clear'
            samples.append(fo.Sample(filepath=str(path), prompt=prompt, boxes=fo.Detections(detections=[box])))
        dataset.add_samples(samples, progress=False)

    with serve_dataset(NAME, fill, size=(1100, 1200), last=shots) as opened:
        yield opened


def choose(app: app_browser.App, form: Any, title: str, option: str) -> None:
    """Chooses in the dropdown below a title."""
    form.locator(f"xpath=.//*[text()='{title}']/following::*[@role='combobox'][1]").click()
    app.page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).click()


def test_pictures_with_their_own_prompts_are_drawn_in_their_boxes(app: app_browser.App, shots: Path) -> None:
    page = app.page
    form = app.open_operator("Loupe: generate images")
    choose(app, form, "Pictures to draw from", "what the grid shows")
    form.get_by_text("What is drawn anew, by boxes, masks or polygons; all else stays to the last bit").wait_for()
    choose(app, form, "What to draw anew", "boxes")
    choose(app, form, "Where the prompts come from", "The pictures' own")
    form.get_by_text(re.compile("^3 pictures × 1 = 3 images, each with its own prompt")).wait_for()
    page.screenshot(path=shots / "form.png")
    reads_well(form)
    form.get_by_role("button", name="Generate", exact=True).click()
    assert "Generated 3 images" in app.close(app.ended())
    dataset = stored(NAME)
    made = dataset.exists("generation.source")
    assert len(made) == 3
    for sample in made:
        source = dataset[sample.generation.source]
        before, after = (np.asarray(Image.open(each.filepath).convert("RGB")) for each in (source, sample))
        changed = (before != after).any(-1)
        assert changed[10:22, 30:66].mean() > 0.9
        changed[8:24, 24:72] = False
        assert not changed.any()
    page.screenshot(path=shots / "drawn.png")


def test_what_the_model_lacks_is_said_before(app: app_browser.App, shots: Path) -> None:
    form = app.open_operator("Loupe: generate images")
    choose(app, form, "Pictures to draw from", "what the grid shows")
    choose(app, form, "Where the prompts come from", "The pictures' own")
    choose(app, form, "Picture to keep to", "edges")
    form.get_by_text("A control needs a ControlNet").first.scroll_into_view_if_needed()
    app.page.screenshot(path=shots / "refused.png")
    expect(form.get_by_role("button", name="Generate", exact=True)).to_be_disabled()
    reads_well(form)

"""Objects in a real browser: the form asks for them, and the run says what came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import numpy as np
import pytest
from PIL import Image
from scenes import scene
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "street"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return Path(os.environ["LOUPE_SHOTS"]) if "LOUPE_SHOTS" in os.environ else tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="module")
def app(database: str, shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    """The App with eight pictures of two objects each, one of them at the border."""
    folder = tmp_path_factory.mktemp("street")
    with serve_dataset(NAME, lambda dataset: _fill(dataset, folder), last=shots) as opened:
        yield opened


def _fill(dataset: Any, folder: Path) -> None:
    import fiftyone as fo

    samples = []
    for at in range(8):
        noise = np.random.default_rng(at).normal(scale=25, size=(240, 320, 1))
        picture = Image.fromarray(np.clip(scene(at, 240, 320) + noise, 0, 255).astype(np.uint8))
        picture.save(folder / f"{at}.png")
        labels = [
            fo.Detection(label=name, bounding_box=box)
            for name, box in (("it's <b>", [0.2, 0.2, 0.4, 0.5]), ("bus", [0.0, 0.5, 0.3, 0.4]))
        ]
        samples.append(fo.Sample(filepath=str(folder / f"{at}.png"), gt=fo.Detections(detections=labels)))
    dataset.add_samples(samples, progress=False)


def test_objects_are_checked_from_the_form(app: app_browser.App, shots: Path) -> None:
    import fiftyone as fo

    page = app.page
    form = app.open_operator("Loupe: check images")
    form.get_by_text("What is looked at", exact=False).first.wait_for()
    form.get_by_text("(the whole pictures)").first.click()
    page.get_by_role("option", name=re.compile("^gt")).click()
    form.get_by_text("Cut off: whether", exact=False).first.wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / "objects_form.png")
    form.get_by_role("button", name="Check", exact=True).click()
    dialog = app.ended()
    dialog.get_by_text("Checked 16 objects of 8 images", exact=False).first.wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / "objects_checked.png")
    text = dialog.inner_text()
    assert "Cut off" in text
    reads_well(text)
    app.close(dialog)
    dataset = fo.load_dataset(NAME)
    dataset.reload()
    assert dataset.values("gt_objects.failing") == [1] * 8

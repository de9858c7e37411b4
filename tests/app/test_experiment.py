"""``experiment`` in a real browser: the form says what will be drawn before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import app_browser
import experimenting as made
import pytest
from served import open_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def app(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    import fiftyone as fo

    folder = tmp_path_factory.mktemp("real")
    sides = {"a real test": made.real(folder, 2, 90), "a real train": made.real(folder, 1, 90)}
    for name, side in sides.items():
        side.name, side.persistent = name, True
    dataset = fo.Dataset("signs of marks", persistent=True)
    # the App shows no grid without a sample
    dataset.add_sample(fo.Sample(filepath=sides["a real train"].first().filepath))
    with open_app(dataset.name, size=(1400, 1000)) as opened:
        yield opened
    for each in (dataset, *sides.values()):
        each.delete()


def test_the_form_shows_the_plan(app: app_browser.App, tmp_path: Path) -> None:
    form = app.open_operator("Loupe: try models and prompts")
    form.get_by_text("2 arms × 3 classes × 50 = 300 images").wait_for()
    text = form.inner_text()
    assert "how long drawing takes is not known; no cost" in text
    assert "tiny-signs · varied" in text
    assert "a photo of a bar" in text
    for shown in ("undefined", "NaN", "nan US$"):
        assert shown not in text
    app.page.screenshot(path=tmp_path / "form.png")

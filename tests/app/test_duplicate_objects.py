"""Duplicates and leaks among objects in a real browser: asked for in a form, shown as patches, group by group."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import app_browser
import pytest
from pasted import fill
from served import reads_well, serve_dataset

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]

NAME = "pasted"


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie."""
    return Path(os.environ["LOUPE_SHOTS"]) if "LOUPE_SHOTS" in os.environ else tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="module")
def app(database: str, shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[app_browser.App]:
    folder = tmp_path_factory.mktemp("pasted")
    with serve_dataset(NAME, lambda dataset: fill(dataset, folder) and None, last=shots) as opened:
        yield opened


def _run(app: app_browser.App, label: str, shots: Path, name: str) -> str:
    page = app.page
    form = app.open_operator(f"Loupe: {label}")
    form.get_by_text("(the whole pictures)").first.click()
    page.get_by_role("option", name=re.compile("^gt")).click()
    app_browser.settle(page, 2)
    page.screenshot(path=shots / f"{name}_form.png")
    form.get_by_role("button", name="Find", exact=True).click()
    dialog = app.ended()
    dialog.get_by_text("with two classes", exact=False).first.wait_for()
    app_browser.settle(page)
    page.screenshot(path=shots / f"{name}_done.png")
    text: str = dialog.inner_text()
    reads_well(text)
    app.close(dialog)
    return text


def test_a_run_that_fails_shows_why(app: app_browser.App, shots: Path) -> None:
    import fiftyone as fo

    dataset: Any = fo.load_dataset(NAME)
    dataset.add_sample_field("gt_objects", fo.StringField)
    page = app.page
    page.reload()
    page.locator('[data-cy="entry-counts"]').wait_for()
    form = app.open_operator("Loupe: find duplicates")
    form.get_by_text("(the whole pictures)").first.click()
    page.get_by_role("option", name=re.compile("^gt")).first.click()
    app_browser.settle(page, 2)
    form.get_by_role("button", name="Find", exact=True).click()
    dialog = app.ended()
    dialog.locator(".MuiAlert-root").wait_for()
    page.screenshot(path=shots / "object_duplicates_failed.png")
    assert "rename_sample_field" in app.close(dialog)
    dataset.delete_sample_field("gt_objects")


def test_leaks_are_found_from_the_form(app: app_browser.App, shots: Path) -> None:
    app.open(NAME)
    text = _run(app, "find leaks", shots, "object_leaks")
    assert "4 pairs of objects across splits" in text


# the last one: a saved view that is chosen stays chosen
def test_duplicates_are_found_from_the_form_and_shown_as_patches(app: app_browser.App, shots: Path) -> None:
    app.open(NAME)
    text = _run(app, "find duplicates", shots, "object_duplicates")
    assert "in 1 group of 4 objects" in text
    assert "it's a <b>van</b>" in text
    assert "4 of 10 objects could not be compared" in text
    page = app.page
    app.open(NAME)
    page.get_by_text("Unsaved view", exact=True).click()
    page.get_by_text("Duplicate objects of gt", exact=True).click()
    app_browser.settle(page, 6)
    page.screenshot(path=shots / "object_duplicates_view.png")
    app.wait_for_count(4)
    assert "went wrong" not in page.locator("body").inner_text()

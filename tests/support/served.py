"""A dataset in the App, in a real browser: made, served, opened, and deleted again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import app_browser
import pytest


@contextmanager
def serve_dataset(
    name: str,
    fill: Callable[[Any], Any],
    *,
    panel: str | None = None,
    size: tuple[int, int] = (1400, 900),
    last: Path | None = None,
) -> Iterator[app_browser.App]:
    """Yields the App with a dataset open in it; skips where there is no browser, which is a failure where CI tests.

    Args:
        name: of the dataset, which is deleted at the end
        fill: is called with the empty dataset; the name of a workspace that it returns is opened
        panel: to open
        size: of the window, in pixels
        last: a folder for a picture of how the page looked at the end
    """
    if app_browser.find_chromium() is None:
        reason = "NO CHROMIUM: the App is not tested. Debian: apt-get install chromium; or: playwright install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    import fiftyone as fo

    dataset = fo.Dataset(name, persistent=True)
    try:
        workspace = fill(dataset)
        with app_browser.serve(name) as address, app_browser.browser_page(*size) as page:
            opened = app_browser.App(page, address)
            try:
                opened.open(name, *([workspace] if isinstance(workspace, str) else []))
                if panel is not None:
                    opened.open_panel(panel)
                yield opened
            finally:
                if last is not None:
                    page.screenshot(path=last / "last.png")
    finally:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


def stored(name: str) -> Any:
    """Returns the dataset as it is stored now."""
    import fiftyone as fo

    dataset = fo.load_dataset(name)
    dataset.reload()
    return dataset

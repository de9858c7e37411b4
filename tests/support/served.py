"""A dataset in the App, in a real browser: made, served, opened, deleted; and whether what it shows reads well."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import app_browser
import pytest
from playwright.sync_api import expect as expect

# what a test expects of a page it waits for
expect.set_options(timeout=60_000)

#: values that nobody wrote for a reader
_ODD = re.compile(
    r"\bundefined\b|\bNaN\b|\bnan\b|\binf\b|\bInfinity\b|\[object|[:=,(] None\b|\bNone of \d|\d of None\b"
)


def needs_chromium() -> None:
    """Skips where there is no browser, which is a failure where CI tests."""
    if app_browser.find_chromium() is None:
        reason = "NO CHROMIUM: the App is not tested. Debian: apt-get install chromium; or: playwright install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def open_app(
    name: str,
    *,
    workspace: str | None = None,
    panel: str | None = None,
    size: tuple[int, int] = (1400, 900),
    last: Path | None = None,
) -> Iterator[app_browser.App]:
    """Yields the App with a dataset open in it.

    Args:
        name: of the dataset
        workspace: to open
        panel: to open
        size: of the window, in pixels
        last: a folder for a picture of how the page looked at the end
    """
    needs_chromium()
    with app_browser.serve(name) as address, app_browser.browser_page(*size) as page:
        opened = app_browser.App(page, address)
        try:
            opened.open(name, workspace)
            if panel is not None:
                opened.open_panel(panel)
            yield opened
        finally:
            if last is not None:
                page.screenshot(path=last / "last.png")


@contextmanager
def serve_dataset(
    name: str,
    fill: Callable[[Any], Any],
    *,
    panel: str | None = None,
    size: tuple[int, int] = (1400, 900),
    last: Path | None = None,
) -> Iterator[app_browser.App]:
    """Yields the App with a dataset that is made for it open, and deletes the dataset at the end.

    Args:
        name: of the dataset
        fill: is called with the empty dataset; the name of a workspace that it returns is opened
        panel, size, last: as in ``open_app``
    """
    needs_chromium()
    import fiftyone as fo

    dataset = fo.Dataset(name, persistent=True)
    try:
        given = fill(dataset)
        workspace = given if isinstance(given, str) else None
        with open_app(name, workspace=workspace, panel=panel, size=size, last=last) as opened:
            yield opened
    finally:
        if fo.dataset_exists(name):
            fo.delete_dataset(name)


def stored(name: str) -> Any:
    """Returns the dataset as it is stored now."""
    import fiftyone as fo

    dataset = fo.load_dataset(name)
    dataset.reload()
    return dataset


def reads_well(shown: Any) -> str:
    """Returns the text of a page or a part of it, or a text itself; fails where a value in it is none."""
    text = (
        shown
        if isinstance(shown, str)
        else str((shown.locator("body") if hasattr(shown, "goto") else shown).inner_text())
    )
    assert text
    odd = _ODD.search(text)
    assert not odd, text[max(0, odd.start() - 60) : odd.end() + 60] if odd else ""
    return text


def fits(page: Any, keys: str) -> None:
    """Fails where something stands out of the panel that has an element with those shortcut keys."""
    too_wide = page.evaluate(
        """keys => {
            let panel = document.querySelector(`[aria-keyshortcuts="${keys}"]`);
            if (!panel) return null;
            while (panel && getComputedStyle(panel).overflowY !== 'auto') panel = panel.parentElement;
            return panel ? panel.scrollWidth - panel.clientWidth : 0;
        }""",
        keys,
    )
    assert too_wide is not None, f"no element has the keys {keys}"
    assert too_wide <= 1

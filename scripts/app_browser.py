"""Serves FiftyOne's App and drives it in a real browser: for the browser tests and the screenshots."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

ROOT = Path(__file__).resolve().parents[1]

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SERVE = """
import sys
import fiftyone as fo
name, port = sys.argv[1:]
dataset = fo.load_dataset(name)
spaces = dataset.load_workspace("loupe") if dataset.has_workspace("loupe") else None
session = fo.launch_app(dataset, spaces=spaces, port=int(port), address="127.0.0.1", remote=True)
session.wait(-1)
"""


def find_chromium() -> str | None:
    """Returns the path of a chromium: the system's or playwright's own; None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def free_port() -> int:
    """Returns a port on loopback that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def serve(dataset: str) -> Iterator[str]:
    """Serves the App for a dataset in a process of its own, with this folder as its only plugin; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="loupe-app-", ignore_cleanup_errors=True) as folder:
        plugins = Path(folder) / "plugins"
        plugins.mkdir()
        (plugins / "loupe").symlink_to(ROOT)
        environment = {**os.environ, "FIFTYONE_PLUGINS_DIR": str(plugins), "FIFTYONE_DO_NOT_TRACK": "true"}
        log = Path(folder) / "server.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "-c", _SERVE, dataset, str(port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, server, log)
            yield address
        finally:
            # the App's server is a child of its own: the whole group ends
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(15)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        if server.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"the App did not answer at {address}:\n{log.read_text(errors='replace')[-4000:]}")


@contextlib.contextmanager
def browser_page(width: int = 1600, height: int = 1000) -> Iterator[Any]:
    """Yields a playwright page of a headless chromium of that size in pixels.

    Raises:
        RuntimeError: there is no chromium
    """
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError(
            "there is no chromium here. Debian: apt-get install chromium, or: playwright install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(60_000)
            _on_the_way[page] = _Requests(page)
            yield page
        finally:
            browser.close()


class _Requests:
    """What a page has asked the server for and not been answered yet, and when the last of it began or ended."""

    def __init__(self, page: Any) -> None:
        self.open: set[Any] = set()
        self.last = time.monotonic()
        page.on("request", self._began)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def _began(self, request: Any) -> None:
        if request.resource_type != "eventsource" and not request.url.endswith("/events"):  # that one is never answered
            self.open.add(request)
            self.last = time.monotonic()

    def _ended(self, request: Any) -> None:
        if request in self.open:
            self.open.discard(request)
            self.last = time.monotonic()


_on_the_way: WeakKeyDictionary[Any, _Requests] = WeakKeyDictionary()


def settle(page: Any, quiet: float = 1.5, timeout: float = 60.0) -> None:
    """Waits until a page of ``browser_page`` has asked the server for nothing for ``quiet`` seconds.

    The App asks for a form again half a second after each change, and draws a panel after its answer came: on a busy
    machine no fixed time is long enough.

    Raises:
        TimeoutError: it is still waiting for an answer after ``timeout`` seconds
    """
    requests, began = _on_the_way[page], time.monotonic()
    while requests.open or time.monotonic() - max(requests.last, began) < quiet:
        if time.monotonic() - began > timeout:
            raise TimeoutError(f"no answer after {timeout:g} s: {sorted(each.url for each in requests.open)}")
        page.wait_for_timeout(50)  # playwright tells of requests only while it is asked for something


class App:
    """A page of the App, driven as a person would."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, dataset: str, workspace: str | None = None) -> None:
        """Opens a dataset and waits for its samples; closes the card that advertises another product."""
        query = f"?workspace={workspace}" if workspace else ""
        self.page.goto(f"{self.address}/datasets/{quote(dataset)}{query}")
        self.page.locator('[data-cy="entry-counts"]').wait_for()
        with contextlib.suppress(Exception):  # it comes late, or not at all
            self.page.get_by_text("Dismiss", exact=True).first.click(timeout=5_000)

    def count(self) -> int:
        """Returns how many samples the grid says there are."""
        text = self.page.locator('[data-cy="entry-counts"]').inner_text()
        return int(text.split()[0].replace(",", ""))

    def wait_for_count(self, count: int) -> None:
        """Waits until the grid says that there are that many samples."""
        self.page.wait_for_function(
            """count => {
                const entry = document.querySelector('[data-cy="entry-counts"]');
                return entry && parseInt(entry.innerText.replace(/,/g, '')) === count;
            }""",
            arg=count,
        )

    def open_panel(self, label: str) -> None:
        """Opens a panel by the "+" beside the tabs."""
        self.page.locator('[data-cy="new-panel-btn"]').first.click()
        self.page.get_by_text(label, exact=True).last.click()

    def open_operator(self, label: str) -> Any:
        """Opens an operator's form from the operator browser, which the backtick key opens; returns the form."""
        self.page.keyboard.press("`")
        browser = self.page.locator('[data-cy="operators-browser"]')
        self.page.locator('[data-cy="operators-browser-search"]').fill(label)
        browser.get_by_text(label, exact=True).first.click()
        kinds = ("operators-prompt-modal", "operators-prompt-drawer")
        form = self.page.locator(", ".join(f'[data-cy="{kind}"]:visible' for kind in kinds)).first
        form.wait_for()
        return form

    def submit(self, form: Any, button: str) -> str:
        """Presses the button of an operator's form, waits for its result, and closes it; returns what it says."""
        form.get_by_role("button", name=button, exact=True).click()
        return self.close(self.ended())

    def dialog(self) -> Any:
        """Returns the dialog of a run: of its progress, and then of its result."""
        return self.page.locator('[data-cy="operators-prompt-view-modal"]:visible')

    def ended(self) -> Any:
        """Waits until the dialog of a run shows no progress any more, and returns it."""
        self.page.wait_for_function(
            """() => {
                const dialog = document.querySelector('[data-cy="operators-prompt-view-modal"]');
                return dialog && dialog.innerText.length > 10 && !dialog.querySelector('[role="progressbar"]');
            }""",
            timeout=120_000,
        )
        return self.dialog()

    def close(self, dialog: Any) -> str:
        """Closes the dialog of a run; returns what it said."""
        text: str = dialog.inner_text()
        dialog.get_by_role("button", name="Done").click()
        self.page.locator('[role="dialog"]').first.wait_for(state="detached")
        return text

    def choose(self, label: str, option: str) -> None:
        """Chooses an option of a panel's dropdown."""
        field = self.page.locator("div", has=self.page.get_by_text(label, exact=True)).filter(
            has=self.page.get_by_role("combobox")
        )
        field.last.get_by_role("combobox").click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def heatmap(self, rows: int | None = None) -> Heatmap:
        """Returns the panel's heat map, once it is drawn, and with that many rows where a number is given."""
        self.page.wait_for_function(
            f"""rows => {{ {_FIND}
                return plot && plot._fullLayout.xaxis.d2p
                    && (rows === null || plot._fullLayout.yaxis.ticktext.length === rows);
            }}""",
            arg=rows,
        )
        return Heatmap(self.page)


_FIND = """
    const plot = [...document.querySelectorAll('.js-plotly-plot')]
        .find(each => each._fullLayout && each.data && each.data.some(trace => trace.type === 'heatmap'));
"""


class Heatmap:
    """The heat map of the panel "Failures by scenario" on a page."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def labels(self) -> tuple[list[str], list[str]]:
        """Returns what stands beside the rows and over the columns."""
        read = "layout => [layout.yaxis.ticktext, layout.xaxis.ticktext]"
        rows, columns = self.page.evaluate(f"() => {{ {_FIND} return ({read})(plot._fullLayout); }}")
        return rows, columns

    def hover_texts(self) -> list[list[str]]:
        """Returns what each cell says when the mouse is over it, row by row."""
        return self.page.evaluate(
            f"""() => {{ {_FIND}
                const heat = plot.data.filter(trace => trace.type === 'heatmap');
                return heat[0].z.map((row, y) => row.map((_, x) =>
                    heat.map(trace => trace.hovertext[y][x]).find(text => text)));
            }}"""
        )

    def position(self, row: int, column: int) -> tuple[float, float]:
        """Returns where the middle of a cell is on the page, in pixels."""
        x, y = self.page.evaluate(
            f"""([row, column]) => {{ {_FIND}
                plot.scrollIntoView({{block: 'nearest'}});
                const box = plot.getBoundingClientRect();
                const {{xaxis, yaxis}} = plot._fullLayout;
                return [box.left + xaxis._offset + xaxis.d2p(column), box.top + yaxis._offset + yaxis.d2p(row)];
            }}""",
            [row, column],
        )
        return x, y

    def hover(self, row: int, column: int) -> None:
        """Moves the mouse over a cell and waits until its text shows."""
        x, y = self.position(row, column)
        self.page.mouse.move(x - 12, y)
        self.page.mouse.move(x, y, steps=4)
        self.page.locator(".hoverlayer .hovertext").first.wait_for()

    def click(self, row: int, column: int) -> None:
        """Clicks on a cell."""
        self.hover(row, column)
        self.page.mouse.click(*self.position(row, column))

"""Runs a panel's handlers as FiftyOne's App does: state travels as JSON, a new view calls on_change_view."""

from __future__ import annotations

import json
import logging
from typing import Any

import pydash


class PanelSession:
    """One open panel in one browser.

    Attributes:
        state: as the App keeps it
        view: the stages of the App's view, as JSON
        output: what the panel rendered last
        messages: what it asked the App to show for a moment
        prompted: the operators whose forms it asked the App to open
        prefilled: what stands in the last of these forms already
        reloaded: how often it asked the App to read the dataset anew
        opened: the samples, and the datasets, that it asked the App to open
        errors: what nobody foresaw, by ``may_fail``; a test without it fails of it
    """

    def __init__(self, panel: Any, dataset: Any, *, may_fail: bool = False) -> None:
        self.panel = panel
        self.dataset = dataset
        self.may_fail = may_fail
        self.state: dict[str, Any] = {}
        self.view: list[Any] = []
        self.output: dict[str, Any] = {}
        self.messages: list[str] = []
        self.prompted: list[str] = []
        self.prefilled: dict[str, Any] = {}
        self.reloaded = 0
        self.opened: list[str] = []
        self.errors: list[BaseException] = []
        self.call("on_load")

    def context(self, method: str, **params: Any) -> Any:
        """Returns the context of an event that the App sends now."""
        from fiftyone.operators.executor import ExecutionContext, Executor

        request = {
            "dataset_name": self.dataset.name if self.dataset is not None else None,
            "view": json.loads(json.dumps(self.view)),
            "params": {
                "panel_id": "panel",
                "panel_state": json.loads(json.dumps(self.state)),
                "__method__": method,
                **params,
            },
        }
        return ExecutionContext(request, executor=Executor())

    def call(self, method: str, **params: Any) -> None:
        """Calls a handler, then does what it asked for."""
        ctx = self.context(method, **params)
        self.run(ctx)
        self.answer(ctx)

    def run(self, ctx: Any) -> None:
        """Runs an event in the server; its answer is on its way."""
        log = _Log()
        logger = logging.getLogger("loupe")
        logger.addHandler(log)
        try:
            self.panel.execute(ctx)
        finally:
            logger.removeHandler(log)
        self.errors += log.errors
        if log.errors and not self.may_fail:
            raise log.errors[0]

    def answer(self, ctx: Any) -> None:
        """Does what an event asked for: its answer has come."""
        changed = False
        for asked in ctx.executor.to_json()["requests"]:
            name, given = asked["operator_uri"].rpartition("/")[2], asked["params"]
            if name == "patch_panel_state":
                for path, value in json.loads(json.dumps(given["state"])).items():
                    pydash.set_(self.state, path, value)
            elif name == "show_panel_output":
                self.output = json.loads(json.dumps(given["output"]))
            elif name == "set_view":
                self.view, changed = given["view"], True
            elif name == "notify":
                self.messages.append(given["message"])
            elif name == "prompt_user_for_operation":
                self.prompted.append(given["operator_uri"])
                self.prefilled = given.get("params") or {}
            elif name in ("open_sample", "open_dataset"):
                self.opened.append(given["id"] if name == "open_sample" else given["dataset"])
            elif name == "reload_dataset":
                self.reloaded += 1
            elif name != "reload_samples":
                raise AssertionError(f"the panel asked for {name}")
        if changed:
            self.call("on_change_view")

    @property
    def content(self) -> Any:
        """What the panel draws now, as the server keeps it; None where nothing can be drawn."""
        from loupe.panels import latest

        shown = latest.panel(f"{self.panel.name} {self.state['tab']}", self.state).shown
        return shown.content if shown is not None else None

    def samples(self) -> Any:
        """Returns the view that the App shows."""
        import fiftyone.server.view as fosv

        return fosv.get_view(self.dataset, stages=self.view or None)

    def properties(self) -> dict[str, Any]:
        """Returns what is rendered by its name."""
        return self.output["type"]["properties"]

    def shown(self) -> list[str]:
        """Returns the names of what is rendered and can be seen."""
        properties = self.properties()
        return [name for name, each in properties.items() if each["view"]["name"] != "TimerView"]

    def traces(self) -> list[dict[str, Any]]:
        """Returns the Plotly traces of the heat map."""
        return within(self.properties(), "scrolled", "wide", "heatmap")["view"]["data"]

    def cells(self) -> list[list[str]]:
        """Returns what each cell of the heat map says when the mouse is over it."""
        texts = [trace["hovertext"] for trace in self.traces()]
        return [[next(filter(None, cell)) for cell in zip(*rows, strict=True)] for rows in zip(*texts, strict=True)]


def within(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """Returns what is rendered inside of parts of the panel."""
    *outer, last = names
    for name in outer:
        properties = properties[name]["type"]["properties"]
    return properties[last]


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])

"""Runs a panel's handlers as FiftyOne's App does: state travels as JSON, a new view calls on_change_view."""

from __future__ import annotations

import json
from typing import Any

import pydash


class PanelSession:
    """One open panel.

    Attributes:
        state: as the App keeps it
        view: the stages of the App's view, as JSON
        output: what the panel rendered last
        said: the messages that it asked the App to show
        prompted: the operators whose forms it asked the App to open
        opened: the samples that it asked the App to open
    """

    def __init__(self, panel: Any, dataset: Any) -> None:
        self.panel = panel
        self.dataset = dataset
        self.state: dict[str, Any] = {}
        self.view: list[Any] = []
        self.output: dict[str, Any] = {}
        self.said: list[str] = []
        self.prompted: list[str] = []
        self.opened: list[str] = []
        self.call("on_load")

    def call(self, method: str, **params: Any) -> None:
        """Calls a handler, then does what it asked for."""
        from fiftyone.operators.executor import ExecutionContext, Executor

        executor = Executor()
        request = {
            "dataset_name": self.dataset.name,
            "view": json.loads(json.dumps(self.view)),
            "params": {
                "panel_id": "panel",
                "panel_state": json.loads(json.dumps(self.state)),
                "__method__": method,
                **params,
            },
        }
        self.panel.execute(ExecutionContext(request, executor=executor))
        changed = False
        for asked in executor.to_json()["requests"]:
            name, given = asked["operator_uri"].rpartition("/")[2], asked["params"]
            if name == "patch_panel_state":
                for path, value in json.loads(json.dumps(given["state"])).items():
                    pydash.set_(self.state, path, value)
            elif name == "show_panel_output":
                self.output = json.loads(json.dumps(given["output"]))
            elif name == "set_view":
                self.view, changed = given["view"], True
            elif name == "notify":
                self.said.append(given["message"])
            elif name == "prompt_user_for_operation":
                self.prompted.append(given["operator_uri"])
            elif name == "open_sample":
                self.opened.append(given["id"])
            elif name != "reload_samples":
                raise AssertionError(f"the panel asked for {name}")
        if changed:
            self.call("on_change_view")

    def samples(self) -> Any:
        """Returns the view that the App shows."""
        import fiftyone.server.view as fosv

        return fosv.get_view(self.dataset, stages=self.view or None)

    def shown(self) -> list[str]:
        """Returns the names of what is rendered."""
        return list(self.output["type"]["properties"])

    def traces(self) -> list[dict[str, Any]]:
        """Returns the Plotly traces of the heat map."""
        return self.output["type"]["properties"]["heatmap"]["view"]["data"]

    def cells(self) -> list[list[str]]:
        """Returns what each cell of the heat map says when the mouse is over it."""
        texts = [trace["hovertext"] for trace in self.traces()]
        return [[next(filter(None, cell)) for cell in zip(*rows, strict=True)] for rows in zip(*texts, strict=True)]

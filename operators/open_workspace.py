"""``@loupe/loupe/open_workspace``: what the button below the result of a check calls."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo


class OpenWorkspace(foo.Operator):
    """Opens the workspace "loupe" of the dataset: the grid beside the panels."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(name="open_workspace", label="Loupe: open the workspace", unlisted=True)

    def execute(self, ctx: Any) -> None:
        from loupe.brain.store.workspace import WORKSPACE

        if ctx.dataset is not None and ctx.dataset.has_workspace(WORKSPACE):
            ctx.ops.set_spaces(name=WORKSPACE)
        else:
            ctx.ops.notify("There is no workspace yet. Check the images first", variant="info")

"""``@loupe/loupe/stop``: what the button "Stop" of a run's dialog calls."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo

from loupe.operators import run


class StopRun(foo.Operator):
    """Stops a run of this App's server as soon as it can."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(name="stop", label="Loupe: stop", unlisted=True)

    def execute(self, ctx: Any) -> None:
        if not run.stop(ctx.params.get("run")):
            ctx.ops.notify("It has ended already", variant="info")

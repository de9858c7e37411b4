"""The one dialog of a run: its progress with a way to stop it, and then its result, or why there is none.

The App shows all three in the same place: the last one stands. What a generator raises, or says of itself as its
result, it would drop, and leave the progress there for ever.
"""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import LoupeError, Stopped
from loupe.brain.core.shown import plain
from loupe.operators import appearance, forms, letters, run
from loupe.operators.summary import Summary
from loupe.operators.wording import shown_in_app

#: the operators behind the buttons
STOP, OPEN = "@loupe/loupe/stop", "@loupe/loupe/open_workspace"


def progress(ctx: Any, label: str, words: str, share: float, stop: run.Stop) -> Any:
    """Returns the message that shows how far a run has come.

    Args:
        ctx: FiftyOne's context
        label: what runs
        words: how far it has come
        share: the same, in [0, 1]
        stop: what its button asks to stop
    """
    shown = types.Object()
    shown.float("share", view=types.ProgressView(label=words))
    if stop.asked:
        shown.view("stopping", types.AlertView(severity="info", label="Stopping …"))
    else:
        button = types.Button(label="Stop", operator=STOP, params={"run": stop.id}, variant="outlined")
        shown.view("stop", button)
    return _show(ctx, label, shown, {"share": share})


def finished(ctx: Any, label: str, done: Summary) -> Any:
    """Returns the message that shows what a run has done."""
    shown = types.Object()
    shown.str("summary", view=types.MarkdownView())
    if done.workspace:
        shown.view("open", types.Button(label="Open the workspace", operator=OPEN, variant="contained"))
    if done.following is not None:
        label_of, operator, params = done.following
        shown.view(
            "following",
            types.Button(label=label_of, operator=operator, params=dict(params), prompt=True, variant="contained"),
        )
    if done.reload:
        text = "The sidebar has new groups. FiftyOne shows them once the page is loaded anew:"
        shown.md(text, name="reload_why", componentsProps=forms.SMALL)
        shown.view("reload", types.Button(label="Load the page anew", href=appearance.RELOAD, variant="outlined"))
    return _show(ctx, label, shown, {"summary": plain(shown_in_app(done.text))})


def failed(ctx: Any, label: str, error: BaseException, message: str) -> Any:
    """Returns the message that shows why a run has ended without a result, and what to do."""
    shown = types.Object()
    if isinstance(error, Stopped):
        severity, title = "warning", "Stopped"
    else:
        severity, title = "error", "This cannot be done" if isinstance(error, LoupeError) else "This went wrong"
    shown.view("failed", types.AlertView(severity=severity, label=title, description=message))
    # the App runs nothing without results, and says so on its console only
    return _show(ctx, label, shown, {"message": message})


def _show(ctx: Any, label: str, shown: types.Object, results: dict[str, Any]) -> Any:
    outputs = types.Property(letters.written(shown), view=types.View(label=label))
    return ctx.ops.show_output(outputs.to_json(), results)

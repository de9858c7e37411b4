"""``@loupe/loupe/annotate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice

_NAMES = {"app": "FiftyOne's App", "cvat": "CVAT", "labelstudio": "Label Studio", "labelbox": "Labelbox"}
_WHICH = {
    "open": ("Flagged, and nobody has decided", ""),
    "flagged": ("All flagged ones", ""),
    "unsure": ("Those that somebody was unsure of", ""),
    "all": ("All of these samples", ""),
}


def failures(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the failure modes to choose from: those whose scores are stored."""
    return {name: (failure_title(name), "") for name in forms.scored_failures(form.samples)}


def _backends(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import annotation

    more = {"app": "In the window of a sample, tab Annotate; nothing leaves this machine"}
    sent = "Sends the pictures to the address in FiftyOne's annotation config"
    return {name: (_NAMES.get(name, name), more.get(name, sent)) for name in annotation.backends()}


class Annotate(VerbOperator):
    """Hands the samples of a failure to annotators: in the App, or by FiftyOne's annotation API."""

    verb = "annotate"
    label = "send to annotation"
    icon = "edit_note"
    button = "Send"
    widgets = {
        "failure": Choice(failures, absent=("There are no scores yet", "Run 'Loupe: check images' first.")),
        "only": Choice(lambda form: _WHICH, description="Which of these samples"),
        "backend": Choice(_backends, description="Who asks: its address and credentials are FiftyOne's own settings"),
    }
    settings = ("key",)
    hidden = {
        "launch": "a browser would open on the machine of the App's server",
        "options": "credentials belong into FiftyOne's annotation config, not into a form",
    }

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        title = failure_title(result.failure)
        message = f"{counted(result.n, 'sample')} of {title} for {_NAMES.get(result.backend, result.backend)}"
        return Summary(message, f"{message}.\n\nNext: {escape(result.next)}.", {"annotation": result.to_dict()})

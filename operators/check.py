"""``@loupe/loupe/check``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import objects_widget, signature, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.objects_widget import ChecksOfEither
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number

_CHECKS = ChecksOfEither(description="What to look for. A preset leaves out what these samples have no field for")


class CheckImages(VerbOperator):
    """Checks the quality of images (blur, exposure, text, hands, faces, composition …), and flags their failures."""

    verb = "check"
    label = "check images"
    icon = "fact_check"
    button = "Check"
    widgets = {
        "checks": _CHECKS,
        "objects": objects_widget.OBJECTS,
        "batch_size": Number(1, 4096),
        "workers": Number(1, 1024),
    }
    hidden = {
        "device": DEVICE,
        "flag_after": "the summary counts the failures",
    }
    settings = ("batch_size", "engine", "workers")

    def shows(self, form: Form, name: str) -> bool:
        return objects_widget.shows(form, name)

    def call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        parameter = signature.of_verb(self.function())["checks"]
        _CHECKS.get_weights(Form(ctx, ctx.target_view()), parameter, progress)
        return super().call(ctx, progress)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        from loupe.brain import api

        path = given.get("objects")
        parts = [summary.rates_table(api.slice(form.samples, [], objects=path))]
        unsure = result.unsure()
        if unsure:
            parts.append(f"Looked and could not judge: {unsure}.")
        parts += [f"{escape(note)}." for note in result.notes()]
        if path is not None:
            parts.append(objects_widget.next_step(path))
            did = f"Checked {counted(result.params['n_objects'], 'object')} of"
            return replace(summary.of_run(result, did, *parts), workspace=True)
        parts.append(
            "Next: open the panel **Overview** or **Failures by scenario**, or the workspace **loupe**; or move a "
            "threshold with **Loupe: set thresholds**."
        )
        return replace(summary.of_run(result, "Checked", *parts), workspace=True)

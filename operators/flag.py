"""``@loupe/loupe/flag``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.stats.histogram import score_range
from loupe.operators import forms, objects_widget, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form, is_number
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Widget, mark


@dataclass(frozen=True)
class Thresholds(Widget):
    """A slider for each failure mode whose scores are stored."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        modes = _modes(form)
        if not modes:
            forms.problem(form.inputs, "no_scores", "There are no scores yet", "Run 'Loupe: check images' first.")
            return
        columns = _scores(form, modes)
        for (failure, (output, default, used)), scores in zip(modes.items(), columns, strict=True):
            mode = _mode(parameter, failure, used)
            raw = form.params.get(mode.key)
            value = used.value if raw is None or not is_number(raw) else float(raw)
            failing = int(Threshold(default.op, value).violates(scores).sum())
            judged = int((~np.isnan(scores)).sum())
            side = "below" if default.op == "<" else "above"
            over = score_range(output, scores, default.value, used.value)
            made = form.inputs.float(
                mode.key,
                label=f"{failure_title(failure)}: {failing} of {judged} fail {side} {value:g}",
                description=f"{output.description.rstrip('.')} ({output.unit}). The default is {default.value:g}",
                default=used.value,
                view=forms.slider(over.low, over.high, over.step),
            )
            mark(made, partial(_NUMBER.read, form, mode))

    def read(self, form: Form, parameter: Parameter) -> dict[str, float | None] | None:
        moved: dict[str, float | None] = {}
        for failure, (_, default, used) in _modes(form).items():
            value = _NUMBER.read(form, _mode(parameter, failure, used))
            if value != used.value:
                moved[failure] = None if value == default.value else value
        return moved or None


_NUMBER = Number()


def _scores(form: Form, modes: Mapping[str, tuple[Output, Threshold, Threshold]]) -> list[np.ndarray]:
    """Returns the scores of each failure mode, NaN where unknown, or where the prompt asks for it."""
    outputs = [output.name for output, _, _ in modes.values()]
    path = objects_widget.chosen(form)
    from loupe.brain.store import asked
    from loupe.brain.store.objects import scores as object_scores

    if path is not None:
        objects = object_scores.read(form.samples, path, outputs)
        as_none = asked.of_objects(form.samples, objects.owners, list(modes))
        return list(np.where(as_none, np.nan, objects.scores).T)
    columns = form.samples.values([f"quality.{name}" for name in outputs])
    as_asked = asked.stored(form.samples)
    listed = []
    for failure, values in zip(modes, columns, strict=True):
        scores = np.array([math.nan if value is None else value for value in values], dtype=np.float32)
        if as_asked:
            scores[[failure in own for own in as_asked]] = np.nan
        listed.append(scores)
    return listed


def _mode(parameter: Parameter, failure: str, used: Threshold) -> Parameter:
    """Returns what is asked for of one failure mode."""
    return Parameter(failure, "float", used.value, prefix=f"{parameter.key}__")


def _modes(form: Form) -> dict[str, tuple[Output, Threshold, Threshold]]:
    """Returns for each failure mode its score, its default threshold, and the one in use."""
    from loupe.brain.store import runs

    path = objects_widget.chosen(form)
    set_before = runs.load_thresholds(form.samples, None if path is None else objects_widget.mirror_of(path))
    return {
        failure: (output, output.default_threshold, set_before.get(failure, output.default_threshold))
        for failure, (_, output) in objects_widget.scored_failures(form).items()
        if output.default_threshold is not None
    }


class SetThresholds(VerbOperator):
    """Moves the thresholds that turn scores into labels of failures; no image is read again."""

    verb = "flag"
    label = "set thresholds"
    icon = "tune"
    button = "Flag"
    widgets = {"thresholds": Thresholds(), "objects": objects_widget.CHECKED}

    def shows(self, form: Form, name: str) -> bool:
        return objects_widget.shows(form, name)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        from loupe.brain import api

        moved = len(given.get("thresholds", ()))
        failed = sum(result.counts.values())
        path = given.get("objects")
        on = "samples" if path is None else f"samples' objects in {path}"
        message = f"Flagged {failed} failures on {len(form.samples)} {on}, {moved} thresholds moved"
        rows = [
            [
                failure_title(failure),
                f"{threshold.op} {threshold.value:g}",
                threshold.source,
                result.counts.get(failure, 0),
            ]
            for failure, threshold in result.thresholds.items()
        ]
        parts = [
            f"{escape(message)}.",
            summary.rates_table(api.slice(form.samples, [], objects=path)),
            "**Thresholds in use**",
            summary.table(["Failure", "Fails where the score is", "Set by", "Failed"], rows),
        ]
        return Summary(message, "\n\n".join(parts), {"flags": result.to_dict()})

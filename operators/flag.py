"""``@loupe/loupe/flag``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback, Threshold
from loupe.brain.stats.histogram import score_range
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator


class SetThresholds(LoupeOperator):
    """Moves the thresholds that turn scores into failures."""

    verb = "flag"
    label = "set thresholds"
    description = "Moves the thresholds that turn scores into failures; no image is read again"
    icon = "tune"
    button = "Flag"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.store import runs

        samples = forms.target(ctx, inputs, "Flag")
        there = forms.scored_failures(samples)
        if not there:
            forms.problem(inputs, "no_scores", "There are no scores yet", "Run 'Loupe: check images' first.")
            return
        set_before = runs.load_thresholds(samples)
        columns = samples.values([f"quality.{output.name}" for _, output in there.values()])
        for (failure, (_, output)), values in zip(there.items(), columns, strict=True):
            default = output.default_threshold
            assert default is not None
            used = set_before.get(failure, default)
            scores = np.array([math.nan if value is None else value for value in values], dtype=np.float32)
            given = ctx.params.get(f"threshold__{failure}")
            value = float(given) if forms.is_number(given) else used.value
            failing = int(Threshold(default.op, value).violates(scores).sum())
            judged = int((~np.isnan(scores)).sum())
            side = "below" if default.op == "<" else "above"
            over = score_range(output, scores, default.value, used.value)
            inputs.float(
                f"threshold__{failure}",
                label=f"{summary.failure_title(failure)}: {failing} of {judged} fail {side} {value:g}",
                description=f"{output.description.rstrip('.')} ({output.unit}). The default is {default.value:g}",
                default=used.value,
                view=forms.slider(over.low, over.high, over.step),
            )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api
        from loupe.brain.store import runs

        samples = ctx.target_view()
        set_before = runs.load_thresholds(samples)
        moved: dict[str, float | None] = {}
        for failure, (_, output) in forms.scored_failures(samples).items():
            given = ctx.params.get(f"threshold__{failure}")
            assert output.default_threshold is not None
            if given is None or given == set_before.get(failure, output.default_threshold).value:
                continue
            if not forms.is_number(given):
                raise InputError(f"{summary.failure_title(failure)}: expected a number, got {given!r}")
            moved[failure] = None if given == output.default_threshold.value else float(given)
        flags = api.flag(samples, moved or None)
        failed = sum(flags.counts.values())
        said = f"Flagged {failed} failures on {len(samples)} samples, {len(moved)} thresholds moved"
        rows = [
            [summary.failure_title(failure), f"{line.op} {line.value:g}", line.source, flags.counts.get(failure, 0)]
            for failure, line in flags.thresholds.items()
        ]
        parts = [
            f"{said}.",
            summary.rates_table(api.slice(samples, [])),
            "**Thresholds in use**",
            summary.table(["Failure", "Fails where the score is", "Set by", "Failed"], rows),
        ]
        return {"said": said, "summary": "\n\n".join(parts), "flags": flags.to_dict()}

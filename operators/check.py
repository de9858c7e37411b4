"""``@loupe/loupe/check``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.specs import Check
from loupe.brain.perception import weights
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator


class CheckImages(LoupeOperator):
    """Scores images and flags their failures."""

    verb = "check"
    label = "check images"
    description = "Scores each image with the checks you choose, and flags its failures"
    icon = "fact_check"
    button = "Check"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        known = registry.checkable()
        samples = forms.target(ctx, inputs, "Check")
        needs = {name: spec.needs if issubclass(spec, Check) else () for name, spec in known.items()}
        absent = {name: [need for need in needs[name] if not forms.has_values(samples, need)] for name in known}
        default = [name for name, spec in known.items() if spec.default and not absent[name]]
        forms.several(
            inputs,
            "checks",
            {name: spec.title() for name, spec in known.items()},
            label="Checks",
            description="What to look for. Quick ones whose fields these samples have are chosen already",
            default=default,
        )
        chosen = forms.chosen(ctx.params, "checks", default)
        if not chosen:
            forms.problem(inputs, "no_checks", "No check is chosen", "Choose at least one.")
        for name in chosen:
            registry.pick("check", known, name)
        for name in chosen:
            for need in absent[name]:
                description = (
                    f"No sample here has a {need}: the check {name!r} will answer 'unknown' wherever it needs one."
                )
                forms.note(inputs, f"{name}__absent_{need}", description, severity="warning")
            spec = known[name]()
            lacking = weights.lacking(spec.weights()) if isinstance(spec, Check) else ""
            if lacking:
                description = f"The check {name!r} will be left out: {lacking}"
                forms.note(inputs, f"{name}__absent_weights", description, severity="warning")
        inputs.bool(
            "resume",
            label="Only what is new or changed",
            description="Samples that the same check, with the same settings, has judged already are left as they are",
            default=True,
            view=types.CheckboxView(),
        )
        inputs.bool("settings", label="Show settings", default=False, view=types.SwitchView())
        if ctx.params.get("settings"):
            inputs.int(
                "batch_size",
                label="Batch size",
                description="The most images that a check gets at once",
                min=1,
                max=4096,
                default=16,
            )
            for name in chosen:
                if forms.has_params(known[name]):
                    inputs.view(f"{name}__title", types.Header(label=known[name].title(), divider=True))
                    forms.add_params(inputs, known[name], ctx.params, f"{name}__")

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        known = registry.checkable()
        samples = ctx.target_view()
        specs = [type(registry.pick("check", known, name)) for name in forms.chosen(ctx.params, "checks", list(known))]
        run = api.check(
            samples,
            [forms.read_params(spec, ctx.params, f"{spec.name}__") for spec in specs],
            resume=ctx.params.get("resume", True),
            batch_size=ctx.params.get("batch_size") or 16,
            progress=progress,
        )
        said = summary.run_line(run, "Checked")
        failing = api.slice(samples, [])
        parts = [f"{said}.", summary.rates_table(failing)]
        unsure = {name: count for name, count in run.unknown.items() if count}
        if unsure:
            parts.append(
                "Looked and could not judge: " + ", ".join(f"{name} {count}" for name, count in unsure.items()) + "."
            )
        parts.append(
            "Next: filter by **failures** in the sidebar, open the panel **Failures by scenario**, or move a threshold "
            "with **Loupe: set thresholds**."
        )
        return {"said": said, "summary": "\n\n".join(parts) + summary.messages(run), "run": run.to_dict()}

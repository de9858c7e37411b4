"""``@loupe/loupe/check``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.specs import Check
from loupe.brain.perception import weights
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Several, ask_spec, has_inputs, read_spec


def _titles(_: Form) -> dict[str, str]:
    return {name: spec.title() for name, spec in registry.checkable().items()}


def _default(_: Form) -> list[str]:
    return [name for name, spec in registry.checkable().items() if spec.default]


def _usable(form: Form) -> list[str]:
    absent = _absent(form)
    return [name for name in _default(form) if name not in absent]


def _absent(form: Form) -> dict[str, list[str]]:
    """Returns for each check that needs them the fields that no sample here has a value in."""
    needs = {name: spec.needs for name, spec in registry.checkable().items() if issubclass(spec, Check)}
    filled = {path: forms.has_values(form.samples, path) for paths in needs.values() for path in paths}
    absent = {name: [path for path in paths if not filled[path]] for name, paths in needs.items()}
    return {name: paths for name, paths in absent.items() if paths}


@dataclass(frozen=True)
class Checks(Several):
    """Checks, and among the settings the parameters of those that are chosen."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        made = super().draw(form, parameter)
        absent = _absent(form)
        for name in self._chosen(form, parameter):
            for path in absent.get(name, ()):
                text = f"No sample here has a {path}: the check {name!r} will answer 'unknown' wherever it needs one."
                forms.note(form.inputs, f"{parameter.key}__{name}__absent_{path}", text, severity="warning")
            spec = registry.checkable()[name]()
            lacking = weights.lacking(spec.weights()) if isinstance(spec, Check) else ""
            if lacking:
                text = f"The check {name!r} will be left out: {lacking}"
                forms.note(form.inputs, f"{parameter.key}__{name}__absent_weights", text, severity="warning")
        return made

    def ask_settings(self, form: Form, parameter: Parameter) -> None:
        for name in self._chosen(form, parameter):
            spec = registry.checkable()[name]
            if has_inputs(spec):
                prefix = f"{parameter.key}__{name}__"
                form.inputs.view(f"{prefix}title", types.Header(label=spec.title(), divider=True))
                ask_spec(form, spec, prefix)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = self.names(form, parameter, raw)
        known = registry.checkable()
        specs = [read_spec(form, known[name], f"{parameter.key}__{name}__") for name in names]
        by_default = set(names) == set(_default(form)) and all(spec == known[spec.name]() for spec in specs)
        return parameter.default if by_default else specs

    def _chosen(self, form: Form, parameter: Parameter) -> list[str]:
        raw = form.params.get(parameter.key)
        try:
            return list(self.chosen(form)) if raw is None else self.names(form, parameter, raw)
        except InputError:
            return []


class CheckImages(VerbOperator):
    """Checks the quality of images (blur, exposure, text, hands, faces, composition …), and flags their failures."""

    verb = "check"
    label = "check images"
    icon = "fact_check"
    button = "Check"
    widgets = {
        "checks": Checks(
            _titles,
            chosen=_usable,
            default=_default,
            kind="check",
            some=True,
            description="What to look for. Quick ones whose fields these samples have are chosen already",
        ),
        "batch_size": Number(1, 4096),
        "workers": Number(1, 1024),
    }
    hidden = {
        "device": DEVICE,
        "engine": "a job runs where its worker is",
        "flag_after": "the summary counts the failures",
    }
    settings = ("batch_size", "workers")

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        from loupe.brain.store.workspace import tidy_app

        # the first time: only the failures on, the scores folded, a workspace to choose
        tidy_app(ctx.dataset)
        yield from super().after(ctx, done)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        from loupe.brain import api

        parts = [summary.rates_table(api.slice(form.samples, []))]
        unsure = result.unsure()
        if unsure:
            parts.append(f"Looked and could not judge: {unsure}.")
        parts += [f"{summary.escape(note)}." for note in result.notes()]
        parts.append(
            "Next: open the panel **Overview** or **Failures by scenario**, or the workspace **loupe**; or move a "
            "threshold with **Loupe: set thresholds**."
        )
        return summary.of_run(result, "Checked", *parts)

"""The input for samples that a verb takes beside those that the App shows: another dataset, or a saved view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.operators import types

from loupe.brain.core.errors import UnknownName
from loupe.operators import forms
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.widgets import Input, text_of

#: what stands before a name: where it is looked for
DATASET, VIEW = "dataset: ", "saved view: "


@dataclass(frozen=True)
class OtherSamples(Input):
    """Another dataset, or a saved view of this one.

    Attributes:
        advice: what to do where there is neither
        none: the choice that stands for None; there is no such choice by default
    """

    advice: str = "Save a view, or import the others into a dataset of their own."
    none: str = ""

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        choices = self.choices(form)
        if not choices:
            forms.problem(form.inputs, f"no_{parameter.key}", "There is nothing to compare with", self.advice)
            return None
        described = {name: (name, "") for name in choices}
        return forms.dropdown(form.inputs, parameter.key, described, **self.facts(parameter, default=choices[0]))

    def read(self, form: Form, parameter: Parameter) -> Any:
        # what an untouched form shows is what is meant
        raw = form.params.get(parameter.key) or next(iter(self.choices(form)), None)
        return parameter.default if raw is None else self.parse(form, parameter, raw)

    def choices(self, form: Form) -> list[str]:
        """Returns what can be chosen; what is proposed comes first."""
        dataset = form.ctx.dataset
        views = [f"{VIEW}{name}" for name in dataset.list_saved_views()]
        others = [f"{DATASET}{name}" for name in fo.list_datasets() if name != dataset.name]
        return [*([self.none] if self.none else []), *views, *others]

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        text = text_of(parameter, raw)
        if self.none and text == self.none:
            return None
        if text.startswith(VIEW):
            name, known = text.removeprefix(VIEW), form.ctx.dataset.list_saved_views()
            if name not in known:
                raise UnknownName("saved view", name, known)
            return form.ctx.dataset.load_saved_view(name)
        name = text.removeprefix(DATASET)
        if name not in fo.list_datasets():
            raise UnknownName("dataset", name, fo.list_datasets())
        return fo.load_dataset(name)

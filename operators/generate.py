"""``@loupe/loupe/generate``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.labels.suggestions import SuggestedPrompts
from loupe.brain.prompts import files as prompt_files
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.signature import REQUIRED, Parameter, of_spec
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, FilePath, Number, Text, Widget, text_of, widget_for

_LIST, _TEMPLATE, _FILE, SUGGESTED = "list", "template", "file", "suggested"
_SOURCES = {
    _LIST: ("A list of prompts", "One a line"),
    _TEMPLATE: ("A template with factors", "Every combination of the factors becomes a prompt"),
    _FILE: ("A file", "A .txt, .jsonl, .csv or .tsv file on the machine that runs this"),
}
_WAYS: dict[str, Text] = {
    _LIST: Text(6, description="One a line. Text that is to be read in the image stands in quotes"),
    _TEMPLATE: Text(description='For example: a {color} sign that says "{text}" at {time}'),
    _FILE: FilePath(
        description="With the columns prompt and, if you like, negative_prompt and seed; any others are factors"
    ),
}


def _sources(form: Form) -> dict[str, tuple[str, str]]:
    known = _suggested(form)
    if known is None or not len(known):
        return _SOURCES
    text = f"{summary.counted(len(known), 'picture')} of {summary.counted(len(known.suggestions), 'prompt')}"
    return {**_SOURCES, SUGGESTED: ("What was suggested last", text)}


def _suggested(form: Form) -> SuggestedPrompts | None:
    from loupe.brain.store import suggestions

    return suggestions.load(form.ctx.dataset)


_SOURCE_WIDGET = Choice(_sources)


def _source(form: Form) -> Parameter:
    return Parameter("source", "str", _LIST, "Where the prompts come from", prefix="prompts__")


def _way(form: Form) -> str:
    way: str = _SOURCE_WIDGET.read(form, _source(form))
    return way


def _asked(parameter: Parameter, way: str) -> Parameter:
    """Returns what is asked for: the prompts themselves, or how else to come by them."""
    return parameter if way == _LIST else replace(parameter, name=way, prefix=f"{parameter.name}__")


class Prompts(Widget):
    """A list of prompts, a template, or a file."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        _SOURCE_WIDGET.ask(form, _source(form))
        way = _way(form)
        if way != SUGGESTED:
            _WAYS[way].ask(form, _asked(parameter, way))

    def read(self, form: Form, parameter: Parameter) -> Any:
        way = _way(form)
        if way == SUGGESTED:
            return list(_suggested(form) or ())
        asked = _asked(parameter, way)
        raw = form.params.get(asked.key)
        if way == _LIST and isinstance(raw, list):
            return raw or REQUIRED
        given = _WAYS[way].read(form, asked)
        if given is REQUIRED or way == _TEMPLATE:
            return given
        return Path(given).expanduser() if way == _FILE else [line for line in given.split("\n") if line.strip()]


@dataclass(frozen=True)
class Factors(Text):
    """The factors of a template, one a line."""

    def read(self, form: Form, parameter: Parameter) -> Any:
        # a template without factors is one prompt; without this, it would be taken for the name of a file
        return read_factors(text_of(parameter, form.params.get(parameter.key) or ""))


class ModelSetting(Widget):
    """A setting of the model: its sentence, bounds and choices stand on the generator's spec."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        known = _of_model(parameter)
        _widget(known).ask(form, known)

    def read(self, form: Form, parameter: Parameter) -> Any:
        known = _of_model(parameter)
        return _widget(known).read(form, known)


def _of_model(parameter: Parameter) -> Parameter:
    known = of_spec(registry.generators()["diffusion"])[parameter.name]
    return replace(parameter, description=known.description, low=known.low, high=known.high, choices=known.choices)


def _widget(parameter: Parameter) -> Widget:
    widget = widget_for(parameter)
    assert widget is not None
    return widget


class GenerateImages(VerbOperator):
    """Draws images from prompts with a text-to-image model, and adds them to this dataset."""

    verb = "generate"
    label = "generate images"
    icon = "auto_awesome"
    button = "Generate"
    widgets = {
        "prompts": Prompts(),
        "factors": Factors(
            4, description='One a line, for example: time: day, night. A value with a comma in it stands in "quotes"'
        ),
        "sample": Number(1, prompt_files.MAX_PROMPTS),
        "model": Text(
            description="tiny-signs comes with Loupe; else a Hugging Face hub id, or a folder in diffusers' format"
        ),
        "per_prompt": Number(1, 100_000),
        "seed": Number(description="The same seed draws the same images"),
        **dict.fromkeys(("steps", "guidance", "width", "height", "batch_size", "dtype"), ModelSetting()),
    }
    hidden = {"device": DEVICE}
    settings = ("output_dir", "negative_prompt", "steps", "guidance", "width", "height", "batch_size", "dtype")

    def shows(self, form: Form, name: str) -> bool:
        return name not in ("factors", "sample") or form.params.get(_source(form).key) == _TEMPLATE

    def remark(self, form: Form) -> None:
        way = _way(form)
        if way != SUGGESTED and not form.params.get(_asked(Parameter("prompts", "str"), way).key):
            return
        try:
            given = self.arguments(form)
            asked = {name: given[name] for name in ("prompts", "factors", "sample", "seed") if name in given}
            prompts = prompt_files.read(**asked)
        except InputError as error:
            forms.problem(form.inputs, "bad_prompts", "These prompts cannot be used", str(error))
            return
        per_prompt = self.value(form, "per_prompt")
        text = f"{len(prompts):,} prompts × {per_prompt:,} = {len(prompts) * per_prompt:,} images. "
        forms.note(form.inputs, "count", f"{text}The first prompt: {prompts[0].prompt[:200]}")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        following = "Next: **Loupe: check images**, which scores them and flags their failures."
        return summary.of_run(result, "Generated", following)


def read_factors(text: str) -> dict[str, list[str]]:
    """Returns the factors of a text with one "name: value, value" a line.

    Raises:
        PromptError: a line is none

    >>> read_factors('time: day, night')
    {'time': ['day', 'night']}
    """
    factors: dict[str, list[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        name, colon, values = line.partition(":")
        if not colon:
            raise PromptError(f"factors, line {number}: expected 'name: value, value', got {line.strip()[:60]!r}")
        if name.strip() in factors:
            raise PromptError(f"factors, line {number}: expected each factor once, got {name.strip()[:60]!r} twice")
        try:
            cells = next(csv.reader([values], skipinitialspace=True, strict=True), [])
        except csv.Error as error:
            raise PromptError(f"factors, line {number}: {error}") from error
        factors[name.strip()] = [cell.strip() for cell in cells if cell.strip()]
    return factors

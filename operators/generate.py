"""``@loupe/loupe/generate``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.hosted import secrets
from loupe.brain.labels.suggestions import SuggestedPrompts
from loupe.brain.prompts import files as prompt_files
from loupe.brain.prompts import suites
from loupe.brain.prompts.requests import Reading, requests_of
from loupe.brain.prompts.wildcards import Wildcards
from loupe.operators import forms, hosted_widget, pictures_widget, summary
from loupe.operators.base import VerbOperator
from loupe.operators.devices import Devices
from loupe.operators.forms import Form
from loupe.operators.signature import REQUIRED, Parameter, of_spec
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, FilePath, FolderPath, Input, Number, Text, Widget, text_of, widget_for
from loupe.operators.wording import in_app

_LIST, _TEMPLATE, _FILE, _SUITE, SUGGESTED = "list", "template", "file", "suite", "suggested"
#: those of the samples that are drawn from
_OWN = "own"
#: so many prompts are looked at for what the model does not understand
_LOOKED_AT = 1000
_SOURCES = {
    _LIST: ("A list of prompts", "One a line"),
    _TEMPLATE: ("A template with factors", "Every combination of the factors becomes a prompt"),
    _FILE: ("A file", "A .txt, .jsonl, .csv or .tsv file on the machine that runs this"),
    _SUITE: ("A suite", "Prompts that others made to compare models by, and Loupe's own"),
}


#: settings of the model
_OF_MODEL = ("steps", "guidance", "width", "height", "batch_size", "dtype")
#: those that only a model has that draws here
_OF_LOCAL = ("true_guidance", "scheduler", "loras", "controlnet", "ip_adapter", "placement", "quantize")
_SYNTAX = {
    "plain": ("Draw the words", "What the model does not understand is left out and said; {a|b} is one of the two"),
    "refuse": ("Refuse", "Nothing is drawn where the model does not understand a part of a prompt"),
    "keep": ("Draw prompts as they stand", "Marks, braces and all"),
}


def _suites(_: Form) -> dict[str, tuple[str, str]]:
    return {suite.name: (suite.name, f"{suite.title} (license: {suite.license})") for suite in suites.known()}


#: so many prompts are shown
_PREVIEWED = 3
_WAYS: dict[str, Input] = {
    _LIST: Text(
        6, description="One a line. Text that is to be read in the image stands in quotes; {red|blue} is one of the two"
    ),
    _TEMPLATE: Text(description='For example: a {color} sign that says "{text}" at {time}'),
    _FILE: FilePath(
        description="With the columns prompt and, if you like, negative_prompt and seed; any others are factors"
    ),
    _SUITE: Choice(_suites, description="Its categories become scenario fields"),
}


def _sources(form: Form) -> dict[str, tuple[str, str]]:
    sources = dict(_SOURCES)
    if pictures_widget.samples(form) is not None:
        sources[_OWN] = ("The pictures' own", "Each picture that is drawn from has a prompt of its own")
    known = _suggested(form)
    if known is not None and len(known):
        text = f"{counted(len(known), 'picture')} of {counted(len(known.suggestions), 'prompt')}"
        sources[SUGGESTED] = ("What was suggested last", text)
    return sources


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
    needed = replace(parameter, default=REQUIRED)
    return needed if way == _LIST else replace(needed, name=way, prefix=f"{parameter.name}__")


class Prompts(Widget):
    """A list of prompts, a template, or a file."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        _SOURCE_WIDGET.ask(form, _source(form))
        way = _way(form)
        if way in _WAYS:
            _WAYS[way].ask(form, _asked(parameter, way))

    def read(self, form: Form, parameter: Parameter) -> Any:
        way = _way(form)
        if way == SUGGESTED:
            return list(_suggested(form) or ())
        if way == _OWN:
            return None
        asked = _asked(parameter, way)
        raw = form.params.get(asked.key)
        if way == _LIST and isinstance(raw, list):
            return raw or REQUIRED
        given = _WAYS[way].read(form, asked)
        if given is REQUIRED or way in (_TEMPLATE, _SUITE):
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
    known = replace(of_spec(registry.generators()["diffusion"])[parameter.name], verb="generate")
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
        "model": hosted_widget.Model(
            local=Text(
                description="tiny-signs comes with Loupe; else a Hugging Face hub id, or a folder in diffusers' format"
            )
        ),
        "budget": Number(0, description="Dollars, earlier tries at these images included; none: no limit"),
        "syntax": Choice(
            lambda _: _SYNTAX,
            description="What is done with weights such as (word:1.3), LoRAs and flags that the model does not read",
        ),
        "wildcards": FolderPath(description="A folder of .txt files, one value a line, for __animal__ in prompts"),
        "per_prompt": Number(1, 100_000),
        "seed": Number(description="The same seed draws the same images on this machine; some services take none"),
        "device": Devices(
            description="The worker's, or the best of the machine that runs this if empty. Several draw the same images"
        ),
        **dict.fromkeys((*_OF_MODEL, *_OF_LOCAL), ModelSetting()),
        **pictures_widget.WIDGETS,
        "upscale": Number(1, 4, description="How many times as wide and high each image is drawn again, with detail"),
    }
    settings = (
        *("upscale_strength", "output_dir", "negative_prompt", "syntax", "wildcards"),
        *_OF_MODEL,
        *_OF_LOCAL,
        "device",
        "engine",
    )

    def shows(self, form: Form, name: str) -> bool:
        source = form.params.get(_source(form).key)
        if name == "factors":
            return bool(source == _TEMPLATE)
        if name == "sample":
            return source in (_TEMPLATE, _SUITE, _OWN)
        if not pictures_widget.is_shown(form, name):
            return False
        return hosted_widget.is_shown(form, name)

    def form(self, ctx: Any, inputs: types.Object) -> None:
        with secrets.given(hosted_widget.secrets_of(ctx)):
            super().form(ctx, inputs)

    def call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        with secrets.given(hosted_widget.secrets_of(ctx)):
            return super().call(ctx, progress)

    def remark(self, form: Form) -> None:
        way = _way(form)
        if way in _WAYS and not form.params.get(_asked(Parameter("prompts", "str"), way).key):
            return
        per_prompt = 1
        try:
            given = self.arguments(form)
            per_prompt = self.value(form, "per_prompt")
            pictures = pictures_widget.remark(form, given)
            if way == _OWN:
                pictures = min(pictures, given.get("sample") or pictures)
                forms.note(form.inputs, "count", pictures_widget.in_words(0, pictures, per_prompt, own=True))
                return
            asked = {name: given[name] for name in ("prompts", "factors", "sample", "seed") if name in given}
            prompts = suites.read(**asked)
            made = requests_of(prompts[:_LOOKED_AT], 1, asked.get("seed", 0), _reading(given))
        except InputError as error:
            forms.problem(form.inputs, "bad_prompts", "These prompts cannot be used", in_app(str(error)))
            return
        sizes: dict[str, Any] = {name: given[name] for name in ("width", "height", "budget") if name in given}
        hosted_widget.remark(form, given.get("model"), len(prompts) * per_prompt, sizes)
        text = pictures_widget.in_words(len(prompts), pictures, per_prompt, own=False)
        distinct = dict.fromkeys(request.prompt for request in made.requests)
        first = [_short(prompt) for prompt in [*distinct][:_PREVIEWED]]
        shown = f"The first prompt: {first[0]}" if len(first) < 2 else f"The first prompts: {' · '.join(first)}"
        forms.note(form.inputs, "count", f"{text}{shown}")
        if made.notes:
            notes = "; ".join(f"{name}: {sentence}" for name, sentence in made.notes.items())
            forms.note(form.inputs, "left_out", notes[0].upper() + notes[1:], severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        left_out = "\n".join(f"- {escape(f'{name}: {text}')}" for name, text in result.left_out.items())
        following = "Next: **Loupe: check images**, which scores them and flags their failures."
        return summary.of_run(result, "Generated", *filter(None, [left_out]), *hosted_widget.came(result), following)


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= 200 else f"{prompt[:199]}…"


def _reading(given: Mapping[str, Any]) -> Reading:
    """How the prompts of a form will be read."""
    generators = registry.generators()
    model = str(given.get("model", "tiny-signs"))
    spec = registry.hosted(model) or generators.get(model, generators["diffusion"])
    folder = given.get("wildcards")
    return Reading(given.get("syntax", "plain"), spec.syntax, spec.name, None if folder is None else Wildcards(folder))


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

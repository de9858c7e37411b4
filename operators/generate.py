"""``@loupe/loupe/generate``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.prompts import files as prompt_reader
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_LIST = "list"
_TEMPLATE = "template"
_FILE = "file"
_MODEL = "tiny-signs"

#: name → (label, sentence, lowest, highest); empty means the model's own
_NUMBERS = {
    "steps": ("Steps", "Denoising steps; empty for the model's own number", 1, 1000),
    "width": ("Width", "In pixels; empty for the model's own", 8, 8192),
    "height": ("Height", "In pixels; empty for the model's own", 8, 8192),
    "batch_size": ("Batch size", "Images at once; empty to let the model's size decide", 1, 1024),
}


class GenerateImages(LoupeOperator):
    """Draws images from prompts."""

    verb = "generate"
    label = "generate images"
    description = "Draws images from prompts with a text-to-image model, and adds them to this dataset"
    icon = "auto_awesome"
    button = "Generate"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        ways = {
            _LIST: ("A list of prompts", "One a line"),
            _TEMPLATE: ("A template with factors", "Every combination of the factors becomes a prompt"),
            _FILE: ("A file", "A .txt, .jsonl, .csv or .tsv file on the machine that runs this"),
        }
        forms.one(inputs, "source", ways, label="Prompts from", description="", default=_LIST)
        way = ctx.params.get("source") or _LIST
        asked = _ask_prompts(inputs, way)
        inputs.str(
            "model",
            label="Model",
            description="tiny-signs comes with Loupe; else a Hugging Face hub id, or a folder in diffusers' format",
            default=_MODEL,
            required=True,
        )
        inputs.int("per_prompt", label="Images for each prompt", min=1, max=100_000, default=1)
        inputs.int("seed", label="Seed", description="The same seed draws the same images", min=0, default=0)
        inputs.bool("settings", label="Show settings", default=False, view=types.SwitchView())
        if ctx.params.get("settings"):
            _ask_settings(inputs)
        if not ctx.params.get(asked.name):
            return
        try:
            found = prompt_reader.read(**_prompts(ctx.params))
            per_prompt = _whole(ctx.params, "per_prompt", 1, 100_000) or 1
        except InputError as error:
            asked.property.invalid, asked.property.error_message = True, str(error)
            forms.problem(inputs, "bad_prompts", "These prompts cannot be used", str(error))
            return
        images = len(found) * per_prompt
        description = (
            f"{len(found):,} prompts × {per_prompt:,} = {images:,} images. The first prompt: {found[0].prompt[:200]}"
        )
        forms.note(inputs, "count", description)

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        params = ctx.params
        settings: dict[str, Any] = {
            name: _whole(params, name, low, high) for name, (_, _, low, high) in _NUMBERS.items()
        }
        settings["guidance"] = _number(params, "guidance", 0, 100)
        given = _prompts(params)
        run = api.generate(
            ctx.dataset,
            given["prompts"],
            model=_text(params, "model") or _MODEL,
            per_prompt=_whole(params, "per_prompt", 1, 100_000) or 1,
            seed=given["seed"],
            output_dir=_text(params, "output_dir") or None,
            negative_prompt=_text(params, "negative_prompt"),
            factors=given["factors"],
            sample=given["sample"],
            progress=progress,
            **settings,
        )
        said = summary.run_line(run, "Generated")
        text = f"{said}.\n\nNext: **Loupe: check images**, which scores them and flags their failures."
        return {"said": said, "summary": text + summary.messages(run), "run": run.to_dict()}


class _Asked:
    def __init__(self, name: str, made: types.Property) -> None:
        self.name, self.property = name, made


def _ask_prompts(inputs: types.Object, way: str) -> _Asked:
    if way == _FILE:
        made = inputs.str(
            "file",
            label="File",
            description="With the columns prompt and, if you like, negative_prompt and seed; any others are factors",
            required=True,
        )
        return _Asked("file", made)
    if way == _TEMPLATE:
        made = inputs.str(
            "template",
            label="Template",
            description='For example: a {color} sign that says "{text}" at {time}',
            required=True,
        )
        inputs.str(
            "factors",
            label="Factors",
            description='One a line, for example: time: day, night. A value with a comma in it stands in "quotes"',
            required=True,
            view=types.TextFieldView(multiline=True, rows=4),
        )
        inputs.int(
            "sample", label="Only so many", description="Combinations, drawn by the seed; empty for all of them", min=1
        )
        return _Asked("template", made)
    made = inputs.str(
        "prompts",
        label="Prompts",
        description="One a line. Text that is to be read in the image stands in quotes",
        required=True,
        view=types.TextFieldView(multiline=True, rows=6),
    )
    return _Asked("prompts", made)


def _ask_settings(inputs: types.Object) -> None:
    inputs.str("negative_prompt", label="Negative prompt", description="What not to show", allow_empty=True)
    inputs.float("guidance", label="Guidance", description="Empty for the model's own", min=0, max=100)
    for name, (label, description, low, high) in _NUMBERS.items():
        inputs.int(name, label=label, description=description, min=low, max=high)
    inputs.str(
        "output_dir",
        label="Folder for the images",
        description="Empty for a folder of this dataset's own in FiftyOne's default folder",
        allow_empty=True,
    )


def _prompts(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments prompts, factors, sample and seed.

    Raises:
        InputError: what the form gave cannot be read
    """
    way = params.get("source") or _LIST
    given: dict[str, Any] = {"factors": None, "sample": None, "seed": _whole(params, "seed", 0, 2**63 - 1) or 0}
    if way == _FILE:
        path = _text(params, "file")
        if not path:
            raise InputError("expected a file of prompts, got none")
        return {**given, "prompts": Path(path).expanduser()}
    if way == _TEMPLATE:
        sample = _whole(params, "sample", 1, prompt_reader.MAX_PROMPTS)
        return {
            **given,
            "prompts": _text(params, "template"),
            "factors": read_factors(_text(params, "factors")),
            "sample": sample,
        }
    if way != _LIST:
        raise InputError(f"expected prompts from {_LIST}, {_TEMPLATE} or {_FILE}, got {way!r}")
    raw = params.get("prompts")
    lines = raw if isinstance(raw, list) else _text(params, "prompts").split("\n")
    return {**given, "prompts": [line for line in lines if not isinstance(line, str) or line.strip()]}


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


def _text(params: Mapping[str, Any], name: str) -> str:
    raw = params.get(name)
    if raw is not None and not isinstance(raw, str):
        raise InputError(f"{forms.title_of(name)}: expected a text, got {type(raw).__name__}")
    return (raw or "").strip()


def _number(params: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    raw = params.get(name)
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not low <= raw <= high:
        raise InputError(f"{forms.title_of(name)}: expected a number from {low:g} to {high:g}, got {raw!r}"[:200])
    return float(raw)


def _whole(params: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    number = _number(params, name, low, high)
    if number is not None and number != int(number):
        raise InputError(f"{forms.title_of(name)}: expected a whole number, got {number!r}")
    return None if number is None else int(params[name])

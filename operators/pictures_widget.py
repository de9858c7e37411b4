"""What images are drawn from beside prompts: samples with their fields, or files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiftyone.operators import types

from loupe.brain.controls.make import KINDS
from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.shown import counted
from loupe.brain.generation.sources import stems
from loupe.brain.verbs.steps import conditioning
from loupe.operators import forms, hosted_widget
from loupe.operators.forms import Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.signature import REQUIRED, Parameter
from loupe.operators.widgets import Choice, Text, Widget
from loupe.operators.wording import in_app

NOTHING, SELECTED, SHOWN = "(the prompts alone)", "the selected samples", "what the grid shows"
FILES = "a file or a folder"
#: parameters that say something only where there is something to draw from
INPUTS = ("image", "mask", "strength", "control", "reference")
#: those of which a hosted service takes none
OF_LOCAL = ("source", *INPUTS, "upscale", "upscale_strength")
#: by which setting of the model it takes them, and what that is
_NEEDS = {"control": ("controlnet", "a ControlNet"), "reference": ("ip_adapter", "an IP-Adapter")}
_DEPTH = "depth"
_NONE = "(none)"


@dataclass(frozen=True)
class Source(OtherSamples):
    """Samples to draw from: the selected ones, those of the grid, a saved view, another dataset; or files."""

    none: str = NOTHING

    def choices(self, form: Form) -> list[str]:
        first, *others = super().choices(form)
        chosen = [SELECTED] if form.ctx.selected else []
        return [first, *chosen, SHOWN, FILES, *others]

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        described = {
            name: (name, "On the machine that runs this" if name == FILES else "") for name in self.choices(form)
        }
        facts = self.facts(parameter, default=NOTHING)
        return forms.dropdown(form.inputs, parameter.key, described, **facts)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        if raw == SHOWN:
            return form.ctx.view
        if raw == SELECTED:
            if not form.ctx.selected:
                raise InputError(
                    f"{parameter.label}: expected selected samples, got none: select some, or choose something else"
                )
            return form.ctx.dataset.select(form.ctx.selected)
        return None if raw == FILES else super().parse(form, parameter, raw)


SOURCE = Source(description="What is drawn from beside the prompts: each picture of it, with each prompt")


def _parameter() -> Parameter:
    return Parameter("source", "samples", None, verb="generate")


def samples(form: Form) -> Any:
    """Returns the samples that are drawn from; None: files, nothing, or what cannot be read, which the form marks."""
    if not _can(form):
        return None
    try:
        return form.once("drawn from", lambda: SOURCE.read(form, _parameter()))
    except InputError:
        return None


def is_files(form: Form) -> bool:
    """Returns whether files are drawn from."""
    return _can(form) and form.params.get("source") == FILES


def _can(form: Form) -> bool:
    return hosted_widget.service(form) == hosted_widget.LOCAL


def is_shown(form: Form, name: str) -> bool:
    """Returns whether a parameter is asked for."""
    if name not in OF_LOCAL:
        return True
    if not _can(form):
        return False
    if name == "upscale_strength":
        return form.params.get("upscale") is not None
    return name not in INPUTS or is_files(form) or samples(form) is not None


def _fields(name: str, first: Mapping[str, tuple[str, str]]) -> Callable[[Form], dict[str, tuple[str, str]]]:
    def choices(form: Form) -> dict[str, tuple[str, str]]:
        from loupe.brain.store import sources

        own = samples(form)
        listed = [] if own is None else sources.fields(own, name)
        return {**first, **{path: (path, "") for path in listed if path not in first}}

    return choices


_OWN_FILES = {conditioning.FILE: ("the samples' own pictures", "")}


@dataclass(frozen=True)
class Picture(Widget):
    """A field of the samples, or a path where files are drawn from.

    Attributes:
        fields: asks for a field
        path: asks for a path
    """

    fields: Widget
    path: Text

    def ask(self, form: Form, parameter: Parameter) -> None:
        self._widget(form).ask(form, parameter)
        setting, what = _NEEDS.get(parameter.name, ("", ""))
        chosen = form.params.get(parameter.key) not in (None, "", _NONE)
        if setting and chosen and not form.params.get(setting) and _is_diffusion(form.params.get("model")):
            text = f"Show the settings and name it there, or leave the {parameter.name} out."
            forms.problem(form.inputs, f"{parameter.name}__lacks", f"A {parameter.name} needs {what}", text)

    def read(self, form: Form, parameter: Parameter) -> Any:
        return self._widget(form).read(form, parameter)

    def _widget(self, form: Form) -> Widget:
        return self.path if is_files(form) else self.fields


@dataclass(frozen=True)
class Control(Widget):
    """What is made of the picture, or a field; a depth by a model that is named."""

    choice: Choice

    def ask(self, form: Form, parameter: Parameter) -> None:
        self.choice.ask(form, parameter)
        if form.params.get(parameter.key) == _DEPTH:
            _MODEL.ask(form, _model())

    def read(self, form: Form, parameter: Parameter) -> Any:
        chosen = self.choice.read(form, parameter)
        if chosen != _DEPTH:
            return chosen
        model = _MODEL.read(form, _model())
        return model if model is REQUIRED else f"{_DEPTH}:{model}"


def _model() -> Parameter:
    return Parameter("depth_model", "str", prefix="control__")


_MODEL = Text(
    description="A depth-estimation model of transformers: a hub id, or a folder on the machine that runs this"
)

WIDGETS: dict[str, Widget] = {
    "source": SOURCE,
    "image": Picture(
        Choice(
            _fields("image", _OWN_FILES),
            none=("(as needed)", "The samples' own pictures, unless a control or a reference stands alone"),
            description="The picture to begin with",
        ),
        Text(description="The picture to begin with: a file, or a folder of pictures"),
    ),
    "mask": Picture(
        Choice(
            _fields("mask", {}),
            none=("(all of the picture)", ""),
            description="What is drawn anew, by boxes, masks or polygons; all else stays to the last bit",
        ),
        Text(description="What is drawn anew: a picture that is white there, or a folder of such, by the same names"),
    ),
    "control": Picture(
        Control(
            Choice(
                _fields("control", {name: (name, text) for name, text in KINDS.items()}),
                none=(_NONE, ""),
                description="Whose layout is kept, by a ControlNet among the settings",
            )
        ),
        Text(description="Whose layout is kept: edges or pose of the picture, or a file or folder of controls"),
    ),
    "reference": Picture(
        Choice(
            _fields("reference", _OWN_FILES),
            none=(_NONE, ""),
            description="Whose look is taken over, by an IP-Adapter among the settings",
        ),
        Text(description="Whose look is taken over: a file or a folder of pictures"),
    ),
}


def remark(form: Form, given: Mapping[str, Any]) -> int:
    """Says what keeps pictures from being drawn from, and returns how many there are; 0: nothing is drawn from.

    Args:
        form: the form
        given: what the verb will be called with
    """
    if not _can(form):
        text = "It draws from prompts alone: from pictures, and larger ones, a model of this machine draws."
        forms.note(form.inputs, "prompts_alone", text)
        return 0
    own = {name: given.get(name) for name in OF_LOCAL}
    try:
        if is_files(form) and not any(own[name] for name in ("image", "control", "reference")):
            raise InputError("expected a file or a folder to draw from, got none: give the picture to begin with")
        asked = conditioning.conditioning(**own)
        count = len(own["source"]) if own["source"] is not None else _files(own)
    except InputError as error:
        forms.problem(form.inputs, "bad_pictures", "This cannot be drawn from", in_app(str(error)))
        return 0
    for name, (setting, what) in _NEEDS.items():
        if given.get(setting) and name not in asked.brings:
            text = f"Choose what is drawn from and a {name} of it, or leave {what} out of the settings."
            forms.problem(form.inputs, f"no_{name}", f"The model with {what} needs a {name}", text)
    return count


def _is_diffusion(model: Any) -> bool:
    return not isinstance(model, str) or model not in registry.generators() or model == "diffusion"


def _files(own: Mapping[str, Any]) -> int:
    for name in ("image", "control", "reference"):
        if own[name] is not None:
            path = Path(str(own[name])).expanduser()
            return len(stems(path)) if path.is_dir() else 1
    return 0


def in_words(prompts: int, pictures: int, per_prompt: int, *, own: bool) -> str:
    """Returns how many images come of it, in words.

    >>> in_words(2, 3, 1, own=False), in_words(0, 3, 2, own=True), in_words(1, 0, 1, own=False)
    ('2 prompts × 3 pictures × 1 = 6 images. ', '3 pictures × 2 = 6 images, each with its own prompt. ', \
'1 prompt × 1 = 1 image. ')
    """
    shown = counted(pictures, "picture")
    if own:
        images = counted(pictures * per_prompt, "image")
        return f"{shown} × {per_prompt:,} = {images}, each with its own prompt. "
    times = f" × {shown}" if pictures else ""
    images = counted(prompts * max(1, pictures) * per_prompt, "image")
    return f"{counted(prompts, 'prompt')}{times} × {per_prompt:,} = {images}. "

"""``@loupe/loupe/experiment``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.experiment import Experiment
from loupe.brain.core.presets import PRESETS
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.prompts import styles as prompt_styles
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Input, Number, Several, Text, mark, text_of
from loupe.operators.wording import in_app

#: what stands in a form for the model's own guidance
_OWN = "own"
_STYLES = {"class": "class name", "caption": "captions of the real images", "varied": "varied views, light, places"}
_NONE = "(none)"


@dataclass(frozen=True)
class _Items(Input):
    """Several values, with a comma between.

    Attributes:
        each: makes a value of a text; raises a ValueError where that is none
        kind: what they are
        shown: how a value is written
    """

    each: Callable[[str], Any] = str
    kind: str = "texts"
    shown: Callable[[Any], str] = str

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        default = parameter.default
        written = [] if default is None else [default] if isinstance(default, str) else default
        shown = ", ".join(map(self.shown, written)) or None
        return form.inputs.str(parameter.key, allow_empty=True, **self.facts(parameter, default=shown))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        parts = [part.strip() for part in text_of(parameter, raw).split(",") if part.strip()]
        try:
            made = [self.each(part) for part in parts]
        except ValueError:
            raise InputError(f"{parameter.label}: expected {self.kind} with commas between, got {raw!r}") from None
        default = parameter.default
        same = made == ([default] if isinstance(default, str) else list(default or ()))
        return default if same or not made else made


def _guidance(text: str) -> float | None:
    return None if text == _OWN else float(text)


@dataclass(frozen=True)
class _Styles(Several):
    """Styles that come with Loupe, and templates of one's own below them, one a line."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        super().ask(form, parameter)
        own = self._own(parameter)
        made = form.inputs.str(
            own.key,
            label=own.label,
            description="One a line, for example: a {class} in the snow",
            allow_empty=True,
            view=types.TextFieldView(multiline=True, rows=2),
        )
        mark(made, lambda: self.read(form, parameter))

    def read(self, form: Form, parameter: Parameter) -> Any:
        named = super().read(form, parameter)
        own = self._own(parameter)
        lines = text_of(own, form.params.get(own.key) or "").split("\n")
        templates = [line.strip() for line in lines if line.strip()]
        if not templates:
            return named
        made = [*named, *templates]
        prompt_styles.read(made)
        return made

    def _own(self, parameter: Parameter) -> Parameter:
        return Parameter("templates", "str", "", prefix=f"{parameter.name}__")


def _real(form: Form) -> Any:
    """Returns the real images to train on that are chosen now; the dataset that is open where none can be."""
    try:
        chosen = _REAL_TRAIN.read(form, Parameter("real_train", "str", None))
    except LoupeError:
        chosen = None
    return form.ctx.dataset if chosen is None else chosen


def _classes(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels

    # where the real images have none, those of the dataset that is open: which is missing is then said as it runs
    paths = labels.fields_of(_real(form)) or labels.fields_of(form.ctx.dataset)
    return {path: (path, "") for path in paths}


def _texts(form: Form) -> dict[str, tuple[str, str]]:
    import fiftyone as fo

    schema = _real(form).get_field_schema()
    texts = [name for name, kind in schema.items() if isinstance(kind, fo.StringField)]
    return {name: (name, "") for name in texts if name != "filepath"}


@dataclass(frozen=True)
class _Named(OtherSamples):
    """Other samples, of which those with one of some words in their name are proposed first."""

    words: tuple[str, ...] = ()

    def choices(self, form: Form) -> list[str]:
        return sorted(super().choices(form), key=lambda name: not any(word in name.casefold() for word in self.words))


_REAL_TRAIN = _Named(
    advice="Import real images with classes into a dataset of their own; loupe.split parts them.",
    description="Real images to train on, and to compare with",
    words=("train",),
)


class RunExperiment(VerbOperator):
    """Draws a set by each model, prompt style and guidance, and says which trains best beside real images."""

    verb = "experiment"
    label = "try models and prompts"
    icon = "science"
    button = "Start"
    widgets = {
        "real_train": _REAL_TRAIN,
        "real_test": _Named(
            advice="Save a view of real images to test on, or import them.",
            description="Real images to test on, which share nothing with the others",
            words=("test", "valid"),
        ),
        "label": Choice(
            _classes,
            absent=("There are no classes", "The real images need a field of one class a sample."),
            strict=False,
            description="The class that both real sides have; what is drawn gets it, too",
        ),
        "models": _Items(
            kind="models",
            description="tiny-signs comes with Loupe; Hugging Face hub ids, folders in diffusers' format, other "
            "generators by their names. With commas between",
        ),
        "styles": _Styles(
            lambda _: _STYLES,
            chosen=lambda _: ["class", "varied"],
            default=lambda _: ["class", "varied"],
            description="How a class is asked for",
            kind="prompt style",
        ),
        "guidance": _Items(
            each=_guidance,
            kind=f"numbers, or {_OWN},",
            shown=lambda value: _OWN if value is None else f"{value:g}",
            description=f"How strongly prompts are followed: one arm each, commas between; {_OWN} is the model's own",
        ),
        "seeds": _Items(each=int, kind="whole numbers", description="Of the draws: one arm each, with commas between"),
        "per_class": Number(5, 100_000),
        "classes": _Items(kind="classes", description="Which to draw, with commas between; empty: all"),
        "captions": Choice(
            _texts, none=(_NONE, "There are no captions"), strict=False, description="Captions of the real images"
        ),
        "checks": Choice(
            lambda _: {name: (name, words) for name, words in PRESETS.items()},
            none=(_NONE, "Nothing is checked"),
            description="What the new images are checked for",
        ),
        "embedder": Choice(
            lambda _: {"auto": ("The best one here", ""), **{name: (name, "") for name in registry.embedders()}},
            description="What turns an image into a vector; the real images are embedded alike",
        ),
        "field": Text(description="The field that the vectors are stored in"),
        "seed": Number(0, 2**31 - 1),
    }
    hidden = {
        "device": DEVICE,
        "dry_run": "the form itself says what will be drawn",
        "measure": "a form draws nothing before it is submitted",
        "names": "a table: it stands in a plan for the command `loupe experiment`, or in Python",
        "options": "a table: it stands in a plan for the command `loupe experiment`, or in Python",
        "released": "a table: it stands in a plan for the command `loupe experiment`, or in Python",
    }
    settings = ("seeds", "classes", "captions", "checks", "embedder", "field", "seed", "output_dir", "report")

    def remark(self, form: Form) -> None:
        if any(each.invalid for each in form.inputs.properties.values()):
            return
        try:
            plan = self.function()(form.samples, **self.arguments(form), dry_run=True).plan
        except LoupeError as error:
            forms.note(form.inputs, "count", in_app(str(error)), severity="warning")
            return
        forms.note(form.inputs, "count", plan.sentence())
        table = plan.table()
        text = summary.table(table.head, table.rows)
        form.inputs.md("\n\n".join([text, *map(escape, plan.notes)]), name="plan")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        made: Experiment = result
        measured = [arm for arm in made.arms if arm.measured]
        share = f"{len(measured):,} of {counted(len(made.arms), 'arm')} measured"
        message = f"{share}: {measured[0].name} first, utility {measured[0].utility}" if measured else share
        table = made.table()
        parts = [
            *(escape(sentence) for sentence in made.sentences()),
            summary.table(table.head, table.rows),
            f"{escape(table.title)}. {escape(table.note)}.",
            f"Written to {escape(given['report'])}." if given.get("report") else "",
            "Next: color by **scenario.arm** in the sidebar, or open the panel **Realism** for the arm compared last.",
        ]
        return Summary(message, "\n\n".join(filter(None, parts)), {"experiment": made.to_dict()})

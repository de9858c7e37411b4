"""``@loupe/loupe/select``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.split import group_choices, known_groups
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several, Text

_WORDS = {
    "diverse": ("Diverse", "Each the farthest from those before: covers what is rare"),
    "representative": ("Representative", "Distributed as all are"),
    "facility_location": ("Facility location", "What the others are the most similar to"),
    "balanced": ("Balanced", "Every value of the factors below as often as can be"),
    "typical": ("Typical", "Nearest to the mean of its class, or in the densest places"),
    "hard": ("Hard", "The worst by a score, or what a model is unsure of"),
    "diverse 0.7, hard 0.3": ("Diverse and hard", "70 % diverse, 30 % hard"),
    "representative 0.8, diverse 0.2": ("Representative and diverse", "80 % representative, 20 % diverse"),
    "random": ("Random", "By chance: what the others are compared with"),
}


@dataclass(frozen=True)
class _Strategy(Choice):
    """A strategy, or a mix of them."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        text = super().parse(form, parameter, raw)
        if text is None or " " not in text:
            return text
        parts = (part.split() for part in text.split(", "))
        return {name: float(weight) for name, weight in parts}


@dataclass(frozen=True)
class _Size(Number):
    """A number of samples, or a share of them."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        return super().draw(form, replace(parameter, default=_default_size(form)))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        number = super().parse(form, parameter, raw)
        if number <= 0 or (number > 1 and number != int(number)):
            raise InputError(f"{parameter.label}: expected a whole number, or a share between 0 and 1, got {raw!r}")
        return int(number) if number >= 1 else number


def _default_size(form: Form) -> float:
    return float(min(500, max(1, len(form.samples) // 4)))


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)} | {path: path for path in _labels(form)}


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels

    return {path: (path, "") for path in labels.fields_of(form.samples)}


def _scores(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import selections

    choices: dict[str, tuple[str, str]] = {}
    for path in selections.offered(form.samples):
        if selections.is_directed(form.samples, path):
            choices[path] = (path, "The worst, or the most unsure, first")
        else:
            choices[f"+{path}"] = (f"{path}, high first", "")
            choices[f"-{path}"] = (f"{path}, low first", "")
    return choices


def _splits(form: Form) -> dict[str, tuple[str, str]]:
    paths = {path: (path, "Nothing of val or test is chosen") for path in _factors(form)}
    return {**paths, "tags": ("tags", "Nothing tagged val or test is chosen")}


def _views(form: Form) -> dict[str, tuple[str, str]]:
    return {name: (name, "") for name in form.ctx.dataset.list_saved_views()}


def _failures(form: Form) -> dict[str, str]:
    from loupe.brain.core.taxonomy import ANY, failure_title

    return {ANY: "any failure", **{name: failure_title(name) for name in forms.scored_failures(form.samples)}}


@dataclass(frozen=True)
class _Without(Several):
    """Failure modes, or all of them."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = self.names(form, parameter, raw)
        return parameter.default if parameter.default in names else names


def _types(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import exports

    return {name: (name, "") for name in exports.TYPES}


class Select(VerbOperator):
    """Chooses samples under a budget: diverse, representative, balanced, hard; saved as a view."""

    verb = "select"
    label = "select samples"
    icon = "filter_alt"
    button = "Select"
    widgets = {
        "n": _Size(0, description="How many samples; a number below 1 is a share of them"),
        "strategy": _Strategy(
            lambda _: dict(_WORDS), description="What the chosen are to be like, beside choices by chance"
        ),
        "per": Several(
            _factors,
            chosen=lambda _: [],
            default=lambda _: [],
            description="Balanced makes their values even; every other strategy takes from each in proportion",
        ),
        "score": Choice(
            _scores, none=("(none)", "Not by a score"), description="What hard samples are found by", strict=False
        ),
        "label": Choice(
            _labels,
            none=("(none)", "No labels"),
            description="Typical is of each class, and hard what a probe is unsure of, where there is no score",
        ),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            strict=False,
            description="The vectors that tell what is alike",
        ),
        "without": _Without(
            _failures,
            chosen=lambda _: ["any"],
            description="Samples that are flagged with one of these are left out",
        ),
        "groups": Several(
            group_choices,
            chosen=known_groups,
            default=known_groups,
            description="Of samples that share a value only so many are chosen: duplicates, a prompt",
        ),
        "max_per_group": Number(1),
        "split": Choice(_splits, none=("(none)", "Choose from all"), description="Nothing of val or test is chosen"),
        "keep": Choice(
            _views, none=("(none)", "Nothing is chosen yet"), description="A saved view: what is chosen already"
        ),
        "save_as": Text(description="The name of the saved view"),
        "export_dir": Text(description="An empty folder to copy the chosen to, with a manifest; none: no export"),
        "export_type": Choice(_types, strict=False, description="Which of FiftyOne's formats"),
    }
    hidden = {"recipe": "another selection's, in Python; its saved view has it in its description"}
    settings = (
        *("without", "groups", "max_per_group", "split", "keep", "save_as"),
        *("export_dir", "export_type", "seed"),
    )

    def remark(self, form: Form) -> None:
        if not forms.vector_fields(form.samples):
            text = (
                "There are no vectors yet, so only random, balanced and hard can be chosen: run 'Loupe: embed images'."
            )
            forms.note(form.inputs, "no_vectors", text, severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(len(result.ids), 'sample')} of {result.n:,} chosen"
        text = "\n\n".join(f"{escape(sentence)}." for sentence in result.sentences())
        rows = [
            (factor, value, result.counts[factor].get(value, 0), count)
            for factor, values in result.available.items()
            for value, count in values.items()
        ]
        if rows:
            text += "\n\n" + summary.table(["Factor", "Value", "Chosen", "Of"], rows)
        if result.view is not None:
            text += f"\n\nNext: open the saved view **{escape(result.view)}** to see them in their order."
        if result.exported is not None:
            text += f"\n\nExported to {escape(result.exported)}, with a manifest."
        facts = {"n": len(result.ids), "ids": list(result.ids[:1000]), "view": result.view, "recipe": result.recipe}
        return Summary(message, text, facts)

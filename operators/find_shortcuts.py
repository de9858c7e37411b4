"""``@loupe/loupe/find_shortcuts``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.p_values import p_value
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.slice import By
from loupe.operators.split import group_choices
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels

    return {path: (path, "") for path in labels.fields_of(form.samples)}


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import choices

    return {name: name for name in choices.factors(form.samples)}


def _orders(form: Form) -> dict[str, tuple[str, str]]:
    import fiftyone as fo

    kinds = (fo.DateField, fo.DateTimeField, fo.IntField)
    return {path: (path, "") for path, kind in form.samples.get_field_schema().items() if isinstance(kind, kinds)}


def known_groups(form: Form) -> list[str]:
    """Returns the fields whose samples are kept together where nothing else is asked for."""
    from loupe.brain.store.drift.batches import GROUPS

    return [path for path in GROUPS if form.samples.has_field(path)]


@dataclass(frozen=True)
class Groups(Several):
    """The fields whose samples are kept together; as they are known by default, it is the verb's own default."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = self.names(form, parameter, raw)
        return parameter.default if set(names) == set(known_groups(form)) else names


@dataclass(frozen=True)
class _By(By):
    """Factors beside what is looked at anyway; none is the verb's own default."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        return super().parse(form, parameter, raw) or parameter.default


class FindShortcuts(VerbOperator):
    """Finds properties of the pictures, like blur or folder, that give the label or the split away."""

    verb = "find_shortcuts"
    label = "find shortcuts"
    icon = "alt_route"
    button = "Find"
    widgets = {
        "label": Choice(
            _labels,
            absent=("There are no labels", "This needs a field of one class, or one split, a sample."),
            description="The field of classes; or of splits: splits that differ in blur leak conditions",
        ),
        "by": _By(
            _factors,
            chosen=lambda form: [],
            default=lambda form: [],
            description="Looked at beside all raw scores, folder, size, format and what generated the pictures",
        ),
        "order": Choice(
            _orders,
            none=("(as they are stored)", "The order of the samples in the dataset"),
            description="What the samples are ordered by: a field of times or numbers",
        ),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            none=('("embeddings", if there)', "Whether look-alikes lie near each other in the order"),
            strict=False,
            description="A field of vectors",
        ),
        "groups": Groups(
            group_choices,
            chosen=known_groups,
            description="Samples that share a value count once: a prompt, duplicates, a scene",
        ),
        "min_auroc": Number(0.5, 1),
        "min_samples": Number(5, 1_000_000),
        "fdr": Number(0.001, 0.5),
        "permutations": Number(99, 100_000),
    }
    settings = ("order", "embeddings", "groups", "min_auroc", "min_samples", "fdr", "permutations", "seed")

    def remark(self, form: Form) -> None:
        forms.note(form.inputs, "kept", "Nothing is written to the samples.")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        number, looked = counted(len(result.findings), "shortcut"), len(result.properties)
        message = f"{number} to {result.label}, of {looked:,} {'property' if looked == 1 else 'properties'}"
        parts = [f"{escape(message)}."]
        parts += [f"- {escape(sentence)}." for sentence in result.sentences()]
        text = "\n\n".join([parts[0], "\n".join(parts[1:])])
        if result.properties:
            text += "\n\n" + summary.table(
                ["Property", "Tells best", "AUROC", "95 % interval", "q", "How"],
                [
                    [
                        each.name + (": no value" if each.kind == "missing" else ""),
                        each.worst.label,
                        f"{each.worst.auroc:.2f}",
                        f"{each.worst.low:.2f} to {each.worst.high:.2f}",
                        p_value(each.worst.q),
                        each.worst.detail,
                    ]
                    for each in result.properties
                ],
            )
        return Summary(message, text, {"shortcuts": result.to_dict(), "ids": list(result.ids[:1000])})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()

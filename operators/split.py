"""``@loupe/loupe/split``."""

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
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several, Text, text_of


@dataclass(frozen=True)
class _Shares(Text):
    """Names with their shares."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        shown = ", ".join(f"{name} {share:g}" for name, share in _sizes().items())
        return form.inputs.str(parameter.key, **self.facts(replace(parameter, default=shown)))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> dict[str, float] | None:
        shares = {}
        for part in text_of(parameter, raw).split(","):
            name, _, share = part.strip().replace(":", " ").rpartition(" ")
            try:
                shares[name.strip()] = float(share)
            except ValueError:
                raise InputError(f"{parameter.label}: expected a name and a share, got {part.strip()!r}") from None
        return None if shares == _sizes() else shares


def _sizes() -> dict[str, float]:
    from loupe.brain.verbs.split import SIZES

    return SIZES


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)}


def split_fields(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the fields that may say in which split a sample is."""
    return {path: (path, "") for path in _factors(form)}


def group_choices(form: Form) -> dict[str, str]:
    """Returns the fields whose groups can be kept whole."""
    from loupe.brain.store import columns
    from loupe.brain.store.fields import GROUP

    known = {GROUP: "near and exact duplicates"} if form.samples.has_field(GROUP) else {}
    return {**{path: path for path in columns.sliceable(form.samples) if path not in ("id", "filepath")}, **known}


def known_groups(form: Form) -> list[str]:
    """Returns those that are kept whole where nothing else is asked for."""
    from loupe.brain.store import splits

    return list(splits.group_fields(form.samples, None))


def _orders(form: Form) -> dict[str, tuple[str, str]]:
    import fiftyone as fo

    kinds = (fo.DateField, fo.DateTimeField, fo.IntField, fo.FloatField)
    schema = form.samples.get_field_schema(flat=True)
    return {path: (path, "") for path, field in schema.items() if isinstance(field, kinds) and "." not in path}


class SplitSamples(VerbOperator):
    """Puts the samples into training, validation and test sets, or folds, so that no group stands in two."""

    verb = "split"
    label = "split the dataset"
    icon = "call_split"
    button = "Split"
    widgets = {
        "sizes": _Shares(description="A name and its share, with a comma between; the shares sum to 1"),
        "folds": Number(2, description="So many folds of equal size instead of the splits above"),
        "repair": Choice(
            split_fields,
            none=("(no)", "New splits"),
            description="A field whose splits are kept: as few samples as possible move until no group is torn",
        ),
        "stratify": Several(
            _factors,
            chosen=lambda _: [],
            default=lambda _: [],
            description="Each split gets the same shares of their values",
        ),
        "groups": Several(
            group_choices,
            chosen=known_groups,
            default=known_groups,
            description="No split parts samples that share a value: duplicates, a prompt, a scene, a patient",
        ),
        "order": Choice(
            _orders, none=("(by chance)", "No order in time"), description="Every split lies after the one before it"
        ),
        "field": Text(description="Where the name of each sample's split goes"),
    }
    hidden = {"gap": "of seconds or a timedelta: set from Python"}
    settings = ("folds", "repair", "order", "field", "seed")

    def remark(self, form: Form) -> None:
        from loupe.brain.store.fields import GROUP

        if not form.samples.has_field(GROUP):
            text = "Copies of a picture may land on both sides: run 'Loupe: find duplicates' first."
            forms.note(form.inputs, "no_duplicates", text, severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(sum(result.sizes.values()), 'sample')} in {len(result.sizes)} splits"
        rows = [(name, count) for name, count in result.sizes.items()]
        text = summary.table(["Split", "Samples"], rows)
        text += f"\n\n{escape(str(result.certificate))}."
        if result.nowhere:
            text += f"\n\n{counted(result.nowhere, 'sample')} in none."
        if result.moved is not None:
            text += f"\n\n{counted(result.moved, 'sample')} moved."
        text += "\n\nNext: **Loupe: find leaks** compares every pair of pictures across the splits."
        return Summary(message, text, {"split": result.to_dict()})

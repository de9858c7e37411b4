"""``@loupe/loupe/find_leaks``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, objects_widget, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Input, text_of

_TAGS = "(sample tags)"
_USUAL_TAGS = "train, test"
_USUAL_NAMES = ("split", "subset", "fold")


@dataclass(frozen=True)
class Splits(Input):
    """A field with the split's name, or the tags that name the splits."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        from loupe.brain.store import columns

        paths = columns.factors(form.samples)
        default = next((path for path in paths if path.rpartition(".")[2] in _USUAL_NAMES), _TAGS)
        choices = {_TAGS: (_TAGS, "Each split is a tag on its samples"), **{path: (path, "") for path in paths}}
        made = forms.dropdown(form.inputs, parameter.key, choices, **self.facts(parameter, default=default))
        if (form.params.get(parameter.key) or default) == _TAGS:
            form.inputs.str(
                f"{parameter.key}__tags",
                label="Tags of the splits",
                description="Two or more, with a comma between",
                default=_USUAL_TAGS,
                required=True,
            )
        return made

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | list[str]:
        field = text_of(parameter, raw)
        if field != _TAGS:
            return field
        tags = text_of(parameter, form.params.get(f"{parameter.key}__tags") or _USUAL_TAGS)
        return [tag.strip() for tag in tags.split(",") if tag.strip()]


class FindLeaks(VerbOperator):
    """Finds images that stand in more than one split: a test on what was trained on says nothing."""

    verb = "find_leaks"
    label = "find leaks"
    icon = "water_drop"
    button = "Find"
    widgets = {
        "splits": Splits(description="The field with the name of each sample's split, or its tags"),
        "objects": objects_widget.OBJECTS,
    }
    settings = ("engine",)

    def shows(self, form: Form, name: str) -> bool:
        return objects_widget.shows(form, name)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        if given.get("objects") is not None:
            return _of_objects(result, given["objects"])
        message = f"{counted(len(result.pairs), 'pair')} across splits"
        parts = ["No picture stands in two splits."]
        if result.pairs:
            parts = [
                f"{message}.",
                summary.table(["Between", "Pairs"], result.between.items()),
                summary.table(["Split", "Samples that another one has, too"], result.samples.items()),
                "Next: open the panel **Duplicates**: pair by pair, which split's picture is kept?",
            ]
        facts = {"pairs": summary.pair_facts(result.pairs), "between": dict(result.between)}
        return Summary(message, "\n\n".join(parts), facts)


def _of_objects(result: Any, path: str) -> Summary:
    message = f"{counted(len(result.pairs), 'pair')} of objects across splits"
    parts = ["No object stands in two splits.", *summary.not_compared(result)]
    if result.pairs:
        mirror = objects_widget.mirror_of(path)
        parts = [
            f"{message}.",
            summary.table(["Between", "Pairs"], result.between.items()),
            summary.table(["Split", "Objects that another one has, too"], result.samples.items()),
            *summary.of_object_pairs(result),
            *summary.not_compared(result),
            f"Next: show the field **{escape(mirror)}** and filter it by `failures`: `leak`, or see its patches.",
        ]
    facts = {"pairs": summary.pair_facts(result.pairs), "between": dict(result.between)}
    return Summary(message, "\n\n".join(parts), facts)

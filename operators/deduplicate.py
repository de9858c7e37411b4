"""``@loupe/loupe/deduplicate``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.deduplicated import RULES
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Text, Words, text_of

_TAGS = "tags: "
_RULES = {
    "best": ("The best one", "Of the test set, then the largest picture, then the sharpest"),
    "largest": ("The largest picture", "Whatever split it is in"),
    "first": ("The first one", "In the dataset's order"),
    "none": ("Take back", "As if no rule had decided; what people decided stays"),
}
assert set(_RULES) == {*RULES, "none"}


def split_choices(samples: Any) -> dict[str, str]:
    """Returns what may say in which split a sample is, and how it is called; the likeliest first."""
    from loupe.brain.store.duplicates import groups as duplicate_groups

    named = {}
    for splits in duplicate_groups.usual_splits(samples):
        text = splits if isinstance(splits, str) else _TAGS + ", ".join(splits)
        named[text] = text
    return named


def splits_of(text: Any) -> str | tuple[str, ...]:
    """Returns what a choice of splits means: a field, or tags; none of them where it is none.

    >>> splits_of("tags: train, test")
    ('train', 'test')
    """
    if not isinstance(text, str):
        return ()
    if not text.startswith(_TAGS):
        return text or ()
    return tuple(tag.strip() for tag in text.removeprefix(_TAGS).split(",") if tag.strip())


@dataclass(frozen=True)
class _Splits(Choice):
    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        text = super().parse(form, parameter, raw)
        return None if text is None else splits_of(text_of(parameter, text))


class Deduplicate(VerbOperator):
    """Keeps one image of each group of duplicates; the others are marked, not deleted."""

    verb = "deduplicate"
    label = "drop duplicates"
    icon = "filter_none"
    button = "Decide"
    widgets = {
        "keep": Choice(lambda _: _RULES, description="Which image of a group that nobody has decided"),
        "splits": _Splits(
            lambda form: {name: (name, "") for name in split_choices(form.samples)},
            none=(
                "(as known)",
                "As find leaks was told, else a field named split, subset or fold, else tags",
            ),
            description="What says in which split an image is",
        ),
        "prefer": Words(description="The splits whose images the best rule keeps, the first of them first"),
        "note": Text(description="In your own words; kept with each decision"),
    }
    hidden = {"by": "it is the user of the machine that runs this"}
    settings = ("splits", "prefer", "save_view", "note")

    def remark(self, form: Form) -> None:
        from loupe.brain.store.duplicates import groups as duplicate_groups

        if not duplicate_groups.searched(form.samples):
            text = "Nobody has looked for duplicates here: run 'Loupe: find duplicates' first."
            forms.note(form.inputs, "no_duplicates", text, severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        if result.rule == "none":
            message = f"{counted(result.taken_back, 'image')} taken back"
        else:
            message = f"{counted(len(result.dropped), 'image')} dropped"
        rows: list[tuple[str, object]] = [
            ("Groups of duplicates", result.groups),
            ("of these decided", result.decided),
            ("by people", result.by_people),
            ("Images dropped in all", result.n_dropped),
        ]
        rows += [("Leaks left: pairs in two splits", result.leaks)] * (result.leaks is not None)
        rows += [("Groups with more images outside of this view", result.cut)] * bool(result.cut)
        text = f"{message}. No image was deleted.\n\n{summary.table(['', 'Number'], rows)}"
        if result.view:
            text += f"\n\nWhat is kept is the saved view **{escape(result.view)}**."
        text += "\n\nNext: the panel **Duplicates** shows each group side by side, to decide the others by eye."
        return Summary(message, text, {"deduplication": result.to_dict()})

"""``@loupe/loupe/find_label_issues``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.labels.box_records import BoxIssues
from loupe.brain.labels.mask_records import MaskIssues
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.split import group_choices, known_groups
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several

if TYPE_CHECKING:
    from loupe.brain.store.labels.given import Kind

#: which kinds of labels each setting is for; all others are for all of them
_FOR: Mapping[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("embeddings", "groups", "folds", "seed"), ("class", "classes", "prompt")),
    "probabilities": ("class", "classes", "prompt", "mask"),
    "predictions": ("boxes", "mask", "class", "classes"),
    "overlap": ("boxes",),
}
_WORDS: Mapping[Kind, str] = {
    "class": "",
    "classes": "Several classes a sample",
    "prompt": "The pictures, by what their prompts ask for",
    "boxes": "Boxes: needs a model's predictions",
    "mask": "Masks: needs a model's masks",
}
#: what comes back, what is counted of it, and the failure
_RESULTS = ((BoxIssues, "sample", "box_issue"), (MaskIssues, "mask", "mask_issue"), (object, "label", "label_issue"))


def _fields(form: Form) -> dict[str, Kind]:
    """Returns what each field of labels holds."""
    from loupe.brain.store.labels import given as labels

    return form.once("labels", lambda: {path: kind for kind in _WORDS for path in labels.fields_of(form.samples, kind)})


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    return {path: (path, _WORDS[kind]) for path, kind in _fields(form).items()}


def _chosen(form: Form) -> str | None:
    """Returns the labels that are chosen, else the first; None where there is nothing to choose."""
    chosen = form.params.get("label")
    return chosen if isinstance(chosen, str) and chosen in _fields(form) else next(iter(_fields(form)), None)


def _kind(form: Form) -> Kind | None:
    """Returns what the chosen labels are; None where there is nothing to choose."""
    chosen = _chosen(form)
    return None if chosen is None else _fields(form)[chosen]


def _predictions(form: Form) -> dict[str, tuple[str, str]]:
    kind, chosen = _kind(form), _chosen(form)
    own = [name for name, held in _fields(form).items() if held == kind and name != chosen]
    # a text has no confidence
    return {name: (name, "") for name in own if not isinstance(form.samples.get_field(name), fo.StringField)}


def _probabilities(form: Form) -> dict[str, tuple[str, str]]:
    if _kind(form) == "mask":
        from loupe.brain.store.labels import mask_issues

        return {name: (name, "How sure the model is of each pixel") for name in mask_issues.maps(form.samples)}
    return {name: (name, "A field with a probability for each class") for name in forms.vector_fields(form.samples)}


class _Predictions(Choice):
    """Predictions: boxes need them; where vectors judge the labels, too, there may be none."""

    def _of(self, form: Form) -> Choice:
        if _kind(form) in ("boxes", "mask"):
            return Choice(self.choices, absent=self.absent, description=self.description, needed=True)
        none = ("(judge by the vectors)", "Or by probabilities, where they are given")
        return Choice(self.choices, none=none, description=self.description)

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        return self._of(form).draw(form, parameter)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | None:
        return self._of(form).parse(form, parameter, raw)


class FindLabelIssues(VerbOperator):
    """Finds labels that are probably wrong, and says what they probably should be; the labels stay."""

    verb = "find_label_issues"
    label = "find label issues"
    icon = "rule"
    button = "Find"
    widgets = {
        "label": Choice(
            _labels,
            absent=("There are no labels", "This needs a field of classes, or of boxes with predictions."),
            description="The field of labels to judge",
        ),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors yet", "Run 'Loupe: embed images' first."),
            strict=False,
            description="The vectors that labels are judged by",
        ),
        "probabilities": Choice(
            _probabilities,
            none=("(none)", "Vectors or masks alone decide"),
            description="Of a model of your own that was not trained on these labels",
        ),
        "groups": Several(
            group_choices,
            chosen=known_groups,
            default=known_groups,
            description="Samples that share a value never judge each other: duplicates, a prompt, a scene",
        ),
        "predictions": _Predictions(
            _predictions,
            absent=("There are no predictions", "Add a field of what a model says, of the same kind as the labels."),
            description="What a model says that was not trained on these labels",
        ),
        "folds": Number(2, 50),
        "overlap": Number(0.1, 0.9),
    }
    hidden = {
        "classes": "the names of the probabilities' columns, in Python; the form takes the dataset's",
        "evidence": "a number for each kind of issue, in Python; the form has the threshold",
    }
    settings = ("probabilities", "groups", "folds", "overlap", "seed")

    def shows(self, form: Form, name: str) -> bool:
        kind = _kind(form)
        return name not in _FOR or kind in _FOR[name] or (kind is None and "class" in _FOR[name])

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        noun, name = next((noun, name) for kind, noun, name in _RESULTS if isinstance(result, kind))
        if getattr(result, "kind", "class") != "class":
            # of several classes those samples count that have one which is wrong
            noun = "sample"
        message = f"{counted(len(result.ids), noun)} of {result.n:,} are probably wrong"
        text = "\n\n".join(f"{escape(sentence)}." for sentence in result.sentences())
        if result.issues:
            made = result.table()
            # the first column, the sample's id, says nothing to a person
            head = [name.capitalize() for name in made.head[1:]]
            text += "\n\n" + summary.table(head, [row[1:] for row in made.rows])
            text += f"\n\nand {made.more:,} more" if made.more else ""
            text += f"\n\nNext: filter by **failures** ({name}) in the sidebar; the suggestion is in **{name}s**."
        facts = {"n": result.n, "issues": len(result.issues), "ids": list(result.ids[:1000])}
        return Summary(message, text, facts)

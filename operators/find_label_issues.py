"""``@loupe/loupe/find_label_issues``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.split import group_choices, known_groups
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import labels

    return {path: (path, "") for path in labels.fields_of(form.samples)}


def _probabilities(form: Form) -> dict[str, tuple[str, str]]:
    return {name: (name, "A field with a probability for each class") for name in forms.vector_fields(form.samples)}


class FindLabelIssues(VerbOperator):
    """Finds labels that are probably wrong, and says what they probably should be; the labels stay."""

    verb = "find_label_issues"
    label = "find label issues"
    icon = "rule"
    button = "Find"
    widgets = {
        "label": Choice(
            _labels,
            absent=("There are no labels", "This needs a field of one class a sample."),
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
            none=("(judge by the vectors)", "Each label by all others"),
            description="Of a model of your own that was not trained on these labels",
        ),
        "groups": Several(
            group_choices,
            chosen=known_groups,
            default=known_groups,
            description="Samples that share a value never judge each other: duplicates, a prompt, a scene",
        ),
        "folds": Number(2, 50),
    }
    hidden = {"classes": "the names of the probabilities' columns, in Python; the form takes the dataset's"}
    settings = ("probabilities", "groups", "folds", "seed")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{summary.counted(len(result.issues), 'label')} of {result.n:,} are probably wrong"
        rows = [(each.given, each.suggested, f"{each.score:.3f}", each.reason) for each in result.issues]
        text = "\n\n".join(f"{summary.escape(sentence)}." for sentence in result.sentences())
        if rows:
            text += "\n\n" + summary.table(["Given", "Suggested", "Score", "Why"], rows)
            text += (
                "\n\nNext: filter by **failures** (label_issue) in the sidebar; the suggestion is in **label_issues**."
            )
        facts = {"n": result.n, "issues": len(result.issues), "ids": list(result.ids[:1000])}
        return Summary(message, text, facts)

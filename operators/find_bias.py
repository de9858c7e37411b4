"""``@loupe/loupe/find_bias``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.find_shortcuts import Groups, known_groups
from loupe.operators.forms import Form
from loupe.operators.slice import By
from loupe.operators.split import group_choices
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import choices

    return {name: name for name in choices.factors(form.samples)}


def _proposed(form: Form) -> list[str]:
    return list(_factors(form))[:1]


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.evaluation import results as evaluations
    from loupe.brain.store.labels import given as labels

    listed = [*labels.fields_of(form.samples), *evaluations.fields(form.samples, "detection")]
    return {path: (path, "") for path in dict.fromkeys(listed)}


def _predictions(form: Form) -> dict[str, str]:
    from loupe.brain.store.evaluation import results as evaluations

    return {path: path for path in evaluations.fields(form.samples)}


def _scores(form: Form) -> dict[str, str]:
    from loupe.brain.store import bias

    return {path: path for path in bias.score_fields(form.samples)}


class FindBias(VerbOperator):
    """Compares groups of samples: labels, failures, scores, and what models do on them, with intervals."""

    verb = "find_bias"
    label = "find bias"
    icon = "balance"
    button = "Compare"
    widgets = {
        "by": By(
            _factors,
            chosen=_proposed,
            some=True,
            description="What makes the groups: one field, or several for the combinations that occur",
        ),
        "label": Choice(
            _labels,
            none=("(no label)", "Sizes, failures and scores only"),
            description="The classes that samples are labeled with; with predictions the ground truth",
        ),
        "predictions": Several(
            _predictions,
            chosen=lambda form: [],
            default=lambda form: [],
            kind="field of predictions",
            description="Models to compare the groups by; none for the data alone",
        ),
        "scores": Several(
            _scores,
            chosen=lambda form: list(_scores(form)),
            default=lambda form: list(_scores(form)),
            description="Raw scores whose means are compared",
        ),
        "groups": Groups(
            group_choices,
            chosen=known_groups,
            description="Samples that share a value count as fewer: a prompt, duplicates, a scene",
        ),
        "min_samples": Number(2, 1_000_000),
        "min_difference": Number(0, 1),
        "fdr": Number(0.001, 0.5),
        "interval": Number(0.5, 0.999),
    }
    settings = ("positive", "confidence", "scores", "groups", "min_samples", "min_difference", "fdr", "interval")

    def remark(self, form: Form) -> None:
        forms.note(form.inputs, "kept", "Nothing is written to the samples.")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        number, groups = len(result.findings), counted(len(result.groups), "group")
        message = f"{counted(number, 'difference')} between {groups} by {', '.join(result.by)}"
        lines = "\n".join(f"- {escape(sentence)}." for sentence in result.sentences())
        table = result.table()
        parts = [f"{escape(message)}.", lines]
        if table.rows:
            head = [name[:1].upper() + name[1:] for name in table.head]
            parts.append(summary.table(head, table.rows))
        if result.apart:
            rows = [
                [each.name, each.label, each.model, f"{each.difference:.3f}", f"{each.low:.3f} to {each.high:.3f}"]
                + [each.highest, each.lowest]
                for each in result.apart
            ]
            head = ["What", "Class", "Model", "Apart by", "Interval, all pairs", "Highest in", "Lowest in"]
            parts.append("**How far groups are apart**\n\n" + summary.table(head, rows))
        return Summary(message, "\n\n".join(parts), {"bias": result.to_dict()})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()

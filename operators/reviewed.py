"""``@loupe/loupe/reviewed``."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.review import ReviewResult
from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Several


def _choices(form: Form) -> dict[str, str]:
    from loupe.brain.store.review import decisions as review

    return {name: failure_title(name) for name in review.failures(form.samples)}


class Reviewed(VerbOperator):
    """Reports how good each check is by what people decided, and a better threshold."""

    verb = "reviewed"
    label = "what a review says"
    icon = "rule"
    button = "Show"
    widgets = {
        "failures": Several(
            _choices,
            chosen=lambda form: list(_choices(form)),
            default=lambda form: list(_choices(form)),
            kind="failure",
            description="Of which failures",
        ),
        "precision": Number(0.5, 0.99),
        "max_false_alarms": Number(
            0.0001,
            0.5,
            description="The share of all judged pictures that may be false alarms; the threshold then keeps to it, "
            "guaranteed. Empty: a threshold for the precision",
        ),
    }

    def remark(self, form: Form) -> None:
        if not _choices(form):
            forms.note(
                form.inputs, "report", "Nothing was reviewed yet: open the panel Review, and decide by keyboard."
            )

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        decided = sum(each.decided + each.passed_reviewed for each in result)
        message = f"{counted(decided, 'decision')} on {counted(len(result), 'failure')}"
        text = f"{message}.\n\n{table(result)}" if result else "Nothing was reviewed yet: open the panel **Review**."
        return Summary(message, text, {"reviewed": [each.to_dict() for each in result]})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()


def table(results: Sequence[ReviewResult]) -> str:
    """Returns a row for each failure mode."""
    head = ["Failure", "Reviewed", "Real", "False alarms", "Unsure", "Precision", "Recall", "Better threshold"]
    rows = [
        [
            failure_title(each.failure),
            f"{each.decided:,} of {each.flagged:,}",
            each.real,
            each.false_alarms,
            each.unsure,
            str(each.precision),
            str(each.recall),
            str(each.offer),
        ]
        for each in results
    ]
    return summary.table(head, rows)

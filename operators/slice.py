"""``@loupe/loupe/slice``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)}


class FailureRates(VerbOperator):
    """Reports how often each failure occurs in each scenario, with its n and its interval."""

    verb = "slice"
    label = "failure rates by scenario"
    icon = "table_chart"
    button = "Show"
    widgets = {
        "by": Several(
            _factors,
            chosen=lambda form: [path for path in _factors(form) if path.startswith("scenario.")][:1],
            description="One field, or several for the combinations that occur; none for all samples together",
        ),
        "failure": Choice(
            lambda form: {name: (summary.failure_title(name), "") for name in forms.scored_failures(form.samples)},
            none=("(all failures)", "Every failure mode that was judged"),
            strict=False,
            description="Which failures to count",
        ),
        "confidence": Number(0.5, 0.999),
    }
    hidden = {"outcome": "it is made in Python, of a field and a rule; the form counts failure modes"}

    def remark(self, form: Form) -> None:
        from loupe.brain.store import columns

        if not columns.any_checked(form.samples):
            forms.problem(
                form.inputs, "no_failures", "Nothing has been checked yet", "Run 'Loupe: check images' first."
            )

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        slices = len({str(rate.slice) for rate in result})
        message = f"{summary.counted(len(result), 'rate')} over {summary.counted(slices, 'slice')}"
        confidence = self.value(form, "confidence")
        text = summary.rates_table(result, by_slice=bool(given["by"]), confidence=confidence)
        text += "\n\nNext: open the panel **Failures by scenario** and click a cell to see its samples."
        return Summary(message, text, {"rates": [rate.to_dict() for rate in result]})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()

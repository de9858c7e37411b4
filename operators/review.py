"""``@loupe/loupe/review``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.review import STATUS_TITLES
from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms
from loupe.operators.annotate import failures
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.reviewed import table
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Text

_AS_ANNOTATED = "(as annotated)"


def _statuses(form: Form) -> dict[str, tuple[str, str]]:
    titles = {name: (title.capitalize(), "") for name, title in STATUS_TITLES.items()}
    return {**titles, "none": ("Take it back", "Nobody has decided then")}


def _fields(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import annotation

    return {name: (name, "") for name in annotation.classifications(form.samples)}


class ReviewSamples(VerbOperator):
    """Decides for the chosen samples at once: a real failure, a false alarm, unsure."""

    verb = "review"
    label = "decide for these samples"
    icon = "fact_check"
    button = "Decide"
    widgets = {
        "failure": Choice(failures, absent=("There are no scores yet", "Run 'Loupe: check images' first.")),
        "decisions": Choice(
            _statuses,
            none=(_AS_ANNOTATED, "What stands in a field of classifications"),
            description="What holds for every one of these samples",
        ),
        "field": Choice(
            _fields,
            none=("(choose)", "The field with the annotators' answers"),
            strict=False,
            description="A field with the labels real, false_alarm and unsure",
        ),
        "note": Text(description="In your own words; kept with each decision"),
    }
    hidden = {"by": "it is the user of the machine that runs this"}

    def shows(self, form: Form, name: str) -> bool:
        return name != "field" or form.params.get("decisions") in (None, _AS_ANNOTATED)

    def remark(self, form: Form) -> None:
        if self.value(form, "decisions") is None and self.value(form, "field") is None:
            forms.note(form.inputs, "report", "Choose what you decided, or the field with the annotators' answers.")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        what = f"{counted(result.written, 'decision')} on {failure_title(result.failure)} written"
        message = f"{what}, {result.taken_back:,} taken back" if result.taken_back else what
        text = f"{message}.\n\n{table([result])}\n\nNext: open the panel **Review**: picture by picture, by keyboard."
        return Summary(message, text, {"review": result.to_dict()})

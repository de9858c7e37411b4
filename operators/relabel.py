"""``@loupe/loupe/relabel``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Text


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels
    from loupe.brain.store.relabel import corrected as relabel

    judged = relabel.judged(form.samples)
    fields = labels.fields_of(form.samples)
    first = [judged.label] if judged is not None and judged.label in fields else []
    return {path: (path, "") for path in dict.fromkeys([*first, *fields])}


class Relabel(VerbOperator):
    """Writes corrected labels into a field of their own; yours stay as they are."""

    verb = "relabel"
    label = "put labels right"
    icon = "label"
    button = "Write"
    widgets = {
        "label": Choice(
            _labels,
            absent=("There are no labels", "This needs a field of one class a sample."),
            description="The field of your labels, which stays as it is",
        ),
        "accept": Number(
            0,
            1,
            description="Accept each suggestion whose label is wrong with more than this probability, beside what "
            "people decided; empty: none",
        ),
        "top": Number(0, description="Accept so many suggestions, the worst labels first; empty: none"),
        "field": Text(description="Where the corrected labels go; empty: the label's name with _corrected"),
    }
    hidden = {"by": "it is the user of the machine that runs this"}

    def remark(self, form: Form) -> None:
        from loupe.brain.store.relabel import corrected as relabel

        if relabel.judged(form.samples) is None:
            text = "No labels were judged yet: run 'Loupe: find label issues' first. Without it all stay as they are."
            forms.note(form.inputs, "report", text)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(result.changed, 'label')} of {result.n:,} changed in {result.field}"
        text = "\n\n".join(f"{escape(sentence)}." for sentence in result.sentences())
        if result.changes:
            rows = [(each.given or "–", each.corrected or "–", each.how, each.by) for each in result.changes]
            text += "\n\n" + summary.table(["Given", "Corrected", "How", "By"], rows)
        text += "\n\nNext: the panel **Label issues** shows one after the other, by keyboard."
        facts = {"field": result.field, "n": result.n, "changed": result.changed, "ids": list(result.ids[:1000])}
        return Summary(message, text, {**facts, "remaining": result.remaining.to_dict()})

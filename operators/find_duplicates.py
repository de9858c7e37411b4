"""``@loupe/loupe/find_duplicates``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Checkbox, Choice


class FindDuplicates(VerbOperator):
    """Finds images with the same bytes, the same pixels, or nearly the same picture."""

    verb = "find_duplicates"
    label = "find duplicates"
    icon = "content_copy"
    button = "Find"
    widgets = {
        "near": Checkbox(description="Look for nearly the same picture; takes time in proportion to N²"),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            none=("(none)", "Compare by the pictures alone"),
            strict=False,
        ),
    }
    settings = ("embeddings", "resume")

    def shows(self, form: Form, name: str) -> bool:
        return name != "threshold" or form.params.get("near", True) is True

    def remark(self, form: Form) -> None:
        if len(form.samples) == 1:
            forms.problem(form.inputs, "one_sample", "There is one sample only", "A duplicate needs two.")
        if form.params.get("exact", True) is form.params.get("near", True) is False:
            forms.problem(form.inputs, "nothing", "Nothing is chosen", "Choose exact, near, or both.")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        kinds = Counter(pair.kind for pair in result.pairs)
        inside = sum(len(group) for group in result.groups)
        pairs, groups = summary.counted(len(result.pairs), "pair"), summary.counted(len(result.groups), "group")
        message = f"{pairs} in {groups} of {inside} samples"
        text = "No duplicates were found."
        if result.pairs:
            rows = [[summary.PAIR_KINDS.get(kind, kind), number] for kind, number in kinds.items()]
            text = f"{message}.\n\n{summary.table(['Pairs with', 'Number'], rows)}\n\n"
            text += "Next: open the panel **Duplicates**: group by group, which picture is kept?"
        facts = {"pairs": summary.pair_facts(result.pairs), "groups": len(result.groups)}
        return Summary(message, text, facts)

"""``@loupe/loupe/find_duplicates``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, objects_widget, summary
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
        "objects": objects_widget.OBJECTS,
    }
    settings = ("embeddings", "engine", "resume")

    def shows(self, form: Form, name: str) -> bool:
        if name == "embeddings":
            return objects_widget.chosen(form) is None
        near = form.params.get("near", True) is True
        return (name != "threshold" or near) and objects_widget.shows(form, name)

    def remark(self, form: Form) -> None:
        if len(form.samples) == 1 and objects_widget.chosen(form) is None:
            forms.problem(form.inputs, "one_sample", "There is one sample only", "A duplicate needs two.")
        if form.params.get("exact", True) is form.params.get("near", True) is False:
            forms.problem(form.inputs, "nothing", "Nothing is chosen", "Choose exact, near, or both.")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        if given.get("objects") is not None:
            return _of_objects(result)
        kinds = Counter(pair.kind for pair in result.pairs)
        inside = sum(len(group) for group in result.groups)
        pairs, groups = counted(len(result.pairs), "pair"), counted(len(result.groups), "group")
        message = f"{pairs} in {groups} of {inside} samples"
        text = "No duplicates were found."
        if result.pairs:
            rows = [[summary.PAIR_KINDS.get(kind, kind), number] for kind, number in kinds.items()]
            text = f"{message}.\n\n{summary.table(['Pairs with', 'Number'], rows)}\n\n"
            text += "".join(f"{escape(each)}.\n\n" for each in result.messages)
            text += "Next: open the panel **Duplicates**: group by group, which picture is kept?"
        facts = {"pairs": summary.pair_facts(result.pairs), "groups": len(result.groups)}
        return Summary(message, text, facts)


def _of_objects(result: Any) -> Summary:
    inside = sum(len(group) for group in result.groups)
    pairs, groups = counted(len(result.pairs), "pair"), counted(len(result.groups), "group")
    message = f"{pairs} in {groups} of {inside} objects"
    parts = ["No duplicates were found."]
    if result.pairs:
        parts = [f"{message}.", *summary.of_object_pairs(result)]
        parts += [f"{escape(each)}." for each in result.messages]
    parts += summary.not_compared(result)
    if result.view:
        parts.append(f"Next: open the saved view **{escape(result.view)}**: the objects, group by group.")
    facts = {"pairs": summary.pair_facts(result.pairs), "groups": len(result.groups), "view": result.view}
    return Summary(message, "\n\n".join(parts), facts)

"""``@loupe/loupe/decide_repairs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice

_DECISIONS = {
    "accept": ("Accept", "Also the best attempts of those that the gate refused"),
    "undo": ("Take back", "The repaired samples go; their files and the originals stay"),
}


def _failures(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.repair import repaired as repairs

    counts: dict[str, int] = {}
    for entry in repairs.entries(form.samples):
        counts[entry.failure] = counts.get(entry.failure, 0) + 1
    return {name: (failure_title(name), counted(count, "sample")) for name, count in counts.items()}


class DecideRepairs(VerbOperator):
    """Accepts repairs, or takes them back; the originals stay as they are."""

    verb = "decide_repairs"
    label = "accept or undo repairs"
    icon = "rule"
    button = "Decide"
    widgets = {
        "decision": Choice(lambda _: _DECISIONS, description="Of all repairs of these samples"),
        "failure": Choice(_failures, none=("(all)", ""), description="Of which failure"),
    }
    hidden = {"by": "it is the user of the machine that runs this"}

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        counts: dict[str, int] = {}
        for each in result.samples:
            counts[each.status] = counts.get(each.status, 0) + 1
        did = {"accept": "accepted", "undo": "undone"}[given["decision"]]
        message = f"{counted(counts.get(did, 0), 'repair')} {did}"
        return Summary(
            message, f"{message}.\n\n{summary.table(['Now', 'Samples'], counts.items())}", {"repair": result.to_dict()}
        )

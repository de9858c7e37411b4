"""``@loupe/loupe/discover_slices``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _offered(form: Form) -> dict[str, Any]:
    from loupe.brain.store import choices

    return choices.factors(form.samples)


class _Factors(Several):
    """Names of factors; what the form offers by a name is what the verb gets: a field, labels, tags, bins."""

    def parse(self, form: Form, parameter: Any, raw: Any) -> Any:
        offered = _offered(form)
        names = self.names(form, parameter, raw)
        return [offered.get(name, name) for name in names] or None


class DiscoverSlices(VerbOperator):
    """Finds the slices that fail more often than the rest, confirmed on samples that it did not look at."""

    verb = "discover_slices"
    label = "find the worst slices"
    icon = "troubleshoot"
    button = "Find"
    widgets = {
        "failure": Choice(
            lambda form: {
                "any": ("Any failure", "Samples that fail in some way"),
                **{name: (failure_title(name), "") for name in forms.scored_failures(form.samples)},
            },
            none=("(all failures)", "Each failure mode that was judged, and all of them together"),
            strict=False,
            description="Which failures to look at",
        ),
        "by": _Factors(
            lambda form: {name: name for name in _offered(form)},
            chosen=lambda form: (),
            description="Whose values are combined; none: those that are worth looking at",
        ),
        "min_samples": Number(2, 1_000_000),
        "fdr": Number(0.001, 0.5),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            none=("(none)", "Combinations of factors alone"),
            strict=False,
            description="A field of vectors, whose neighborhoods of look-alike pictures are looked through, too",
        ),
    }
    hidden = {"outcome": "it is made in Python, of a field and a rule; the form looks at failure modes"}
    settings = ("max_factors", "min_samples", "fdr", "seed", "groups")

    def remark(self, form: Form) -> None:
        from loupe.brain.store import columns

        if not columns.any_checked(form.samples):
            forms.problem(
                form.inputs, "no_failures", "Nothing has been checked yet", "Run 'Loupe: check images' first."
            )

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        from loupe.brain.core.findings import rows_of
        from loupe.brain.core.p_values import p_value

        number = len(result.findings)
        verb = "fails" if number == 1 else "fail"
        message = f"{counted(number, 'slice')} {verb} more often than the rest" if number else result.message
        parts = [f"{escape(message)}."]
        if number:
            rows = [
                [
                    failure_title(each.failure),
                    each.where,
                    tenths(each.rate.rate),
                    f"{tenths(each.rate.low)} to {tenths(each.rate.high)}",
                    "only here" if math.isinf(each.lift) else f"{each.lift:.1f}",
                    p_value(each.q),
                    each.whole.n,
                ]
                for each in result.findings
            ]
            head = ["Failure", "Slice", "Rate", "95 % interval", "Times as often", "q", "Judged"]
            parts.append(summary.table(head, rows))
        parts.append(f"{result.searched:,} slices looked at, {result.tested:,} tested on the other half.")
        parts += [escape(note) + "." for note in result.notes]
        parts.append("Next: open the panel **Worst slices**." if number or result.candidates else "")
        facts = {
            "findings": rows_of(result.findings),
            "candidates": len(result.candidates),
            "notes": list(result.notes),
        }
        return Summary(message, "\n\n".join(filter(None, parts)), facts)

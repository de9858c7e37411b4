"""``@loupe/loupe/find_outliers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number


class FindOutliers(VerbOperator):
    """Finds images whose nearest neighbors by their vectors are far, against those of the other images."""

    verb = "find_outliers"
    label = "find outliers"
    icon = "scatter_plot"
    button = "Find"
    widgets = {
        "field": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors yet", "Run 'Loupe: embed images' first."),
            strict=False,
            description="The field of vectors",
        ),
        "neighbors": Number(1, 1000),
    }

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(len(result.ids), 'outlier')} among {counted(result.n, 'sample')}"
        parts = [f"{message}."]
        if result.unknown:
            parts.append(f"{counted(result.unknown, 'sample')} without a usable vector: unknown.")
        parts += [f"{escape(each)}." for each in result.messages]
        if result.ids:
            parts.append("Next: filter by **failures** (outlier) in the sidebar.")
        return Summary(message, "\n\n".join(parts), {"outliers": result.to_dict()})

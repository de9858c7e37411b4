"""``@loupe/loupe/find_clusters``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number


class FindClusters(VerbOperator):
    """Puts images into clusters by their vectors, and names each by what tells it from the others."""

    verb = "find_clusters"
    label = "find clusters"
    icon = "bubble_chart"
    button = "Find"
    widgets = {
        "n": Number(2, 100),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors yet", "Run 'Loupe: embed images' first."),
            strict=False,
            description="The field of vectors",
        ),
    }

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(len(result.counts), 'cluster')} in {result.field}"
        text = f"{message}.\n\n{summary.assigned_table(result, 'Cluster')}"
        text += f"\n\nNext: slice by **{escape(result.field)}** in the panel **Failures by scenario**."
        return Summary(message, text, {"clusters": result.to_dict()})

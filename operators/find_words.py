"""``@loupe/loupe/find_words``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Words


class FindWords(VerbOperator):
    """Gives each image the one of some words that fits it best, or none where two fit alike."""

    verb = "find_words"
    label = "find words"
    icon = "translate"
    button = "Find"
    widgets = {
        "words": Words(description="Two or more that exclude each other, with a comma between: day, night"),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors yet", "Run 'Loupe: embed images' with open_clip first."),
            strict=False,
            description="The field of vectors, by a model that knows texts, too (open_clip)",
        ),
        "margin": Number(0, 0.2),
    }

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(sum(result.counts.values()), 'image')} with a word, {result.unsure} unsure"
        text = f"{message}.\n\n{summary.assigned_table(result, 'Word')}"
        text += f"\n\nNext: slice by **{escape(result.field)}** in the panel **Failures by scenario**."
        return Summary(message, text, {"words": result.to_dict()})

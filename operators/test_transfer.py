"""``@loupe/loupe/test_transfer``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.realism import Transfer
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.compare_to_real import classes, verdicts
from loupe.operators.forms import Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number


class TestTransfer(VerbOperator):
    """Trains on synthetic and on real images and tests on real ones: what is the synthetic set worth?"""

    verb = "test_transfer"
    label = "test transfer to real images"
    icon = "model_training"
    button = "Test"
    widgets = {
        "real_train": OtherSamples(
            advice="Save a view of real images to train on, or import them.", description="Real images to train on"
        ),
        "real_test": OtherSamples(
            advice="Save a view of real images to test on, or import them.",
            description="Real images to test on, which are not trained on",
        ),
        "label": Choice(
            classes,
            absent=("There are no classes", "A field of one class a sample is needed."),
            strict=False,
            description="The class that all sides have",
        ),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors", "Run 'Loupe: embed images' first."),
            strict=False,
            description="The field of vectors",
        ),
        "pool": OtherSamples(none="(none)", description="Real images without labels: would their nearest do as well?"),
        "seed": Number(0, 2**31 - 1),
    }
    settings = ("pool", "learner", "device", "seed")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        made: Transfer = result
        table = made.table()
        message = f"Utility {made.utility}"
        parts = [
            f"**{escape(table.title)}.**",
            verdicts(made.findings),
            summary.table(table.head, table.rows),
            f"Left out: {escape(', '.join(made.left_out))}." if made.left_out else "",
        ]
        return Summary(message, "\n\n".join(filter(None, parts)), {"transfer": made.to_dict()})

"""``@loupe/loupe/augment``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.errors import LoupeError
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.split import split_fields
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several
from loupe.operators.wording import in_app


def _transforms(form: Form) -> dict[str, str]:
    from loupe.brain.imaging.augmentation import GEOMETRIC, PHOTOMETRIC

    return {name: name for name in (*PHOTOMETRIC, *GEOMETRIC)}


def _safe(form: Form) -> list[str]:
    from loupe.brain.imaging.augmentation import SAFE

    return list(SAFE)


def _labels(form: Form) -> list[str]:
    """Returns the fields of labels that are carried over where nothing else is asked for."""
    from loupe.brain.store import augmented

    return list(augmented.plan(form.samples, None, None, True).labels)


class AugmentSamples(VerbOperator):
    """Adds changed copies of rare training samples, with boxes and masks moved along; held-out ones are refused."""

    verb = "augment"
    label = "augment rare samples"
    icon = "library_add"
    button = "Augment"
    widgets = {
        "per_sample": Number(1, 50),
        "target": Number(1, 10_000_000, description="How many samples there should be instead, copies counted"),
        "transforms": Several(
            _transforms,
            chosen=_safe,
            default=_safe,
            kind="transform",
            some=True,
            description="A crop keeps 70 % of every box. A flip leaves out what names a side or has writing",
        ),
        "labels": Several(
            lambda form: {name: name for name in _labels(form)},
            chosen=_labels,
            default=_labels,
            description="Fields of labels to carry over; those with a confidence are what a model said of the source",
        ),
        "split": Choice(
            split_fields,
            none=("(as found)", "The field 'split', where there is one; else the tags"),
            description="What says which samples are for training: nothing is made of the others",
        ),
    }
    settings = ("labels", "train", "output_dir", "seed")

    def remark(self, form: Form) -> None:
        from loupe.brain.store import augmented

        split = form.params.get("split") or ("split" if form.samples.has_field("split") else None)
        try:
            augmented.require_training(form.samples, split, tuple(self.value(form, "train")))
        except LoupeError as error:
            forms.note(form.inputs, "held_out", in_app(str(error)), severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        where = "Next: **Loupe: coverage and balance** counts them. They are the samples with **generation.source**."
        return summary.of_run(result, "Added", where)

"""``@loupe/loupe/find_drift``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.errors import LoupeError
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Several, text_of

#: what stands before the name of a batch
_BATCH = "batch: "
_FIRST = "(the first batch)"
_NO_BATCHES = "(no batches)"
_MAX_BATCHES = 50


@dataclass(frozen=True)
class Reference(OtherSamples):
    """Another dataset, a saved view, or one of the batches."""

    advice: str = "Choose below what makes batches, or save a view, or import the reference into a dataset of its own."

    def choices(self, form: Form) -> list[str]:
        """Returns what can be chosen: the batches first, where there are any."""
        return [*_batches(form), *super().choices(form)]

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        text = text_of(parameter, raw)
        if text == _FIRST:
            return "first"
        if text.startswith(_BATCH):
            return text.removeprefix(_BATCH)
        return super().parse(form, parameter, raw)


def _batches(form: Form) -> list[str]:
    """Returns the batches by what the form has chosen to make them of."""
    from loupe.brain.store.drift import batches as drift_batches

    by = form.params.get("by")
    if not isinstance(by, str) or by in ("", _NO_BATCHES):
        return []
    try:
        names = drift_batches.batches(form.samples, by).names
    except LoupeError:  # it is reported where it stands
        return []
    return [_FIRST, *(f"{_BATCH}{name}" for name in names[:_MAX_BATCHES])]


@dataclass(frozen=True)
class Batches(Choice):
    """What makes the batches; a field that cannot is refused in the form."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | None:
        from loupe.brain.store.drift import batches as drift_batches

        by = super().parse(form, parameter, raw)
        if by is not None:
            drift_batches.batches(form.samples, by)
        return by


def _by(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import columns

    schema = form.samples.get_field_schema(flat=True)
    times = [path for path, kind in schema.items() if isinstance(kind, (fo.DateField, fo.DateTimeField))]
    parts = [f"{path} {part}" for path in times if path != "last_modified_at" for part in ("day", "month")]
    return {path: (path, "") for path in (*parts, *columns.factors(form.samples))}


def _numbers(form: Form) -> dict[str, str]:
    schema = form.samples.get_field_schema(flat=True)
    inside = (path for path, kind in schema.items() if isinstance(kind, (fo.FloatField, fo.IntField)))
    return {path: path for path in inside if path.split(".")[0] not in ("metadata", "checked")}


def _scores(form: Form) -> list[str]:
    return [path for path in _numbers(form) if path.startswith("quality.")]


def _labels(form: Form) -> dict[str, str]:
    from loupe.brain.store.drift import columns as drift

    return {path: path for path in drift.label_fields(form.samples.get_field_schema(flat=True))}


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)}


def _texts(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.sliceable(form.samples)}


def _groups(form: Form) -> list[str]:
    from loupe.brain.store.drift import batches as drift_batches

    return [path for path in drift_batches.GROUPS if form.samples.has_field(path)]


def _classifications(form: Form) -> dict[str, tuple[str, str]]:
    schema = form.samples.get_field_schema()
    kinds = (fo.Classification, fo.Detections)
    held = (path for path, kind in schema.items() if getattr(kind, "document_type", None) in kinds)
    return {path: (path, "") for path in held if path not in ("flaws", "text", "composition", "overlays")}


def _truths(form: Form) -> dict[str, tuple[str, str]]:
    schema = form.samples.get_field_schema()
    answers = (path for path, kind in schema.items() if isinstance(kind, fo.BooleanField))
    return {**_classifications(form), **{path: (path, "yes: the prediction is right") for path in answers}}


class FindDrift(VerbOperator):
    """Finds what of new samples differs from a reference, and which slice it comes from."""

    verb = "find_drift"
    label = "find drift"
    icon = "timeline"
    button = "Find"
    widgets = {
        "reference": Reference(description="What the samples are compared with: what is known to be as it should be"),
        "by": Batches(
            _by,
            none=(_NO_BATCHES, "All samples are one batch"),
            strict=False,
            description="What makes batches, each of which is compared: a day, a month, or a field",
        ),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            none=("(those that there are)", "The field embeddings, where both sides have it"),
            strict=False,
            description="The field of vectors",
        ),
        "predictions": Choice(
            _classifications,
            none=("(none)", "No confidences are compared"),
            strict=False,
            description="The field of predictions whose confidence is compared",
        ),
        "ground_truth": Choice(
            _truths,
            none=("(none)", "Confidence is not set against outcome"),
            strict=False,
            description="The field that says what is right: confidence is then set against outcome",
        ),
        "scores": Several(_numbers, chosen=_scores, default=_scores, description="The numbers that are compared"),
        "labels": Several(
            _labels,
            chosen=lambda form: [*_labels(form)],
            default=lambda form: [*_labels(form)],
            description="Labels whose mix is compared",
        ),
        "factors": Several(
            _factors,
            chosen=lambda form: [*_factors(form)],
            default=lambda form: [*_factors(form)],
            description="Fields whose mix is compared, and in which the source of a shift is looked for",
        ),
        "groups": Several(
            _texts,
            chosen=_groups,
            default=_groups,
            description="Samples that share a value of one of these are kept together",
        ),
    }
    settings = ("scores", "labels", "factors", "groups", "alpha", "min_samples", "permutations", "seed")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = result.sentence()
        table = result.table()
        parts = [
            f"**{escape(message)}** Against {escape(result.reference)}.",
            summary.table(table.head, table.rows) if table.rows else "",
            *(f"- {escape(driver)}" for batch in result.batches for driver in batch.drivers[:3]),
            *(escape(note) for note in result.notes),
            "Next: open the panel **Drift** to see it over time, with pictures of both sides.",
        ]
        return Summary(message, "\n\n".join(filter(None, parts)), {"drift": result.to_dict()})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()

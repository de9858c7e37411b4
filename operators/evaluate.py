"""``@loupe/loupe/evaluate``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.evaluation import Evaluation, title_of
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several

_MAX_DISPARITIES = 5


def _fields(form: Form) -> list[str]:
    from loupe.brain.store.evaluation import results as evaluations

    return evaluations.fields(form.samples)


def _truths(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the fields of labels, the ones without a confidence first: those are likely ground truths."""
    from loupe.brain.store.evaluation import results as evaluations

    names = sorted(_fields(form), key=lambda name: (name != "ground_truth", "truth" not in name, name))
    # a field of other labels than every other one has nothing to be compared with
    kinds = {name: evaluations.kind_of(form.samples, name) for name in names}
    held = list(kinds.values())
    return {name: (name, "") for name in names if held.count(kinds[name]) > 1}


def _predictions(form: Form) -> dict[str, str]:
    from loupe.brain.store.evaluation import results as evaluations

    truths = _truths(form)
    chosen = form.params.get("ground_truth")
    truth = chosen if isinstance(chosen, str) and chosen in truths else next(iter(truths), None)
    if truth is None:
        return {}
    kind = evaluations.kind_of(form.samples, truth)
    return {name: name for name in evaluations.fields(form.samples, kind) if name != truth}


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)}


def _objects(form: Form) -> dict[str, str]:
    return {"size": "size: small, medium, large", "label": "label: each class"}


class EvaluateModels(VerbOperator):
    """Reports how models do in each scenario: precision, recall, AP and more, with intervals."""

    verb = "evaluate"
    label = "evaluate models"
    icon = "analytics"
    button = "Evaluate"
    widgets = {
        "predictions": Several(
            _predictions,
            chosen=lambda form: list(_predictions(form))[:1],
            kind="field of predictions",
            some=True,
            description="One model, or several side by side",
        ),
        "ground_truth": Choice(
            _truths,
            absent=("There are no labels to compare", "Add predictions beside the ground truth, of the same kind."),
            description="What is there: classifications, detections or segmentations",
        ),
        "by": Several(
            _factors,
            chosen=lambda form: [],
            default=lambda form: [],
            description="One field, or several for the combinations that occur; none for all samples together",
        ),
        "objects": Several(
            _objects,
            chosen=lambda form: [],
            default=lambda form: [],
            description="Of detections: slices of objects, where a false positive counts by what it is itself",
        ),
        "interval": Number(0.5, 0.999),
    }
    settings = ("iou", "cluster", "min_samples", "interval", "bins", "resamples", "seed")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Evaluation) -> Summary:
        models = counted(len(result.models), "model")
        rows = counted(len({str(row.slice) for row in result.slices}), "slice")
        message = f"{models} on {counted(result.n, 'image')}" + (f", {rows}" if result.slices else "")
        parts = [f"{escape(message)}.", table(result)]
        parts += [disparities(result)] if result.disparities else []
        parts += ["\n".join(f"- {escape(note)}" for note in result.notes)] if result.notes else []
        parts.append("Next: open the panel **Model metrics** for curves, the confusion matrix and its samples.")
        return Summary(message, "\n\n".join(parts), {"evaluation": result.to_dict()})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()

    def remark(self, form: Form) -> None:
        if not _fields(form):
            return
        forms.note(form.inputs, "kept", "Nothing is written to the samples: the result is kept for the panel.")


def table(result: Evaluation) -> str:
    """Returns the rows of an evaluation as Markdown: models first, then slices."""
    rows = [*result.overall, *result.slices]
    names = list(dict.fromkeys(name for row in rows for name in row.metrics))
    unit = "Objects" if result.kind == "detection" else "Labeled"
    head = ["Slice", "Model", "Images", unit, *(_upper(title_of(name)) for name in names)]
    return summary.table(
        head,
        (
            [
                str(row.slice),
                row.model,
                row.images,
                f"{row.truths} (few)" if row.few else row.truths,
                *(str(row.metrics[name]) if name in row.metrics else "" for name in names),
            ]
            for row in rows
        ),
    )


def disparities(result: Evaluation) -> str:
    """Returns how far the slices are apart, the largest difference first."""
    ordered = sorted(result.disparities, key=lambda each: -each.difference)[:_MAX_DISPARITIES]
    rows = [
        [each.model, title_of(each.metric), f"{each.difference:.3f}", each.highest, each.lowest, len(each.left_out)]
        for each in ordered
    ]
    head = ["Model", "Metric", "Apart by", "Highest in", "Lowest in", "Slices left out"]
    return "**How far slices are apart**\n\n" + summary.table(head, rows)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]

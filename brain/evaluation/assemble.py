"""Puts the records of an evaluation together, and what its panel draws beside them. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.evaluation import ConfidentError, Evaluation, SliceMetrics
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.results import Slice
from loupe.brain.evaluation.cells import NOTHING_NAME, Cells, cells, shown_classes
from loupe.brain.evaluation.confusion import NOTHING
from loupe.brain.evaluation.differences import differences
from loupe.brain.evaluation.evaluated import SWEEP, Evaluated
from loupe.brain.evaluation.groups import disparities
from loupe.brain.evaluation.labels import Labels
from loupe.brain.evaluation.measure import Setting, best_confidence, can_be_swept, classes_of, curves_of, row, sweep
from loupe.brain.evaluation.slicing import Model, Options, slices
from loupe.brain.slicing.columns import Column

#: with more rows nobody reads them, and each is resampled
MAX_ROWS = 2000
#: so many mistakes of a model are listed
MAX_ERRORS = 20


@dataclass(frozen=True, eq=False)
class Assembled:
    """Everything that is measured of models, before it becomes records.

    Attributes:
        labels: what was read
        models: what each did
        parts: of each model its slices
        params: the settings
        options: how labels were compared
    """

    labels: Labels
    models: Sequence[Model]
    parts: Mapping[str, Sequence[tuple[Slice, Evaluated]]]
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Options = field(default_factory=Options)


@leavable
def assemble(labels: Labels, columns: Mapping[str, Column], options: Options, params: Mapping[str, Any]) -> Assembled:
    """Returns what models did, matched once.

    Args:
        labels: what was read of N images
        columns: the factors' columns of them
        options: how labels are compared
        params: the settings, to be kept beside the results

    Raises:
        InputError: objects are asked for of what has none, or there are too many slices
        UnknownName: no such positive class
    """
    if options.objects and labels.kind != "detection":
        raise InputError(
            f"expected boxes to slice objects of, got a {labels.kind}: its classes are rows of `classes` already"
        )
    if options.positive is not None and options.positive not in labels.classes:
        raise UnknownName("class", options.positive, labels.classes)
    if options.positive is not None and labels.kind != "classification":
        raise InputError(f"expected a classification to have a positive class, got a {labels.kind}")
    if not labels.truth.known.any():
        raise InputError("expected at least one sample with a ground truth, got none")
    models = [Model(labels, name, options) for name in labels.models]
    if not any(model.judged.any() for model in models):
        raise InputError("expected at least one sample with a ground truth and a prediction, got none")
    asked = bool(columns) or bool(options.objects)
    parts = {model.name: list(slices(model, columns)) if asked else [] for model in models}
    rows = sum(map(len, parts.values()))
    if rows > MAX_ROWS:
        raise InputError(
            f"expected at most {MAX_ROWS:,} slices in all, got {rows:,}: slice by fewer factors or attributes, or by "
            "one with fewer values"
        )
    return Assembled(labels, models, parts, params, options)


@leavable
def evaluation(
    made: Assembled,
    setting: Setting,
    ground_truth: str,
    key: str = "",
    step: Callable[[int, int], None] = lambda *_: None,
    known: Evaluation | None = None,
) -> Evaluation:
    """Returns the records at one threshold.

    Args:
        made: what models did
        setting: the threshold and the intervals
        ground_truth: the field
        key: of the run
        step: called before each row with how many are done, and how many there are
        known: the same at another threshold
    """
    rows = () if known is None else (*known.overall, *known.slices)
    earlier = {(each.model, str(each.slice)): each.metrics for each in rows}
    total = len(made.models) + sum(map(len, made.parts.values()))
    done = iter(range(total))

    def measured(evaluated: Evaluated, model: str, of: Slice) -> SliceMetrics:
        step(next(done), total)
        return row(evaluated, model, of, setting, earlier.get((model, str(of))))

    overall = [measured(model.whole, model.name, Slice({})) for model in made.models]
    by_model = {name: [measured(evaluated, name, of) for of, evaluated in own] for name, own in made.parts.items()}
    apart = [
        each
        for name, rows in by_model.items()
        for each in disparities(
            rows, [evaluated.ratios(setting.confidence) for _, evaluated in made.parts[name]], setting.min_samples
        )
    ]
    labels, confidence = made.labels, setting.confidence
    best = {model.name: best_confidence(model.whole) for model in made.models}
    return Evaluation(
        key=key,
        kind=labels.kind,
        models=tuple(model.name for model in made.models),
        ground_truth=ground_truth,
        n=int(labels.truth.known.sum()),
        unlabeled=int((~labels.truth.known).sum()),
        missing={model.name: int((labels.truth.known & ~model.judged).sum()) for model in made.models},
        overall=tuple(overall),
        slices=tuple(_side_by_side(by_model)),
        classes=tuple(
            each for model in made.models for each in classes_of(model.whole, model.name, labels.classes, confidence)
        ),
        curves=tuple(each for model in made.models for each in curves_of(model.whole, model.name, setting.interval)),
        confusion=tuple(each.confusion for each in matrices(made, confidence, shown_of(made)).values()),
        errors=tuple(error for model in made.models for error in _errors(made, model, confidence)),
        disparities=tuple(apart),
        differences=tuple(differences(labels, made.models, confidence, setting.interval)),
        best_confidence={name: value for name, value in best.items() if not math.isnan(value)},
        confidence=confidence,
        iou=made.options.iou if labels.kind == "detection" else None,
        notes=labels.notes,
        params=dict(made.params),
    )


def _side_by_side(by_model: Mapping[str, Sequence[SliceMetrics]]) -> Iterator[SliceMetrics]:
    """Yields the rows slice by slice, the models of one slice beside each other."""
    own = {name: {str(each.slice): each for each in rows} for name, rows in by_model.items()}
    for name in dict.fromkeys(name for rows in own.values() for name in rows):
        yield from (rows[name] for rows in own.values() if name in rows)


def matrices(made: Assembled, confidence: float | None, shown: Sequence[int]) -> dict[str, Cells]:
    """Returns the confusion matrix of each model with samples of its cells.

    Args:
        made: what models did
        confidence: the threshold
        shown: the classes that have a row of their own
    """
    pairs = {model.name: model.pairs(confidence) for model in made.models}
    names = made.labels.classes
    return {name: cells(own, names, shown, name, confidence, pixels=pixels) for name, (own, pixels) in pairs.items()}


def shown_of(made: Assembled) -> list[int]:
    """Returns the classes that have a row of their own in the matrices, whatever the threshold."""
    names = made.labels.classes
    counts = [model.pairs(None)[0].counts(len(names)) for model in made.models]
    return shown_classes(np.sum(counts, axis=0), names)


def _errors(made: Assembled, model: Model, confidence: float | None) -> Iterator[ConfidentError]:
    pairs, _ = model.pairs(confidence)
    wrong = np.flatnonzero((pairs.truth != pairs.predicted) & (pairs.predicted != NOTHING) & ~np.isnan(pairs.score))
    names = [*made.labels.classes, NOTHING_NAME]
    for at in wrong[np.argsort(-pairs.score[wrong], kind="stable")][:MAX_ERRORS]:
        yield ConfidentError(
            model.name,
            made.labels.ids[pairs.image[at]],
            names[pairs.truth[at]],
            names[pairs.predicted[at]],
            float(pairs.score[at]),
        )


@leavable
def moved(made: Assembled, interval: float) -> dict[str, Any]:
    """Returns what the panel draws at each threshold of ``SWEEP``, as plain values; nothing is matched again.

    Returns:
        thresholds: the thresholds; empty where some model has no confidences in [0, 1], and of masks
        rows: of each row of the evaluation, models first, then slices: by metric a list of [value, low, high]
        cells: of each model the matrices: without a threshold first, then at each: ``counts``, and ``examples``: by
            ``"row,column"`` the places in ``ids``
        labels: the names of the matrices' rows and columns
        classes: how many of them are classes; after these stands "(other)", if anything, and last "(none)"
        ids: the samples that examples name
    """
    scored = all(can_be_swept(model.whole) for model in made.models)
    thresholds = list(SWEEP) if scored else []
    order: list[tuple[str, Slice, Evaluated]] = [(model.name, Slice({}), model.whole) for model in made.models]
    own = {name: {str(of): (of, evaluated) for of, evaluated in parts} for name, parts in made.parts.items()}
    for text in dict.fromkeys(text for parts in own.values() for text in parts):
        order += [(name, *parts[text]) for name, parts in own.items() if text in parts]
    rows = [
        {
            metric: [[_known(each.value), _known(each.low), _known(each.high)] for each in steps]
            for metric, steps in sweep(evaluated, interval).items()
        }
        if scored
        else {}
        for _, _, evaluated in order
    ]
    shown = shown_of(made)
    steps = [matrices(made, threshold, shown) for threshold in [None, *thresholds]]
    used = sorted(
        {image for step in steps for each in step.values() for held in each.examples.values() for image in held}
    )
    place = {image: at for at, image in enumerate(used)}
    return {
        "thresholds": thresholds,
        "rows": rows,
        "labels": list(steps[0][made.models[0].name].confusion.labels),
        "classes": len(shown),
        "cells": {
            model.name: [
                {
                    "counts": [list(line) for line in step[model.name].confusion.counts],
                    "examples": {
                        f"{row},{column}": [place[image] for image in images]
                        for (row, column), images in step[model.name].examples.items()
                    },
                }
                for step in steps
            ]
            for model in made.models
        },
        "ids": [made.labels.ids[image] for image in used],
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)

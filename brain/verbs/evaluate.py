"""How models do, slice by slice: precision, recall, F1, AP, calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.core.evaluation import Evaluation
from loupe.brain.core.records import ProgressCallback
from loupe.brain.evaluation.assemble import assemble, evaluation, moved
from loupe.brain.evaluation.measure import MIN_SAMPLES, Setting
from loupe.brain.evaluation.slicing import Options
from loupe.brain.slicing.factors import Factor
from loupe.brain.stats.bootstrap import RESAMPLES
from loupe.brain.store import columns
from loupe.brain.store.evaluation import results as store
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def evaluate(
    samples: fo.Dataset | fo.DatasetView,
    predictions: str | Iterable[str],
    ground_truth: str,
    *,
    by: str | Factor | Iterable[str | Factor] | None = None,
    objects: str | Iterable[str] = (),
    confidence: float | None = None,
    iou: float = 0.5,
    positive: str | None = None,
    cluster: str | None = None,
    min_samples: int = MIN_SAMPLES,
    interval: float = 0.95,
    bins: int = 15,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Evaluation:
    """Returns how models do, overall and slice by slice, with intervals: classification, detection or segmentation.

    Boxes are matched here, as COCO does, and nothing is written to any sample. What came out is kept on the dataset for
    the panel "Model metrics". It prints as a table; ``.at(confidence)`` gives the same at another threshold without
    matching again.

    Samples without a ground truth, and those that a model says nothing of, are left out and counted beside; they are
    not counted as wrong. An empty list of boxes says that nothing is there.

    Args:
        samples: a dataset or view; labels that a view filters out are not there
        predictions: the field of a model's predictions, or of several models, side by side
        ground_truth: the field of what is there, of the same kind
        by: what pictures are sliced by, as in ``slice``: a field path or a factor, or several for the combinations
        objects: what boxes are sliced by: size (small, medium, large as COCO has it), label, or an attribute; a false
            positive belongs to a slice by what it is itself
        confidence: the threshold: predictions that are less sure do not count; all by default
        iou: the overlap at which boxes match, in [0.05, 1]
        positive: of a classification the class whose precision, recall and false positives are asked for
        cluster: a field whose values say which pictures belong together, e.g. a video; each by itself by default
        min_samples: a slice with fewer ground truths is marked, and left out of disparities; at least 1
        interval: how sure the intervals are, in (0, 1)
        bins: of the calibration error, in [1, 1000]
        resamples: of the bootstrap, for what has no closed form, in [50, 100000]
        seed: of the bootstrap, in [0, 2**63)
        progress: True for a bar, or a function that gets each ``Progress``

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field, attribute, saved view or class; the nearest name is suggested
        InputError: fields of different kinds or of none that can be evaluated, no sample with both, or a number out of
            its bounds
        Stopped: the caller asked to stop; nothing is kept

    Example::

        result = loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="scenario.time", objects="size")
        print(result)
        result.at(0.5).overall[0].metrics["precision"]
    """
    models = [predictions] if isinstance(predictions, str) else list(predictions)
    attributes = (objects,) if isinstance(objects, str) else tuple(objects)
    _require(models, ground_truth, confidence, iou, min_samples, interval, bins, resamples, seed)
    setting = Setting(confidence, interval, resamples, seed, min_samples)
    with running(samples, "evaluate", progress) as life:
        labels = store.read(
            samples,
            models,
            ground_truth,
            objects=attributes,
            cluster=cluster,
            step=lambda done, total: life.step(done, total, "reading masks"),
        )
        factors = [] if by is None else by
        sliced = columns.read(samples, factors, failures=[]).factors if factors else {}
        if any(column.n != len(labels.ids) for column in sliced.values()):
            raise InputError("the samples were changed while they were read: call again")
        params = {
            "predictions": models,
            "ground_truth": ground_truth,
            "by": list(sliced),
            "objects": list(attributes),
            "confidence": confidence,
            "iou": iou,
            "positive": positive,
            "cluster": cluster,
            "min_samples": min_samples,
            "interval": interval,
            "bins": bins,
            "resamples": resamples,
            "seed": seed,
        }
        made = assemble(labels, sliced, Options(iou, positive, bins, attributes), params)
        result = evaluation(
            made, setting, ground_truth, step=lambda done, total: life.step(done, total, "measuring slices")
        )
        key = store.keep(samples, result, moved(made, interval))

    def again(threshold: float | None) -> Evaluation:
        _require_confidence(threshold)
        other = evaluation(made, replace(setting, confidence=threshold), ground_truth, key, known=result)
        return replace(other, again=again)

    return replace(result, key=key, again=again)


def _require_confidence(confidence: float | None) -> None:
    if confidence is not None and not (isinstance(confidence, (int, float)) and confidence == confidence):
        raise InputError(
            f"expected a confidence threshold as a number, or None for all predictions, got {confidence!r}"
        )


def _require(
    models: list[str],
    ground_truth: str,
    confidence: float | None,
    iou: float,
    min_samples: int,
    interval: float,
    bins: int,
    resamples: int,
    seed: int,
) -> None:
    if not models:
        raise InputError("expected the field of at least one model's predictions, got none")
    if len(set(models)) < len(models):
        raise InputError(f"expected each model once, got {', '.join(models)}")
    if ground_truth in models:
        raise InputError(f"expected predictions to compare with {ground_truth!r}, got that field itself")
    _require_confidence(confidence)
    for name, value, low, high in (
        ("iou", iou, 0.05, 1),
        ("min_samples", min_samples, 1, None),
        ("bins", bins, 1, 1000),
        ("resamples", resamples, 50, 100_000),
        ("seed", seed, 0, 2**63 - 1),
    ):
        if not low <= value or (high is not None and value > high):
            raise InputError(f"expected {name} of {low} to {high if high is not None else 'any number'}, got {value!r}")
    if not 0 < interval < 1:
        raise InputError(f"an interval's confidence lies between 0 and 1, got {interval!r}")

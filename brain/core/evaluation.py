"""What ``evaluate`` returns: how models did, overall and slice by slice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from loupe.brain.core import tables
from loupe.brain.core.p_values import equals
from loupe.brain.core.records import Record
from loupe.brain.core.results import Slice
from loupe.brain.core.tables import Table, Tabular

Kind: TypeAlias = Literal["classification", "detection", "segmentation"]

#: of more models nobody reads each two side by side
_MAX_COMPARED = 3

#: metric → how it is called, and whether higher is better (None: neither way)
METRICS: dict[str, tuple[str, bool | None]] = {
    "accuracy": ("accuracy", True),
    "precision": ("precision", True),
    "recall": ("recall", True),
    "f1": ("F1", True),
    "answered": ("answered", None),
    "false_positive_rate": ("false positive rate", False),
    "selection_rate": ("selection rate", None),
    "macro_f1": ("F1, mean of classes", True),
    "balanced_accuracy": ("recall, mean of classes", True),
    "ap": ("AP", True),
    "map": ("AP at .50:.95", True),
    "auc": ("area under ROC", True),
    "ece": ("calibration error", False),
    "miou": ("IoU, mean of classes", True),
    "dice": ("Dice, mean of classes", True),
}


def title_of(metric: str) -> str:
    """Returns how a metric is called.

    >>> title_of("ap50"), title_of("f1")
    ('AP at .50', 'F1')
    """
    if metric not in METRICS and metric.startswith("ap"):
        return f"AP at .{metric[2:]}"
    return METRICS[metric][0]


@dataclass(frozen=True)
class Metric(Record):
    """A metric with its interval.

    Attributes:
        value: in [0, 1]; NaN where it is not known
        low, high: the interval, 95 % unless another was asked for; NaN where it is not known
        n: of how many; objects, predictions or images, whatever it is a share of
        interval: how it was made: ``"wilson"``, ``"clustered"``: Wilson's at the effective number of objects; or
            ``"bootstrap"``, of whole clusters
    """

    value: float
    low: float
    high: float
    n: int
    interval: Literal["wilson", "clustered", "bootstrap"]

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        if not self.known:
            return "not known"
        ends = "" if math.isnan(self.low) else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.value:.3f}{ends}"


@dataclass(frozen=True)
class SliceMetrics(Record):
    """How a model did on a slice.

    Attributes:
        model: the field of its predictions
        slice: which images, or which objects of images
        images: how many images are in it
        truths: how many ground truths: objects, or images that have a class
        predictions: how many predictions count
        metrics: by name
        few: whether there are too few ground truths to say much
    """

    model: str
    slice: Slice
    images: int
    truths: int
    predictions: int
    metrics: Mapping[str, Metric]
    few: bool = False


@dataclass(frozen=True)
class ClassMetrics(Record):
    """How a model did on a class. What is not known is NaN.

    Attributes:
        model: the field of its predictions
        label: the class
        truths: how many ground truths it has
        predictions: how many predictions are of it, at the threshold
        metrics: by name, without intervals
    """

    model: str
    label: str
    truths: int
    predictions: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Curve(Record):
    """A curve in points, from the surest threshold on.

    Attributes:
        model: the field of the predictions
        name: ``"precision_recall"``: precision (y) over recall (x); ``"roc"``: true over false positive rate;
            ``"reliability"``: the share that is right over the mean confidence, of bins
        x, y: the points
        at: the confidence threshold of each point; of bins how many predictions each holds
        low, high: of bins: the interval of y; else empty
    """

    model: str
    name: Literal["precision_recall", "roc", "reliability"]
    x: tuple[float, ...]
    y: tuple[float, ...]
    at: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Confusion(Record):
    """What was taken for what, at a threshold.

    Attributes:
        model: the field of the predictions
        labels: the classes; the last is "(none)": what was missed, or predicted where nothing is. Of many classes the
            ones that are confused most; "(other)" are the rest
        counts: by ground truth (rows) and prediction (columns)
        confidence: the threshold; None: every prediction counts
    """

    model: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    confidence: float | None = None


@dataclass(frozen=True)
class ConfidentError(Record):
    """A mistake that the model was sure of.

    Attributes:
        model: the field of its predictions
        sample_id: where
        truth: what it is; "(none)": nothing is there
        predicted: what it was taken for
        confidence: how sure the model was
    """

    model: str
    sample_id: str
    truth: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Disparity(Record):
    """How far the slices of a model are apart in a metric.

    Attributes:
        model: the field of its predictions
        metric: its name
        difference: the highest value less the lowest, in [0, 1]; 0 is parity
        ratio: the lowest over the highest, in [0, 1]; 1 is parity. NaN where all are 0
        highest, lowest: the slices
        slices: of how many
        left_out: slices with fewer ground truths than the minimum, or where the metric is not known
    """

    model: str
    metric: str
    difference: float
    ratio: float
    highest: str
    lowest: str
    slices: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccuracyDifference(Record):
    """How much more often one model is right than another, on the images that both judged.

    Attributes:
        model, against: the fields of their predictions
        n: how many images both judged
        only_model, only_against: on how many of them just that one is right
        difference: the accuracy of ``model`` minus that of ``against`` in [-1, 1]; above 0: ``model`` is better
        low, high: its interval, of pairs (Tango's score interval); 95 % unless another was asked for
        p: two-sided p-value of "they are right equally often" (McNemar's mid-p), after Holm over all pairs of models
    """

    model: str
    against: str
    n: int
    only_model: int
    only_against: int
    difference: float
    low: float
    high: float
    p: float

    def reversed(self) -> AccuracyDifference:
        """Returns the same of ``against`` against ``model``."""
        return replace(
            self,
            model=self.against,
            against=self.model,
            only_model=self.only_against,
            only_against=self.only_model,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
        )

    def __str__(self) -> str:
        if not self.n:
            return f"{self.model} and {self.against}: not compared, no image was judged by both"
        points = f"{100 * self.difference:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        only = f"only it is right on {self.only_model:,}, only the other on {self.only_against:,} of {self.n:,} images"
        return f"{self.model} against {self.against}: accuracy {points} ({only}; p {equals(self.p)})"


@dataclass(frozen=True, repr=False)
class Evaluation(Tabular, Record):
    """How models did, overall and slice by slice.

    Attributes:
        key: the run's name on the dataset; what the panel *Model metrics* draws
        kind: classification, detection or segmentation
        models: the fields of predictions, one a model
        ground_truth: the field
        n: how many images were evaluated: those that have a ground truth, and of each model those that it judged
        unlabeled: how many images have no ground truth, and are left out
        missing: by model how many labeled images it said nothing of; they are left out, and not counted as wrong
        overall: a row a model
        slices: a row for each slice and model, slice by slice
        classes: a row for each class and model
        curves: by model
        confusion: by model
        errors: the mistakes that a model was surest of, first the surest
        disparities: between slices, by model and metric
        differences: of a classification by several models: of each two the later against the earlier, image by image
        best_confidence: by model the threshold at which F1 (without one, accuracy) is highest on these very samples
        confidence: the threshold; None: every prediction counts
        iou: of boxes: the overlap at which they match
        notes: what else is to be known
        params: the settings it ran with
    """

    key: str
    kind: Kind
    models: tuple[str, ...]
    ground_truth: str
    n: int
    unlabeled: int
    missing: Mapping[str, int]
    overall: tuple[SliceMetrics, ...]
    slices: tuple[SliceMetrics, ...] = ()
    classes: tuple[ClassMetrics, ...] = ()
    curves: tuple[Curve, ...] = ()
    confusion: tuple[Confusion, ...] = ()
    errors: tuple[ConfidentError, ...] = ()
    disparities: tuple[Disparity, ...] = ()
    differences: tuple[AccuracyDifference, ...] = ()
    best_confidence: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None
    iou: float | None = None
    notes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    again: Callable[[float | None], Evaluation] | None = field(default=None, compare=False)

    #: what ran
    verb = "evaluate"

    def at(self, confidence: float | None) -> Evaluation:
        """Returns the same at another confidence threshold. Nothing is matched again, and nothing is kept.

        Raises:
            InputError: the record was read back from a dataset, which keeps no single predictions
        """
        from loupe.brain.core.errors import InputError

        if self.again is None:
            raise InputError("expected what loupe.evaluate returned, got what was read back: evaluate again")
        return self.again(confidence)

    def difference(self, model: str, against: str) -> AccuracyDifference:
        """Returns how much more often a model is right than another one, on the images that both judged.

        Raises:
            UnknownName: no such model
            InputError: the same model twice, or what was evaluated has no accuracy: boxes, masks
        """
        from loupe.brain.core.errors import InputError, UnknownName

        for name in (model, against):
            if name not in self.models:
                raise UnknownName("model", name, self.models)
        if model == against:
            raise InputError(f"expected two models to compare, got {model!r} twice")
        for each in self.differences:
            if {each.model, each.against} == {model, against}:
                return each if each.model == model else each.reversed()
        raise InputError(f"expected classifications, which have an accuracy, got a {self.kind}")

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain JSON-able values (nested records too; NaN becomes None)."""
        facts = Record.to_dict(replace(self, again=None))
        del facts["again"]
        return facts

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each model, then for each slice and model."""
        return of_evaluation(self)


def of_evaluation(evaluation: Evaluation) -> Table:
    """Returns a row for each model, then for each slice and model."""
    rows = [*evaluation.overall, *evaluation.slices]
    names = list(dict.fromkeys(name for row in rows for name in row.metrics))
    several = len(evaluation.models) > 1
    unit = "objects" if evaluation.kind == "detection" else "labeled"
    head = ["slice", *(["model"] if several else []), "images", unit, *map(title_of, names)]
    cells = [
        [
            str(row.slice),
            *([row.model] if several else []),
            row.images,
            row.truths,
            *(str(row.metrics[name]) if name in row.metrics else "" for name in names),
        ]
        for row in rows
    ]
    parts = [f"{evaluation.kind} of {evaluation.n:,} images by {', '.join(evaluation.models)}"]
    if evaluation.unlabeled:
        parts.append(f"{evaluation.unlabeled:,} without a ground truth")
    parts += [f"{count:,} without {model}" for model, count in evaluation.missing.items() if count]
    if evaluation.confidence is not None:
        parts.append(f"confidence >= {evaluation.confidence:g}")
    shown = evaluation.differences if len(evaluation.models) <= _MAX_COMPARED else ()
    return tables.Table.of("; ".join(parts), head, cells, "\n".join(map(str, shown)))

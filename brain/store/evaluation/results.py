"""Reads what ``evaluate`` is made of, and keeps its results for the panel. Nothing is written to any sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.evaluation import Evaluation, Kind
from loupe.brain.evaluation.detection import SIZE_NAMES, size_of
from loupe.brain.evaluation.labels import Labels, Side, on_one_side, written_differently
from loupe.brain.evaluation.matching import Boxes
from loupe.brain.store import plain, runs
from loupe.brain.store.columns import fingerprint
from loupe.brain.store.connection import database_errors
from loupe.brain.store.labels.masks import read_masks
from loupe.brain.store.plain import ID

_KINDS: dict[type[fo.Label], Kind] = {
    fo.Classification: "classification",
    fo.Detections: "detection",
    fo.Segmentation: "segmentation",
}
_BOX = ("label", "bounding_box", "confidence", "iscrowd")
#: what objects are sliced by that is no attribute of theirs
SIZE, CLASS = "size", "label"
_TRIES = 100


def kind_of(samples: SampleCollection, path: str) -> Kind:
    """Returns what a field of labels is evaluated as.

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of something else
    """
    field = samples.get_field(path) if isinstance(path, str) and samples.has_field(path) else None
    if field is None:
        raise UnknownName("field of labels", str(path), fields(samples))
    document = getattr(field, "document_type", None)
    kind = _KINDS.get(document) if document is not None else None
    if kind is None:
        name = document.__name__ if document is not None else type(field).__name__
        raise InputError(
            f"expected a field of Classification, Detections or Segmentation, but {path!r} is of {name}: polylines and "
            "single detections become Detections first, e.g. fo.Detections(detections=[...])"
        )
    return kind


def fields(samples: SampleCollection, kind: Kind | None = None) -> list[str]:
    """Returns the user's own fields that can be evaluated, of one kind or of any."""
    listed = []
    for path, field in samples.get_field_schema().items():
        if (field.info or {}).get("made_by") == "loupe":
            continue  # what the checks saw, or a mirror of objects: no labels of anybody
        own = _KINDS.get(getattr(field, "document_type", None))  # type: ignore[arg-type]
        if own is not None and kind in (None, own):
            listed.append(path)
    return listed


def read(
    samples: SampleCollection,
    predictions: Sequence[str],
    ground_truth: str,
    *,
    objects: Sequence[str] = (),
    cluster: str | None = None,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Labels:
    """Returns the ground truths and predictions of N samples, in one pass over the database.

    Args:
        samples: a dataset or view; labels that a view filters out are not there
        predictions: the fields of the models
        ground_truth: the field of what is there
        objects: what boxes are sliced by: attributes, ``"label"`` or ``"size"``
        cluster: a field whose values say which samples belong together; each by itself by default
        step: called as masks are read, with how many of how many

    Raises:
        UnknownName: no such field
        InputError: fields of different kinds, or what boxes cannot be sliced by
    """
    kind = kind_of(samples, ground_truth)
    for path in predictions:
        if kind_of(samples, path) != kind:
            raise InputError(
                f"expected predictions of the ground truth's kind: {ground_truth!r} is {kind}, but {path!r} is "
                f"{kind_of(samples, path)}"
            )
    together = [] if cluster is None else [_cluster_path(samples, cluster)]
    if kind == "segmentation":
        labels = read_masks(samples, predictions, ground_truth, step)
        columns, _ = plain.read(samples, together)
        return _clustered(labels, columns)
    if kind == "classification":
        return _classes(samples, predictions, ground_truth, together)
    return _boxes(samples, predictions, ground_truth, objects, together)


def _cluster_path(samples: SampleCollection, path: str) -> str:
    if not samples.has_field(path):
        raise UnknownName("field", path, samples.get_field_schema(flat=True))
    if not plain.are_plain(samples, [path]):
        raise InputError(f"expected a field of texts or numbers to tell which samples belong together, got {path!r}")
    return path


def _classes(
    samples: SampleCollection, predictions: Sequence[str], ground_truth: str, together: Sequence[str]
) -> Labels:
    paths = [ground_truth, *predictions]
    columns, numbers = plain.read(
        samples, [ID, *(f"{path}.label" for path in paths), *together], [f"{path}.confidence" for path in predictions]
    )
    ids, names, rest = columns[0], columns[1 : len(paths) + 1], columns[len(paths) + 1 :]
    names = [[value if isinstance(value, str) else None for value in column] for column in names]
    codes, classes, notes = _coded(names)
    sides = []
    for at, code in enumerate(codes):
        score = np.full(len(ids), np.nan) if at == 0 else numbers[:, at - 1]
        sides.append(Side(code >= 0, label=code, score=np.where(code >= 0, score, np.nan)))
    for path, side in zip(predictions, sides[1:], strict=True):
        notes += _on_confidence(path, side.score[side.known] if side.score is not None else np.zeros(0))
    models = dict(zip(predictions, sides[1:], strict=True))
    labels = Labels("classification", ids, classes, np.arange(len(ids)), sides[0], models, notes=tuple(notes))
    return _clustered(labels, rest)


def _coded(columns: Sequence[Sequence[Any]]) -> tuple[list[np.ndarray], tuple[str, ...], list[str]]:
    """Returns the codes of columns of names, -1 for None, their names, and what is to be said of them."""
    occurring = [sorted({name for name in column if name is not None}) for column in columns]
    classes = tuple(sorted(set().union(*occurring)))
    place: dict[Any, int] = {name: code for code, name in enumerate(classes)}
    codes = [
        np.fromiter((place.get(name, -1) for name in column), dtype=np.int64, count=len(column)) for column in columns
    ]
    predicted = sorted(set().union(*occurring[1:]))
    return codes, classes, [*written_differently(occurring[0], predicted), *on_one_side(occurring[0], predicted)]


def _on_confidence(path: str, score: np.ndarray) -> list[str]:
    without = int(np.isnan(score).sum())
    if without:
        return [
            f"{path}: {without:,} of {len(score):,} predictions have no confidence; they reach no threshold, and "
            "curves, areas and the calibration error need all of them"
        ]
    if len(score) and not 0 <= score.min() <= score.max() <= 1:
        return [f"{path}: confidences from {score.min():g} to {score.max():g} are no chances: no calibration error"]
    return []


def _boxes(
    samples: SampleCollection,
    predictions: Sequence[str],
    ground_truth: str,
    objects: Sequence[str],
    together: Sequence[str],
) -> Labels:
    own = [name for name in objects if name not in (SIZE, CLASS)]
    paths = [ground_truth, *predictions]
    has = {path: [name for name in own if samples.has_field(f"{path}.detections.{name}")] for path in paths}
    for name in own:
        if name not in has[ground_truth]:
            known = samples.get_field_schema(flat=True)
            start = f"{ground_truth}.detections."
            raise UnknownName(
                "attribute of objects", name, [SIZE, *(p[len(start) :] for p in known if p.startswith(start))]
            )
    expressions = [plain.elements(f"{path}.detections", [*_BOX, *has[path]]) for path in paths]
    columns, sizes = plain.read(samples, [ID, *expressions, *together], ["metadata.width", "metadata.height"])
    ids, lists, rest = columns[0], columns[1 : len(paths) + 1], columns[len(paths) + 1 :]
    if SIZE in objects and np.isnan(sizes).any(axis=1).all():
        raise InputError(
            "expected the size of the pictures to tell small objects from large ones: run dataset.compute_metadata()"
        )
    rows = [_Rows.of(column, sizes) for column in lists]
    codes, classes, notes = _coded([each.labels for each in rows])
    sides = []
    for path, each, code in zip(paths, rows, codes, strict=True):
        side = each.side(code, [CLASS, SIZE, *has[path]], objects)
        sides.append(side)
        if side.left_out:
            notes.append(f"{path}: {side.left_out:,} boxes were left out: of no area, not finite, or without a class")
        assert side.boxes is not None
        notes += _on_confidence(path, side.boxes.score) if path != ground_truth else []
        for name in own:
            if path != ground_truth and name not in side.attributes:
                notes.append(f"{path}: its objects have no {name!r}: of slices by it only recall is known")
    unsized = int(np.isnan(sizes).any(axis=1).sum())
    if SIZE in objects and unsized:
        notes.append(
            f"{unsized:,} pictures have no metadata: their objects have no size; run dataset.compute_metadata()"
        )
    models = dict(zip(predictions, sides[1:], strict=True))
    labels = Labels("detection", ids, classes, np.arange(len(ids)), sides[0], models, notes=tuple(notes))
    return _clustered(labels, rest)


class _Rows:
    """The boxes of N samples, one after another, as they are stored."""

    def __init__(self, image: np.ndarray, values: list[list[Any]], known: np.ndarray, sizes: np.ndarray) -> None:
        self.image, self.values, self.known, self.sizes = image, values, known, sizes

    @classmethod
    def of(cls, lists: Sequence[Any], sizes: np.ndarray) -> _Rows:
        known = np.array([own is not None for own in lists], dtype=bool)
        image = np.repeat(np.arange(len(lists)), [len(own) if own else 0 for own in lists])
        return cls(image, [value for own in lists for value in own or ()], known, sizes)

    @property
    def labels(self) -> list[str | None]:
        return [value[0] if value and isinstance(value[0], str) else None for value in self.values]

    def side(self, code: np.ndarray, names: Sequence[str], objects: Sequence[str]) -> Side:
        """Returns the boxes that can be matched; ``names`` are those of what stands beside them."""
        box = np.array([_corners(value) for value in self.values], dtype=np.float64).reshape(-1, 4)
        score = np.array([_number(value, 2) for value in self.values], dtype=np.float64)
        crowd = np.array([_number(value, 3) > 0 for value in self.values], dtype=bool)
        sound = np.isfinite(box).all(axis=1) & (box[:, 2] > 0) & (box[:, 3] > 0) & (code >= 0)
        shape = np.where(np.isnan(self.sizes).any(axis=1, keepdims=True), 1.0, self.sizes)[self.image]
        boxes = Boxes(self.image, code, box * np.hstack([shape, shape]), score, crowd).take(sound)
        area = np.where(np.isnan(self.sizes).any(axis=1)[boxes.image], np.nan, boxes.area)
        attributes: dict[str, Sequence[Any]] = {}
        kept = [value for value, fine in zip(self.values, sound, strict=True) if fine]
        for at, name in enumerate(names[2:]):
            values = [_plain_value(value[len(_BOX) + at], name) for value in kept]
            if any(value is not None for value in values):
                attributes[name] = values
        if SIZE in objects:
            attributes[SIZE] = [SIZE_NAMES[size] if size >= 0 else None for size in size_of(area).tolist()]
        if CLASS in objects:
            attributes[CLASS] = [value[0] for value in kept]
        return Side(self.known, boxes=boxes, attributes=attributes, left_out=int((~sound).sum()))


def _corners(value: Sequence[Any]) -> list[float]:
    box = value[1] if value else None
    fits = isinstance(box, list) and len(box) == 4 and all(isinstance(each, (int, float)) for each in box)
    return [float(each) for each in box] if fits and box else [np.nan] * 4


def _number(value: Sequence[Any], at: int) -> float:
    own = value[at] if len(value) > at else None
    return float(own) if isinstance(own, (int, float)) else np.nan


def _plain_value(value: Any, name: str) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    raise InputError(
        f"cannot slice objects by {name!r}: it holds {type(value).__name__}s; slice by an attribute of texts, yes or "
        "no, or whole numbers"
    )


def _clustered(labels: Labels, columns: Sequence[Sequence[Any]]) -> Labels:
    """Returns the labels with the clusters that a column says; a sample without a value is a cluster of its own."""
    if not columns:
        return labels
    seen: dict[Any, int] = {}
    keys = [("alone", at) if value is None else ("value", str(value)) for at, value in enumerate(columns[0])]
    cluster = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
    masks = {path: replace(own, of=cluster) for path, own in labels.masks.items()}
    return replace(labels, cluster=cluster, masks=masks)


def query_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the database's query for the samples of a cell of a classification's confusion matrix.

    Args:
        facts: ``truth`` and ``predicted``: the fields; ``row`` and ``column``: the classes, or None for all but those
            of ``classes``; ``confidence``: the threshold; ``withheld``: whether the column is of what no class was
            given, for it is less sure
    """
    truth, predicted, threshold = f"{facts['truth']}.label", f"{facts['predicted']}.label", facts["confidence"]
    rest = {"$nin": [*facts["classes"], None]}
    own = {truth: rest if facts["row"] is None else facts["row"]}
    given = {predicted: rest if facts["column"] is None else facts["column"]}
    sure: dict[str, Any] = {f"{facts['predicted']}.confidence": {"$gte": threshold}}
    if facts["withheld"]:
        return {"$and": [own, {predicted: {"$ne": None}}, {"$nor": [sure if threshold is not None else {}]}]}
    return {"$and": [own, given, *([] if threshold is None else [sure])]}


def keep(samples: SampleCollection, evaluation: Evaluation, drawn: Mapping[str, Any]) -> str:
    """Keeps an evaluation on the dataset, and what its panel draws; returns the run's key.

    Args:
        samples: what was evaluated
        evaluation: what came out
        drawn: as ``assemble.moved`` gives it
    """
    made = datetime.now(UTC).isoformat(timespec="seconds")
    with database_errors():
        for _ in range(_TRIES):
            key = runs.new_key(samples, "evaluate")
            facts = {
                "run": {**evaluation.to_dict(), "key": key, "verb": "evaluate"},
                "drawn": dict(drawn),
                "view": fingerprint(samples),
                "at": made,
            }
            if runs.put(samples, key, "evaluate", evaluation.params, facts, replace=False):
                return key
    raise LoupeError(f"no key was left for a run of evaluate in {_TRIES} tries: call again")


def kept(samples: SampleCollection) -> list[str]:
    """Returns the keys of the evaluations that are kept, the latest first."""
    prefix = "loupe_evaluate_"
    keys = [key for key in runs.listed(samples) if key.removeprefix(prefix).isdigit()]
    return sorted(keys, key=lambda key: -int(key.removeprefix(prefix)))


def load(samples: SampleCollection, key: str) -> dict[str, Any]:
    """Returns what is kept under a key: ``run``, the evaluation as plain values, ``drawn``, ``view`` and ``at``.

    Raises:
        UnknownName: there is none; the nearest key is suggested
    """
    facts = runs.results(samples, key)
    if facts is None or "drawn" not in facts:
        raise UnknownName("evaluation", key, kept(samples))
    return facts

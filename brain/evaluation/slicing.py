"""What each model did on each slice of images and of objects. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.results import Slice
from loupe.brain.evaluation.classification import Classified
from loupe.brain.evaluation.confusion import Pairs, of_boxes
from loupe.brain.evaluation.detection import SIZE_NAMES, Detected
from loupe.brain.evaluation.evaluated import Evaluated
from loupe.brain.evaluation.labels import Labels, Side
from loupe.brain.evaluation.matching import COCO_IOUS, Matches, match
from loupe.brain.slicing.columns import Column, combine, shown


@dataclass(frozen=True)
class Options:
    """How labels are compared.

    Attributes:
        iou: the overlap at which boxes match
        positive: the class whose precision and recall are asked for; None: all classes alike
        bins: of the calibration error
        objects: the attributes that boxes are sliced by
    """

    iou: float = 0.5
    positive: str | None = None
    bins: int = 15
    objects: tuple[str, ...] = ()

    @property
    def ious(self) -> tuple[float, ...]:
        """COCO's overlaps, and the one asked for where it is none of them."""
        return COCO_IOUS if self.level < len(COCO_IOUS) else (*COCO_IOUS, self.iou)

    @property
    def level(self) -> int:
        """Which of them the one asked for is."""
        near = [at for at, iou in enumerate(COCO_IOUS) if abs(iou - self.iou) < 1e-9]
        return near[0] if near else len(COCO_IOUS)


class Model:
    """What one model did on N images: matched once, measured on any slice.

    Attributes:
        name: the field of its predictions
        judged: (N,) bool: the images that have a ground truth and that it said something of
        whole: what it did on those
    """

    def __init__(self, labels: Labels, name: str, options: Options) -> None:
        self.name, self._labels, self._options = name, labels, options
        self._side = labels.models[name]
        self.judged = labels.truth.known & self._side.known
        self._matches: Matches | None = None
        self.whole: Evaluated = self._evaluated().take(self.judged)

    def _evaluated(self) -> Evaluated:
        labels, side, options = self._labels, self._side, self._options
        if labels.kind == "segmentation":
            return labels.masks[self.name]
        if labels.kind == "detection":
            self._matches = self._match()
            return self._detected(self._matches)
        assert labels.truth.label is not None
        assert side.label is not None
        assert side.score is not None
        positive = None if options.positive is None else labels.classes.index(options.positive)
        own = (labels.truth.label, side.label, side.score, labels.cluster)
        return Classified(*own, len(labels.classes), positive, options.bins)

    def _match(self, **slicing: Any) -> Matches:
        assert self._labels.truth.boxes is not None
        assert self._side.boxes is not None
        return match(self._labels.truth.boxes, self._side.boxes, self._options.ious, **slicing)

    def _detected(self, matches: Matches, *, assigned: bool = True) -> Detected:
        assert self._labels.truth.boxes is not None
        assert self._side.boxes is not None
        return Detected.of_matches(
            self._labels.truth.boxes,
            self._side.boxes,
            matches,
            self._labels.cluster,
            len(self._labels.classes),
            level=self._options.level,
            assigned=assigned,
            bins=self._options.bins,
        )

    def objects(self) -> Iterator[tuple[dict[str, Any], Evaluated]]:
        """Yields each slice of objects that occurs: its values by attribute, and what the model did on it.

        Where none are asked for: all objects.

        A ground truth belongs to a slice by its own attributes, and what is matched to it with it. A false positive
        belongs to a slice by the prediction's own attributes, and to no other.
        """
        names = self._options.objects
        if not names:
            yield {}, self.whole
            return
        truth, own = (_values(side, names) for side in (self._labels.truth, self._side))
        assigned = all(name in self._side.attributes for name in names)
        for values in _ordered(truth, own if assigned else [], names):
            matches = self._match(
                true_ignored=np.array([each != values for each in truth], dtype=bool),
                outside=np.array([each != values for each in own], dtype=bool),
            )
            yield dict(zip(names, values, strict=True)), self._detected(matches, assigned=assigned).take(self.judged)

    def pairs(self, confidence: float | None) -> tuple[Pairs, np.ndarray | None]:
        """Returns what was taken for what at a threshold, by place among all N images; of masks also the pixels."""
        places = np.flatnonzero(self.judged)
        if self._matches is not None:
            assert self._labels.truth.boxes is not None
            assert self._side.boxes is not None
            boxes = (self._labels.truth.boxes, self._side.boxes)
            pairs = of_boxes(*boxes, self._matches, self._options.level, confidence)
            own = self.judged[pairs.image]
            return Pairs(pairs.image[own], pairs.truth[own], pairs.predicted[own], pairs.score[own]), None
        pairs = self.whole.pairs(confidence)  # type: ignore[attr-defined]
        pixels = getattr(self.whole, "pixels", None)
        order = None if pixels is None else np.argsort(-pixels, kind="stable")
        moved = Pairs(places[pairs.image], pairs.truth, pairs.predicted, pairs.score)
        return moved, None if pixels is None else pixels[order]


def slices(model: Model, columns: Mapping[str, Column]) -> Iterator[tuple[Slice, Evaluated]]:
    """Yields each slice of images, by each slice of objects where there are any, and what the model did on it.

    Args:
        model: one model
        columns: the factors' columns of all N images; none: one slice of all images
    """
    n = len(model.judged)
    parts = combine(columns, n)
    places = np.cumsum(model.judged) - 1
    members = [parts.samples[parts.codes == at] for at in range(len(parts.values))]
    kinds = list(model.objects())
    for values, rows in zip(parts.values, members, strict=True):
        chosen = places[rows[model.judged[rows]]]
        for own, evaluated in kinds:
            named = {name: shown(value) for name, value in {**values, **own}.items()}
            if named:
                yield Slice(named), evaluated.take(chosen) if columns else evaluated


def _values(side: Side, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Returns the values of each box, by attribute; None where it has none."""
    n = len(side.boxes) if side.boxes is not None else 0
    return list(zip(*(side.attributes.get(name, [None] * n) for name in names), strict=True)) if names else []


def _ordered(truth: Sequence[Any], own: Sequence[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Returns the combinations of values that occur, sizes from small to large, others as factors show them."""
    place = {name: at for at, name in enumerate(SIZE_NAMES)}
    columns = [Column.of([values[at] for values in [*truth, *own]]) for at in range(len(names))]
    orders = []
    for name, column in zip(names, columns, strict=True):
        values = sorted(column.values, key=lambda value: place.get(value, 9)) if name == "size" else column.values
        orders.append({value: at for at, value in enumerate(values)})
    occurring = set(truth) | set(own)
    return sorted(occurring, key=lambda values: [order[each] for order, each in zip(orders, values, strict=True)])

"""Where a factor's values lie in a dataset: what is read for them, and the view stage of each value."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection
from fiftyone.core.expressions import ViewExpression

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.results import Slice
from loupe.brain.slicing import bins
from loupe.brain.slicing.factors import Factor, Kind, Source, factors_of
from loupe.brain.store.connection import database_errors
from loupe.brain.store.outcomes import is_number
from loupe.brain.store.runs import root

#: where a field of labels keeps them
_LABELS: dict[type[fo.Label], str] = {
    fo.Classification: "",
    fo.Classifications: "classifications",
    fo.Detection: "",
    fo.Detections: "detections",
    fo.Polyline: "",
    fo.Polylines: "polylines",
    fo.Keypoint: "",
    fo.Keypoints: "keypoints",
}
_KINDS: dict[type[fo.Field], Kind] = {
    fo.StringField: "text",
    fo.BooleanField: "bool",
    fo.IntField: "int",
    fo.FloatField: "float",
}
_BSON: dict[Kind, str] = {"text": "string", "bool": "bool"}
_FORMATS = {"month": "%Y-%m", "day": "%Y-%m-%d"}
_PARTS = {"year": "$year", "hour": "$hour"}


class Place(ABC):
    """Where the values of one factor lie in one dataset.

    Attributes:
        kind: what they are
        read: what ``values`` of a collection takes to read them
    """

    kind: Kind
    read: str | ViewExpression

    def values(self, column: Sequence[Any]) -> Sequence[Any]:
        """Returns N values, or lists of them, from what was read of N samples."""
        return column

    @abstractmethod
    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        """Returns the view stage of a value: it keeps just the samples that have it."""


@dataclass(frozen=True)
class _Field(Place):
    """In a field; where it holds lists, a query asks whether any item fits."""

    kind: Kind
    read: str

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        return fo.Match(self._query(factor, value))

    def _query(self, factor: Factor, value: Any) -> dict[str, Any]:
        if value is None:
            if factor.only:
                return {self.read: {"$nin": list(factor.only)}}
            if self.kind in _BSON:
                return {self.read: {"$not": {"$type": _BSON[self.kind]}}}
            return {"$nor": is_number(self.read)}
        if isinstance(factor.bins, tuple):
            low, high = _limits(factor.bins, value)
            ends = {"$gte": low, "$lt": high}
            return {self.read: {end: number for end, number in ends.items() if number is not None}}
        # a view travels as JSON, which has no infinity
        if value == float("inf"):
            return {self.read: {"$gt": sys.float_info.max}}
        if value == -float("inf"):
            return {self.read: {"$lt": -sys.float_info.max}}
        return {self.read: {"$eq": value}}


@dataclass(frozen=True)
class _Computed(Place):
    """Computed by the database: one number or text of each sample, or null."""

    kind: Kind
    expression: dict[str, Any]

    @property
    def read(self) -> ViewExpression:  # type: ignore[override]
        return ViewExpression(self.expression)

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        if value is None:
            return fo.Match({"$expr": {"$eq": [{"$ifNull": [self.expression, None]}, None]}})
        if not isinstance(factor.bins, tuple):
            return fo.Match({"$expr": {"$eq": [self.expression, {"$literal": value}]}})
        low, high = _limits(factor.bins, value)
        # in an expression null is below every number
        tests: list[dict[str, Any]] = [{"$isNumber": self.expression}]
        tests += [{"$gte": [self.expression, low]}] if low is not None else []
        tests += [{"$lt": [self.expression, high]}] if high is not None else []
        return fo.Match({"$expr": {"$and": tests}})


@dataclass(frozen=True)
class _Members(Place):
    """In lists of sample ids, by name: what no query could tell of a sample alone."""

    members: Mapping[str, frozenset[str]]
    kind: Kind = "text"
    read: str = "id"

    def values(self, column: Sequence[Any]) -> Sequence[Any]:
        return [[name for name, ids in self.members.items() if sample_id in ids] for sample_id in column]

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        if value is None:
            return fo.Exclude(sorted(frozenset().union(*self.members.values())))
        return fo.Select(sorted(self.members.get(value, ())))


def place(samples: SampleCollection, factor: Factor) -> Place:
    """Returns where the values of a factor that is no product lie.

    Raises:
        UnknownName: no such field, or no such saved view; the nearest name is suggested
        InputError: a field that the factor cannot be read from
    """
    with database_errors():
        return _PLACES[factor.source](samples, factor)


def fit(samples: SampleCollection, by: str | Factor | Iterable[str | Factor]) -> list[tuple[Factor, Place]]:
    """Returns the factors, products taken apart, with the edges of their bins in these samples, and where they lie.

    Raises:
        UnknownName, InputError: as for ``place`` and ``factors_of``
    """
    fitted = []
    for factor in factors_of(by):
        own = place(samples, factor)
        factor = factor.of_kind(own.kind)
        if isinstance(factor.bins, int):
            with database_errors():
                factor = factor.fitted(own.values(samples.values(own.read)))
        fitted.append((factor, own))
    return fitted


def having(samples: SampleCollection, factor: Factor, value: Any) -> fo.DatasetView:
    """Returns the samples that have a value of a factor.

    They are matched by their fields in the database, so that it costs the same for ten samples and ten thousand.

    Args:
        samples: a dataset or view
        factor: the factor; a number of bins is put over these samples
        value: as it stands in ``Column.values``: a bin's name, None for the missing value; of a product a value for
            each part

    Raises:
        UnknownName, InputError: as for ``place``, or a value that the factor cannot have
    """
    parts = fit(samples, factor)
    values = tuple(value) if factor.source == "product" else (value,)
    if len(values) != len(parts):
        raise InputError(f"expected a value for each of the {len(parts)} factors of {factor.name!r}, got {value!r}")
    view = samples.view()
    for (part, own), item in zip(parts, values, strict=True):
        view = view.add_stage(own.stage(part, item))
    return view


def samples_of(samples: SampleCollection, slice: Slice, by: str | Factor | Iterable[str | Factor]) -> fo.DatasetView:
    """Returns the samples of a slice.

    Args:
        samples: the dataset or view that was sliced
        slice: one that ``loupe.slice`` gave for them
        by: what they were sliced by

    Raises:
        UnknownName, InputError: as for ``place``, or a slice of other factors, or without such a value
    """
    parts = fit(samples, by)
    if list(slice.values) != [factor.name for factor, _ in parts]:
        names = ", ".join(factor.name for factor, _ in parts)
        raise InputError(f"expected a slice by {names or 'nothing'}, got one by {', '.join(slice.values) or 'nothing'}")
    view = samples.view()
    for factor, own in parts:
        view = view.add_stage(own.stage(factor, factor.value_of(slice.values[factor.name])))
    return view


def _limits(edges: tuple[float, ...], name: str) -> tuple[float | None, float | None]:
    names = bins.names(edges)
    if name not in names:
        raise UnknownName("bin", str(name), names)
    return bins.limits(edges, names.index(name))


def _field(samples: SampleCollection, factor: Factor) -> Place:
    path, field = factor.path, _require(samples, factor.path)
    if _labels(field) is not None:
        return _label(samples, factor)
    listed = isinstance(field, fo.ListField)
    kind = _kind(field.field if listed else field)
    if kind is None:
        raise InputError(_refusal(samples, path, field))
    parents = [path[:at] for at, letter in enumerate(path) if letter == "."]
    listed = listed or any(isinstance(samples.get_field(parent), fo.ListField) for parent in parents)
    if listed and (kind == "float" or factor.bins is not None):
        raise InputError(
            f"cannot slice by {path!r}: it holds lists of numbers, which cannot be put into bins; slice by their "
            f"number, Factor.count, or by a field with one number for each sample"
        )
    return _Field(kind, path)


def _label(samples: SampleCollection, factor: Factor) -> Place:
    where = _labels(_require(samples, factor.path))
    if where is None:
        raise InputError(f"expected a field of labels with classes, but {factor.path!r} is none of them")
    return _Field("text", ".".join(filter(None, (factor.path, where, "label"))))


def _count(samples: SampleCollection, factor: Factor) -> Place:
    field = _require(samples, factor.path)
    where = _labels(field)
    if not where and not isinstance(field, fo.ListField):
        raise InputError(f"expected a field of lists of labels to count, but {factor.path!r} holds none")
    items = f"${factor.path}.{where}" if where else f"${factor.path}"
    return _Computed("int", {"$cond": [{"$isArray": [items]}, {"$size": items}, None]})


def _tags(samples: SampleCollection, factor: Factor) -> Place:
    return _Field("text", factor.path)


def _views(samples: SampleCollection, factor: Factor) -> Place:
    dataset = root(samples)
    known = dataset.list_saved_views()
    for name in factor.only:
        if name not in known:
            raise UnknownName("saved view", name, known)
    members = {}
    for name in factor.only or known:
        saved = dataset.load_saved_view(name)
        # a view of patches or frames holds no samples of the dataset
        if type(saved) is fo.DatasetView:
            members[name] = frozenset(saved.values("id"))
        elif factor.only:
            raise InputError(f"expected saved views of samples, but {name!r} is a {type(saved).__name__}")
    return _Members(members)


def _metadata(samples: SampleCollection, factor: Factor) -> Place:
    width, height = f"{factor.path}.width", f"{factor.path}.height"
    needed = width if factor.part == "aspect" else f"{factor.path}.{factor.part}"
    # the fields are declared on every dataset of images; the numbers come later
    if not samples.has_field(needed) or not len(samples.match({"$or": is_number(needed)}).limit(1)):
        raise InputError("expected metadata on these samples, got none: run dataset.compute_metadata()")
    if factor.part != "aspect":
        return _Field("int", needed)
    known = {"$and": [{"$isNumber": f"${width}"}, {"$gt": [f"${height}", 0]}, {"$isNumber": f"${height}"}]}
    return _Computed("float", {"$cond": [known, {"$divide": [f"${width}", f"${height}"]}, None]})


def _time(samples: SampleCollection, factor: Factor) -> Place:
    field, path = _require(samples, factor.path), f"${factor.path}"
    if not isinstance(field, (fo.DateField, fo.DateTimeField)):
        raise InputError(f"expected a field of dates or times, but {factor.path!r} is a {type(field).__name__}")
    if factor.part == "hour" and isinstance(field, fo.DateField):
        raise InputError(f"expected a field of times, but {factor.path!r} holds dates, which have no hour")
    if factor.part in _PARTS:
        return _Computed("int", {_PARTS[factor.part]: path})
    return _Computed("text", {"$dateToString": {"date": path, "format": _FORMATS[factor.part]}})


#: a further source is a line here and a method of ``Factor``
_PLACES: dict[Source, Callable[[SampleCollection, Factor], Place]] = {
    "field": _field,
    "label": _label,
    "count": _count,
    "tags": _tags,
    "views": _views,
    "metadata": _metadata,
    "time": _time,
}


def _require(samples: SampleCollection, path: str) -> fo.Field:
    field = samples.get_field(path) if samples.has_field(path) else None
    if field is None:
        schema = samples.get_field_schema(flat=True)
        raise UnknownName("field", path, [name for name, kind in schema.items() if _is_factor(kind)])
    return field


def _is_factor(field: fo.Field) -> bool:
    return _kind(field) is not None or _labels(field) is not None


def _kind(field: fo.Field) -> Kind | None:
    return next((kind for type_, kind in _KINDS.items() if isinstance(field, type_)), None)


def _labels(field: fo.Field) -> str | None:
    """Returns where a field of labels keeps them, "" where it is one label; None for any other field."""
    document = field.document_type if isinstance(field, fo.EmbeddedDocumentField) else None
    return _LABELS.get(document) if document is not None else None


def _refusal(samples: SampleCollection, path: str, field: fo.Field) -> str:
    start = f"cannot slice by {path!r}, a {type(field).__name__}: "
    if isinstance(field, (fo.DateField, fo.DateTimeField)):
        return f"{start}take a part of it, Factor.time({path!r}, 'day')"
    if isinstance(field, fo.EmbeddedDocumentField):
        inside = [name for name, kind in field.get_field_schema(flat=True).items() if _is_factor(kind)]
        named = ", ".join(f"{path}.{name}" for name in inside[:10])
        return f"{start}slice by one of its fields: {named or 'it has none that can be sliced by'}"
    return f"{start}slice by a field of strings, bools, numbers or labels, or of lists of strings, bools or ints"

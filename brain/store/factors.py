"""Where a factor's values lie in a dataset: what is read for them, and the view stage of each value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.results import Slice
from loupe.brain.slicing import prompt_facts
from loupe.brain.slicing.factors import BOX_POSITIONS, METADATA_NAMES, Factor, Kind, Source, factors_of
from loupe.brain.store.connection import database_errors
from loupe.brain.store.outcomes import is_number
from loupe.brain.store.places import Computed, InField, InPrompt, Items, Members
from loupe.brain.store.places import Place as Place
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
_FORMATS = {"month": "%Y-%m", "day": "%Y-%m-%d"}
_PARTS = {"year": "$year", "hour": "$hour"}
#: of the metadata, what stands there as a number
_PLAIN_METADATA = ("width", "height", "size_bytes", "num_channels")


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
        if factor.needs_values:
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


def _field(samples: SampleCollection, factor: Factor) -> Place:
    path, field = factor.path, _require(samples, factor.path)
    if _labels(field) is not None:
        return _label(samples, factor)
    listed = isinstance(field, fo.ListField)
    kind = _kind(field.field if listed else field)
    if kind is None:
        raise InputError(_refusal(samples, path, field))
    levels = listed + _lists_above(samples, path)
    if not levels or (kind != "float" and factor.bins is None and factor.width is None):
        return InField(kind, path)
    if levels > 1:
        raise InputError(f"cannot slice by {path!r}: it holds lists of lists of numbers, which cannot be put into bins")
    # a query for two ends would take one item for the one and another item for the other
    return Items(kind, _listed(f"${path}"))


def _label(samples: SampleCollection, factor: Factor) -> Place:
    where = _labels(_require(samples, factor.path))
    if where is None:
        raise InputError(f"expected a field of labels with classes, but {factor.path!r} is none of them")
    return InField("text", ".".join(filter(None, (factor.path, where, "label"))))


def _count(samples: SampleCollection, factor: Factor) -> Place:
    field = _require(samples, factor.path)
    where = _labels(field)
    if not where and not isinstance(field, fo.ListField):
        raise InputError(f"expected a field of lists of labels to count, but {factor.path!r} holds none")
    items = f"${factor.path}.{where}" if where else f"${factor.path}"
    if factor.of and not where:
        raise InputError(
            f"expected a field of labels to count {', '.join(factor.of)} of, but {factor.path!r} is a list"
        )
    counted: Any = {"$filter": {"input": items, "cond": _is_of(factor)}} if factor.of else items
    return Computed("int", {"$cond": [{"$isArray": [items]}, {"$size": counted}, None]})


def _attribute(samples: SampleCollection, factor: Factor) -> Place:
    where = _labels(_require(samples, factor.path))
    if where is None:
        raise InputError(f"expected a field of labels with attributes, but {factor.path!r} is none of them")
    inside = ".".join(filter(None, (factor.path, where)))
    attribute = samples.get_field(f"{inside}.{factor.part}")
    kind = None if attribute is None else _kind(attribute)
    if kind is None:
        schema = samples.get_field_schema(flat=True)
        names = [path.removeprefix(f"{inside}.") for path, own in schema.items() if path.startswith(f"{inside}.")]
        unknown = UnknownName("attribute", factor.part, [name for name in names if _kind(schema[f"{inside}.{name}"])])
        raise InputError(f"{unknown}. One of your own is declared by dataset.add_dynamic_sample_fields()")
    if not where and not factor.of:
        return InField(kind, f"{inside}.{factor.part}")
    return Items(kind, _of_labels(factor, where, f"$$label.{factor.part}"))


def _box(samples: SampleCollection, factor: Factor) -> Place:
    field = _require(samples, factor.path)
    document = field.document_type if isinstance(field, fo.EmbeddedDocumentField) else None
    if document not in (fo.Detection, fo.Detections):
        raise InputError(f"expected a field of detections, which have boxes, but {factor.path!r} is none")
    x, y, width, height = ({"$arrayElemAt": ["$$label.bounding_box", at]} for at in range(4))
    if factor.part == "size":
        kind: Kind = "float"
        value: dict[str, Any] = {"$multiply": [width, height]}
    else:
        kind = "text"
        column, row = _third(x, width), _third(y, height)
        value = {"$arrayElemAt": [list(BOX_POSITIONS), {"$add": [{"$multiply": [3, row]}, column]}]}
    whole = {"$and": [{"$isNumber": number} for number in (x, y, width, height)]}
    is_box = {"$cond": [{"$isArray": ["$$label.bounding_box"]}, whole, False]}
    return Items(kind, _of_labels(factor, _LABELS[document], {"$cond": [is_box, value, None]}))


def _third(start: Any, extent: Any) -> dict[str, Any]:
    """Returns the expression of the third that a box's middle lies in: 0, 1 or 2; beyond the picture the nearest."""
    middle = {"$add": [start, {"$divide": [extent, 2]}]}
    return {"$toInt": {"$max": [0, {"$min": [2, {"$floor": {"$multiply": [3, middle]}}]}]}}


def _of_labels(factor: Factor, where: str, value: Any) -> dict[str, Any]:
    """Returns the expression of a value of each label of a field, ``$$label``; of those of the classes that count."""
    path = ".".join(filter(None, (f"${factor.path}", where)))
    labels: dict[str, Any] = {"$cond": [{"$isArray": [path]}, path, []]}
    if not where:
        labels = {"$cond": [{"$eq": [{"$type": path}, "object"]}, [path], []]}
    if factor.of:
        labels = {"$filter": {"input": labels, "cond": _is_of(factor)}}
    return {"$map": {"input": labels, "as": "label", "in": {"$ifNull": [value, None]}}}


def _is_of(factor: Factor) -> dict[str, Any]:
    return {"$in": ["$$this.label", {"$literal": list(factor.of)}]}


def _listed(path: str) -> dict[str, Any]:
    return {"$cond": [{"$isArray": [path]}, path, []]}


def _lists_above(samples: SampleCollection, path: str) -> int:
    parents = [path[:at] for at, letter in enumerate(path) if letter == "."]
    return sum(isinstance(samples.get_field(parent), fo.ListField) for parent in parents)


def _tags(samples: SampleCollection, factor: Factor) -> Place:
    return InField("text", factor.path)


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
    return Members(members)


def _metadata(samples: SampleCollection, factor: Factor) -> Place:
    width, height = f"{factor.path}.width", f"{factor.path}.height"
    if factor.part == "format":
        mime_type = f"{factor.path}.mime_type"
        known: list[dict[str, Any]] = [{mime_type: {"$type": "string"}}]
        needed = mime_type
    else:
        needed = f"{factor.path}.{factor.part}" if factor.part in _PLAIN_METADATA else width
        known = is_number(needed)
    # the fields are declared on every dataset of images; the numbers come later
    if not samples.has_field(needed) or not len(samples.match({"$or": known}).limit(1)):
        raise InputError("expected metadata on these samples, got none: run dataset.compute_metadata()")
    if factor.part == "format":
        return InField("text", needed)
    if factor.part in _PLAIN_METADATA:
        return InField("int", needed)
    both = {"$and": [{"$isNumber": f"${width}"}, {"$isNumber": f"${height}"}, {"$gt": [f"${height}", 0]}]}
    value: Any = {
        "aspect": {"$divide": [f"${width}", f"${height}"]},
        "megapixels": {"$divide": [{"$multiply": [f"${width}", f"${height}"]}, 1e6]},
        "orientation": {"$arrayElemAt": [["square", "landscape", "portrait"], {"$cmp": [f"${width}", f"${height}"]}]},
    }[factor.part]
    return Computed("text" if factor.part in METADATA_NAMES else "float", {"$cond": [both, value, None]})


def _time(samples: SampleCollection, factor: Factor) -> Place:
    field, path = _require(samples, factor.path), f"${factor.path}"
    if not isinstance(field, (fo.DateField, fo.DateTimeField)):
        raise InputError(f"expected a field of dates or times, but {factor.path!r} is a {type(field).__name__}")
    if factor.part == "hour" and isinstance(field, fo.DateField):
        raise InputError(f"expected a field of times, but {factor.path!r} holds dates, which have no hour")
    if factor.part in _PARTS:
        return Computed("int", {_PARTS[factor.part]: path})
    return Computed("text", {"$dateToString": {"date": path, "format": _FORMATS[factor.part]}})


def _stored(samples: SampleCollection, factor: Factor) -> Place:
    field = samples.get_field(factor.path) if samples.has_field(factor.path) else None
    if field is None or not len(samples.exists(factor.path).limit(1)):
        raise InputError(f"expected {factor.path!r} on these samples, got none: run {factor.part}")
    return _field(samples, factor)


def _prompt(samples: SampleCollection, factor: Factor) -> Place:
    field = _require(samples, factor.path)
    if not isinstance(field, fo.StringField):
        raise InputError(
            f"expected a field of prompts, which are texts, but {factor.path!r} is a {type(field).__name__}"
        )
    return InPrompt(prompt_facts.KINDS[factor.part], factor.path, factor.part, samples)


#: a further source is a line here and a method of ``Factor``
_PLACES: dict[Source, Callable[[SampleCollection, Factor], Place]] = {
    "field": _field,
    "label": _label,
    "count": _count,
    "attribute": _attribute,
    "box": _box,
    "tags": _tags,
    "views": _views,
    "metadata": _metadata,
    "time": _time,
    "stored": _stored,
    "prompt": _prompt,
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

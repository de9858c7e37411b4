"""Which factors a panel offers to slice by, and the query of each value of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import LoupeError
from loupe.brain.slicing.factors import BINS, Factor
from loupe.brain.store import columns
from loupe.brain.store.factors import place
from loupe.brain.store.fields import mirrors
from loupe.brain.store.spread import spread

_LABELS = (fo.Classification, fo.Classifications, fo.Detection, fo.Detections, fo.Polylines, fo.Keypoints)
_NUMBERS = (fo.FloatField, fo.IntField)
#: Loupe's own labels: the failures are what is counted, and the others say how they were seen
_OWN = {"failures", "unknown", "flaws", "text", "hands", "faces", "bodies", "composition", "overlays", "deduplicated"}
_OWN_NUMBERS = {"quality", "metadata", "generation", "checked"}


def factors(view: SampleCollection) -> dict[str, Factor]:
    """Returns by name what a view can be sliced by: fields of few values, classes of labels, tags, numbers, boxes.

    Only some samples are looked at, so that it takes milliseconds. What a prompt asks for is not offered: reading
    as many different prompts as there may be takes longer than somebody at a panel waits.
    """
    schema = view.get_field_schema(flat=True)
    # what mirrors the objects of another field says nothing that this one does not
    mirrored = mirrors(schema)
    labels = {path for path, field in schema.items() if _holds_labels(field)} - mirrored
    # the class of a label is offered by the name of its field: "truth", not "truth.label" beside it
    some = spread(view)
    worth = columns.factors(view, some)
    few = [path for path in worth if path.removesuffix(".label") not in labels]
    offered = {path: Factor.field(path) for path in few}
    offered |= {path: Factor.label(path) for path in sorted(labels - _OWN) if "." not in path}
    offered["tags"] = Factor.tags()
    for path, field in schema.items():
        elsewhere = path in offered or path.split(".")[0] in labels | mirrored | _OWN | _OWN_NUMBERS
        if isinstance(field, _NUMBERS) and not elsewhere:
            offered[path] = Factor.field(path, bins=BINS)
    return _varied(view, some, set(worth), {**offered, **_computed(schema, labels)})


def _computed(schema: Mapping[str, fo.Field], labels: Collection[str]) -> dict[str, Factor]:
    """Returns the factors that are computed from what a field holds.

    Not how much light there is: it would be the first that is shown where there is no other, and of dark pictures it
    says only that they are dark.
    """
    made: list[Factor] = []
    for path in sorted(set(labels) - _OWN):
        if "." not in path and schema[path].document_type is fo.Detections:
            made += [Factor.count(path), Factor.box_size(path), Factor.box_position(path)]
    if "metadata.width" in schema:
        made += [Factor.metadata("orientation"), Factor.metadata("megapixels"), Factor.metadata("format")]
    return {factor.name: factor for factor in made}


def _holds_labels(field: fo.Field) -> bool:
    return isinstance(field, fo.EmbeddedDocumentField) and issubclass(field.document_type, _LABELS)


def _varied(
    view: SampleCollection, some: SampleCollection, few: Collection[str], offered: dict[str, Factor]
) -> dict[str, Factor]:
    """Returns those of the factors of which some samples have more than one value, or that are known for few values."""
    rest = {}
    for name, factor in offered.items():
        if name not in few:
            with suppress(LoupeError):  # a list of numbers, and what else nothing can be sliced by
                rest[name] = place(view, factor).read
    values = some.values(list(rest.values())) if rest else []
    varied = {name for name, column in zip(rest, values, strict=True) if len({str(value) for value in column}) > 1}
    return {name: factor for name, factor in offered.items() if name in few or name in varied}


def queries(view: SampleCollection, factor: Factor, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Returns the database's query of each value of a factor with fitted bins: JSON-able."""
    own = place(view, factor)
    stages = [own.stage(factor, value) for value in values]
    return [dict(stage.filter) for stage in stages if isinstance(stage, fo.Match)]

"""What samples give to draw from: their files, what is marked in them, their prompts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points
from loupe.brain.generation.sources import Bounds, Control, Region
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_collection, require_images, root

_REGIONS = (fo.Detection, fo.Detections, fo.Segmentation, fo.Polyline, fo.Polylines)
#: of each input the kinds of labels that it may be read from, beside texts, which name files
LABELS: Mapping[str, tuple[type[fo.Label], ...]] = {
    "image": (),
    "mask": _REGIONS,
    "control": (fo.Heatmap, fo.Keypoint, fo.Keypoints),
    "reference": (),
}
#: texts of Loupe's own and of FiftyOne's that name no file
_NO_FILES = ("prompt", "id")


@dataclass(frozen=True, eq=False)
class Given:
    """What a sample gives.

    Attributes:
        id, path: its own
        values: by input what its field holds: the path of a file, a region or a control; without what is not there
        prompt, negative_prompt: as it has them
        scenario: its texts
        source: the id of the sample that it was itself drawn from; empty: none
    """

    id: str
    path: str
    values: Mapping[str, Any]
    prompt: str = ""
    negative_prompt: str = ""
    scenario: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


def require_source(samples: Any) -> None:
    """Raises an error unless these are whole pictures of a dataset, and at least one.

    Raises:
        InputError: they are none, or what a view makes of samples
        NoSamples: there is none
    """
    require_collection(samples)
    if samples._is_generated and samples._is_patches:
        own = getattr(getattr(samples, "_patches_stage", None), "field", None)
        named = repr(own) if isinstance(own, str) else "the field of their boxes"
        raise InputError(
            "expected a view of whole pictures to draw from, got one of patches: give the view before to_patches, with "
            f"mask={named}, which draws in the boxes and leaves the rest"
        )
    require_images(samples)


def fields(samples: Samples, name: str) -> list[str]:
    """Returns the fields that an input can be read from: of labels, and of texts that name files.

    Args:
        samples: a dataset or view
        name: image, mask, control or reference
    """
    schema = root(samples).get_field_schema()
    labels = [each for each, own in schema.items() if getattr(own, "document_type", None) in LABELS[name]]
    texts = [each for each, own in schema.items() if isinstance(own, fo.StringField) and each not in _NO_FILES]
    return [*labels, *texts]


def has_field(samples: Samples, name: str) -> bool:
    """Returns whether the samples have such a field."""
    return name in root(samples).get_field_schema()


def require_field(samples: Samples, name: str, path: str) -> None:
    """Raises an error unless an input can be read from a field.

    Raises:
        InputError: it says what the field holds, and names those that fit
    """
    if path in fields(samples, name):
        return
    own = root(samples).get_field_schema()[path]
    kind = getattr(own, "document_type", None) or type(own)
    what = " or ".join(["file paths", *(each.__name__ for each in LABELS[name])])
    raise InputError(
        f"expected a field of {what} as {name}, got {path!r}, which holds {kind.__name__}. There are: "
        f"{', '.join(fields(samples, name)) or 'none'}"
    )


def read(samples: Samples, paths: Mapping[str, str]) -> Iterator[Given]:
    """Yields what each sample of a view gives, as the view shows it: labels that it filters out are no part of a mask.

    Args:
        samples: a dataset or view
        paths: by input the field that it is read from
    """
    project = dict.fromkeys(("filepath", "prompt", "generation", "scenario", *paths.values()), True)
    schema = root(samples).get_field_schema()
    with database_errors():
        for row in samples._aggregate(pipeline=[{"$project": project}]):
            values = {name: _value(row.get(path), schema[path]) for name, path in paths.items()}
            generation, scenario = _document(row.get("generation")), _document(row.get("scenario"))
            yield Given(
                str(row["_id"]),
                row["filepath"],
                {name: value for name, value in values.items() if value},
                _text(row.get("prompt")),
                _text(generation.get("negative_prompt")),
                {name: value for name, value in scenario.items() if name[0] != "_" and _text(value).strip()},
                _text(generation.get("source")),
            )


def _value(held: Any, own: fo.Field) -> Any:
    if isinstance(own, fo.StringField):
        return _text(held).strip()
    if not isinstance(held, Mapping):
        return None
    kind = own.document_type
    if kind in LABELS["control"]:
        return _control(kind, held)
    return region(kind, held)


def _control(kind: type[fo.Label], held: Mapping[str, Any]) -> Control | None:
    if kind is fo.Heatmap:
        stored = bytes(held["map"]) if isinstance(held.get("map"), bytes) else _text(held.get("map_path"))
        return Control(map=stored) if stored else None
    figures = [*held.get("keypoints", [])] if kind is fo.Keypoints else [held]
    points = tuple(
        Points(_text(each.get("label")) or "points", tuple((_number(x), _number(y)) for x, y in each["points"]))
        for each in figures
        if each.get("points")
    )
    return Control(points=points) if points else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def region(kind: type[fo.Label], held: Mapping[str, Any]) -> Region:
    """Returns what a label marks, as the database holds it.

    Args:
        kind: its type
        held: its document
    """
    if kind is fo.Segmentation:
        stored = _stored(held)
        return Region(masks=((None, stored),) if stored else ())
    if kind in (fo.Polyline, fo.Polylines):
        lines = held.get("polylines") or [] if kind is fo.Polylines else [held]
        shapes = [shape for line in lines for shape in line.get("points") or []]
        return Region(polygons=tuple(tuple((float(x), float(y)) for x, y in shape) for shape in shapes if shape))
    detections = held.get("detections") or [] if kind is fo.Detections else [held]
    boxes: list[Bounds] = []
    masks: list[tuple[Bounds | None, Any]] = []
    for each in detections:
        bounds = each.get("bounding_box") or []
        if len(bounds) != 4:
            continue
        box = (float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3]))
        stored = _stored(each)
        if stored:
            masks.append((box, stored))
        else:
            boxes.append(box)
    return Region(tuple(boxes), masks=tuple(masks))


def _stored(held: Mapping[str, Any]) -> bytes | str:
    return bytes(held["mask"]) if isinstance(held.get("mask"), bytes) else _text(held.get("mask_path"))


def _document(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def without_own(given: Sequence[Given]) -> tuple[list[Given], int]:
    """Returns what to draw from: without the samples that were drawn from another of them, and how many those are.

    So a call whose source is the dataset that it adds to goes on where it ended, and does not draw from what it drew.
    """
    ids = {each.id for each in given}
    kept = [each for each in given if each.source not in ids]
    return kept, len(given) - len(kept)

"""Reads samples with what is marked in them, and adds changed ones beside them, with where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.splits import is_held_out
from loupe.brain.engine.output_folder import size_of
from loupe.brain.imaging.augmentation import Annotated, box_mask, resized_mask, whole_mask
from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_image_dataset, root
from loupe.brain.store.fields import OwnField
from loupe.brain.store.inserting import insert
from loupe.brain.store.relabel.corrected import corrected_fields
from loupe.brain.store.spread import spread

SOURCE = "generation.source"
#: the parts of ``generation`` that are written: type and what stands in it
_PARTS: dict[str, tuple[type[fo.Field], str]] = {
    "generator": (fo.StringField, "The generator that drew it"),
    "seed": (fo.IntField, "The seed of its noise"),
    "width": (fo.IntField, "Pixels"),
    "height": (fo.IntField, "Pixels"),
    "key": (fo.StringField, "Hash of all that decides the pixels"),
    "loupe_version": (fo.StringField, "The version of Loupe that made it"),
    "source": (fo.StringField, "The id of the sample that it was made from"),
    "transform": (fo.StringField, "What was changed, as JSON"),
}
#: what is Loupe's own about the source, and does not hold of the new picture
_OWN = {
    *("checked", "duplicate_group", "failures", "fingerprint", "generation", "quality", "review", "unknown"),
    *("id", "filepath", "metadata", "created_at", "last_modified_at", "tags"),
}
_CARRIED = {"prompt", "scenario"}
_LISTS: dict[type[fo.Label], str] = {fo.Detections: "detections", fo.Keypoints: "keypoints"}
_INSIDE = {**_LISTS, fo.Classifications: "classifications", fo.Polylines: "polylines"}
#: labels that a cut or a flip moves
MOVED = (fo.Classification, fo.Classifications, fo.Detection, fo.Detections, fo.Keypoint, fo.Keypoints, fo.Segmentation)
#: so many splits are named where they are none to train on
_NAMED = 5


@dataclass(frozen=True, eq=False)
class Plan:
    """What of a dataset's samples is carried over.

    Attributes:
        labels: the fields of labels
        others: fields of values that hold of the new picture, too
        left_out: fields of labels that are not carried over, and why
    """

    labels: tuple[str, ...]
    others: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)


def plan(samples: Samples, labels: Sequence[str] | None, split: str | None, geometric: bool) -> Plan:
    """Returns what is carried over.

    Args:
        samples: a dataset or view
        labels: the fields of labels; None: all whose labels have no confidence, since others are what a model said of
            the source
        split: the field of splits
        geometric: whether pixels are moved, and labels with them

    Raises:
        UnknownName: no such field of labels
        InputError: labels that cannot be moved
    """
    schema = root(samples).get_field_schema()
    known = {name: own for name in schema if (own := _label_of(schema[name])) is not None and name not in _OWN}
    for name in labels or ():
        if name not in known:
            raise UnknownName("field of labels", name, known)
    left_out: dict[str, str] = {}
    chosen, corrected = [], corrected_fields(samples)
    predicted = _with_confidence(samples, [name for name in known if labels is None])
    for name, kind in known.items():
        if labels is not None:
            if name in labels:
                chosen.append(name)
        elif fields.is_own(schema[name]) and name not in corrected:  # what was put right is true of a copy, too
            continue
        elif name in predicted:
            left_out[name] = "its labels have a confidence: a model said them of the source"
        elif geometric and kind not in MOVED:
            left_out[name] = f"{kind.__name__} cannot be cut: leave 'crop' and 'flip' out to carry it over"
        else:
            chosen.append(name)
    stuck = [name for name in chosen if geometric and known[name] not in MOVED]
    if stuck:
        raise InputError(
            f"expected labels that can be cut, but {stuck[0]!r} holds {known[stuck[0]].__name__}: leave it out, or "
            "'crop' and 'flip'"
        )
    others = [name for name in schema if _is_carried(name, schema[name], split) and name not in known]
    return Plan(tuple(chosen), tuple(others), left_out)


def _label_of(own: fo.Field) -> type[fo.Label] | None:
    document = getattr(own, "document_type", None)
    is_label = (
        isinstance(document, type) and issubclass(document, fo.Label) and isinstance(own, fo.EmbeddedDocumentField)
    )
    return document if is_label else None


def _is_carried(name: str, own: fo.Field, split: str | None) -> bool:
    numbers = isinstance(own, fo.ListField) and isinstance(own.field, fo.FloatField)
    if name in _OWN or numbers or isinstance(own, (fo.VectorField, fo.ArrayField)):  # vectors may be lists, too
        return False
    return name in _CARRIED or name == split or not fields.is_own(own)


def still(sample: Any, names: Iterable[str]) -> list[str]:
    """Returns those of the fields that a sample still has: some may be deleted while a run goes on."""
    return [name for name in names if sample.has_field(name)]


def _with_confidence(samples: Samples, names: Sequence[str]) -> set[str]:
    """Returns the fields of which some label has a confidence; a few samples are looked at."""
    schema = samples.get_field_schema(flat=True)
    paths = {}
    for name in names:
        inside = [path for path in schema if path.startswith(f"{name}.") and path.endswith(".confidence")]
        if inside:
            paths[name] = min(inside, key=len)
    if not paths:
        return set()
    with database_errors():
        columns = spread(samples).values(list(paths.values()))
    return {
        name
        for name, held in zip(paths, columns, strict=True)
        if any(item is not None for value in held for item in _flat(value))
    }


def _flat(value: Any) -> Iterable[Any]:
    return (item for part in value for item in _flat(part)) if isinstance(value, list) else (value,)


def require_training(samples: Samples, split: str | None, train: Sequence[str]) -> None:
    """Raises an error where a sample is in another split than those for training, or tagged as held out.

    Raises:
        UnknownName: no such field
        InputError: a field of something else than texts, or such a sample
    """
    outside: dict[str, int] = {}
    schema = root(samples).get_field_schema()
    if split is not None:
        if split not in schema:
            raise UnknownName(
                "field of splits", split, [name for name in schema if isinstance(schema[name], fo.StringField)]
            )
        if not isinstance(schema[split], fo.StringField):
            raise InputError(f"expected a field of texts, but {split!r} is a {type(schema[split]).__name__}")
        with database_errors():
            counts = samples.count_values(split)
        outside |= {str(name): n for name, n in counts.items() if name is not None and name not in train}
    with database_errors():
        tags = samples.count_sample_tags()
    outside |= {f"tag {tag}": n for tag, n in tags.items() if is_held_out(tag) and tag not in train}
    if outside:
        named = ", ".join(f"{n:,} in {name!r}" for name, n in list(outside.items())[:_NAMED])
        named += f" and {len(outside) - _NAMED:,} more" if len(outside) > _NAMED else ""
        raise InputError(
            f"expected training samples alone, got {named}: what is made of held-out pictures must never be trained "
            f"on, nor stand among them. Choose those whose {split or 'split'!r} is 'train', or name your "
            "training splits in train="
        )


def prepare(samples: Samples) -> None:
    """Declares the fields of what is added.

    Raises:
        InputError: the dataset is none of images, or has a field of the user's own called ``generation``
    """
    dataset = root(samples)
    require_image_dataset(dataset)
    document = OwnField("generation", fo.EmbeddedDocumentField, "How it was made", fo.DynamicEmbeddedDocument)
    parts = [OwnField(f"generation.{name}", kind, text) for name, (kind, text) in _PARTS.items()]
    fields.declare(dataset, [document, *parts])


def sources(samples: Samples) -> list[tuple[str, str]]:
    """Returns the id and the file of each sample that was not itself made this way."""
    paths = ["id", "filepath"]
    if not samples.has_field(SOURCE):
        with database_errors():
            return list(zip(*samples.values(paths), strict=True))
    with database_errors():
        columns = samples.values([*paths, SOURCE])
    return [(sample_id, path) for sample_id, path, source in zip(*columns, strict=True) if source is None]


def keys(samples: Samples) -> set[str]:
    """Returns the keys of the samples that are there."""
    with database_errors():
        return {key for key in root(samples).values("generation.key") if key is not None}


def read(samples: Samples, sample_ids: Sequence[str]) -> dict[str, fo.Sample]:
    """Returns some samples of the dataset by their ids."""
    with database_errors():
        return {sample.id: sample for sample in root(samples).select(list(sample_ids))}


@dataclass(frozen=True, eq=False)
class Marked:
    """What is marked in a picture, and where each of it belongs.

    Attributes:
        picture: the pixels with all of it
        boxes: (field, place in its list) of each box
        masks: (field, place in its list, or -1 for a mask of the whole picture) of each mask
        points: (field, place in its list, how many) of each run of points
    """

    picture: Annotated
    boxes: tuple[tuple[str, int], ...]
    masks: tuple[tuple[str, int], ...]
    points: tuple[tuple[str, int, int], ...]


def marked(sample: fo.Sample, pixels: np.ndarray, labels: Sequence[str]) -> Marked:
    """Returns a picture with the boxes, masks and points of some fields of its sample."""
    size = pixels.shape[:2]
    boxes, box_places, masks, mask_places, points, point_places = [], [], [], [], [], []
    for name in still(sample, labels):
        for at, label in enumerate(_items(sample[name])):
            if isinstance(label, fo.Detection):
                box = np.array([float("nan") if value is None else value for value in label.bounding_box or [None] * 4])
                boxes.append(box.astype(np.float64))
                box_places.append((name, at))
                if label.has_mask and np.isfinite(boxes[-1]).all() and (box[2:] > 0).all():
                    masks.append(whole_mask(_read_mask(label, name) > 0, boxes[-1], size))
                    mask_places.append((name, at))
            elif isinstance(label, fo.Segmentation) and label.has_mask:
                masks.append(resized_mask(_read_mask(label, name), size))
                mask_places.append((name, -1))
            elif isinstance(label, fo.Keypoint) and label.points:
                points += [[float(x), float(y)] for x, y in label.points]
                point_places.append((name, at, len(label.points)))
    made = Annotated(
        pixels,
        np.array(boxes, dtype=np.float64).reshape(-1, 4),
        tuple(masks),
        np.array(points, dtype=np.float64).reshape(-1, 2),
    )
    return Marked(made, tuple(box_places), tuple(mask_places), tuple(point_places))


def _read_mask(label: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(label.get_mask())
    except Exception as error:  # whatever is wrong with its file
        raise InputError(f"expected a mask in {name!r} that can be read, got {error}") from error


def _items(label: Any) -> list[Any]:
    if label is None:
        return []
    inside = _LISTS.get(type(label))
    return [label] if inside is None else list(getattr(label, inside) or [])


def names_of(label: Any) -> list[str]:
    """Returns the classes that a label of a sample names."""
    inside = _INSIDE.get(type(label))
    items = [label] if inside is None else getattr(label, inside) or []
    return [name for item in items if isinstance(name := getattr(item, "label", None), str)]


def moved(sample: fo.Sample, labels: Sequence[str], own: Marked, changed: Annotated) -> dict[str, Any]:
    """Returns the labels of a changed picture by field; boxes that cannot be moved are left out."""
    made = {name: copied(sample[name]) for name in still(sample, labels)}
    items = {name: _items(label) for name, label in made.items()}
    gone: set[tuple[str, int]] = set()
    for (name, at), box, lost in zip(own.boxes, changed.boxes, changed.lost, strict=True):
        if lost:
            gone.add((name, at))
        else:
            items[name][at].bounding_box = box.tolist()
    place = {key: at for at, key in enumerate(own.boxes)}
    for (name, at), mask in zip(own.masks, changed.masks, strict=True):
        label = items[name][max(at, 0)]
        label.mask_path = None
        label.mask = mask if at < 0 else box_mask(mask, changed.boxes[place[name, at]])
    start = 0
    for name, at, n in own.points:
        items[name][at].points = [tuple(point) for point in changed.points[start : start + n].tolist()]
        start += n
    for name, label in made.items():
        kept = [item for at, item in enumerate(items[name]) if (name, at) not in gone]
        inside = _LISTS.get(type(label))
        if inside is not None:
            setattr(label, inside, kept)
        elif label is not None and not kept:
            made[name] = None
    return made


def copied(label: Any) -> Any:
    """Returns a label as one of its own: no two labels of a dataset share an id."""
    if label is None:
        return None
    made = label.copy()
    inside = _INSIDE.get(type(made))
    for item in [made] if inside is None else getattr(made, inside) or []:
        item._id = ObjectId()
    return made


@dataclass(frozen=True, eq=False)
class Changed:
    """A changed picture that lies in the output folder.

    Attributes:
        path: the file
        source: the sample that it was made from
        labels: by field
        facts: what goes to ``generation``
    """

    path: Path
    source: fo.Sample
    labels: Mapping[str, Any]
    facts: Mapping[str, Any]


def add(samples: Samples, carried: Plan, changed: Sequence[Changed]) -> None:
    """Adds a sample for each changed picture whose key has none yet, in one bulk."""
    made = []
    for each in changed:
        own = {
            name: deepcopy(each.source[name])
            for name in still(each.source, carried.others)
            if each.source[name] is not None
        }
        metadata = fo.ImageMetadata(
            size_bytes=size_of(each.path),
            mime_type="image/png",
            width=each.facts["width"],
            height=each.facts["height"],
            num_channels=3,
        )
        facts = {name: each.facts.get(name) for name in _PARTS}
        sample = fo.Sample(
            filepath=str(each.path),
            tags=list(each.source.tags),
            metadata=metadata,
            generation=fo.DynamicEmbeddedDocument(**facts),
            **own,
            **{name: label for name, label in each.labels.items() if label is not None},
        )
        made.append((str(each.facts["key"]), sample))
    with database_errors():
        insert(root(samples), "generation.key", made)

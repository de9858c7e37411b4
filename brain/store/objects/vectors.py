"""Vectors of objects: an attribute of Loupe's field of them, with a map and an index that FiftyOne shows of patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import parts_hash
from loupe.brain.core.specs import Embedder
from loupe.brain.engine.crops import OBJECTS, no_box
from loupe.brain.engine.reader import Row
from loupe.brain.store import fields
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, everything, root
from loupe.brain.store.fields import CHECKED, OwnField
from loupe.brain.store.objects import mirror as objects
from loupe.brain.store.objects.mirror import Change, because, mirror_of
from loupe.brain.store.vectors import delete

#: under ``unknown`` of an object that no vector could be made of
LABEL = "embed"
_VECTORS, _EMBEDDERS = "object_vectors", "object_embedders"
#: bytes of vectors that one sample may hold: the database takes documents of 16 MB
_MAX_BYTES = 12_000_000


def path_of(path: str, field: str) -> str:
    """Returns where the vectors stand."""
    return f"{mirror_of(path)}.detections.{field}"


def key_of(field: str) -> str:
    """Returns what a row waits for, and what ``checked`` of a sample's objects remembers: no check has such a name."""
    return f"{LABEL}:{field}"


def own_fields(path: str, field: str, embedder: str) -> list[OwnField]:
    """Returns the fields of vectors of the objects of a field.

    Raises:
        InputError: no name that a field can have, or that of a score
    """
    taken = {output.name for output in objects.outputs_of(registry.of_objects().values())}
    standing = {"label", "bounding_box", "mask", "mask_path", "confidence", "index", "tags", "attributes", "id"}
    if not field.isidentifier() or field.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {field!r}")
    if field in taken | standing | {fields.SOURCE, fields.FAILURES, fields.UNKNOWN}:
        raise InputError(f"expected a field of vectors, but {field!r} of an object is something else: give another")
    text = f"Vectors of unit length by {embedder}"
    return [*fields.of_objects(mirror_of(path), path, ()), OwnField(path_of(path, field), fo.VectorField, text)]


def write(
    samples: Samples,
    path: str,
    field: str,
    rows: Sequence[Row],
    vectors: Mapping[str, np.ndarray],
    unreadable: Mapping[str, str],
) -> dict[str, str]:
    """Writes one chunk in one bulk; this is the resume point. Returns which samples hold too much, and why.

    Args:
        samples: a dataset or view
        path: the user's field of boxes
        field: the attribute
        rows: the samples of the chunk; one that is neither in ``vectors`` nor in ``unreadable`` counts as not embedded
        vectors: (M, D) float32 by sample id: of each object, NaN where there is none
        unreadable: the reason by sample id
    """
    as_stored = fo.VectorField().to_mongo
    too_large = {
        row.id: f"its {len(own):,} objects have more vectors than one sample can hold: give fewer of them"
        for row in rows
        if (own := vectors.get(row.id)) is not None and own.nbytes > _MAX_BYTES
    }
    changes = []
    for row in rows:
        own = None if row.id in too_large else vectors.get(row.id)
        regions = row.fields[OBJECTS]
        values: list[dict[str, Any]] = [{field: None} for _ in regions]
        reasons: list[list[str]] = [[] for _ in regions]
        for at, region in enumerate(regions):
            if own is not None and own.shape[1] and np.isfinite(own[at]).all():
                values[at][field] = as_stored(own[at])
            elif row.id in unreadable:
                reasons[at].append(because(key_of(field), f"unreadable: {unreadable[row.id]}"))
            elif (why := no_box(region.bounds)) is not None:
                reasons[at].append(because(key_of(field), why))
        known = row.id in unreadable or own is not None
        changes.append(Change(row, values, reasons, {} if known else {key_of(field): "not embedded"}))
    objects.write_changes(samples, path, changes)
    return too_large


def made_by(samples: Samples, path: str, field: str) -> dict[str, Any] | None:
    """Returns the name, version and parameters of the embedder of the vectors; None where that is not known."""
    if not root(samples).has_field(path_of(path, field)):
        return None
    facts = (store_runs.settings(samples).get(_EMBEDDERS) or {}).get(mirror_of(path), {}).get(field)
    return None if facts is None else dict(facts)


def remember_embedder(samples: Samples, spec: Embedder, path: str, field: str) -> None:
    """Keeps in the dataset's info which embedder the vectors are of."""
    facts = {"name": spec.name, "version": spec.version, **spec.params()}
    if made_by(samples, path, field) != facts:
        store_runs.set_settings(samples, {f"{_EMBEDDERS}.{mirror_of(path)}.{field}": facts})


def require_same(samples: Samples, path: str, field: str, spec: Embedder, ids: set[str]) -> None:
    """Raises an error where vectors of another embedder would stay beside the new ones.

    Args:
        samples: a dataset or view
        path: the user's field of boxes
        field: the attribute
        spec: the embedder
        ids: the samples whose objects are embedded

    Raises:
        InputError: there are such vectors
    """
    dataset = root(samples)
    if not dataset.has_field(path_of(path, field)):
        return
    name = key_of(field)
    with database_errors():
        found_ids, keys = dataset.values(["id", f"{mirror_of(path)}.{CHECKED}"])
    for sample_id, checked in zip(found_ids, keys, strict=True):
        key = (checked or {}).get(name)
        if key is not None and sample_id not in ids and not key.startswith(f"{spec.key}:"):
            raise InputError(
                f"{field!r} of the objects holds vectors of another embedder outside this view, which cannot be "
                "compared with these: embed the whole dataset, or give another field="
            )


def signature(samples: Samples, path: str, field: str) -> tuple[str, int]:
    """Returns what changes when a vector of the dataset's objects does, and how many vectors there are."""
    mirror = mirror_of(path)
    with_vector = fo.ViewField(f"{mirror}.detections").filter(fo.ViewField(field) != None).length()  # noqa: E711
    with database_errors():
        ids, checked, counts = everything(samples).values(["id", f"{mirror}.{CHECKED}", with_vector])
    pairs = zip(ids, checked, strict=True)
    made = parts_hash((f"{sample_id}={(keys or {}).get(key_of(field))};" for sample_id, keys in pairs), 8)
    return made, sum(count or 0 for count in counts)


def read(samples: Samples, path: str, field: str) -> tuple[list[str], np.ndarray]:
    """Returns the ids of the dataset's objects that have a vector, and the (M, D) float32 vectors."""
    inside = f"{mirror_of(path)}.detections"
    with database_errors():
        ids, vectors = everything(samples).values([f"{inside}.id", f"{inside}.{field}"])
    own, kept = [], []
    for labels, values in zip(ids, vectors, strict=True):
        for label_id, vector in zip(labels or (), values or (), strict=True):
            if vector is not None:
                own.append(label_id)
                kept.append(vector)
    return own, np.stack(kept).astype(np.float32) if kept else np.zeros((0, 0), np.float32)


def remembered(samples: Samples, brain_key: str) -> str | None:
    """Returns what a brain run was made from; None where there is no such run."""
    if brain_key not in root(samples).list_brain_runs():
        return None
    made_from = (store_runs.settings(samples).get(_VECTORS) or {}).get(brain_key)
    return None if made_from is None else str(made_from)


def write_points(samples: Samples, path: str, brain_key: str, points: Mapping[str, np.ndarray], made_from: str) -> None:
    """Stores a map where FiftyOne's Embeddings panel finds it, as one of patches; an older one is replaced.

    Args:
        samples: a dataset or view
        path: the user's field of boxes
        brain_key: the map's name in the panel
        points: (2,) by the id of the object
        made_from: what it was made from, see ``remembered``
    """
    import fiftyone.brain as fob

    with database_errors():
        delete(samples, brain_key)
        own = {label_id: np.asarray(point, dtype=np.float64) for label_id, point in points.items()}
        fob.compute_visualization(everything(samples), patches_field=mirror_of(path), points=own, brain_key=brain_key)
        store_runs.set_settings(samples, {f"{_VECTORS}.{brain_key}": made_from})


def write_similarity(samples: Samples, path: str, field: str, brain_key: str, made_from: str) -> None:
    """Makes the similarity index over the objects that have a vector; an older one of that key is replaced."""
    import fiftyone.brain as fob

    mirror = mirror_of(path)
    with database_errors():
        delete(samples, brain_key)
        view = everything(samples).filter_labels(mirror, fo.ViewField(field) != None)  # noqa: E711
        fob.compute_similarity(
            view,
            patches_field=mirror,
            embeddings=field,
            brain_key=brain_key,
            backend="sklearn",
            metric="euclidean",
            progress=False,
        )
        store_runs.set_settings(samples, {f"{_VECTORS}.{brain_key}": made_from})

"""Vectors become a field, a map that FiftyOne's Embeddings panel shows, and a similarity index."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import parts_hash
from loupe.brain.core.specs import Embedder
from loupe.brain.engine.reader import Row
from loupe.brain.media import fetching
from loupe.brain.similarity.gathered import Gathered, Vectors
from loupe.brain.store import fields, plain, updates
from loupe.brain.store import rows as store_rows
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count, everything, require_images, root
from loupe.brain.store.fields import CHECKED, UNKNOWN

#: the label under ``unknown`` of a sample that no vector could be made of
LABEL = "embed"
_VECTORS = "vectors"
_EMBEDDERS = "embedders"

_Samples: TypeAlias = fo.Dataset | fo.DatasetView


def pending_rows(samples: _Samples, spec: Embedder, field: str, *, resume: bool = True) -> tuple[Sequence[Row], int]:
    """Returns the rows that have no vector of this embedder yet, and how many samples were left out because they have.

    ``checked.<field>`` remembers which embedder saw which file; where either has changed, the sample is pending again.

    Raises:
        InputError: the field holds something else, or vectors that are not of this embedder and would stay beside it
        NoSamples: the view is empty
    """
    require_images(samples)
    _require_own_field(samples, spec, field)
    fields.require(samples, fields.of_vectors(field, spec.name))
    with database_errors():
        (ids, paths, keys), _ = plain.read(samples, [plain.ID, "filepath", f"{CHECKED}.{field}"])
        lost = _without_vector(samples, field)
    fetching.ask(paths)
    rows, pending = store_rows.Rows({field: spec.key}), frozenset({field})
    for sample_id, path, known in zip(ids, paths, keys, strict=True):
        inputs = store_rows.inputs_key(path, {})
        if not resume or known != f"{spec.key}:{inputs}" or sample_id in lost:
            rows.add(sample_id, path, inputs, pending, {})
    return rows, len(ids) - len(rows)


def _without_vector(samples: _Samples, field: str) -> set[str]:
    """Returns the ids of the samples whose vector is gone for no reason that stands under ``unknown``."""
    if not samples.has_field(field):
        return set(samples.values("id"))
    empty = samples.exists(field, False)
    labels = f"{UNKNOWN}.classifications.label"
    if not samples.has_field(labels):
        return set(empty.values("id"))
    columns = empty.values(["id", labels])
    return {sample_id for sample_id, own in zip(*columns, strict=True) if LABEL not in (own or ())}


def _require_own_field(samples: _Samples, spec: Embedder, field: str) -> None:
    dataset = root(samples)
    if not field.isidentifier() or field.startswith("_"):
        raise InputError(f"expected a field name made of letters, digits and _, got {field!r}")
    if not dataset.has_field(field):
        return
    kind = dataset.get_field(field)
    if not isinstance(kind, fo.VectorField):
        raise InputError(f"expected a field of vectors, but {field!r} is a {type(kind).__name__}: give another field=")
    with database_errors():
        held = dataset.exists(field)
        (ids, keys), _ = plain.read(held, [plain.ID, f"{CHECKED}.{field}"])
        inside = set(samples.values("id")) if samples is not dataset else None
    for sample_id, key in zip(ids, keys, strict=True):
        # a field of Loupe's whose ``checked`` somebody has deleted is embedded anew
        if key is None and not fields.is_own(kind):
            raise InputError(f"{field!r} holds vectors that Loupe did not make: give another field= to keep them")
        if inside is not None and sample_id not in inside and not (key or "").startswith(f"{spec.key}:"):
            raise InputError(
                f"{field!r} holds vectors of another embedder outside this view, which cannot be compared with these: "
                "embed the whole dataset, or give another field="
            )


def declare(samples: _Samples, spec: Embedder, field: str) -> None:
    """Declares the field."""
    fields.declare(samples, fields.of_vectors(field, spec.name))


def write(
    samples: _Samples,
    field: str,
    rows: Sequence[Row],
    vectors: Mapping[str, np.ndarray],
    unreadable: Mapping[str, str],
) -> None:
    """Writes one chunk in one bulk. This is the resume point.

    Args:
        samples: a dataset or view
        field: where the vectors go
        rows: the samples of the chunk; one that is neither in ``vectors`` nor in ``unreadable`` counts as not embedded
        vectors: (D,) float32 by sample id
        unreadable: the reason by sample id
    """
    as_stored = fo.VectorField().to_mongo
    operations = []
    for row in rows:
        vector = vectors.get(row.id)
        values: dict[str, Any] = {
            field: None if vector is None else as_stored(vector),
            f"{CHECKED}.{field}": row.keys[field] if row.id in vectors or row.id in unreadable else None,
        }
        why = {LABEL: f"unreadable: {unreadable[row.id]}"} if row.id in unreadable else {}
        operations.append(updates.update(row.id, values, {UNKNOWN: updates.reasons([LABEL], why)}))
    with database_errors():
        updates.write(samples, operations, [row.id for row in rows])


def signature(samples: _Samples, field: str) -> tuple[str, int]:
    """Returns what changes when a vector of the dataset's field does, and how many vectors there are."""
    with database_errors():
        ids, checked = everything(samples).exists(field).values(["id", CHECKED])
    pairs = zip(ids, checked, strict=True)
    return parts_hash((f"{sample_id}={(keys or {}).get(field)};" for sample_id, keys in pairs), 8), len(ids)


def stream(samples: SampleCollection, field: str) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yields the id and the vector of each sample, None where it has none, as the database sends them.

    A list of all of them, as FiftyOne's ``values`` makes it, would hold a million vectors beside the matrix.
    """
    headers: dict[bytes, np.dtype[Any]] = {}
    with database_errors():
        for row in samples._aggregate(pipeline=[{"$project": {"_id": True, "vector": f"${field}"}}]):
            vector = row.get("vector")
            yield str(row["_id"]), _decoded(vector, headers) if isinstance(vector, bytes) else _listed(vector)


def gather(samples: _Samples, field: str, *, unit: bool = True) -> tuple[list[str], Vectors]:
    """Returns the ids of all N samples, and those of their vectors that can be compared, by their places."""
    ids: list[str] = []
    gathered = Gathered(n := count(samples), unit=unit)
    for sample_id, vector in stream(samples, field):
        if len(ids) < n:  # others came meanwhile
            gathered.put(len(ids), vector)
            ids.append(sample_id)
    return ids, gathered.vectors()


def of_ids(samples: SampleCollection, field: str, ids: Iterable[str]) -> Vectors:
    """Returns the vectors of some of the samples that can be compared, by the places of their ids."""
    place = {sample_id: at for at, sample_id in enumerate(ids)}
    gathered = Gathered(len(place))
    for sample_id, vector in stream(samples, field):
        if (at := place.pop(sample_id, None)) is not None:
            gathered.put(at, vector)
    for at in place.values():  # gone since
        gathered.put(at, None)
    return gathered.vectors()


def _listed(vector: Any) -> np.ndarray | None:
    return None if vector is None else np.asarray(vector, dtype=np.float32)


def _decoded(stored: bytes, headers: dict[bytes, np.dtype[Any]]) -> np.ndarray:
    """Returns a vector as FiftyOne stores it: what ``numpy.save`` writes, packed. A header is read once."""
    plain = zlib.decompress(stored)
    start = 10 + int.from_bytes(plain[8:10], "little")
    kind = headers.get(plain[:start])
    if kind is not None:
        return np.frombuffer(plain, kind, offset=start)
    made = np.asarray(np.load(io.BytesIO(plain)))
    if plain[6:8] == b"\x01\x00" and made.ndim == 1:
        headers[plain[:start]] = made.dtype
    return made


def read(samples: _Samples, field: str) -> tuple[list[str], np.ndarray]:
    """Returns the ids of the dataset's samples that have a vector, and the (N, D) float32 vectors.

    Raises:
        InputError: vectors of two sizes
    """
    held = everything(samples).exists(field)
    ids: list[str] = []
    n = count(held)
    table = np.zeros((0, 0), np.float32)
    for sample_id, vector in stream(held, field):
        if vector is None or len(ids) == n:  # came or went while they are read
            continue
        if not ids:
            table = np.empty((n, vector.size), np.float32)
        if vector.size != table.shape[1]:
            raise InputError(
                f"expected vectors of one size in {field!r}, got some of {table.shape[1]} numbers and one of "
                f"{vector.size}, on sample {sample_id}: embed all with the same embedder"
            )
        table[len(ids)] = vector.ravel()
        ids.append(sample_id)
    return ids, table[: len(ids)]


def remembered(samples: _Samples, brain_key: str) -> str | None:
    """Returns what a brain run was made from; None where there is no such run."""
    dataset = root(samples)
    if brain_key not in dataset.list_brain_runs():
        return None
    remembered_as = store_runs.settings(samples).get(_VECTORS, {}).get(brain_key)
    return None if remembered_as is None else str(remembered_as)


def fields_of(samples: _Samples) -> list[str]:
    """Returns the fields with a vector that stands for the picture, ``embeddings`` first."""
    schema = samples.get_field_schema()
    named = [name for name, kind in schema.items() if isinstance(kind, fo.VectorField) and name != fields.FINGERPRINT]
    return sorted(named, key=lambda name: name != "embeddings")


def made_by(samples: _Samples, field: str) -> dict[str, Any] | None:
    """Returns the name, version and parameters of the embedder of a field's vectors; None where that is not known."""
    if not root(samples).has_field(field):
        return None
    facts = store_runs.settings(samples).get(_EMBEDDERS, {}).get(field)
    return None if facts is None else dict(facts)


def remember_embedder(samples: _Samples, spec: Embedder, field: str) -> None:
    """Keeps in the dataset's info which embedder a field's vectors are of."""
    facts = {"name": spec.name, "version": spec.version, **spec.params()}
    if made_by(samples, field) != facts:
        store_runs.set_settings(samples, {f"{_EMBEDDERS}.{field}": facts})


def write_points(samples: _Samples, field: str, brain_key: str, points: np.ndarray, made_from: str) -> None:
    """Stores a map where FiftyOne's Embeddings panel finds it; an older one of that key is replaced.

    Args:
        samples: a dataset or view
        field: the field of the vectors
        brain_key: the map's name in the panel
        points: (N, 2), one for each sample of the dataset that has a vector, in order
        made_from: what it was made from, see ``remembered``
    """
    import fiftyone.brain as fob

    with database_errors():
        view = everything(samples).exists(field)
        delete(samples, brain_key)
        fob.compute_visualization(view, points=points.astype(np.float64), brain_key=brain_key)
        store_runs.set_settings(samples, {f"{_VECTORS}.{brain_key}": made_from})


def write_similarity(samples: _Samples, field: str, brain_key: str, made_from: str) -> None:
    """Makes the similarity index over the dataset's vectors; an older one of that key is replaced."""
    import fiftyone.brain as fob

    with database_errors():
        view = everything(samples).exists(field)
        delete(samples, brain_key)
        # of unit vectors, the order by distance is that by cosine; FiftyOne's own "cosine" takes the mean off first
        fob.compute_similarity(
            view, embeddings=field, brain_key=brain_key, backend="sklearn", metric="euclidean", progress=False
        )
        store_runs.set_settings(samples, {f"{_VECTORS}.{brain_key}": made_from})


def delete(samples: _Samples, brain_key: str) -> None:
    """Deletes a brain run if there is one. The vectors stay."""
    dataset = root(samples)
    if brain_key in dataset.list_brain_runs():
        dataset.delete_brain_run(brain_key)

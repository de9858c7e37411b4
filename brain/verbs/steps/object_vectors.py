"""What ``embed`` does with ``objects=``: a vector of the crop of each object, a map of them, and an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from loupe.brain.core.results import Run
from loupe.brain.core.specs import Embedder
from loupe.brain.core.warned import warn
from loupe.brain.engine.map import Mapped, map_rows
from loupe.brain.engine.objects import OBJECTS, embedding
from loupe.brain.store import fields as store_fields
from loupe.brain.store.datasets import count, everything, root
from loupe.brain.store.objects import mirror as store_objects
from loupe.brain.store.objects import vectors as store_vectors
from loupe.brain.store.vectors import delete
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.embedding import MIN_VECTORS, Drawing, drawn_message, pick_embedder, project, too_few


def embed_objects(
    verb: Lifecycle,
    path: str,
    field: str,
    embedder: str | Embedder,
    drawing: Drawing,
    *,
    batch_size: int,
    resume: bool,
) -> Run:
    """Embeds the objects of a field, see ``loupe.embed``."""
    samples = verb.samples
    store_objects.require(samples, path)
    is_part = count(samples) < count(everything(samples))
    spec, warning = pick_embedder(embedder, store_vectors.made_by(samples, path, field), is_part, field)
    own = store_vectors.own_fields(path, field, spec.name)
    store_fields.require(samples, own)
    if is_part:
        store_vectors.require_same(samples, path, field, spec, set(samples.values("id")))
    if warning:
        warn(warning)
    name = store_vectors.key_of(field)
    # where somebody has deleted the field, nothing of it is done
    resume = resume and root(samples).has_field(store_vectors.path_of(path, field))
    todo = store_objects.pending(samples, path, {name: spec.key}, resume=resume)
    store_fields.declare(samples, own)
    store_objects.empty(samples, path, todo.emptied)
    verb.step(0, len(todo.rows), "loading")
    tasks = [embedding(spec, name)] if todo.rows else []
    chunks = map_rows(todo.rows, tasks, engine=verb.engine, device=verb.device, batch_size=batch_size)
    unknown, errors = _stored(verb, chunks, spec, path, field, len(todo.rows))
    messages = {"embedder": warning} if warning else {}
    messages |= _drawn(verb, path, field, drawing)
    run = verb.finish(
        len(todo.rows),
        skipped=todo.skipped,
        errors=errors,
        unknown={store_vectors.LABEL: unknown} if unknown else {},
        params={
            "objects": path,
            "n_objects": todo.objects,
            "embedder": {"name": spec.name, "version": spec.version, **spec.params()},
            "field": field,
            "visualize": drawing.visualize,
            "similarity": drawing.similarity,
            "seed": drawing.seed,
        },
        messages=messages,
    )
    verb.step(len(todo.rows), len(todo.rows), "done")
    return run


def _stored(
    verb: Lifecycle,
    chunks: Iterable[Sequence[Mapped[np.ndarray]]],
    spec: Embedder,
    path: str,
    field: str,
    total: int,
) -> tuple[int, dict[str, str]]:
    """Stores the vectors as they come; returns how many objects have none for a reason, and the errors by sample."""
    name = store_vectors.key_of(field)
    done = objects = unknown = 0
    errors: dict[str, str] = {}
    for chunk in chunks:
        vectors: dict[str, np.ndarray] = {}
        unreadable = {mapped.row.id: mapped.unreadable for mapped in chunk if mapped.unreadable is not None}
        for mapped in chunk:
            own = mapped.values.get(name)
            n = len(mapped.row.fields[OBJECTS])
            objects += n
            if own is not None and not np.isinf(own).any():
                vectors[mapped.row.id] = own
                unknown += n if not own.shape[1] else int(np.isnan(own).any(1).sum())
            elif own is not None:
                errors[mapped.row.id] = "the embedder gave numbers that are not finite"
            elif mapped.errors:
                errors[mapped.row.id] = mapped.errors[name]
            else:
                unknown += n
        if vectors:
            store_vectors.remember_embedder(verb.samples, spec, path, field)
        rows = [mapped.row for mapped in chunk if not mapped.not_now]
        errors |= store_vectors.write(verb.samples, path, field, rows, vectors, unreadable)
        done += len(chunk)
        verb.step(done, total, f"embedding ({objects:,} objects)")
    return unknown, errors


def _drawn(verb: Lifecycle, path: str, field: str, drawing: Drawing) -> dict[str, str]:
    """Makes the map and the index of all objects of the dataset that have a vector, unless they stand already.

    Returns:
        why there is no map
    """
    samples = verb.samples
    made_from, n = store_vectors.signature(samples, path, field)
    stem = f"{store_objects.mirror_of(path)}_{field}"
    messages = {}
    kind = drawing.visualize
    if kind is not None:
        verb.step(0, 0, "drawing the map")
        of = f"{made_from}:{kind}:{drawing.seed}"
        if n < MIN_VECTORS[kind]:
            delete(samples, f"{stem}_{kind}")
            messages[kind] = too_few(kind, field, n)
            warn(messages[kind])
        elif store_vectors.remembered(samples, f"{stem}_{kind}") != of:
            if message := drawn_message(kind, n):
                messages["map"] = message
            ids, vectors = store_vectors.read(samples, path, field)
            points = dict(zip(ids, project(vectors, kind, drawing.seed), strict=True))
            store_vectors.write_points(samples, path, f"{stem}_{kind}", points, of)
    if drawing.similarity and n and store_vectors.remembered(samples, f"{stem}_similarity") != made_from:
        verb.step(0, 0, "indexing")
        store_vectors.write_similarity(samples, path, field, f"{stem}_similarity", made_from)
    return messages

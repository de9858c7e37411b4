"""``loupe.embed``: vectors, a map of them, and a similarity index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.core.specs import Embedder
from loupe.brain.core.warned import warn
from loupe.brain.engine.map import Mapped, Task, map_rows
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.datasets import count, everything
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps.embedding import (
    AUTO,
    MAPS,
    MIN_VECTORS,
    Drawing,
    drawn_message,
    pick_embedder,
    project,
    too_few,
)
from loupe.brain.verbs.steps.object_vectors import embed_objects

if TYPE_CHECKING:
    import fiftyone as fo
    from torch import Tensor


def embed(
    samples: fo.Dataset | fo.DatasetView,
    *,
    embedder: str | Embedder = AUTO,
    field: str = "embeddings",
    objects: str | None = None,
    visualize: str | None = "umap",
    similarity: bool = True,
    device: str | None = None,
    engine: str = "local",
    batch_size: int = 16,
    resume: bool = True,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Turns each image into a vector, draws a map of the vectors, and makes them searchable.

    Chunk by chunk: what is stored stays, and the same call goes on from there; only new and changed files are embedded.
    Another embedder embeds all of them anew. A file that cannot be read stands under ``unknown`` with its reason.

    The map (brain key ``<field>_umap`` or ``<field>_pca``, shown by FiftyOne's Embeddings panel) and the similarity
    index (``<field>_similarity``) hold every sample of the dataset that has a vector in this field, and are made anew
    only when a vector has changed.

    Args:
        samples: a dataset or view of images
        embedder: a name, or a spec with parameters of your own. ``"auto"``: what the field's vectors are of already,
            else ``open_clip`` where its weights are here, else ``efficientnet_lite`` where its are, else ``hog``, with
            a warning: it is no basis for label issues, outliers or realism. Nothing is downloaded; a whole dataset
            with vectors of ``hog`` is embedded anew once a better one is here
        field: where the vectors go: float32 of unit length
        objects: a field of detections: embed the crop of each of its objects instead of the whole pictures. The vectors
            go to that attribute of ``<field>_objects``, and the map and the index are of those objects (brain keys
            ``<field>_objects_<field>_umap``, ``…_similarity``), see docs/objects.md
        visualize: ``"umap"``, ``"pca"``, or None for no map
        similarity: whether to make the similarity index
        device: e.g. ``"cuda:1"``; the best there is by default
        engine: where to run; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        batch_size: the most images an embedder gets at once
        resume: leave out what the same embedder has seen already and that has not changed since
        seed: of the map
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what was done: how many samples, errors, and unknowns; in ``messages`` also the warning, and why there is no
        map. Which embedder it was stands in the run's ``params``, and in ``dataset.info["loupe"]["embedders"]``

    Raises:
        UnknownName: no embedder of that name; the nearest name is suggested
        ModelError: its weights cannot be had; no other embedder is taken instead
        MissingWeights: its file is not here, or "auto" cannot go on with what the field's vectors are of
        InputError: the field holds something else
        NoSamples: the view is empty
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was done is stored
        Stopped: ``progress`` asked to stop; what was done is stored
        DatabaseGone: the database stopped answering; what was done is stored

    >>> loupe.embed(dataset, embedder="hog")  # doctest: +SKIP
    Run(loupe_embed_1: 216 done, 0 already done, 0 errors, unknown: none, 9.2 s on cpu)
    """
    if visualize is not None and visualize not in MAPS:
        raise InputError(f"expected visualize to be 'umap', 'pca' or None, got {visualize!r}")
    require_whole(batch_size=(batch_size, 1))
    if objects is not None:
        with running(samples, "embed", progress, device=device, engine=engine) as verb:
            return embed_objects(
                verb,
                objects,
                field,
                embedder,
                Drawing(visualize, similarity, seed),
                batch_size=batch_size,
                resume=resume,
            )
    with running(samples, "embed", progress, device=device, engine=engine) as verb:
        samples = verb.samples
        before = store_vectors.made_by(samples, field)
        spec, warning = pick_embedder(embedder, before, count(samples) < count(everything(samples)), field)
        if warning:
            warn(warning)
        rows, skipped = store_vectors.pending_rows(samples, spec, field, resume=resume)
        store_vectors.declare(samples, spec, field)
        verb.step(0, len(rows), "loading")
        # one model at work: it may have all of torch's threads
        tasks = [Task(field, spec.load, _split, spec.long_side)] if rows else []
        chunks = map_rows(rows, tasks, engine=verb.engine, device=verb.device, batch_size=batch_size)
        done, unreadable, errors = _stored(verb, chunks, spec, field, len(rows))

        messages = {"embedder": warning} if warning else {}
        made_from, n = store_vectors.signature(samples, field)
        if n:  # of what an earlier version has stored, too
            store_vectors.remember_embedder(samples, spec, field)
        if visualize is not None:
            verb.step(done, len(rows), "drawing the map")
            if message := drawn_message(visualize, n):
                messages["map"] = message
            why_not = _draw(samples, field, visualize, seed, f"{made_from}:{visualize}:{seed}", n)
            if why_not:
                warn(why_not)
                messages[visualize] = why_not
        index = f"{field}_similarity"
        if similarity and n and store_vectors.remembered(samples, index) != made_from:
            verb.step(done, len(rows), "indexing")
            store_vectors.write_similarity(samples, field, index, made_from)
        run = verb.finish(
            done,
            skipped=skipped,
            errors=errors,
            unknown={store_vectors.LABEL: unreadable} if unreadable else {},
            params={
                "embedder": {"name": spec.name, "version": spec.version, **spec.params()},
                "field": field,
                "visualize": visualize,
                "similarity": similarity,
                "seed": seed,
            },
            messages=messages,
        )
        verb.step(len(rows), len(rows), "done")
        return run


def _split(vectors: Tensor, n: int) -> list[np.ndarray]:
    return list(vectors.float().cpu().numpy())


def _stored(
    verb: Lifecycle, chunks: Iterable[Sequence[Mapped[np.ndarray]]], spec: Embedder, field: str, total: int
) -> tuple[int, int, dict[str, str]]:
    """Stores the vectors as they come; returns how many samples were seen, how many are unreadable, and the errors."""
    done = unreadable = 0
    errors: dict[str, str] = {}
    for chunk in chunks:
        vectors = {}
        for mapped in chunk:
            vector = mapped.values.get(field)
            if vector is not None and np.isfinite(vector).all():
                vectors[mapped.row.id] = vector
            elif vector is not None:
                errors[mapped.row.id] = "the embedder gave numbers that are not finite"
            elif mapped.errors:
                errors[mapped.row.id] = mapped.errors[field]
        if vectors:  # first, so that there are no vectors of which it is not known
            store_vectors.remember_embedder(verb.samples, spec, field)
        reasons = {mapped.row.id: mapped.unreadable for mapped in chunk if mapped.unreadable is not None}
        rows = [mapped.row for mapped in chunk if not mapped.not_now]
        store_vectors.write(verb.samples, field, rows, vectors, reasons)
        unreadable += len(reasons)
        done += len(chunk)
        verb.step(done, total, "embedding")
    return done, unreadable, errors


def _draw(samples: fo.Dataset | fo.DatasetView, field: str, kind: str, seed: int, made_from: str, n: int) -> str | None:
    """Makes the map unless it stands already; returns why not if there are too few vectors."""
    key = f"{field}_{kind}"
    if n < MIN_VECTORS[kind]:
        store_vectors.delete(samples, key)
        return too_few(kind, field, n)
    if store_vectors.remembered(samples, key) == made_from:
        return None
    _, vectors = store_vectors.read(samples, field)
    store_vectors.write_points(samples, field, key, project(vectors, kind, seed), made_from)
    return None

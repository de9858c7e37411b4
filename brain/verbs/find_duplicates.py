"""``loupe.find_duplicates``: samples that show the same picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import DuplicatesResult, Pair
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.sets.leaks import Leaks as LeaksMeasure
from loupe.brain.similarity import cohesion, fingerprints, neighbors
from loupe.brain.similarity.duplicates import ComparedBefore, equal_pictures, grouped, similar_pictures
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.duplicates import fingerprints as store_prints
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.object_duplicates import find_among_objects

if TYPE_CHECKING:
    import fiftyone as fo


def find_duplicates(
    samples: fo.Dataset | fo.DatasetView,
    *,
    exact: bool = True,
    near: bool = True,
    embeddings: str | None = None,
    threshold: float | None = None,
    objects: str | None = None,
    resume: bool = True,
    engine: str = "local",
    progress: bool | ProgressCallback | None = None,
) -> DuplicatesResult:
    """Finds samples with the same bytes, the same pixels, or nearly the same picture.

    Writes ``quality.exact_duplicate`` (how many others are equal), ``quality.near_duplicate`` (the highest similarity
    to another sample) and ``duplicate_group`` (the id of the group's representative: its largest picture), and flags
    the failures. What is needed of each file is kept in ``fingerprint``, chunk by chunk, and so are the similarities
    that were found: a second call reads only what is new or changed, and compares only that with all others. Pictures
    that a person decided to be no duplicates of each other (the panel *Duplicates*) are no pair any more.

    Args:
        samples: a dataset or view of N images; each is compared with the others of it only
        exact: look for equal bytes and equal pixels
        near: look for nearly the same picture, see ``brain/similarity/matching.py``; takes time in proportion to N² up
            to 150,000 pictures. Of more, hashes are compared within cells, and how much that finds is measured and told
            in ``messages``
        embeddings: a field of vectors; the nearest by them are compared, too, beside those of like hashes
        threshold: the similarity in [0, 1] above which two are near duplicates; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
        objects: a field of detections: compare the crops of its objects instead of the whole pictures. The labels stay
            as they are; what is known of each object stands in ``<field>_objects``, see docs/objects.md
        resume: use what an earlier call has kept
        engine: where files are read; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the pairs, and the groups that they connect, representative first. Of samples that are equal to each other, each
        is paired with the first. Of objects an ``ObjectDuplicates``, which also says which copies have two classes

    Raises:
        InputError: neither exact nor near, a threshold outside [0, 1], or embeddings of objects
        UnknownName: no such field of detections; the nearest name is suggested
        InputError: they are no images of a dataset, or a field of the user's own has a name that Loupe writes to
        NoSamples: the view is empty
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was read is kept
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_duplicates(dataset).groups  # doctest: +SKIP
    (('6700…01', '6700…07'),)
    """
    if not exact and not near:
        raise InputError("expected exact=True, near=True or both, got neither")
    if objects is not None:
        if embeddings is not None:
            raise InputError(f"expected no embeddings, since objects are compared by their crops, got {embeddings!r}")
        with running(samples, "find_duplicates", progress, label="duplicates", engine=engine) as verb:
            return find_among_objects(verb, objects, threshold, exact=exact, near=near, resume=resume)
    with running(samples, "find_duplicates", progress, label="duplicates", engine=engine) as verb:
        samples = verb.samples
        limit = threshold_of(samples, "near_duplicate", threshold)
        spec = registry.pick("set measure", registry.sets(), DuplicatesMeasure.name)
        assert isinstance(spec, DuplicatesMeasure)
        fields = [*store_fields.of_groups(spec.outputs), *store_fields.of_fingerprints()]
        store_fields.require(samples, fields)
        rows = store_sets.rows(samples, spec)
        further, near_by_vectors = None, ""
        if embeddings is not None:
            further, near_by_vectors = _near_vectors(store_sets.comparable(samples, rows, embeddings), spec)

        stored = store_prints.load(samples, rows) if resume else ()
        keep, last = partial(store_prints.write, samples), partial(store_prints.last, samples)
        known = fingerprints.read(rows, verb.report, stored, keep, last, engine=verb.engine)
        ids = [row.id for row in rows]
        distinct = store_sets.distinct_codes(samples, ids)
        equal = equal_pictures(known, distinct)
        pairs = list(equal.pairs) if exact else []
        columns = {"exact_duplicate": equal.counts} if exact else {}
        if near:
            before = _compared_before(samples, spec, ids, known.stored)
            listed_by_leaks = store_sets.places_of_same(samples, LeaksMeasure.name, ids)
            similar = similar_pictures(
                known, equal, spec, before, further, verb.report, distinct, listed=listed_by_leaks
            )
            named = {(ids[a], ids[b]): value for (a, b), value in similar.similarities.items()}
            store_sets.save_pairs(samples, spec, [ids[at] for at in similar.compared], named)
            columns["near_duplicate"] = similar.highest
            pairs += similar.pairs(limit)
            if not exact:  # equal pictures are near ones, too
                pairs += [(a, b, "near", similarity) for a, b, _, similarity in equal.pairs]

        groups = grouped(known, pairs)
        loose: list[int] = []
        if near:
            means = cohesion.mean_similarities(groups, equal.first, [(known, similar.similarities)])
            loose = cohesion.loose(groups, means, limit)
        group_of = {ids[index]: ids[group[0]] for group in groups for index in group}
        reasons = {ids[index]: reason for index, reason in known.reasons.items()}
        errors = {ids[index]: why for index, why in known.away.items()}
        unseen = {ids[index] for index in known.not_now}
        listed = [Pair(ids[a], ids[b], kind, similarity) for a, b, kind, similarity in sorted(pairs)]
        store_sets.write(samples, spec, rows, columns, reasons, group_of, unchanged=errors)
        store_sets.save_same(samples, spec, [each for each in ids if each not in unseen], listed)
        apply_thresholds(samples, {"near_duplicate": limit} if near and threshold is not None else None)
        given = {"exact": exact, "near": near, "embeddings": embeddings, "threshold": limit.value, "resume": resume}
        counts = {"pairs": len(pairs), "groups": len(groups)}
        messages = tuple(filter(None, [cohesion.message(groups, loose, "pictures"), near_by_vectors, *known.messages]))
        verb.finish(
            len(rows),
            unknown={spec.name: len(reasons)},
            errors=errors,
            params={**given, **counts, **spec.params()},
            messages={"how": "; ".join(known.messages)} if known.messages else {},
        )
    return DuplicatesResult(
        pairs=tuple(listed),
        groups=tuple(tuple(ids[index] for index in group) for group in groups),
        loose=tuple(ids[groups[at][0]] for at in loose),
        messages=messages,
    )


def _compared_before(
    samples: fo.Dataset | fo.DatasetView,
    spec: DuplicatesMeasure,
    ids: Sequence[str],
    stored: frozenset[str],
) -> ComparedBefore:
    """Returns which of the samples were compared with each other before and have not changed since."""
    compared, similarities = store_sets.load_pairs(samples, spec) if stored else (set(), {})
    old = np.array([sample_id in compared and sample_id in stored for sample_id in ids])
    index_of = {sample_id: index for index, sample_id in enumerate(ids) if old[index]}
    kept = {
        (index_of[a], index_of[b]): similarity
        for (a, b), similarity in similarities.items()
        if a in index_of and b in index_of
    }
    return ComparedBefore(old, kept)


def _near_vectors(vectors: Vectors, spec: DuplicatesMeasure) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Returns the pairs of samples whose vectors are near, as two arrays of places, and what is to be known of it."""
    a, b, how = neighbors.near_pairs(vectors.unit, spec.min_cosine, spec.per_image)
    return (vectors.index[a], vectors.index[b]), how.message(len(vectors.unit), "vectors")

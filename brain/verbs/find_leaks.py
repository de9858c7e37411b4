"""``loupe.find_leaks``: pictures that stand in more than one split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import LeaksResult, Pair
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.sets.leaks import Leaks as LeaksMeasure
from loupe.brain.similarity import fingerprints
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.duplicates import fingerprints as store_prints
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.object_duplicates import find_leaks_among_objects

if TYPE_CHECKING:
    import fiftyone as fo


def find_leaks(
    samples: fo.Dataset | fo.DatasetView,
    *,
    splits: str | Sequence[str],
    threshold: float | None = None,
    objects: str | None = None,
    engine: str = "local",
    progress: bool | ProgressCallback | None = None,
) -> LeaksResult:
    """Finds pictures that stand in more than one split: with the same bytes, the same pixels, or nearly the same.

    Returns every pair across two splits, not one of each group. Writes ``quality.leak`` (the highest similarity to a
    sample of another split) and flags the failure ``leak``. Samples that are in no split are not compared and unknown.
    What is needed of each file is kept in ``fingerprint``, so that a second call reads only what is new or changed.
    Pictures that a person decided to be no duplicates of each other (the panel *Duplicates*) are no pair any more.

    Args:
        samples: a dataset or view of N images
        splits: a field path with the split's name on each sample, e.g. ``"split"``; or sample tags, e.g.
            ``["train", "test"]``
        threshold: the similarity in [0, 1] above which two are nearly the same; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
        objects: a field of detections: compare the crops of its objects instead of the whole pictures. The labels stay
            as they are; what is known of each object stands in ``<field>_objects``, see docs/objects.md
        engine: where files are read; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the pairs; of objects an ``ObjectLeaks``, which also says which copies have two classes

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: fewer than two splits, a sample in two of them, or a threshold outside [0, 1]
        InputError: they are no images of a dataset, or a field of the user's own has a name that Loupe writes to
        NoSamples: the view is empty
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was read is kept
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_leaks(dataset, splits=["train", "test"])  # doctest: +SKIP
    Leaks(3 pairs; test, train: 3)
    """
    if objects is not None:
        with running(samples, "find_leaks", progress, label="leaks", engine=engine) as verb:
            return find_leaks_among_objects(verb, objects, splits, threshold)
    with running(samples, "find_leaks", progress, label="leaks", engine=engine) as verb:
        samples = verb.samples
        limit = threshold_of(samples, "leak", threshold)
        spec = registry.pick("set measure", registry.sets(), LeaksMeasure.name)
        assert isinstance(spec, LeaksMeasure)
        store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_fields.of_fingerprints()])
        rows = store_sets.rows(samples, spec)
        ids = [row.id for row in rows]
        split_of = store_sets.splits_of(samples, splits)

        stored, keep = store_prints.load(samples, rows), partial(store_prints.write, samples)
        last = partial(store_prints.last, samples)
        known = fingerprints.read(rows, verb.report, stored, keep, last, engine=verb.engine)
        names = sorted(set(split_of.values()))
        groups = np.array([names.index(split_of[row.id]) if row.id in split_of else -1 for row in rows])
        for nowhere in np.flatnonzero(groups < 0):
            known.reasons.setdefault(int(nowhere), "in none of the splits")
        pairs, highest = fingerprints.across(
            known,
            groups,
            limit,
            per_image=spec.per_image,
            minimum=spec.min_hash,
            report=verb.report,
            distinct=store_sets.distinct_codes(samples, ids),
            further=_reported(samples, ids),
        )
        listed = [Pair(ids[a], ids[b], kind, similarity) for (a, b), (kind, similarity) in sorted(pairs.items())]
        reasons = {ids[at]: reason for at, reason in known.reasons.items() if at not in known.not_now}
        errors = {ids[at]: why for at, why in known.away.items()}
        unseen = {ids[at] for at in known.not_now}
        store_sets.write(samples, spec, rows, {"leak": highest}, reasons, unchanged=errors)
        store_sets.save_same(samples, spec, [each for each in ids if each not in unseen], listed)
        apply_thresholds(samples, {"leak": limit} if threshold is not None else None)
        given = {"splits": splits if isinstance(splits, str) else list(splits), "threshold": limit.value}
        params = {**given, "pairs": len(pairs), **spec.params()}
        messages = {"how": "; ".join(known.messages)} if known.messages else {}
        unknown = {spec.name: len(reasons)}
        verb.finish(len(rows), unknown=unknown, params=params, messages=messages, errors=errors)
    between = Counter(", ".join(sorted((names[groups[a]], names[groups[b]]))) for a, b in pairs)
    inside = Counter(names[groups[index]] for index in {index for pair in pairs for index in pair})
    return LeaksResult(
        pairs=tuple(listed),
        between=dict(sorted(between.items())),
        samples={name: inside[name] for name in names},
        messages=tuple(known.messages),
    )


def _reported(samples: fo.Dataset | fo.DatasetView, ids: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pairs that ``find_duplicates`` has found, as two arrays of places: they are compared here, too."""
    pairs = np.array(store_sets.places_of_same(samples, DuplicatesMeasure.name, ids), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]

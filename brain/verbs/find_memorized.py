"""``loupe.find_memorized``: pictures that stand in a reference set."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import MemorizedResult, Pair
from loupe.brain.sets.memorized import Memorized as MemorizedMeasure
from loupe.brain.similarity import fingerprints
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.datasets import require_images, whole
from loupe.brain.store.duplicates import fingerprints as store_prints
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of

if TYPE_CHECKING:
    import fiftyone as fo


def find_memorized(
    samples: fo.Dataset | fo.DatasetView,
    reference: fo.Dataset | fo.DatasetView,
    *,
    threshold: float | None = None,
    engine: str = "local",
    progress: bool | ProgressCallback | None = None,
) -> MemorizedResult:
    """Finds pictures that stand in a reference set, too, e.g. in what the generator was trained on.

    Writes ``quality.memorized`` (the highest similarity to a picture of the reference) and flags the failure
    ``memorized``. What is needed of each file of both is kept in ``fingerprint``, so that a second call reads only what
    is new or changed.

    Args:
        samples: a dataset or view of N images
        reference: another one; it may be of the same dataset, but share no sample with the first
        threshold: the similarity in [0, 1] above which two are nearly the same; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
        engine: where files are read; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        every pair of a sample (``id_a``) and a picture of the reference (``id_b``)

    Raises:
        InputError: the two share a sample, or a threshold outside [0, 1]
        InputError: they are no images of a dataset, or a field of the user's own has a name that Loupe writes to
        NoSamples: one of them is empty
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was read is kept
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_memorized(generated, training_set)  # doctest: +SKIP
    Memorized(2 of 216 samples, 2 pairs with 5000 pictures)
    """
    with running(samples, "find_memorized", progress, label="memorized", engine=engine) as verb:
        samples = verb.samples
        limit = threshold_of(samples, "memorized", threshold)
        spec = registry.pick("set measure", registry.sets(), MemorizedMeasure.name)
        assert isinstance(spec, MemorizedMeasure)
        require_images(reference)
        reference = whole(reference)
        store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_fields.of_fingerprints()])
        store_fields.require(reference, store_fields.of_fingerprints())
        rows, others = store_sets.rows(samples, spec), store_sets.rows(reference, spec)
        ids, reference_ids = [row.id for row in rows], [row.id for row in others]
        shared = set(ids) & set(reference_ids)
        if shared:
            raise InputError(f"expected a reference without the samples themselves, got one with {len(shared)} of them")

        parts = [
            fingerprints.read(
                part,
                verb.report,
                store_prints.load(of, part),
                partial(store_prints.write, of),
                partial(store_prints.last, of),
                engine=verb.engine,
            )
            for of, part in ((samples, rows), (reference, others))
        ]
        known = fingerprints.Contents.of(
            [*parts[0].prints, *parts[1].prints], parts[0].reasons, [row.path for row in (*rows, *others)]
        )
        groups = np.repeat([0, 1], [len(rows), len(others)])
        pairs, highest = fingerprints.across(
            known, groups, limit, per_image=spec.per_image, minimum=spec.min_hash, report=verb.report
        )
        reasons = {ids[at]: reason for at, reason in known.reasons.items() if at < len(rows)}
        errors = {ids[at]: why for at, why in parts[0].away.items()}
        store_sets.write(samples, spec, rows, {"memorized": highest[: len(rows)]}, reasons, unchanged=errors)
        apply_thresholds(samples, {"memorized": limit} if threshold is not None else None)
        counts = {"reference": len(others), "pairs": len(pairs)}
        params = {"threshold": limit.value, **counts, **spec.params()}
        verb.finish(len(rows), unknown={spec.name: len(reasons)}, params=params, errors=errors)
    return MemorizedResult(
        pairs=tuple(
            Pair(ids[a], reference_ids[b - len(rows)], kind, similarity)
            for (a, b), (kind, similarity) in sorted(pairs.items())
        ),
        n=len(rows),
        reference=len(others),
        messages=tuple(known.messages),
    )

"""``loupe.find_drift``: what of new samples differs from a reference, and which slice it comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loupe.brain.core.drift import Drift, DriftBatch
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.slicing.drift import Settings, calibration, compare
from loupe.brain.slicing.factors import Factor
from loupe.brain.store.datasets import require_images, root
from loupe.brain.store.drift import columns as store_drift
from loupe.brain.store.drift import kept as drift_kept
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


#: for more batches no more are made: their table has to fit into memory
_MAX_PERMUTATIONS = 10_000


def find_drift(
    samples: fo.Dataset | fo.DatasetView,
    *,
    reference: fo.Dataset | fo.DatasetView | str | Sequence[str],
    by: str | Factor | None = None,
    embeddings: str | None = None,
    scores: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    factors: Sequence[str | Factor] | None = None,
    predictions: str | None = None,
    ground_truth: str | None = None,
    groups: Sequence[str] | None = None,
    alpha: float = 0.05,
    min_samples: int = 20,
    permutations: int = 999,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Drift:
    """Finds what of new samples differs from a reference: vectors, scores, unknowns, confidences, labels, factors.

    Each quantity is tested by permuting both sides, groups kept together, all with the same permutations, and corrected
    for everything that was looked at. So a batch is drifted, shows no evidence, or has too few samples to tell. Writes
    nothing to the samples; what was found last is kept for the panel "Drift". docs/drift.md says how it is computed.

    Args:
        samples: a dataset or view of images
        reference: another one, whose samples are then in no batch; or, of batches, the names of those that are the
            reference, "first" for the first of them
        by: what makes the batches: a field, a factor, or a part of a date in UTC, e.g. "created_at day"; None: all
            samples are one batch
        embeddings: the field of vectors; by default "embeddings", where both sides have it; an empty text: none
        scores: fields of numbers; by default all raw scores of checks
        labels: fields of labels whose mix of classes is compared; by default all
        factors: fields and factors whose mix is compared, and in which the source of a shift is looked for; by default
            those with few values
        predictions: a field of a classification, or of detections, whose confidence is compared
        ground_truth: a field of the right classification, or of yes and no such as an evaluation writes: confidence is
            then set against outcome
        groups: fields; samples that share a value of one are kept together. By default "prompt" and "duplicate_group"
        alpha: the chance that anything is called drifted where nothing is, over all batches, in [0.001, 0.5]
        min_samples: fewer samples on a side are too few to tell, at least 5
        permutations: how many at least, at least 99; more are made for many batches
        seed: decides what is drawn and permuted, at least 0
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        each batch against the reference

    Raises:
        UnknownName: no such field or batch; the nearest name is suggested
        InputError: nothing beside the reference, nothing to compare, vectors of two embedders, or a field of another
            kind
        InputError: they are no images of a dataset
        NoSamples: one of them is empty
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_drift(dataset, reference="first", by="created_at day")  # doctest: +SKIP
    1 of 6 batches drifted: 2026-11-06. Against created_at day 2026-11-01 (400 samples)
    """
    require_numbers(alpha=(alpha, 0.001, 0.5))
    require_whole(min_samples=(min_samples, 5), permutations=(permutations, 99, 100_000), seed=(seed, 0))
    wanted = store_drift.Wanted(
        embeddings, _names(scores), _names(labels), factors, predictions, ground_truth, _names(groups)
    )
    with running(samples, "find_drift", progress, label="drift") as verb:
        own: Any = reference
        if not isinstance(reference, (str, list, tuple)):
            require_images(reference)
        read = store_drift.read(verb.samples, own, by, wanted, int(seed), lambda message: verb.step(0, 1, message))
        large = sum(min(read.counts[name], read.n_reference) >= min_samples for name in read.batches)
        # so many that what is left of alpha for one of all batches can be reached
        needed = max(int(permutations), min(_MAX_PERMUTATIONS, math.ceil(6 * max(large, 1) / alpha)) - 1)
        settings = Settings(alpha, needed, int(min_samples), max(large, 1), int(seed))
        made: list[DriftBatch] = []
        for at, (name, rows) in enumerate(read.batches.items()):
            verb.step(at, len(read.batches), name)
            batch = compare(read.samples, read.reference, rows, name, settings)
            made.append(replace(batch, n=read.counts[name]))
        drift = Drift(
            reference=read.described,
            n_reference=read.n_reference,
            by=read.by,
            batches=tuple(made),
            alpha=float(alpha),
            permutations=needed,
            groups=read.groups,
            left_out=read.left_out,
            calibration=calibration(read.samples, read.reference),
            notes=read.notes,
        )
        elsewhere = "" if isinstance(reference, (str, list, tuple)) else root(reference).name
        elsewhere = "" if elsewhere == root(samples).name else elsewhere
        params = {"reference": read.described, "by": read.by, "alpha": alpha, "min_samples": min_samples, "seed": seed}
        drift_kept.save(verb.samples, drift, read.where, read.fitted, elsewhere, {**params, "permutations": needed})
        verb.step(len(made), len(made), "done")
    return drift


def _names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Returns names as they were given; one name by itself is a list of one."""
    return None if given is None else (given,) if isinstance(given, str) else tuple(given)

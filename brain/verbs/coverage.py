"""``loupe.coverage``: how a set covers its classes, its contexts, and a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.holes import Holes
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.labels.coverage import Coverage, Members
from loupe.brain.labels.covering import MAX_PAIRED, Crossing, Part, balance_of, named_cells
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.slicing.findings import plain_params
from loupe.brain.store import coverage as store_coverage
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store.coverage import Known
from loupe.brain.store.datasets import require_images
from loupe.brain.store.realism import reference as store_holes
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.holes import of_reference

if TYPE_CHECKING:
    import fiftyone as fo


def coverage(
    samples: fo.Dataset | fo.DatasetView,
    by: str | Factor | Iterable[str | Factor],
    *,
    label: str | Factor | None = None,
    reference: fo.Dataset | fo.DatasetView | None = None,
    embeddings: str = "embeddings",
    captions: str | None = None,
    groups: tuple[str, ...] = ("prompt", "duplicate_group"),
    min_samples: int = 10,
    far: float = 2.0,
    fdr: float = 0.05,
    weights: str | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Coverage:
    """Finds what a set lacks: rare classes, classes that are rare in some context, and places without any picture.

    Each class is counted, and each class in each context, against what independence of the two would put there; of a
    field of detections also each class by the size and the place of its boxes, and each pair of classes that occur in
    one picture. With a reference, such as real pictures, it finds the regions where the samples have none. Nothing is
    written to the samples unless ``weights`` names a field; the result is kept on the dataset.

    Args:
        samples: a dataset or view
        by: field paths and factors: the contexts, each by itself; a product (``a * b``) is a context of its own. A path
            as for ``loupe.slice``; an empty list: the classes alone
        label: the field of classes, or a factor; None: the contexts among themselves
        reference: other images with vectors of the same embedder
        embeddings: the field of vectors of both
        captions: a field of the reference with a sentence on each picture; None: ``caption`` or ``prompt``, where it
            has one
        groups: fields whose values tie samples together, which then count as fewer; those that the dataset lacks are
            left out
        min_samples: a cell with fewer is thin, at least 1
        far: how many times too few or too many samples are far from independence, at least 1
        fdr: which share of the cells that are named may be false, in (0, 0.5]
        weights: a field to write the weight of each sample to: that of its class, N / (K n)
        seed: of what is drawn from large references, in [0, 2**32)
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the counts, the cells that are far from independence or thin, and the holes. ``loupe.view_of(samples, cell)``
        gives the samples of a cell; ``loupe.suggest_prompts`` what to generate

    Raises:
        NoSamples: the view, or the reference, is empty
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, too many cells, a number out of its bounds, vectors of different embedders,
            a reference that shares samples, or a field of the user's own called as ``weights``
        Stopped: ``progress`` asked to stop

    >>> loupe.coverage(dataset, ["scenario.time"], label="kind").below[0].sentence  # doctest: +SKIP
    'cat × time=night: 3 samples where 41 are expected, 0.073 times as many [0.025, 0.22] (q < .001)'
    """
    _require(min_samples, far, fdr, seed)
    ties = (groups,) if isinstance(groups, str) else tuple(groups or ())
    if weights is not None and label is None:
        raise InputError("expected a label with weights: the field of classes that are to count alike")
    contexts = listed(by, "by")
    if not contexts and label is None and reference is None:
        raise InputError(
            "expected at least one field to count by, a label or a reference, got none: e.g. ['scenario.time']"
        )
    with running(samples, "coverage", progress) as verb:
        view = verb.samples
        store_rows.require_samples(view)
        if weights is not None:
            store_fields.require(view, store_coverage.own_field(weights))
        verb.step(0, 3, "reading")
        known = store_coverage.read(view, contexts, label, ties)
        crossings, notes = _crossings(known)
        verb.step(1, 3, "counting")
        cells, thin, tested = named_cells(crossings, min_samples, far, fdr)
        counted = [part for part in (known.label, *known.contexts) if part is not None]
        of_holes = None
        if reference is not None:
            of_holes = _holes(view, reference, known, embeddings, captions, label, fdr, seed, verb.step)
        given = {"by": contexts, "label": label, "embeddings": embeddings, "groups": ties, "seed": seed}
        made = Coverage(
            label=None if known.label is None else known.label.name,
            n=len(known.ids),
            balances=tuple(
                balance_of(part, known.groups, known.declared if part is known.label else ()) for part in counted
            ),
            tables=tuple(crossing.plain() for crossing in crossings),
            cells=cells,
            thin=thin,
            tested=tested,
            holes=of_holes,
            min_samples=min_samples,
            far=float(far),
            fdr=float(fdr),
            groups=len(known.ids) if known.groups is None else len(np.unique(known.groups)),
            notes=(*known.notes, *notes),
            params=plain_params({**given, "weights": weights}),
            members=None if known.label is None else Members(known.ids, known.label.column),
        )
        if weights is not None:
            verb.step(2, 3, "writing")
            store_coverage.write_weights(view, weights, known.ids, made.sample_weights())
            verb.finish(len(known.ids), params=made.params)
        store_coverage.keep(view, made)
        verb.step(3, 3, "done")
    return made


def _require(min_samples: int, far: float, fdr: float, seed: int) -> None:
    require_whole(min_samples=(min_samples, 1), seed=(seed, 0, 2**32 - 1))
    require_numbers(far=(far, 1, 1e6), fdr=(fdr, 1e-12, 0.5))


def _crossings(known: Known) -> tuple[list[Crossing], list[str]]:
    """Returns what is crossed with what, and notes on what is not."""
    notes: list[str] = []
    if known.label is None:
        pairs = [(a, b) for at, a in enumerate(known.contexts) for b in known.contexts[at + 1 :] if not _share(a, b)]
        return [Crossing.of("context", a, b, known.groups) for a, b in pairs], notes
    made = [Crossing.of("context", known.label, part, known.groups) for part in known.contexts]
    if known.objects is not None:
        classes, places, owners = known.objects
        made += [Crossing.of("object", classes, part, owners) for part in places]
    column = known.label.column
    if len(column.samples) > column.n:
        classes_in_pairs = known.label
        if len(column.values) > MAX_PAIRED:
            classes_in_pairs = known.label.frequent(MAX_PAIRED)
            notes.append(
                f"Only the {MAX_PAIRED} most frequent of {len(column.values):,} classes were looked at in pairs"
            )
        made.append(Crossing.of("pair", classes_in_pairs, classes_in_pairs, known.groups))
    return made, notes


def _share(a: Part, b: Part) -> bool:
    return bool({facts["name"] for facts in a.factors} & {facts["name"] for facts in b.factors})


def _holes(
    view: fo.Dataset | fo.DatasetView,
    reference: fo.Dataset | fo.DatasetView,
    known: Known,
    embeddings: str,
    captions: str | None,
    label: str | Factor | None,
    fdr: float,
    seed: int,
    step: Callable[[int, int, str], None],
) -> Holes:
    require_images(reference)
    store_coverage.require_same_embedder(view, reference, embeddings)
    store_holes.texts_of(reference, captions, [])
    _, own = store_coverage.unit_vectors(view, embeddings, "the samples")
    ids, others = store_coverage.unit_vectors(reference, embeddings, "the reference")
    return of_reference(
        reference,
        ids,
        others,
        own,
        None if known.groups is None else known.groups[own.index],
        captions=captions,
        label=label,
        fdr=fdr,
        seed=seed,
        step=lambda done, total: step(done, total, "comparing"),
    )

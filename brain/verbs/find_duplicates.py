"""``loupe.find_duplicates``: samples that show the same picture."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.progress import reporter
from loupe.brain.core.records import DuplicatesResult, Pair, ProgressCallback
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.similarity import fingerprints, matching, neighbors
from loupe.brain.similarity.fingerprints import Contents
from loupe.brain.store import fingerprints as store_prints
from loupe.brain.store import sets as store_sets
from loupe.brain.store.connection import database_errors
from loupe.brain.verbs.flag import flag, threshold_of

if TYPE_CHECKING:
    import fiftyone as fo

#: similarities below are told as 0, and not kept
_MIN_KEPT = 0.3


@database_errors()
def find_duplicates(
    samples: fo.Dataset | fo.DatasetView,
    *,
    exact: bool = True,
    near: bool = True,
    embeddings: str | None = None,
    threshold: float | None = None,
    resume: bool = True,
    progress: bool | ProgressCallback | None = None,
) -> DuplicatesResult:
    """Finds samples with the same bytes, the same pixels, or nearly the same picture.

    Writes ``quality.exact_duplicate`` (how many others are equal), ``quality.near_duplicate`` (the highest similarity
    to another sample) and ``duplicate_group`` (the id of the group's representative: its largest picture), and flags
    the failures. What is needed of each file is kept in ``fingerprint``, chunk by chunk, and so are the similarities
    that were found: a second call reads only what is new or changed, and compares only that with all others.

    Args:
        samples: a dataset or view of N images; each is compared with the others of it only
        exact: look for equal bytes and equal pixels
        near: look for nearly the same picture, see ``brain/similarity/matching.py``; takes time in proportion to N²
        embeddings: a field of vectors; the nearest by them are compared, too, beside those of like hashes
        threshold: the similarity in [0, 1] above which two are near duplicates; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
        resume: use what an earlier call has kept
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the pairs, and the groups that they connect, representative first. Of samples that are equal to each other, each
        is paired with the first

    Raises:
        InputError: neither exact nor near, or a threshold outside [0, 1]
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_duplicates(dataset).groups  # doctest: +SKIP
    (('6700…01', '6700…07'),)
    """
    if not exact and not near:
        raise InputError("expected exact=True, near=True or both, got neither")
    line = threshold_of(samples, "near_duplicate", threshold)
    report = reporter(progress, "duplicates")
    spec = registry.pick("set measure", registry.sets(), DuplicatesMeasure.name)
    assert isinstance(spec, DuplicatesMeasure)
    rows = store_sets.rows(samples, spec)
    further = None if embeddings is None else _neighbors(store_sets.vectors(samples, rows, embeddings), spec)

    stored = store_prints.load(samples, rows)
    if not resume:
        stored = {}
    known = fingerprints.read(rows, report, stored, partial(store_prints.write, samples))
    ids = [row.id for row in rows]
    pairs: list[tuple[int, int, str, float]] = []
    columns: dict[str, np.ndarray] = {}
    first = _first_of_equal(known)
    if exact:
        pairs += _exact_pairs(known, first)
        columns["exact_duplicate"] = _counts(known, first)
    if near:
        compared, before = store_sets.load_pairs(samples, spec) if stored else (set(), {})
        old = np.array([one in compared and one in stored for one in ids])
        index_of = {one: index for index, one in enumerate(ids)}
        kept = {
            (index_of[a], index_of[b]): similarity
            for (a, b), similarity in before.items()
            if a in index_of and b in index_of and old[index_of[a]] and old[index_of[b]]
        }
        similar, columns["near_duplicate"], chosen = _similar(known, first, spec, ~old, kept, further, report)
        store_sets.save_pairs(
            samples, spec, [ids[at] for at in chosen], {(ids[a], ids[b]): value for (a, b), value in similar.items()}
        )
        pairs += [(a, b, "near", value) for (a, b), value in similar.items() if line.violates(np.array([value]))[0]]
        if not exact:  # equal pictures are near ones, too
            pairs += [(a, b, "near", similarity) for a, b, _, similarity in _exact_pairs(known, first)]

    groups = [
        sorted(group, key=lambda index: (-known.areas[index], index))
        for group in matching.connected(len(rows), [(a, b) for a, b, _, _ in pairs])
    ]
    of = {ids[index]: ids[group[0]] for group in groups for index in group}
    store_sets.write(samples, spec, rows, columns, {ids[index]: why for index, why in known.reasons.items()}, of)
    flag(samples, {"near_duplicate": line} if near and threshold is not None else None)
    return DuplicatesResult(
        pairs=tuple(Pair(ids[a], ids[b], kind, similarity) for a, b, kind, similarity in sorted(pairs)),
        groups=tuple(tuple(ids[index] for index in group) for group in groups),
    )


def _first_of_equal(known: Contents) -> np.ndarray:
    """Returns for each file the index of the first one that is equal to it: itself, where none before it is."""
    first = np.arange(len(known.pixels))
    # equal bytes decode to equal pixels
    for members in matching.equal(known.pixels):
        first[members] = members[0]
    return first


def _counts(known: Contents, first: np.ndarray) -> np.ndarray:
    """Returns (N,) float32: how many others are equal; NaN for a file that cannot be read."""
    counts = np.bincount(first, minlength=len(first))[first].astype(np.float32) - 1
    counts[[pixels is None for pixels in known.pixels]] = math.nan
    return counts


def _exact_pairs(known: Contents, first: np.ndarray) -> list[tuple[int, int, str, float]]:
    return [
        (int(first[index]), int(index), known.kind(int(first[index]), int(index)), 1.0)
        for index in np.flatnonzero(first != np.arange(len(first)))
    ]


def _neighbors(given: list[np.ndarray | None], spec: DuplicatesMeasure) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pairs of samples whose vectors are near, as two arrays of indices."""
    vectors = neighbors.usable(given)
    a, b, _ = neighbors.pairs_above(vectors.unit, spec.min_cosine, maximum=spec.per_image)
    return vectors.index[a], vectors.index[b]


def _similar(
    known: Contents,
    first: np.ndarray,
    spec: DuplicatesMeasure,
    new: np.ndarray,
    before: dict[tuple[int, int], float],
    further: tuple[np.ndarray, np.ndarray] | None,
    report: ProgressCallback,
) -> tuple[dict[tuple[int, int], float], np.ndarray, np.ndarray]:
    """Compares the pictures that are not equal.

    Args:
        known: the pictures
        first: for each, the first one that is equal to it
        spec: the measure
        new: (N,) bool: which have not been compared before
        before: the similarities that are known
        further: pairs to compare beside those that the hashes suggest
        report: called now and then

    Returns:
        the similarities of at least ``_LEAST_KEPT``, each picture's highest one, and which were compared
    """
    n = len(first)
    highest = np.full(n, math.nan, dtype=np.float32)
    chosen = np.flatnonzero((known.places >= 0) & (first == np.arange(n)))
    if further is not None:
        some = new[further[0]] | new[further[1]]
        further = (further[0][some], further[1][some])
    compared, a, b, found = fingerprints.compare(
        known,
        chosen,
        per_image=spec.per_image,
        minimum=spec.min_hash,
        report=report,
        new=new,
        further=further,
    )
    chosen_now = set(chosen.tolist())
    similar = {pair: value for pair, value in before.items() if chosen_now.issuperset(pair)}
    for low, high, value in zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), found.tolist(), strict=True):
        if value >= _MIN_KEPT:
            similar[low, high] = max(similar.get((low, high), 0.0), value)
    highest[compared] = 0.0
    for (low, high), value in similar.items():
        highest[low], highest[high] = max(highest[low], value), max(highest[high], value)

    copies = np.bincount(first, minlength=n)[first] > 1
    highest[copies & (known.places >= 0)] = 1.0
    for index in np.flatnonzero(copies):
        if not known.reasons.get(int(index), "").startswith("unreadable"):
            known.reasons.pop(int(index), None)
    return similar, highest, chosen

"""``loupe.find_duplicates``: samples that show the same picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain import contents, matching, registry
from loupe.brain.contents import Contents
from loupe.brain.errors import InputError
from loupe.brain.progress import reporter
from loupe.brain.records import Duplicates, Pair, Progress, ProgressCallback, Threshold
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.store import sets as store_sets
from loupe.brain.store.connection import database_errors
from loupe.brain.verbs.flag import flag, threshold_of

if TYPE_CHECKING:
    import fiftyone as fo


@database_errors()
def find_duplicates(
    samples: fo.Dataset | fo.DatasetView,
    *,
    exact: bool = True,
    near: bool = True,
    threshold: float | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Duplicates:
    """Finds samples with the same bytes, the same pixels, or nearly the same picture.

    Writes ``quality.exact_duplicate`` (how many others are equal), ``quality.near_duplicate`` (the highest similarity
    to another sample) and ``duplicate_group`` (the id of the group's representative: its largest picture), and flags
    the failures. The files are read at every call: a new sample can be a duplicate of any old one. Nothing is stored
    before the end, so a stopped call leaves everything as it was.

    Args:
        samples: a dataset or view of N images; each is compared with the others of it only
        exact: look for equal bytes and equal pixels
        near: look for nearly the same picture, see ``brain/matching.py``; takes time in proportion to N²
        threshold: the similarity in [0, 1] above which two are near duplicates; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
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

    report(Progress(0, len(rows), "reading"))
    known = contents.read(rows, near, report)
    pairs: list[tuple[int, int, str, float]] = []
    columns: dict[str, np.ndarray] = {}
    first = _first_of_equal(known)
    if exact:
        pairs += _exact_pairs(known, first)
        columns["exact_duplicate"] = _counts(known, first)
    if near:
        found, columns["near_duplicate"] = _near_pairs(known, first, spec, line, report)
        pairs += found
        if not exact:  # equal pictures are near ones, too
            pairs += [(a, b, "near", similarity) for a, b, _, similarity in _exact_pairs(known, first)]

    groups = [
        sorted(group, key=lambda index: (-known.areas[index], index))
        for group in matching.connected(len(rows), [(a, b) for a, b, _, _ in pairs])
    ]
    ids = [row.id for row in rows]
    of = {ids[index]: ids[group[0]] for group in groups for index in group}
    store_sets.write(samples, spec, rows, columns, {ids[index]: why for index, why in known.reasons.items()}, of)
    flag(samples, {"near_duplicate": line} if near and threshold is not None else None)
    return Duplicates(
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


def _near_pairs(
    known: Contents, first: np.ndarray, spec: DuplicatesMeasure, line: Threshold, report: ProgressCallback
) -> tuple[list[tuple[int, int, str, float]], np.ndarray]:
    """Returns the near pairs among pictures that are not equal, and each picture's highest similarity to another."""
    n = len(first)
    highest = np.full(n, math.nan, dtype=np.float32)
    chosen = np.flatnonzero((known.places >= 0) & (first == np.arange(n)))
    compared, a, b, similar = contents.compare(
        known, chosen, per_image=spec.per_image, least=spec.least_hash, report=report
    )
    highest[compared] = 0.0
    np.fmax.at(highest, a, similar)
    np.fmax.at(highest, b, similar)
    best: dict[tuple[int, int], float] = {}
    for index in np.flatnonzero(line.fails(similar)):
        pair = (int(min(a[index], b[index])), int(max(a[index], b[index])))
        best[pair] = max(best.get(pair, 0.0), float(similar[index]))

    copies = np.bincount(first, minlength=n)[first] > 1
    highest[copies & (known.places >= 0)] = 1.0
    for index in np.flatnonzero(copies):
        if not known.reasons.get(int(index), "").startswith("unreadable"):
            known.reasons.pop(int(index), None)
    return [(low, high, "near", value) for (low, high), value in best.items()], highest

"""``loupe.find_duplicates``: samples that show the same picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain import likeness, registry
from loupe.brain.errors import InputError
from loupe.brain.progress import reporter
from loupe.brain.reader import Row, read_chunks
from loupe.brain.records import Duplicates, Pair, Progress, ProgressCallback, Threshold
from loupe.brain.sets import duplicates as measure
from loupe.brain.store import duplicates as store_duplicates
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.verbs.flag import flag

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
        near: look for nearly the same picture, see ``brain/sets/duplicates.py``; takes time in proportion to N²
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
    if threshold is not None and not 0 <= threshold <= 1:
        raise InputError(f"expected a threshold in [0, 1], got {threshold!r}")
    report = reporter(progress, "duplicates")
    spec = registry.pick("set measure", registry.sets(), measure.Duplicates.name)
    assert isinstance(spec, measure.Duplicates)
    rows = store_duplicates.rows(samples, spec)
    line = _line(samples, threshold)

    report(Progress(0, len(rows), "reading"))
    known = _read(rows, near, report)
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
        for group in measure.connected(len(rows), [(a, b) for a, b, _, _ in pairs])
    ]
    ids = [row.id for row in rows]
    of = {ids[index]: ids[group[0]] for group in groups for index in group}
    store_duplicates.write(samples, spec, rows, columns, of, {ids[index]: why for index, why in known.reasons.items()})
    own = {"near_duplicate": Threshold(">", threshold, source="user")} if near and threshold is not None else None
    flag(samples, own)
    return Duplicates(
        pairs=tuple(Pair(ids[a], ids[b], kind, similarity) for a, b, kind, similarity in sorted(pairs)),
        groups=tuple(tuple(ids[index] for index in group) for group in groups),
    )


def _line(samples: fo.Dataset | fo.DatasetView, threshold: float | None) -> Threshold:
    """Returns the threshold of near duplicates: the given one, else the dataset's, else the default."""
    if threshold is not None:
        return Threshold(">", threshold, source="user")
    _, output = registry.failures()["near_duplicate"]
    assert output.fails is not None
    return store_runs.load_thresholds(samples).get("near_duplicate", output.fails)


@dataclass(frozen=True)
class _Known:
    """What is known of N files.

    Attributes:
        bytes, pixels: their hashes; None for a file that cannot be read
        areas: how many pixels each has; 0 for one that cannot be read
        places: where in ``thumbs`` each is; -1 for one that cannot be read
        thumbs: the thumbnails; None where only exact duplicates are wanted
        reasons: why one could not be judged, by index
    """

    bytes: list[str | None]
    pixels: list[str | None]
    areas: list[int]
    places: np.ndarray
    thumbs: likeness.Thumbnails | None
    reasons: dict[int, str]


def _read(rows: Sequence[Row], near: bool, report: ProgressCallback) -> _Known:
    n = len(rows)
    index_of = {row.id: index for index, row in enumerate(rows)}
    known = _Known([None] * n, [None] * n, [0] * n, np.full(n, -1), None, {})
    parts: list[likeness.Thumbnails] = []
    order: list[int] = []
    done = 0
    for chunk in read_chunks(rows):
        for row in chunk.rows:
            if row.id in chunk.unreadable:
                known.reasons[index_of[row.id]] = f"unreadable: {chunk.unreadable[row.id]}"
        for part, batch in chunk.batches:
            for row, pixels, (width, height) in zip(part, batch.pixels.numpy(), batch.sizes, strict=True):
                index = index_of[row.id]
                known.bytes[index] = measure.bytes_hash(row.path)
                known.pixels[index] = measure.pixels_hash(pixels)
                known.areas[index] = width * height
                order.append(index)
            if near:
                parts.append(likeness.thumbnails(batch.pixels))
        done += len(chunk.rows)
        report(Progress(done, n, "reading"))
    known.places[order] = np.arange(len(order))
    thumbs = likeness.Thumbnails.join(parts) if parts else None
    return _Known(known.bytes, known.pixels, known.areas, known.places, thumbs, known.reasons)


def _first_of_equal(known: _Known) -> np.ndarray:
    """Returns for each file the index of the first one that is equal to it: itself, where none before it is."""
    first = np.arange(len(known.pixels))
    # equal bytes decode to equal pixels
    for members in measure.equal(known.pixels):
        first[members] = members[0]
    return first


def _counts(known: _Known, first: np.ndarray) -> np.ndarray:
    """Returns (N,) float32: how many others are equal; NaN for a file that cannot be read."""
    counts = np.bincount(first, minlength=len(first))[first].astype(np.float32) - 1
    counts[[pixels is None for pixels in known.pixels]] = math.nan
    return counts


def _exact_pairs(known: _Known, first: np.ndarray) -> list[tuple[int, int, str, float]]:
    return [
        (int(first[index]), int(index), "bytes" if known.bytes[index] == known.bytes[first[index]] else "pixels", 1.0)
        for index in np.flatnonzero(first != np.arange(len(first)))
    ]


def _near_pairs(
    known: _Known, first: np.ndarray, spec: measure.Duplicates, line: Threshold, report: ProgressCallback
) -> tuple[list[tuple[int, int, str, float]], np.ndarray]:
    """Returns the near pairs among pictures that are not equal, and each picture's highest similarity to another."""
    n = len(first)
    highest = np.full(n, math.nan, dtype=np.float32)
    if known.thumbs is None:
        return [], highest
    judged = np.flatnonzero((known.places >= 0) & (first == np.arange(n)))
    clear = likeness.has_detail(known.thumbs.luma[known.places[judged]])
    compared = judged[clear]
    highest[compared] = 0.0
    thumbs = known.thumbs[known.places[compared]]
    pairs = measure.candidates(
        thumbs.luma,
        per_image=spec.per_image,
        least=spec.least_hash,
        step=lambda done: report(Progress(done, len(compared), "looking for candidates")),
    )
    similar = measure.similarities(
        thumbs, pairs, step=lambda done: report(Progress(done, len(pairs), "comparing candidates"))
    )
    a, b = compared[pairs.a], compared[pairs.b]
    np.fmax.at(highest, a, similar)
    np.fmax.at(highest, b, similar)
    best: dict[tuple[int, int], float] = {}
    for index in np.flatnonzero(line.fails(similar)):
        pair = (int(min(a[index], b[index])), int(max(a[index], b[index])))
        best[pair] = max(best.get(pair, 0.0), float(similar[index]))

    for index in judged[~clear]:
        known.reasons[int(index)] = "too little detail to tell it from other pictures"
    copies = np.bincount(first, minlength=n)[first] > 1
    highest[copies & (known.places >= 0)] = 1.0
    for index in np.flatnonzero(copies):
        if not known.reasons.get(int(index), "").startswith("unreadable"):
            known.reasons.pop(int(index), None)
    return [(low, high, "near", value) for (low, high), value in best.items()], highest

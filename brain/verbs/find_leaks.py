"""``loupe.find_leaks``: pictures that stand in more than one split."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain import contents, matching, registry
from loupe.brain.contents import Contents
from loupe.brain.progress import reporter
from loupe.brain.records import Leaks, Pair, Progress, ProgressCallback
from loupe.brain.sets.leaks import Leaks as LeaksMeasure
from loupe.brain.store import sets as store_sets
from loupe.brain.store.connection import database_errors
from loupe.brain.verbs.flag import flag, threshold_of

if TYPE_CHECKING:
    import fiftyone as fo

_Pairs = dict[tuple[int, int], tuple[str, float]]


@database_errors()
def find_leaks(
    samples: fo.Dataset | fo.DatasetView,
    *,
    splits: str | Sequence[str],
    threshold: float | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Leaks:
    """Finds pictures that stand in more than one split: with the same bytes, the same pixels, or nearly the same.

    Every pair across two splits is told, not one of each group. Writes ``quality.leak`` (the highest similarity to a
    sample of another split) and flags the failure ``leak``. Samples that are in no split are not compared and unknown.
    The files are read at every call, and nothing is stored before the end; it takes time in proportion to N².

    Args:
        samples: a dataset or view of N images
        splits: a field path with the split's name on each sample, e.g. ``"split"``; or sample tags, e.g.
            ``["train", "test"]``
        threshold: the similarity in [0, 1] above which two are nearly the same; kept on the dataset like any threshold
            of ``flag``. By default the dataset's own, else that of the measure
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: fewer than two splits, a sample in two of them, or a threshold outside [0, 1]
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop
        DatabaseGone: the database stopped answering

    >>> loupe.find_leaks(dataset, splits=["train", "test"])  # doctest: +SKIP
    Leaks(3 pairs; test, train: 3)
    """
    line = threshold_of(samples, "leak", threshold)
    report = reporter(progress, "leaks")
    spec = registry.pick("set measure", registry.sets(), LeaksMeasure.name)
    assert isinstance(spec, LeaksMeasure)
    rows = store_sets.rows(samples, spec)
    of = store_sets.splits_of(samples, splits)

    report(Progress(0, len(rows), "reading"))
    known = contents.read(rows, True, report)
    names = sorted(set(of.values()))
    groups = np.array([names.index(of[row.id]) if row.id in of else -1 for row in rows])
    for nowhere in np.flatnonzero(groups < 0):
        known.reasons.setdefault(int(nowhere), "in none of the splits")
    pairs = _exact_pairs(known, groups)
    similar, highest = _near_pairs(known, groups, spec, report)
    pairs |= {pair: ("near", value) for pair, value in similar.items() if line.fails(np.array([value]))[0]}
    for a, b in (pair for pair, (kind, _) in pairs.items() if kind != "near"):
        highest[[a, b]] = 1.0
        for index in (a, b):
            known.reasons.pop(index, None)

    ids = [row.id for row in rows]
    store_sets.write(samples, spec, rows, {"leak": highest}, {ids[at]: why for at, why in known.reasons.items()})
    flag(samples, {"leak": line} if threshold is not None else None)
    between = Counter(", ".join(sorted((names[groups[a]], names[groups[b]]))) for a, b in pairs)
    inside = Counter(names[groups[index]] for index in {index for pair in pairs for index in pair})
    return Leaks(
        pairs=tuple(Pair(ids[a], ids[b], kind, similarity) for (a, b), (kind, similarity) in sorted(pairs.items())),
        between=dict(sorted(between.items())),
        samples={name: inside[name] for name in names},
    )


def _exact_pairs(known: Contents, groups: np.ndarray) -> _Pairs:
    """Returns every pair of equal pictures across two groups."""
    return {
        (a, b): (known.kind(a, b), 1.0)
        for members in matching.equal(known.pixels)
        for a, b in combinations(members, 2)
        if groups[a] != groups[b] and min(groups[a], groups[b]) >= 0
    }


def _near_pairs(
    known: Contents, groups: np.ndarray, spec: LeaksMeasure, report: ProgressCallback
) -> tuple[dict[tuple[int, int], float], np.ndarray]:
    """Returns the similarity of each candidate pair that is not equal, and each picture's highest one."""
    highest = np.full(len(groups), math.nan, dtype=np.float32)
    chosen = np.flatnonzero((known.places >= 0) & (groups >= 0))
    compared, first, second, similar = contents.compare(
        known, chosen, per_image=spec.per_image, least=spec.least_hash, groups=groups, report=report
    )
    highest[compared] = 0.0
    best: dict[tuple[int, int], float] = {}
    for a, b, value in zip(first.tolist(), second.tolist(), similar.tolist(), strict=True):
        highest[a], highest[b] = max(highest[a], value), max(highest[b], value)
        if known.pixels[a] != known.pixels[b]:
            pair = (min(a, b), max(a, b))
            best[pair] = max(best.get(pair, 0.0), value)
    return best, highest

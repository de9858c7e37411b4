"""``loupe.find_copies``: which samples show the same picture as one new file."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import NotReadNow, ReadError
from loupe.brain.core.progress import reporter
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Pair
from loupe.brain.engine.map import opened, require_engine
from loupe.brain.engine.reader import Row
from loupe.brain.sets.duplicates import Duplicates as DuplicatesMeasure
from loupe.brain.similarity import fingerprints
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_images, whole
from loupe.brain.store.duplicates import fingerprints as store_prints
from loupe.brain.verbs.steps.flagging import threshold_of

if TYPE_CHECKING:
    import fiftyone as fo


@database_errors()
def find_copies(
    samples: fo.Dataset | fo.DatasetView,
    path: str | os.PathLike[str],
    *,
    threshold: float | None = None,
    engine: str = "local",
    progress: bool | ProgressCallback | None = None,
) -> tuple[Pair, ...]:
    """Returns the samples that show the same picture as a file outside the dataset, the most alike first.

    The samples' files are not read where their ``fingerprint`` is kept, as ``find_duplicates`` does. What is missing is
    read and kept. Nothing else is written.

    Args:
        samples: a dataset or view
        path: the image file
        threshold: the similarity in [0, 1] above which two are nearly the same; by default the dataset's own, else that
            of the measure
        engine: where files are read; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        pairs of the file (``id_a`` is its path) and a sample (``id_b``)

    Raises:
        ReadError: the file cannot be decoded
        NotReadNow: its disk or network fails
        InputError: a threshold outside [0, 1]
        InputError: they are no images of a dataset, or ``fingerprint`` is a field of the user's own
        NoSamples: the view is empty
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was read is kept
        Stopped: ``progress`` asked to stop

    >>> loupe.find_copies(dataset, "new.jpg")  # doctest: +SKIP
    (Pair(id_a='new.jpg', id_b='6700…01', kind='near', similarity=0.97),)
    """
    require_engine(engine)
    require_images(samples)
    samples = whole(samples)
    store_fields.require(samples, store_fields.of_fingerprints())
    limit = threshold_of(samples, "near_duplicate", threshold)
    report = reporter(progress, "copies")
    spec = registry.pick("set measure", registry.sets(), DuplicatesMeasure.name)
    assert isinstance(spec, DuplicatesMeasure)
    rows = store_sets.rows(samples, spec)
    name = os.fspath(path)
    single = fingerprints.read([Row(name, name)], lambda _: None)
    if single.away:
        raise NotReadNow(single.away[0].removeprefix("no fingerprint: "))
    if single.reasons:
        raise ReadError(single.reasons[0].removeprefix("unreadable: "))
    stored, keep = store_prints.load(samples, rows), partial(store_prints.write, samples)
    last = partial(store_prints.last, samples)
    with opened(engine):
        known = fingerprints.read(rows, report, stored, keep, last, engine=engine)
    both = fingerprints.Contents.of([*single.prints, *known.prints], {}, [name, *(row.path for row in rows)])
    groups = np.array([0] + [1] * len(rows))
    pairs, _ = fingerprints.across(
        both, groups, limit, per_image=spec.per_image, minimum=spec.min_hash, report=report, of_first=True
    )
    copies = [Pair(name, rows[b - 1].id, kind, similarity) for (_, b), (kind, similarity) in pairs.items()]
    return tuple(sorted(copies, key=lambda pair: (-pair.similarity, pair.id_b)))

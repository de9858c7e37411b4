"""How large the pictures of a dataset are, by a few of them: for an estimate before a run."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo
import numpy as np

from loupe.brain.imaging.sizes import size_of
from loupe.brain.media import fetching
from loupe.brain.store.connection import database_errors

_SOME = 12


def some_megapixels(samples: fo.Dataset | fo.DatasetView, n: int) -> Sequence[float]:
    """Returns the megapixels of up to 12 of n samples, the same ones each time.

    A size is the one that is stored, else that of the file's header; a sample that has neither is left out.
    """
    paths = ["filepath", *(name for name in ("metadata.width", "metadata.height") if samples.has_field(name))]
    with database_errors():
        # FiftyOne gives each sample a random number, 0.999 to 1, as it is added: one pass, without a sort
        below = 0.999 + 0.001 * 2 * _SOME / max(n, 1)
        some = samples.mongo([{"$match": {"_rand": {"$lt": below}}}, {"$limit": _SOME}])
        columns = some.values(paths)
        if not columns[0]:
            columns = samples.limit(_SOME).values(paths)
    sizes = [
        (width, height) if width and height else _size(path)
        for path, width, height in zip(*columns, *([[None] * len(columns[0])] * (3 - len(columns))), strict=True)
    ]
    return [float(np.prod(size)) / 1e6 for size in sizes if size]


def _size(path: str) -> tuple[int, int] | None:
    # a form does not wait for what would have to be fetched
    place = fetching.here(path)
    return None if place is None else size_of(place)

"""``loupe.scores``: one failure mode's scores as an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.store import rows as store_rows
from loupe.brain.store import scores as store_scores
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_stored

if TYPE_CHECKING:
    import fiftyone as fo


@database_errors()
def scores(samples: fo.Dataset | fo.DatasetView, failure: str) -> np.ndarray:
    """Returns the scores behind a failure mode.

    Args:
        samples: a dataset or view
        failure: a failure mode, e.g. ``"blur"``

    Returns:
        (N,) float32 in sample order, oriented so that higher is worse (a score of which more is better comes
        negated); NaN where unknown

    Raises:
        UnknownName: no check flags a failure mode of that name; the nearest name is suggested
        InputError: the check has not run on these samples

    >>> np.nanargmax(loupe.scores(dataset, "blur"))  # the most blurred sample  # doctest: +SKIP
    17
    """
    known = registry.failures()
    if failure not in known:
        raise UnknownName("failure mode with a check", failure, known)
    check, output = known[failure]
    require_stored(samples)
    path = f"{store_scores.QUALITY}.{output.name}"
    if not samples.has_field(path):
        raise InputError(
            f"expected scores of {check!r} on these samples, got none: run loupe.check(samples, [{check!r}])"
        )
    values = store_rows.column(samples, path)
    return -values if output.higher_is_better else values

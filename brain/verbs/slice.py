"""Failure rates by scenario."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loupe.brain.core.records import Rate
from loupe.brain.slicing.rates import rates
from loupe.brain.store import columns
from loupe.brain.store import rows as store_rows
from loupe.brain.store.connection import database_errors

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection


@database_errors()
def slice(
    samples: SampleCollection, by: str | Sequence[str], *, failure: str | None = None, confidence: float = 0.95
) -> list[Rate]:
    """Returns a failure rate with its interval for each slice and each failure mode, slice by slice.

    A rate counts only the samples that were judged; those that a check could not judge and those that were not checked,
    or not flagged yet, stand beside it. Its interval is Wilson's.

    Args:
        samples: a dataset or view
        by: one field path, or several for the combinations that occur; the fields hold strings, bools or ints.
            A missing value is a slice of its own, "(none)". An empty list gives one slice of all samples
        failure: one failure mode; None for all that at least one sample was judged for
        confidence: of the interval, in (0, 1)

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field or failure mode; the nearest name is suggested
        InputError: a field of another kind, or a confidence outside (0, 1)

    Example::

        for rate in loupe.slice(dataset, "scenario.time", failure="text_substitution"):
            print(rate)
    """
    paths = [by] if isinstance(by, str) else list(by)
    table = columns.read(samples, paths, None if failure is None else [failure])
    store_rows.require_samples(samples)
    return rates(table.judged() if failure is None else table.states, table.factors, confidence=confidence)

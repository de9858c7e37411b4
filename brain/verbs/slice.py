"""Failure rates by scenario."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.core.results import Rate, Rates
from loupe.brain.slicing.factors import Factor
from loupe.brain.slicing.outcomes import Outcome
from loupe.brain.slicing.rates import rates
from loupe.brain.store import columns
from loupe.brain.store import rows as store_rows
from loupe.brain.store.connection import database_errors

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection


@database_errors()
def slice(
    samples: SampleCollection,
    by: str | Factor | Iterable[str | Factor],
    *,
    failure: str | None = None,
    outcome: Outcome | None = None,
    confidence: float = 0.95,
) -> list[Rate]:
    """Returns a failure rate with its interval for each slice and each failure mode, slice by slice.

    A rate counts only the samples that were judged; those that a check could not judge and those that were not checked,
    or not flagged yet, stand beside it. Its interval is Wilson's.

    The list prints as a table.

    Args:
        samples: a dataset or view
        by: a field path or a factor, or several for the combinations that occur. A path is a field of strings, bools
            or numbers (floats in four bins), of lists of them, or of labels. A missing value is a slice of its own,
            "(none)"; a sample with several values is in several slices. An empty list gives one slice of all samples
        failure: one failure mode; None for all that at least one sample was judged for
        outcome: what is counted instead of failure modes, e.g. the wrong predictions of an evaluation run
        confidence: of the interval, in (0, 1)

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field, saved view or failure mode; the nearest name is suggested
        InputError: a field of another kind, too many slices, both a failure and an outcome, or a confidence outside
            (0, 1)

    Example::

        for rate in loupe.slice(dataset, "scenario.time", failure="text_substitution"):
            print(rate)
        loupe.slice(dataset, [loupe.Factor.tags("train", "test"), loupe.Factor.field("uniqueness", bins=4)])
        loupe.slice(dataset, "ground_truth", outcome=loupe.Outcome.field("eval", failed=[False]))
    """
    if failure is not None and outcome is not None:
        raise InputError(f"expected a failure or an outcome, got both: {failure!r} and {outcome.name!r}")
    store_rows.require_samples(samples)
    table = columns.read(samples, by, None if failure is None else [failure], outcome)
    every = failure is None and outcome is None
    return Rates(rates(table.judged() if every else table.states, table.factors, confidence=confidence))

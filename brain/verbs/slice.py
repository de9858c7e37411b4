"""Failure rates by scenario."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.results import MIN_N, Rate, Rates
from loupe.brain.slicing.columns import Column, require_shared
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.outcomes import Outcome, State
from loupe.brain.slicing.rates import rates
from loupe.brain.store import columns
from loupe.brain.store import rows as store_rows
from loupe.brain.store.columns import Columns
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import require_collection, require_images, require_stored
from loupe.brain.store.objects import columns as object_columns

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

#: what the factor is called that groups are read by; no other one is
_GROUPS = "\0groups"


@database_errors()
def slice(
    samples: SampleCollection,
    by: str | Factor | Iterable[str | Factor],
    *,
    failure: str | None = None,
    outcome: Outcome | None = None,
    objects: str | None = None,
    confidence: float = 0.95,
    groups: str | None = None,
    min_n: int = MIN_N,
) -> list[Rate]:
    """Returns a failure rate with its interval for each slice and each failure mode, slice by slice.

    A rate counts only the samples that were judged; those that a check could not judge and those that were not checked,
    or not flagged yet, stand beside it. Its interval is Wilson's, with Jeffreys' beside it. ``lift`` is the rate over
    that of the rest, p that of Fisher's exact test against the rest, and q is adjusted for all rates of the call, so
    look at what you want to look at in one call.

    The list prints as a table; the rate of fewer than ``min_n`` stands in parentheses.

    Args:
        samples: a dataset or view
        by: a field path or a factor, or several for the combinations that occur. A path is a field of strings, bools
            or numbers (floats in four bins), of lists of them, or of labels. A missing value is a slice of its own,
            "(none)"; a sample with several values is in several slices. An empty list gives one slice of all samples
        failure: one failure mode, ``"any"`` of them, or a family of the taxonomy (``"text"``); None for each mode that
            at least one sample was judged for
        outcome: what is counted instead of failure modes, e.g. the wrong predictions of an evaluation run
        objects: a field of detections whose objects were checked: count each object, and not the pictures. Then the
            field's own name, and factors of it (``Factor.label``, ``attribute``, ``box_size``, ``box_position``), say
            something of each object, and all other factors of the picture it is in. The objects of a picture are
            alike: they always count as a group
        confidence: of the intervals, in (0, 1)
        groups: a field of strings, bools or ints: samples of one value tend to fail together (``"prompt"``,
            ``"generation.seed"``, ``"duplicate_group"``), and count as fewer independent ones in the intervals and in
            p; one without a value is a group of its own. None: each sample counts by itself
        min_n: a rate of fewer independent samples is ``too_few``

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field, saved view or failure mode; the nearest name is suggested
        InputError: a field of another kind, or of which each sample has a value of its own, too many slices, both a
            failure and an outcome, groups of lists or of floats, or a confidence outside (0, 1)

    Example::

        for rate in loupe.slice(dataset, "scenario.time", failure="text_substitution"):
            print(rate)
        loupe.slice(dataset, [loupe.Factor.tags("train", "test"), loupe.Factor.field("uniqueness", bins=4)])
        loupe.slice(dataset, "scenario.time", failure="any", groups="prompt")
        loupe.slice(dataset, "ground_truth", failure="blur", objects="ground_truth")
        loupe.slice(dataset, "ground_truth", outcome=loupe.Outcome.field("eval", failed=[False]))
    """
    if failure is not None and outcome is not None:
        raise InputError(f"expected a failure or an outcome, got both: {failure!r} and {outcome.name!r}")
    for what, given in (("failure", failure), ("groups", groups)):
        if given is not None and not isinstance(given, str):
            raise InputError(f"expected {what} to be a name or None, got {given!r}")
    require_whole(min_n=(min_n, 1))
    # failures stand on samples; an outcome may be of what a view has made of them
    (require_stored if outcome is None else require_collection)(samples)
    store_rows.require_samples(samples)
    if objects is not None:
        return _of_objects(samples, by, objects, failure, outcome, confidence, groups, min_n)
    factors = factors_of(by)
    # read in the same pass, so that nothing that is written meanwhile comes between them
    grouping = [] if groups is None else [Factor.field(groups, name=_GROUPS)]
    table = columns.read(samples, [*factors, *grouping], None if failure is None else [failure], outcome)
    every = failure is None and outcome is None
    own = {factor.name: table.factors[factor.name] for factor in factors}
    require_shared(own)
    return Rates(
        rates(
            table.judged() if every else table.states,
            own,
            confidence=confidence,
            groups=None if groups is None else _grouped(groups, table),
            min_n=min_n,
        )
    )


def _of_objects(
    samples: SampleCollection,
    by: str | Factor | Iterable[str | Factor],
    path: str,
    failure: str | None,
    outcome: Outcome | None,
    confidence: float,
    groups: str | None,
    min_n: int,
) -> Rates:
    """Returns the rates of objects: those of a picture, or of what it shares with others, count as a group."""
    if outcome is not None:
        raise InputError(
            f"expected failure modes of objects, got the outcome {outcome.name!r}: leave out objects=, which counts "
            "pictures, or give failure="
        )
    require_images(samples)
    table = object_columns.read(samples, path, by, failure, groups)
    judged = {name: state for name, state in table.states.items() if (state >= State.PASSED).any()}
    states = judged if failure is None else table.states
    require_shared(table.factors)
    return Rates(rates(states, table.factors, confidence=confidence, groups=table.groups, min_n=min_n))


def _grouped(path: str, table: Columns) -> Column:
    if table.by[-1].kind == "float":
        raise InputError(
            f"expected a field of strings, bools or ints to group by, but {path!r} holds numbers in between"
        )
    return table.factors[_GROUPS]

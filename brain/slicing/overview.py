"""What is known of a set of samples as a whole: which failures it has, and what nobody knows yet. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.records import Record
from loupe.brain.core.results import Rate
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import rates


@dataclass(frozen=True)
class Overview(Record):
    """What is known of N samples.

    Attributes:
        n: how many samples there are
        failed: how many of them fail in some mode
        passed: how many were judged for something and fail in nothing
        unknown: how many some check could not judge
        unchecked: how many no check has judged for anything
        failing: the failure modes that samples have, the most frequent first
        clean: the failure modes that were judged and that no sample has
        unjudged: the failure modes that checks looked for and could judge nowhere
        examples: for each failing mode the places of some samples that have it, evenly picked
    """

    n: int
    failed: int
    passed: int
    unknown: int
    unchecked: int
    failing: tuple[Rate, ...]
    clean: tuple[str, ...]
    unjudged: tuple[str, ...]
    examples: Mapping[str, tuple[int, ...]]


def overview(states: Mapping[str, np.ndarray], n: int, examples: int = 4) -> Overview:
    """Returns what is known of N samples.

    Args:
        states: for each failure mode a (N,) array of ``State``
        n: how many samples there are
        examples: how many samples of a failing mode are wanted

    >>> state = np.array([State.FAILED, State.PASSED, State.UNKNOWN, State.UNCHECKED])
    >>> known = overview({"blur": state}, 4)
    >>> known.failed, known.passed, known.unknown, known.unchecked, known.examples
    (1, 1, 1, 2, {'blur': (0,)})
    """
    every = np.stack([*states.values()]) if states else np.zeros((1, n), dtype=np.int8)
    counted = rates(states) if states else []
    failing = sorted((rate for rate in counted if rate.failures), key=lambda rate: (-rate.failures, rate.failure))
    judged, failed = (every >= State.PASSED).any(axis=0), (every == State.FAILED).any(axis=0)
    return Overview(
        n=n,
        failed=int(failed.sum()),
        passed=int((judged & ~failed).sum()),
        unknown=int((every == State.UNKNOWN).any(axis=0).sum()),
        unchecked=int((~judged).sum()),
        failing=tuple(failing),
        clean=tuple(rate.failure for rate in counted if rate.n and not rate.failures),
        unjudged=tuple(rate.failure for rate in counted if not rate.n and rate.unknown),
        examples={
            rate.failure: _even(np.flatnonzero(states[rate.failure] == State.FAILED), examples) for rate in failing
        },
    )


def _even(places: np.ndarray, wanted: int) -> tuple[int, ...]:
    """Returns so many of the places, from the first to the last in even steps."""
    if len(places) <= wanted:
        return tuple(places.tolist())
    return tuple(places[np.linspace(0, len(places) - 1, wanted).astype(int)].tolist())

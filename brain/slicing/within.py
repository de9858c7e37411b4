"""The leaderboard of each category: the rates of all contenders within each value of a factor. Arithmetic only."""

from __future__ import annotations

import numpy as np

from loupe.brain.core.comparison import Within
from loupe.brain.slicing.changed import take
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.comparison import Entries, standings


def within(
    entries: Entries, rows: np.ndarray, column: Column, by: str, failure: str, confidence: float = 0.95
) -> tuple[Within, ...]:
    """Returns the contenders' rates within each value, in the order in which the values are shown.

    Args:
        entries: N judgments
        rows: (N,) int64: the sample of each
        column: which values each sample has; one of several values counts in each
        by: what the contenders are values of
        failure: what is counted
        confidence: of each interval
    """
    own = take(column, rows)
    made = []
    for code, value in enumerate(own.values):
        at = own.samples[own.codes == code]
        part = Entries(
            entries.names,
            entries.member[at],
            entries.state[at],
            cluster=None if entries.cluster is None else entries.cluster[at],
        )
        if len(at):
            made.append(Within(shown(value), tuple(standings(part, by, failure, confidence))))
    return tuple(made)

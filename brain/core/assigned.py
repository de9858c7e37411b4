"""What ``find_clusters`` and ``find_words`` wrote: a value for each sample, to be sliced by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular


@dataclass(frozen=True, repr=False)
class Assigned(Tabular, Record):
    """Which value each sample got.

    Attributes:
        field: where the values stand; ``loupe.slice(samples, field)`` slices by them
        counts: how many samples have each value
        unsure: how many were too close between two values to get one
        unknown: how many have no usable vector
    """

    field: str
    counts: Mapping[str, int]
    unsure: int = 0
    unknown: int = 0

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each value."""
        title = f"{sum(self.counts.values()):,} samples in {self.field!r}, {self.unsure} unsure, {self.unknown} unknown"
        return Table.of(title, (self.field, "samples"), list(self.counts.items()))

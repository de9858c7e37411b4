"""What ``more_like`` found: the samples that are the most alike to some others, or to a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular


@dataclass(frozen=True, repr=False)
class MoreLike(Tabular, Record):
    """The nearest samples, the most alike first. ``loupe.view_of(samples, made)`` is their view.

    Attributes:
        query: what they are like, in words
        ids: of the samples; none of the query's own is among them
        distances: 1 minus the cosine of each to the query, in [0, 2]; lower is more alike
        searched: among how many samples
        unknown: how many have no usable vector
        by: what looked them up: ``"exact"``, or the key of a similarity index of FiftyOne's
    """

    query: str
    ids: tuple[str, ...]
    distances: tuple[float, ...]
    searched: int
    unknown: int
    by: str

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each sample, the most alike first."""
        title = f"{len(self.ids):,} of {self.searched:,} samples most like {self.query}"
        title += f"; {self.unknown:,} have no usable vector" if self.unknown else ""
        rows = [(sample_id, round(each, 4)) for sample_id, each in zip(self.ids, self.distances, strict=True)]
        return Table.of(title, ("sample", "distance"), rows)

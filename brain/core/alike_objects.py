"""What was found of objects that are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loupe.brain.core.results import DuplicatesResult, LeaksResult, Pair
from loupe.brain.core.tables import Table


@dataclass(frozen=True)
class ObjectPair(Pair):
    """Two objects that are the same.

    ``id_a`` and ``id_b`` are the ids of their labels. ``kind`` is pixels (equal crops), near, or middle: what lies in
    the middle of the two crops is nearly the same, and what is around it is not.

    Attributes:
        sample_a, sample_b: the ids of the samples that they are in
        label_a, label_b: their classes
    """

    sample_a: str
    sample_b: str
    label_a: str | None
    label_b: str | None

    @property
    def disagrees(self) -> bool:
        """Whether the two have two classes; one without a class says nothing."""
        return None not in (self.label_a, self.label_b) and self.label_a != self.label_b


def _different(pairs: tuple[Pair, ...]) -> tuple[ObjectPair, ...]:
    return tuple(pair for pair in pairs if isinstance(pair, ObjectPair) and pair.disagrees)


@dataclass(frozen=True, repr=False)
class ObjectDuplicates(DuplicatesResult):
    """What ``find_duplicates`` found among the objects of a field: pairs and groups, by the ids of their labels.

    Attributes:
        pairs: ``ObjectPair`` each; of objects that are equal, each with the first
        objects: the field
        n: how many objects there are
        compared: how many of them were compared
        unknown: why others were not: how many of them, by the reason
        view: the name of the saved view of the groups; empty where there are none
    """

    objects: str = ""
    n: int = 0
    compared: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    view: str = ""

    @property
    def labeled_differently(self) -> tuple[ObjectPair, ...]:
        """The pairs whose two objects have two classes: one of the two labels is wrong."""
        return _different(self.pairs)

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each pair, those with two classes first."""
        different = set(self.labeled_differently)
        ordered = [*self.labeled_differently, *(pair for pair in self.pairs if pair not in different)]
        rows = [
            (pair.id_a, pair.label_a or "", pair.id_b, pair.label_b or "", pair.kind, round(pair.similarity, 3))
            for pair in ordered
            if isinstance(pair, ObjectPair)
        ]
        inside = sum(map(len, self.groups))
        pairs, groups = len(self.pairs), len(self.groups)
        title = f"{pairs:,} pair{'s' * (pairs != 1)} in {groups:,} group{'s' * (groups != 1)} of {inside:,} objects"
        title += f" of {self.objects!r}{f'; with two classes: {len(different):,}' if different else ''}"
        left = "; ".join(f"{count:,} {reason}" for reason, count in self.unknown.items())
        notes = [f"compared: {self.compared:,} of {self.n:,} objects{f' ({left})' if left else ''}"]
        notes += [*self.messages]
        head = ("object", "class", "and", "class", "the same", "similarity")
        return Table.of(title, head, rows, note="\n".join(notes))


@dataclass(frozen=True, repr=False)
class ObjectLeaks(LeaksResult):
    """What ``find_leaks`` found among the objects of a field.

    Attributes:
        pairs: ``ObjectPair`` each: every pair of objects that are the same in two splits
        samples: for each split how many of its objects stand in another one, too
        objects: the field
        n: how many objects there are
        compared: how many of them were compared
        unknown: why others were not: how many of them, by the reason
    """

    objects: str = ""
    n: int = 0
    compared: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def labeled_differently(self) -> tuple[ObjectPair, ...]:
        """The pairs whose two objects have two classes: one of the two labels is wrong."""
        return _different(self.pairs)

    def __repr__(self) -> str:
        shared = "; ".join(f"{names}: {count}" for names, count in self.between.items()) or "none"
        different = len(self.labeled_differently)
        two = f"; {different} with two classes" if different else ""
        return f"Leaks({len(self.pairs)} pairs of objects of {self.objects!r}; {shared}{two})"

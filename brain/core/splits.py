"""What ``split`` made, and what anybody can verify of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.records import Record
from loupe.brain.core.shares import hundredths
from loupe.brain.core.tables import Table, Tabular

#: what splits are usually called, in lower case
TEST_NAMES = frozenset({"test", "testing", "eval", "holdout", "held-out", "held_out"})
VAL_NAMES = frozenset({"val", "valid", "validation", "dev"})
TRAIN_NAMES = frozenset({"train", "training"})


def is_held_out(name: str) -> bool:
    """Returns whether a split is called as those are that nothing is trained on.

    >>> is_held_out(" Val "), is_held_out("train")
    (True, False)
    """
    return name.strip().casefold() in TEST_NAMES | VAL_NAMES


@dataclass(frozen=True)
class Certificate(Record):
    """That no group stands in two splits; ``loupe.verify_split`` makes it anew from what is stored.

    Attributes:
        field: where the splits stand
        groups: the fields whose groups no split may part; empty: each sample is a group
        n: how many samples are in a split
        n_groups: how many groups they make, those that touch each other joined
        torn: of those, how many stand in several splits: 0 where the certificate holds
        digest: of which sample is in which split: equal digests, equal splits
    """

    field: str
    groups: tuple[str, ...]
    n: int
    n_groups: int
    torn: int
    digest: str

    @property
    def holds(self) -> bool:
        """Whether no group stands in two splits."""
        return self.torn == 0

    def __str__(self) -> str:
        by = f" of {', '.join(self.groups)}" if self.groups else ""
        torn = "1 group stands in several splits" if self.torn == 1 else f"{self.torn:,} groups stand in several splits"
        verdict = "no group stands in two splits" if self.holds else torn
        return f"{verdict}: {self.n:,} samples in {self.n_groups:,} groups{by} (digest {self.digest})"


@dataclass(frozen=True, repr=False)
class Split(Tabular, Record):
    """What ``split`` wrote.

    Attributes:
        field: where the splits stand
        sizes: how many samples each split has
        nowhere: how many samples are in none: without a time, in a gap, or of a group across a cut
        moved: of a repair: how many samples changed their split; else None
        classes: for each class that was stratified how many samples each split has, the rarest class first
        deviation: the largest difference between the share of a class (or of all samples) that a split has and the
            share that it should have, in [0, 1]; lower is better
        rounding: what of it no split of whole samples could avoid
        certificate: that no group stands in two splits
    """

    field: str
    sizes: Mapping[str, int]
    nowhere: int
    moved: int | None
    classes: Mapping[str, Mapping[str, int]]
    deviation: float
    rounding: float
    certificate: Certificate

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each class, the rarest first, and one for all samples."""
        rows = [
            (name, sum(counts.values()), *(counts[split] for split in self.sizes))
            for name, counts in self.classes.items()
        ]
        everything = ("all samples", sum(self.sizes.values()), *self.sizes.values())
        parts = [f"{self.field}: {', '.join(f'{name} {n:,}' for name, n in self.sizes.items())}"]
        parts += [f"{self.nowhere:,} in no split"] if self.nowhere else []
        parts += [f"{self.moved:,} moved"] if self.moved is not None else []
        parts += [
            f"at most {hundredths(self.deviation)} off (rounding alone: {hundredths(self.rounding)})",
            str(self.certificate),
        ]
        return Table.of("; ".join(parts), ("class", "samples", *self.sizes), [everything, *rows])

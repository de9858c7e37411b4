"""What ``select`` chose, and whether it was worth it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.records import Record
from loupe.brain.core.shares import whole
from loupe.brain.core.tables import Table, Tabular

NOT_CHOSEN = "not chosen"


@dataclass(frozen=True)
class Against(Record):
    """A measure of a selection, and of choices of the same size by chance; lower is better.

    Attributes:
        name: ``"radius"``: the largest distance of any sample to the nearest chosen, in [0, 2]; ``"mean distance"``:
            the mean of those distances; ``"discrepancy"``: how far the chosen are distributed from all, the maximum
            mean discrepancy with a Gaussian kernel, in [0, 2 ** .5]
        value: of the selection
        random: the mean of five choices by chance
        low, high: the lowest and the highest of them
    """

    name: str
    value: float
    random: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Whether the selection is outside of what five choices by chance give."""
        if self.value < self.low:
            return "better than random"
        return "worse than random" if self.value > self.high else "as random"

    def __str__(self) -> str:
        chance = f"{self.random:.3g} [{self.low:.3g}, {self.high:.3g}]"
        return f"{self.name} {self.value:.3g}, by chance {chance}: {self.verdict}"


@dataclass(frozen=True, repr=False)
class Selection(Tabular, Record):
    """What was chosen.

    Attributes:
        ids: of the samples, in the order in which they were chosen
        n: how many samples were looked at
        kept: how many counted as chosen already
        counts: by factor how many of the chosen have each value
        available: by factor how many of all samples that were looked at have it
        left_out: the ids that could not be chosen, by the reason
        measures: how well the chosen stand for all that could be chosen, beside choices by chance; empty without
            vectors
        measured: on how many samples, drawn where there are many
        notes: what else is to be known, a sentence each
        view: the saved view; None where none was asked for
        exported: the folder with the export; None where none was asked for
        recipe: plain JSON: ``select(new_data, recipe=…)`` chooses in the same way
    """

    ids: tuple[str, ...]
    n: int
    kept: int
    counts: Mapping[str, Mapping[str, int]]
    available: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, tuple[str, ...]]
    measures: tuple[Against, ...]
    measured: int
    notes: tuple[str, ...]
    view: str | None
    exported: str | None
    recipe: Mapping[str, Any]

    @property
    def dropped(self) -> dict[str, int]:
        """How many samples were not chosen, by the reason; those that lost to others last."""
        counts = {reason: len(ids) for reason, ids in self.left_out.items()}
        rest = self.n - len(self.ids) - sum(counts.values())
        return {**counts, NOT_CHOSEN: rest} if rest else counts

    def sentences(self) -> list[str]:
        """Returns what was chosen, a sentence each."""
        strategy = ", ".join(
            name if share == 1 else f"{whole(share)} {name}" for name, share in self.recipe["strategy"].items()
        )
        lines = [f"{len(self.ids):,} of {self.n:,} samples chosen: {strategy}"]
        if self.kept:
            lines.append(f"{self.kept:,} were chosen already")
        if self.dropped:
            lines.append("Left: " + ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.items()))
        lines += [str(each)[0].upper() + str(each)[1:] for each in self.measures]
        lines += list(self.notes)
        return lines

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each value of each factor."""
        rows = [
            (factor, value, self.counts[factor].get(value, 0), count)
            for factor, values in self.available.items()
            for value, count in values.items()
        ]
        return Table.of(". ".join(self.sentences()), ("factor", "value", "chosen", "of"), rows)

"""What ``repair`` returns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.stats.intervals import Proportion

#: how a picture is repaired: a region of it, beginning with the whole picture, or from the prompt alone by other seeds;
#: mixed: by turns what keeps the most of it, and from the prompt alone
Method: TypeAlias = Literal["inpaint", "image_to_image", "redraw", "mixed"]
METHODS: tuple[Method, ...] = get_args(Method)
#: what became of it: a better one was kept; none was better; nobody can tell; a person took it, or took it back
Status: TypeAlias = Literal["better", "refused", "unknown", "accepted", "undone"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class RepairedSample(Record):
    """What became of one sample.

    Attributes:
        id: the sample's
        failure: the failure mode that was to be repaired
        method: how
        status: better, refused, unknown, or what a person decided since
        repaired_id: the sample with the repaired picture; empty where there is none
        attempt: which attempt it is, from 1; 0 where none was made
        before, after: the target's score of the original and of the best attempt; NaN is unknown
        reason: why nothing was kept; empty where something was
        worse: whether the first attempt was worse than the original in something: kept without a gate, it would do harm
    """

    id: str
    failure: str
    method: str
    status: Status
    repaired_id: str = ""
    attempt: int = 0
    before: float = math.nan
    after: float = math.nan
    reason: str = ""
    worse: bool = False

    @property
    def attempted(self) -> bool:
        """Whether anything was drawn."""
        return self.attempt > 0

    @property
    def better(self) -> bool:
        """Whether the gate kept a repair, whatever a person has decided since."""
        return self.attempted and not self.reason


@dataclass(frozen=True)
class RepairRate(Record):
    """How often a failure mode was repaired by a method.

    Attributes:
        failure, method: which
        rate: of the samples of which something was drawn: those with a repair that the gate kept. Higher is better
        harm: of the same samples: those whose first attempt was worse than the original in something, as it would be
            without a gate. Lower is better
        unknown: of how many samples nobody can tell, or nothing could be drawn; they are in neither rate
    """

    failure: str
    method: str
    rate: Proportion
    harm: Proportion
    unknown: int


@dataclass(frozen=True, repr=False)
class Repair(Tabular, Record):
    """What ``repair`` did.

    Attributes:
        samples: what became of each sample
        rates: by failure mode and method
        skipped: of how many the same call had decided before; they are among ``samples``
        messages: what else is to be known, by check or model
    """

    samples: tuple[RepairedSample, ...]
    rates: tuple[RepairRate, ...]
    skipped: int = 0
    messages: tuple[str, ...] = ()

    @classmethod
    def of(cls, samples: Iterable[RepairedSample], skipped: int = 0, messages: Iterable[str] = ()) -> Repair:
        """Returns the record of what became of samples, with its rates."""
        every = tuple(samples)
        kinds = Counter((each.failure, each.method) for each in every)
        rates = []
        for failure, method in sorted(kinds):
            own = [each for each in every if (each.failure, each.method) == (failure, method)]
            rates.append(RepairRate(failure, method, _share(own, "better"), _share(own, "worse"), _unknown(own)))
        return cls(every, tuple(rates), skipped, tuple(messages))

    @property
    def attempted(self) -> int:
        """Of how many samples something was drawn."""
        return sum(each.attempted for each in self.samples)

    @property
    def better(self) -> int:
        """How many have a repair that the gate kept."""
        return sum(each.better for each in self.samples)

    @property
    def worse(self) -> int:
        """Of how many the first attempt was worse than the original in something: no such attempt was kept."""
        return sum(each.worse for each in self.samples)

    @property
    def unknown(self) -> int:
        """Of how many nobody can tell, or nothing could be drawn."""
        return _unknown(self.samples)

    @property
    def rate(self) -> Proportion:
        """The share of the attempted samples that have a repair."""
        return _share(self.samples, "better")

    @property
    def harm(self) -> Proportion:
        """The share of the attempted samples whose first attempt did harm."""
        return _share(self.samples, "worse")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples with repaired pictures."""
        return tuple(each.repaired_id for each in self.samples if each.repaired_id)

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each failure mode and method."""
        rows = [(each.failure, each.method, str(each.rate), str(each.harm), each.unknown) for each in self.rates]
        title = f"{self.better:,} of {self.attempted:,} attempted samples have a better picture now"
        title += f", {self.unknown:,} unknown" if self.unknown else ""
        title += f", {self.skipped:,} were decided before" if self.skipped else ""
        return Table.of(
            title, ("failure", "method", "better", "first attempt worse", "unknown"), rows, "; ".join(self.messages)
        )


def _share(samples: Iterable[RepairedSample], what: str) -> Proportion:
    attempted = [each for each in samples if each.attempted]
    return Proportion.of(sum(getattr(each, what) for each in attempted), len(attempted))


def _unknown(samples: Iterable[RepairedSample]) -> int:
    return sum(not each.attempted for each in samples)

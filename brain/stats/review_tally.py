"""Decisions counted as they are made: what a whole reading of the database would say, without one after each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loupe.brain.stats.review import Side


@dataclass(frozen=True)
class Ranked:
    """A sample that is in a group: its random number, None where it has none, and its score."""

    rank: float | None
    score: float | None


@dataclass
class Tally:
    """A group of samples: those that a check flags, or those that it passes.

    Attributes:
        n: how many there are
        decided: what was decided of which, with its rank and score
        open: of the undecided ones those with the lowest ranks
        whole: whether these are all of the undecided ones
    """

    n: int
    decided: dict[str, tuple[Ranked, str]] = field(default_factory=dict)
    open: dict[str, Ranked] = field(default_factory=dict)
    whole: bool = True

    def __post_init__(self) -> None:
        # whatever rank is below this one stands in ``open``, or was decided
        self._edge = np.inf if self.whole else max(map(_rank, self.open.values()), default=-np.inf)

    def put(self, sample_id: str, ranked: Ranked, status: str | None) -> None:
        """Notes what somebody decided of a sample of the group; None: they took it back."""
        if status is None:
            self.decided.pop(sample_id, None)
            self.open[sample_id] = ranked
        else:
            self.open.pop(sample_id, None)
            self.decided[sample_id] = (ranked, status)

    def forget(self, sample_id: str) -> None:
        """Notes that a sample of the group is no more."""
        known = self.decided.pop(sample_id, None) or self.open.pop(sample_id, None)
        self.n -= known is not None

    def side(self) -> Side:
        """Returns what follows from it."""
        rows = list(self.decided.values())
        ranks = [_rank(ranked) for ranked, _ in rows]
        return Side(
            n=self.n,
            first_open=float(min([*map(_rank, self.open.values()), self._edge])),
            # a sample without a number is no draw
            ranks=np.array([rank if np.isfinite(rank) else np.nan for rank in ranks], dtype=np.float64),
            scores=np.array([np.nan if ranked.score is None else ranked.score for ranked, _ in rows], dtype=np.float32),
            statuses=np.array([status for _, status in rows], dtype=object),
        )


def _rank(ranked: Ranked) -> float:
    """Returns a sample's rank; one without comes before all: then nothing is known to be a draw."""
    return -np.inf if ranked.rank is None else ranked.rank


@dataclass
class Known:
    """What was decided of a failure mode.

    Attributes:
        flagged: the samples that the check flags
        passed: those that it passes
        by: who decided how many
        beyond: how many of the flagged ones a threshold that was looked at would flag, by its value
    """

    flagged: Tally
    passed: Tally
    by: dict[str, int] = field(default_factory=dict)
    beyond: dict[float, int] = field(default_factory=dict)

    def names(self) -> dict[str, int]:
        """Returns who decided how many, whoever decided most first."""
        listed = sorted(self.by.items(), key=lambda item: (-item[1], item[0]))
        return {name: count for name, count in listed if count > 0}

    def count(self, name: str, change: int) -> None:
        """Notes that somebody decided one more, or one less."""
        self.by[name] = self.by.get(name, 0) + change

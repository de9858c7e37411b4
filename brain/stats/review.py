"""What decisions on samples say of a check: its precision, its recall, a better threshold. Pure arithmetic.

Everything here stands on a random draw. Each sample has a random number of its own, its rank, that no score knows of.
The flagged samples whose ranks lie below the first rank that nobody has decided are a simple random sample of the
flagged ones, whoever decided them and in whichever order: a permanent random number sample (Ohlsson, "Coordination of
samples using permanent random numbers", in Business Survey Methods, Wiley 1995). It stays one when the threshold moves:
what a stricter one flags is a part of it; of a laxer one's samples those with low ranks have to be decided as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from loupe.brain.core.records import Threshold
from loupe.brain.core.review import Recall
from loupe.brain.core.shares import whole
from loupe.brain.stats.intervals import Proportion

#: decisions of a half of them from which on a threshold is chosen, or measured
MIN_HALF = 20
#: what a threshold has to flag of a half to be looked at
MIN_FLAGGED = 10
_DRAWS = 20_000


@dataclass(frozen=True, eq=False)
class Side:
    """What is known of the samples that a check flags, or of those that it passes.

    Attributes:
        n: how many there are
        first_open: the lowest rank of those that nobody has decided; infinity where all are
        ranks: (M,) float64: of the decided ones; NaN where a sample has none
        scores: (M,) float32
        statuses: (M,) of ``Status``
    """

    n: int
    first_open: float
    ranks: np.ndarray
    scores: np.ndarray
    statuses: np.ndarray

    def count(self, status: str) -> int:
        """Returns how many were decided so."""
        return int((self.statuses == status).sum())

    def drawn(self) -> np.ndarray:
        """Returns a (M,) bool array: which of the decided ones are a random draw of all."""
        with np.errstate(invalid="ignore"):
            return self.ranks < self.first_open

    def sure(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the scores of the drawn ones that are not unsure, in random order, and which of them are real."""
        chosen = np.flatnonzero(self.drawn() & (self.statuses != "unsure"))
        chosen = chosen[np.argsort(self.ranks[chosen], kind="stable")]
        return self.scores[chosen], self.statuses[chosen] == "real"


def precision(flagged: Side) -> Proportion:
    """Returns the share of real failures among the flagged samples, with its 95 % Wilson interval, by a random draw.

    >>> side = Side(9, 0.4, np.array([0.1, 0.3, 0.8]), np.zeros(3), np.array(["real", "false_alarm", "real"]))
    >>> str(precision(side))  # the third was not drawn: the sample with rank 0.4 comes before it
    '50.0 % [9.5 %, 90.5 %] (1 of 2)'
    """
    _, real = flagged.sure()
    return Proportion.of(int(real.sum()), len(real))


def recall(flagged: Side, passed: Side, seed: int = 0) -> Recall:
    """Returns the share of all failures that is flagged: flagged real ones / (those + real ones that passed).

    Both numbers of real ones are the sizes of the two groups times the shares in their random draws. The interval is
    the middle 95 % of what these shares may be by their Jeffreys posteriors, Beta(k + 1/2, n - k + 1/2), drawn 20,000
    times; it ends at 1 where no passed sample is known to be real. Not known without a draw of both.

    Args:
        flagged, passed: the two groups
        seed: of the draws
    """
    _, caught = flagged.sure()
    _, missed = passed.sure()
    k, n, m, of = int(caught.sum()), len(caught), int(missed.sum()), len(missed)
    if not n or not of:
        return Recall(passed=of, missed=m)
    caught_n, missed_n = flagged.n * k / n, passed.n * m / of
    if not caught_n and not missed_n:
        return Recall(passed=of, missed=m)
    rng = np.random.default_rng(seed)
    caught_ns = flagged.n * rng.beta(k + 0.5, n - k + 0.5, _DRAWS)
    missed_ns = passed.n * rng.beta(m + 0.5, of - m + 0.5, _DRAWS)
    low, high = np.quantile(caught_ns / (caught_ns + missed_ns), [0.025, 0.975])
    return Recall(
        rate=caught_n / (caught_n + missed_n),
        low=0.0 if not k else float(low),
        high=1.0 if not m else float(high),
        passed=of,
        missed=m,
    )


@dataclass(frozen=True)
class Choice:
    """A threshold that was chosen: its value and what it does on the half that did not choose it.

    Attributes:
        value: in the score's unit
        precision: of the samples that it flags there
        current: of those that the threshold in use flags there
        kept: of the real ones that the one in use flags there, how many it still flags
    """

    value: float
    precision: Proportion
    current: Proportion
    kept: Proportion


def choose(flagged: Side, op: Literal["<", ">"], wanted: float) -> tuple[Choice, str] | tuple[None, str]:
    """Returns the threshold that keeps the most samples at a wanted precision, or None and why there is none.

    Only stricter thresholds than the one in use are looked at: nothing is known of what a laxer one would flag. Every
    second sample of the random order chooses, the others measure: the best of many thresholds on the samples that
    chose it looks better than it is.

    Args:
        flagged: the samples that the threshold in use flags
        op: which side of a threshold fails
        wanted: in (0, 1)

    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random(200)
    >>> status = np.where(scores > 0.5, "real", "false_alarm")
    >>> side = Side(200, float("inf"), rng.random(200), scores, status)
    >>> 0.45 < choose(side, ">", 0.9)[0].value < 0.55
    True
    """
    scores, real = flagged.sure()
    choosing, measuring = (scores[::2], real[::2]), (scores[1::2], real[1::2])
    if len(measuring[0]) < MIN_HALF:
        missing = 2 * MIN_HALF - len(scores)
        # an unsure one may still be decided
        enough = flagged.n - len(scores) >= missing
        return None, (
            f"it takes {2 * MIN_HALF} decisions in random order, one half to choose and the other to measure, got "
            f"{len(scores)}: review {missing} more"
            + ("" if enough else f" (only {flagged.n} are flagged: check more samples first)")
        )
    share = float(real.mean())
    if share in (0.0, 1.0):
        kind = "real failures" if share else "false alarms"
        return None, f"all {len(scores)} are {kind}: a threshold needs some of both to part"
    now = Proportion.of(int(real.sum()), len(real))
    if now.high >= wanted:
        return None, f"the one in use has {now}: that may be the wanted {whole(wanted)} already"
    value = _strictest_needed(*choosing, op, wanted)
    if value is None:
        return None, (
            f"none reaches {whole(wanted)} with at least {MIN_FLAGGED} of the {len(choosing[0])} "
            "samples that choose: the "
            "score does not tell the real ones from the false alarms"
        )
    beyond = Threshold(op, value).violates(measuring[0])
    if beyond.sum() < MIN_FLAGGED:
        return None, f"it would be measured on {int(beyond.sum())} samples: review some more in random order"
    measured = Proportion.of(int(measuring[1][beyond].sum()), int(beyond.sum()))
    today = Proportion.of(int(measuring[1].sum()), len(measuring[1]))
    if measured.rate <= today.rate:
        return None, (
            f"the one that was chosen, {op} {value:.4g}, has {measured} on the samples that did not choose it, and the "
            f"one in use {today}: the score does not tell the real ones from the false alarms"
        )
    kept = Proportion.of(measured.k, today.k)
    return Choice(value, measured, today, kept), ""


def _strictest_needed(scores: np.ndarray, real: np.ndarray, op: Literal["<", ">"], wanted: float) -> float | None:
    """Returns the laxest threshold beyond which at least ``wanted`` of the samples are real; None: there is none."""
    worse = scores if op == ">" else -scores
    order = np.argsort(-worse, kind="stable")  # the worst first
    flagged = np.arange(1, len(scores) + 1)
    shares = np.cumsum(real[order]) / flagged
    ends = np.append(worse[order][1:] < worse[order][:-1], False)  # equal scores stay together; the last parts nothing
    fits = np.flatnonzero(ends & (shares >= wanted) & (flagged >= MIN_FLAGGED))
    if not len(fits):
        return None
    at = int(fits[-1])
    # it lies on the first score that is not flagged any more: beyond is strictly beyond
    return float(scores[order][at + 1])

"""Thresholds whose share of false alarms is guaranteed: conformal risk control. Pure arithmetic.

A picture's loss is 1 where it is flagged falsely, else 0, and falls as the threshold gets stricter. Of n pictures whose
losses are known and one more that is exchangeable with them, the strictest threshold needed with
(n R + 1) / (n + 1) <= a keeps the expected loss of the one more at a or below: Angelopoulos, Bates, Fisch, Lei and
Schuster, "Conformal risk control", ICLR 2024, https://arxiv.org/abs/2208.02814. For a share of 0 or 1 that is split
conformal prediction (Vovk, Gammerman and Shafer, 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loupe.brain.core.records import Threshold
from loupe.brain.core.shares import hundredths
from loupe.brain.stats.intervals import Proportion
from loupe.brain.stats.review import Side

# keeps 0.01 * 300 = 2.9999999999999996 from being 2
_TINY = 1e-9


def max_alarms(n: int, rate: float) -> int:
    """Returns how many of n known pictures may be false alarms, so that the next one is by at most ``rate``.

    (k + 1) / (n + 1) <= rate; -1 where n is too small for any guarantee.

    >>> max_alarms(98, 0.01), max_alarms(99, 0.01), max_alarms(199, 0.01)
    (-1, 0, 1)
    """
    return min(math.floor(rate * (n + 1) + _TINY), n + 1) - 1


def min_known(rate: float) -> int:
    """Returns how many known pictures a guarantee of that rate takes: with none of them a false alarm.

    >>> min_known(0.01)
    99
    """
    return max(math.ceil(1 / rate - 1 - _TINY), 0)


def guaranteed_threshold(clean: np.ndarray, op: Literal["<", ">"], rate: float) -> float:
    """Returns the threshold nearest to the clean scores that flags a further clean picture by at most ``rate``.

    By expectation over the clean pictures that chose it, as of one source. It lies on a clean score: "beyond" is
    strictly above, or strictly below.

    Args:
        clean: (N,) scores as stored; NaN is left out
        op: of the threshold
        rate: in (0, 1)

    Raises:
        ValueError: fewer than ``min_known(rate)`` known scores

    >>> guaranteed_threshold(np.arange(99.0), ">", 0.02)
    97.0
    """
    ordered = np.sort(clean[~np.isnan(clean)])
    allowed = min(max_alarms(len(ordered), rate), len(ordered) - 1)
    if allowed < 0:
        raise ValueError(f"expected at least {min_known(rate)} known scores of clean pictures, got {len(ordered)}")
    return float(ordered[allowed] if op == "<" else ordered[-1 - allowed])


@dataclass(frozen=True)
class Control:
    """What decisions say of the share of false alarms among all pictures that a check judged.

    Attributes:
        value: of the laxest threshold that keeps to the rate, not laxer than the one in use; None: see ``reason``
        reason: why there is none; empty where there is one
        bound: the expected share of false alarms among further pictures, at most, with that threshold, or with the one
            in use where there is none; NaN where nothing was decided
        now: the same with the one in use
        kept: of the drawn real ones, how many it still flags
    """

    value: float | None
    reason: str
    bound: float
    now: float
    kept: Proportion


def controlled(flagged: Side, judged: int, op: Literal["<", ">"], rate: float) -> Control:
    """Returns the laxest threshold with which at most ``rate`` of all further pictures are expected to be false alarms.

    What passes is no false alarm, whatever it shows: so the decisions on flagged pictures are enough. Of N judged
    pictures F are flagged, m of these were decided in random order, and k of them are false alarms beyond a threshold;
    unsure ones count as false alarms. The bound is (F + 1) / (N + 1) * (k + 1) / (m + 1). It holds in expectation where
    pictures come independently from one source: given F, the next flagged picture is a false alarm with at most
    rate (N + 1) / (F + 1) by conformal risk control; and a picture is flagged with p, where E[1 / (F + 1)] is at most
    1 / (p (N + 1)).

    Only stricter thresholds than the one in use are looked at: nothing is known of what a laxer one would flag.

    Args:
        flagged: the samples that the threshold in use flags
        judged: how many samples have a score, these among them
        op: which side of a threshold fails
        rate: in (0, 1)

    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random(200)
    >>> status = np.where(scores > 0.5, "real", "false_alarm")
    >>> side = Side(200, float("inf"), rng.random(200), scores, status)
    >>> 0.35 < controlled(side, 1000, ">", 0.02).value < 0.45
    True
    """
    drawn = flagged.drawn()
    scores, real = flagged.scores[drawn], flagged.statuses[drawn] == "real"
    m, share = len(scores), (flagged.n + 1) / (judged + 1)
    none = Proportion.of(0, 0)
    if not m:
        return Control(None, _too_few(flagged, judged, rate, 0), math.nan, math.nan, none)
    alarms = int((~real).sum())
    now = min(share * (alarms + 1) / (m + 1), 1.0)
    allowed = max_alarms(m, rate / share)
    if allowed < 0:
        return Control(None, _too_few(flagged, judged, rate, m), now, now, none)
    if alarms <= allowed:
        reason = (
            f"the one in use keeps to it: at most {hundredths(now)} of the pictures are expected to be false alarms"
        )
        return Control(None, reason, now, now, Proportion.of(m - alarms, m - alarms))
    ordered = np.sort(scores[~real])
    value = float(ordered[allowed] if op == "<" else ordered[-1 - allowed])
    beyond = Threshold(op, value).violates(scores)
    kept = Proportion.of(int((beyond & real).sum()), int(real.sum()))
    if not kept.k:
        return Control(
            None,
            f"a threshold that keeps to it, {op} {value:.4g}, flags none of the {kept.n} real ones: the score does not "
            "tell the real ones from the false alarms",
            now,
            now,
            kept,
        )
    return Control(value, "", share * (int((beyond & ~real).sum()) + 1) / (m + 1), now, kept)


def _too_few(flagged: Side, judged: int, rate: float, m: int) -> str:
    share = (flagged.n + 1) / (judged + 1)
    needed = max(min_known(min(rate / share, 1.0)), 1)
    missing = needed - m
    if flagged.n - m >= missing:
        return (
            f"a share of at most {hundredths(rate)} false alarms takes {needed} decisions in "
            f"random order, got {m}: review "
            f"{missing} more"
        )
    return (
        f"a share of at most {hundredths(rate)} false alarms cannot be shown here: it takes "
        f"{needed} flagged samples, decided "
        f"in random order, and {flagged.n} of {judged} are flagged: check more samples first"
    )

"""Thresholds with a guaranteed share of false alarms: against their definition, and by drawing whole populations."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest

from loupe.brain.core.records import Threshold
from loupe.brain.stats.review import Side
from loupe.brain.stats.risk import controlled, guaranteed_threshold, max_alarms, min_known


def side(scores: np.ndarray, statuses: np.ndarray, n: int | None = None, *, drawn: int | None = None) -> Side:
    """The first ``drawn`` of the given ones were decided in random order, the others in another one."""
    ranks = np.arange(len(scores), dtype=np.float64)
    first_open = math.inf if drawn is None else float(drawn)
    return Side(len(scores) if n is None else n, first_open, ranks, np.asarray(scores, np.float32), statuses)


def named(real: np.ndarray) -> np.ndarray:
    return np.where(real, "real", "false_alarm").astype(object)


@pytest.mark.parametrize("rate", [0.001, 0.01, 1 / 49, 0.03, 0.07, 0.1, 0.3, 0.9, 1.0])
def test_so_many_may_be_alarms(rate: float) -> None:
    for n in range(220):
        fits = [k for k in range(n + 1) if (k + 1) / (n + 1) <= rate + 1e-12]
        assert max_alarms(n, rate) == max(fits, default=-1)
    known = min_known(rate)
    assert max_alarms(known, rate) >= 0
    assert known == 0 or max_alarms(known - 1, rate) == -1


@pytest.mark.parametrize("op", ["<", ">"])
def test_the_guaranteed_threshold_is_the_laxest_that_keeps_the_rate(op: Literal["<", ">"]) -> None:
    rng = np.random.default_rng(1)
    for n in (19, 20, 57, 99):
        clean = rng.integers(0, 30, n).astype(float)
        fits = [value for value in clean if (Threshold(op, value).violates(clean).sum() + 1) / (n + 1) <= 0.05 + 1e-12]
        assert guaranteed_threshold(np.append(clean, np.nan), op, 0.05) == (max(fits) if op == "<" else min(fits))
    with pytest.raises(ValueError, match="at least 19 known scores of clean pictures, got 18"):
        guaranteed_threshold(np.append(np.arange(18.0), np.nan), op, 0.05)


@pytest.mark.parametrize("op", ["<", ">"])
@pytest.mark.parametrize("rate", [0.01, 0.03, 0.1])
def test_the_threshold_is_that_of_trying_each(op: Literal["<", ">"], rate: float) -> None:
    """By definition: of all scores at which the bound keeps to the rate, the one that flags the most."""
    rng = np.random.default_rng(7)
    offered = 0
    for _ in range(60):
        flagged, judged = int(rng.integers(30, 200)), int(rng.integers(200, 3000))
        m = int(rng.integers(10, flagged + 1))
        scores = np.float32(rng.integers(0, 40, m) / 40)
        worse = scores if op == ">" else -scores
        real = rng.random(m) < (worse - worse.min()) / max(np.ptp(worse), 1e-6)
        made = controlled(side(scores, named(real), flagged), judged, op, rate)

        def bound(alarms: int, m: int = m, share: float = (flagged + 1) / (judged + 1)) -> float:
            return share * (alarms + 1) / (m + 1)

        assert made.now == pytest.approx(min(bound(int((~real).sum())), 1))
        fits = [
            float(value)
            for value in np.unique(scores)
            if bound(int((Threshold(op, float(value)).violates(scores) & ~real).sum())) <= rate + 1e-12
        ]
        if bound(int((~real).sum())) <= rate + 1e-12:
            assert made.value is None
            assert "keeps to it" in made.reason
        elif made.value is None:
            assert made.reason
        else:
            offered += 1
            assert made.value == (min(fits) if op == ">" else max(fits))
            beyond = Threshold(op, made.value).violates(scores)
            assert made.bound == pytest.approx(bound(int((beyond & ~real).sum())))
            assert made.bound <= rate + 1e-12
            assert (made.kept.k, made.kept.n) == ((beyond & real).sum(), real.sum())
    assert offered > 5


@pytest.mark.parametrize(("judged", "m", "rate"), [(400, 60, 0.03), (2000, 200, 0.01), (300, 40, 0.05)])
def test_of_further_pictures_no_more_are_false_alarms(judged: int, m: int, rate: float) -> None:
    """Whole populations are drawn: the share of false alarms that the offered threshold has in truth, on average.

    Scores are uniform, the threshold in use is .7, and a flagged picture is real with its score to the fourth. Where
    there are too few decisions, or none is offered because the one in use keeps to it, that one stays.
    """

    def truth(threshold: float) -> float:  # the integral of 1 - x ** 4 from there to 1
        return (1 - threshold) - (1 - threshold**5) / 5

    rng = np.random.default_rng(judged)
    shares, offered = [], 0
    for _ in range(700):
        scores = rng.random(judged)
        flagged = scores[scores > 0.7]
        decided = min(m, len(flagged))
        real = rng.random(decided) < flagged[:decided] ** 4
        made = controlled(side(flagged[:decided], named(real), len(flagged)), judged, ">", rate)
        offered += made.value is not None
        nothing = made.value is None and "flags none" in made.reason
        shares.append(0.0 if nothing else truth(0.7 if made.value is None else made.value))
    assert offered > 600
    assert truth(0.7) > rate
    error = np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) <= rate + 2 * error
    assert np.mean(shares) > 0.6 * rate  # and it is of use


def test_only_what_was_decided_in_random_order_counts_and_unsure_ones_are_alarms() -> None:
    rng = np.random.default_rng(5)
    scores, real = rng.random(100), rng.random(100) < 0.5
    whole = controlled(side(scores, named(real), 150, drawn=60), 1000, ">", 0.03)
    part = controlled(side(scores[:60], named(real[:60]), 150), 1000, ">", 0.03)
    assert whole == part
    unsure = named(real[:60])
    unsure[unsure == "false_alarm"] = "unsure"
    assert controlled(side(scores[:60], unsure, 150), 1000, ">", 0.03) == part


def test_too_few_decisions_are_named() -> None:
    few = side(np.linspace(0, 1, 5), named(np.ones(5, bool)), 100)
    made = controlled(few, 1000, ">", 0.01)
    assert made.value is None
    assert made.reason == (
        "a share of at most 1.00 % false alarms takes 10 decisions in random order, got 5: review 5 more"
    )
    # that many are enough: with not a false alarm among them the threshold in use keeps to it
    enough = side(np.linspace(0, 1, 10), named(np.ones(10, bool)), 100)
    assert "the one in use keeps to it: at most 0.92 % of the pictures" in controlled(enough, 1000, ">", 0.01).reason
    assert controlled(side(np.zeros(0), named(np.zeros(0, bool)), 100), 1000, ">", 0.01).reason.endswith(
        "review 10 more"
    )


def test_too_few_pictures_are_named() -> None:
    made = controlled(side(np.linspace(0, 1, 5), named(np.ones(5, bool)), 5), 50, ">", 0.01)
    assert made.value is None
    assert "it takes 11 flagged samples, decided in random order, and 5 of 50 are flagged: check more" in made.reason
    assert math.isnan(controlled(side(np.zeros(0), named(np.zeros(0, bool)), 0), 50, ">", 0.01).bound)


def test_a_score_that_ranks_false_alarms_first_gets_no_threshold() -> None:
    scores = np.linspace(0, 1, 100)
    made = controlled(side(scores, named(scores < 0.5)), 200, ">", 0.05)
    assert made.value is None
    assert "does not tell the real ones from the false alarms" in made.reason

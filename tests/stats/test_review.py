"""What decisions say of a check, against counting by hand, statsmodels and simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from loupe.brain.stats.review import MIN_HALF, Side, choose, precision, recall


def side(
    real: Any, scores: Any = None, ranks: Any = None, *, n: int | None = None, first_open: float = math.inf
) -> Side:
    """A group whose members were all decided, unless said otherwise; ``real``: True, False or "unsure"."""
    names = {True: "real", False: "false_alarm"}
    statuses = np.array([names.get(each, each) if not isinstance(each, str) else each for each in real], dtype=object)
    count = len(statuses)
    return Side(
        n=count if n is None else n,
        first_open=first_open,
        ranks=np.arange(count, dtype=np.float64) if ranks is None else np.asarray(ranks, dtype=np.float64),
        scores=np.zeros(count, np.float32) if scores is None else np.asarray(scores, dtype=np.float32),
        statuses=statuses,
    )


def test_only_what_comes_before_the_first_open_sample_counts_whatever_order_it_was_decided_in() -> None:
    ranks = [0.5, 0.1, 0.9, 0.2, 0.3]
    known = side([True, False, True, "unsure", True], ranks=ranks, n=50, first_open=0.4)
    assert precision(known).to_dict() | {"low": 0, "high": 0} == {"k": 1, "n": 2, "low": 0, "high": 0}
    assert known.drawn().tolist() == [False, True, False, True, True]
    shuffled = side([True, "unsure", True, True, False], ranks=[0.3, 0.2, 0.9, 0.5, 0.1], n=50, first_open=0.4)
    assert precision(shuffled) == precision(known)


def test_a_sample_without_a_random_number_is_no_draw() -> None:
    known = side([True, True, False], ranks=[math.nan, 0.1, 0.2], n=9, first_open=0.5)
    assert (precision(known).k, precision(known).n) == (1, 2)
    assert precision(side([True, True], n=9, first_open=-math.inf)).n == 0


def test_the_interval_is_that_of_statsmodels() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    known = precision(side([True] * 27 + [False] * 11))
    assert (known.low, known.high) == pytest.approx(proportion.proportion_confint(27, 38, method="wilson"))


def test_worst_first_does_not_move_the_precision() -> None:
    """The worst are real far more often: those who look at them first must not be told that all are."""
    rng = np.random.default_rng(3)
    scores, ranks = rng.random(400), rng.random(400)
    real = rng.random(400) < scores
    worst = np.argsort(-scores)[:60]
    open_ranks = np.delete(ranks, worst)
    known = side(real[worst].tolist(), scores[worst], ranks[worst], n=400, first_open=float(open_ranks.min()))
    assert real[worst].mean() > 0.85
    assert precision(known).n < 5  # by chance a few of them come first in the random order, too


@pytest.mark.parametrize(("n", "share"), [(20, 0.7), (40, 0.9), (60, 0.2)])
def test_the_interval_of_a_permanent_random_number_sample_covers(n: int, share: float) -> None:
    rng = np.random.default_rng(n)
    covered, runs = 0, 600
    for _ in range(runs):
        real = rng.random(2000) < share  # the superpopulation's share is what is estimated
        ranks = rng.random(2000)
        order = np.argsort(ranks)
        # some more were decided elsewhere: worst first
        decided = np.union1d(order[:n], rng.permutation(2000)[:100])
        rest = np.setdiff1d(np.arange(2000), decided)
        known = side(real[decided].tolist(), None, ranks[decided], n=2000, first_open=float(ranks[rest].min()))
        result = precision(known)
        assert result.n >= n
        covered += result.low <= share <= result.high
    assert 0.92 <= covered / runs <= 0.98


def test_recall_counts_what_passed_by_its_share() -> None:
    flagged, passed = side([True] * 30 + [False] * 10, n=100), side([True] * 2 + [False] * 38, n=900)
    known = recall(flagged, passed)
    assert known.rate == pytest.approx(75 / (75 + 45))
    assert known.low < known.rate < known.high
    assert (known.passed, known.missed) == (40, 2)


def test_recall_is_not_known_without_a_draw_of_both() -> None:
    some, none = side([True, False], n=10), side([], n=90)
    assert math.isnan(recall(some, none).rate)
    assert str(recall(some, none)) == "not known"
    assert math.isnan(recall(none, some).rate)
    assert math.isnan(recall(side([False], n=5), side([False], n=5)).rate)
    unsure = side(["unsure"], n=9)
    assert math.isnan(recall(some, unsure).rate)


def test_recall_ends_at_one_where_nothing_was_missed() -> None:
    known = recall(side([True] * 20, n=40), side([False] * 50, n=960))
    assert (known.rate, known.high) == (1.0, 1.0)
    assert known.low < 0.8  # fifty of 960 say little of what was missed
    assert recall(side([False] * 20, n=40), side([True] * 50, n=960)).low == 0


@pytest.mark.parametrize(("p", "q"), [(0.7, 0.02), (0.4, 0.05), (0.9, 0.1)])
def test_the_interval_of_the_recall_covers(p: float, q: float) -> None:
    rng = np.random.default_rng(5)
    flagged_n, passed_n, n, m = 300, 2700, 60, 120
    truth = flagged_n * p / (flagged_n * p + passed_n * q)
    covered, runs = 0, 400
    for _ in range(runs):
        a = side((rng.random(n) < p).tolist(), n=flagged_n)
        b = side((rng.random(m) < q).tolist(), n=passed_n)
        known = recall(a, b)
        covered += known.low <= truth <= known.high
    assert 0.92 <= covered / runs <= 0.985


def told_apart(n: int, seed: int, op: str = ">", overlap: float = 0.0) -> Side:
    rng = np.random.default_rng(seed)
    scores = np.float32(rng.random(n))
    real = (scores > 0.5) ^ (rng.random(n) < overlap)
    return side(real.tolist(), scores if op == ">" else 1 - scores, rng.random(n))


@pytest.mark.parametrize("op", [">", "<"])
def test_a_threshold_is_chosen_on_one_half_and_measured_on_the_other(op: Any) -> None:
    known = told_apart(300, 1, op, overlap=0.05)
    choice, reason = choose(known, op, 0.9)
    assert choice is not None, reason
    assert choice.value == pytest.approx(0.45, abs=0.08) if op == ">" else choice.value == pytest.approx(0.55, abs=0.08)
    # counted by hand on the half that did not choose
    order = np.argsort(known.ranks)[1::2]
    beyond = known.scores[order] > choice.value if op == ">" else known.scores[order] < choice.value
    real = known.statuses[order] == "real"
    assert (choice.precision.k, choice.precision.n) == (real[beyond].sum(), beyond.sum())
    assert (choice.current.k, choice.current.n) == (real.sum(), len(real))
    assert (choice.kept.k, choice.kept.n) == (real[beyond].sum(), real.sum())
    assert choice.precision.rate > choice.current.rate


def test_the_chosen_half_is_where_the_wanted_precision_is_kept_by_the_laxest_threshold() -> None:
    known = told_apart(200, 2, overlap=0.1)
    choice, _ = choose(known, ">", 0.8)
    assert choice is not None
    order = np.argsort(known.ranks)[::2]
    scores, real = known.scores[order], known.statuses[order] == "real"

    def share(value: float) -> float:
        return float(real[scores > value].mean())

    assert share(choice.value) >= 0.8
    laxer = [value for value in scores if value < choice.value]
    assert all(share(value) < 0.8 for value in laxer)


@pytest.mark.parametrize(
    ("known", "wanted", "why"),
    [
        (side([True, False] * 10, n=40), 0.9, "got 20: review 20 more"),
        (side([True, False] * 10, n=39), 0.9, "review 20 more (only 39 are flagged: check more samples first)"),
        (side([True] * 50), 0.9, "real failures"),
        (side([False] * 50), 0.9, "false alarms"),
        (side([True] * 49 + [False]), 0.9, "may be the wanted 90 % already"),
        (side([True, False] * 30), 0.9, "does not tell"),
        (side([True] * 35 + [False] * 5), 0.9, "[73.9 %, 94.5 %] (35 of 40): that may be"),
        (side(["unsure"] * 80), 0.9, "review 40 more"),
    ],
)
def test_no_threshold_is_offered_where_nothing_is_known(known: Side, wanted: float, why: str) -> None:
    choice, reason = choose(known, ">", wanted)
    assert choice is None
    assert why in reason
    assert "only" not in reason or known.n < 2 * MIN_HALF


def test_a_score_that_says_nothing_is_seldom_offered() -> None:
    offered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        real = rng.random(120) < 0.6
        choice, _ = choose(side(real.tolist(), rng.random(120), rng.random(120)), ">", 0.75)
        # what is offered says what it has on the half that did not choose it: it promises nothing it has not seen
        if choice is not None and choice.precision.low > 0.6:
            offered += 1
    assert offered / 200 <= 0.05


def test_what_was_not_drawn_chooses_nothing() -> None:
    known = side([True, False] * 40, np.tile([1.0, 0.0], 40), n=500, first_open=10)
    choice, reason = choose(known, ">", 0.9)
    assert choice is None
    assert f"review {2 * MIN_HALF - 10} more" in reason

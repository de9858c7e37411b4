"""How many wrong labels remain: against counting by hand, and how often the interval holds what really remains."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from loupe.brain.stats.remaining import ByScore, _posterior, bins_of, remaining

N, TRIALS = 3000, 40


def decided(scores: np.ndarray, wrong: np.ndarray, places: np.ndarray) -> ByScore:
    seen = ByScore.of(scores)
    at = bins_of(scores)
    for place in places[at[places] >= 0].tolist():
        (seen.wrong if wrong[place] else seen.right)[at[place]] += 1
    return seen


def test_all_that_was_decided_is_put_right() -> None:
    scores = np.array([0.9, 0.5, 0.1, 0.02, math.nan])
    seen = decided(scores, np.array([1, 0, 0, 0, 1], bool), np.arange(5))
    made = remaining(seen)
    assert (made.n, made.decided, made.wrong, made.open) == (4, 4, 1, 0)
    assert (made.rate, made.low, made.high) == (0, 0, 0)


def test_nothing_judged_is_not_known() -> None:
    for scores in (np.zeros(0), np.array([math.nan, math.nan])):
        made = remaining(ByScore.of(scores))
        assert str(made) == "not known"
        assert made.to_dict()["rate"] is None


def test_scores_at_the_ends_and_decisions_taken_back() -> None:
    assert bins_of(np.array([0.0, 1.0, 0.5, math.nan])).tolist() == [0, 31, 16, -1]
    seen = ByScore.of(np.array([0.0, 1.0, 0.5]))
    before = remaining(seen)
    assert math.isfinite(before.rate)
    for score in (0.0, 1.0, None, math.nan):
        seen.count(score, True)
        seen.count(score, True, -1)
    assert remaining(seen) == before


def test_where_much_was_decided_the_decisions_count_alone() -> None:
    """One score for all: against the share of the decided ones, whatever the score says."""
    for score in (0.02, 0.5, 0.9):
        scores = np.full(4000, score)
        wrong = np.arange(4000) % 5 == 0
        made = remaining(decided(scores, wrong, np.arange(2000)))
        assert made.rate == pytest.approx(0.2 * 0.5, abs=0.004)
        # the spread of a share of 2,000 and of another 2,000
        sd = math.sqrt(2 * 0.2 * 0.8 / 2000) / 2
        assert made.high - made.low == pytest.approx(2 * 1.96 * sd, rel=0.15)


def test_before_anything_is_decided_the_scores_are_believed_with_a_wide_interval() -> None:
    scores = np.repeat([0.9, 0.3, 0.01], [100, 200, 700])
    made = remaining(ByScore.of(scores))
    assert made.low < 0.5 * scores.mean()
    assert made.high > 2 * scores.mean()
    assert made.rate == pytest.approx(scores.mean(), rel=0.4)


def test_the_mode_is_the_best_of_all() -> None:
    from scipy.optimize import minimize

    before, wrong, right = np.array([-4.0, -1.0, 0.5, 3.0]), np.array([0, 3, 40, 9]), np.array([30, 5, 2, 0])
    middle, root = _posterior(before, wrong, right)
    apart = before[:, None] - before
    prior = 1 + 0.35**2 * np.outer(before, before) + np.exp(-0.5 * (apart / 2) ** 2) + 1e-4 * np.eye(4)

    def cost(delta: np.ndarray) -> float:
        logits = before + delta
        return float(
            (wrong * np.logaddexp(0, -logits) + right * np.logaddexp(0, logits)).sum()
            + 0.5 * delta @ np.linalg.solve(prior, delta)
        )

    best = minimize(cost, np.zeros(4), tol=1e-10)
    assert middle == pytest.approx(best.x, abs=1e-3)
    share = 1 / (1 + np.exp(-(before + best.x)))
    bend = np.linalg.inv(prior) + np.diag((wrong + right) * share * (1 - share))
    assert root @ root.T == pytest.approx(np.linalg.inv(bend), rel=0.02, abs=1e-3)


def _logistic(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def _labels(shift: float, slope: float, floor: float) -> Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]:
    """Scores of labels, of which ``floor`` are wrong that look right, and which are off by a shift and a slope."""

    def drawn(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        logits = np.where(rng.random(N) < 0.12, rng.normal(1, 2, N), rng.normal(-5, 1.5, N))
        return _logistic(logits), rng.random(N) < floor + (1 - floor) * _logistic(shift + slope * logits)

    return drawn


WORLDS = {
    "the scores are right": _labels(0, 1, 0),
    "too low": _labels(0.8, 1, 0),
    "too high": _labels(-0.8, 1, 0),
    "too sure": _labels(0, 0.6, 0),
    "not sure enough": _labels(0, 1.5, 0),
    "3 % look right": _labels(0, 1, 0.03),
}


def _worst(scores: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-scores)[:k]


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_interval_holds_what_remains_however_one_goes(world: str) -> None:
    """Nominal 95 %; worst first, where the scores have to be believed below, it is wide and holds more often."""
    orders: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
        "the worst 50": lambda scores, rng: _worst(scores, 50),
        "the worst 400": lambda scores, rng: _worst(scores, 400),
        "200 at random": lambda scores, rng: rng.choice(N, 200, replace=False),
        "the worst 150 and 100 at random": lambda scores, rng: np.union1d(
            _worst(scores, 150), rng.choice(N, 100, replace=False)
        ),
    }
    held = dict.fromkeys(orders, 0)
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        scores, wrong = WORLDS[world](rng)
        for name, order in orders.items():
            places = order(scores, rng)
            still = wrong.sum() - wrong[places].sum()
            made = remaining(decided(scores, wrong, places))
            held[name] += made.low <= still / N <= made.high
            assert made.open == N - len(places)
    # of 40 that hold with 95 %, 34 or more do in 98.6 % of all cases
    assert min(held.values()) >= 34, held


def test_looking_at_random_narrows_what_looking_at_the_worst_leaves_open() -> None:
    rng = np.random.default_rng(3)
    scores, wrong = WORLDS["the scores are right"](rng)
    worst = _worst(scores, 200)
    random = np.union1d(_worst(scores, 100), rng.choice(N, 100, replace=False))
    one_way, other_way = (remaining(decided(scores, wrong, places)) for places in (worst, random))
    assert other_way.high - other_way.low < 0.6 * (one_way.high - one_way.low)


def test_suggestions_that_were_put_in_unseen_are_wrong_where_the_label_was_right() -> None:
    """Of 1,000 labels 500 are wrong by their scores; of the suggestions for these nine in ten are right."""
    rng = np.random.default_rng(0)
    scores = np.repeat([0.9, 0.02], [500, 500])
    labels = ByScore.of(scores)
    before = remaining(labels)
    for _ in range(500):
        labels.accept(0.9, 0.81)
    after = remaining(labels)
    assert after.n == after.open == 1000
    # 500 * (1 - 0.9 * 0.9) + 500 * 0.02
    assert after.rate == pytest.approx(0.105, abs=0.05)
    assert after.high < before.rate
    wrong = int((rng.random(500) < 0.19).sum() + (rng.random(500) < 0.02).sum())
    assert after.low < wrong / 1000 < after.high
    for _ in range(500):
        labels.accept(0.9, 0.81, -1)
    assert remaining(labels) == before

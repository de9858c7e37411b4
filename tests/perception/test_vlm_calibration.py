"""Calibration: probabilities that come true, cuts that keep their word on labels they have not seen."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from loupe.brain.core.errors import InputError
from loupe.brain.perception.vlm.answers import Answer, Cuts
from loupe.brain.perception.vlm.calibration import VlmCalibration, calibrate
from loupe.brain.stats.intervals import wilson


def answers(yes: ArrayLike, mass: float = 1.0) -> list[Answer]:
    return [Answer(float(value), mass, "unknown") for value in np.asarray(yes)]


def simulated(n: int, seed: int, *, slope: float = 3.0, shift: float = 2.0) -> tuple[list[Answer], np.ndarray]:
    """An overconfident VLM that says yes too readily; the truth follows known probabilities."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 2, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-odds))
    return answers(1 / (1 + np.exp(-(slope * odds + shift)))), truth


def test_the_curve_is_that_of_an_independent_fit() -> None:
    from sklearn.linear_model import LogisticRegression

    answered, truth = simulated(4000, 0)
    record = calibrate(answered, truth)
    odds = np.array([math.log(answer.yes / (1 - answer.yes)) for answer in answered])[:, None]
    other = LogisticRegression(C=1e9).fit(np.clip(odds, -13.8155, 13.8155), truth)
    assert record.slope == pytest.approx(other.coef_[0, 0], rel=0.02)
    assert record.intercept == pytest.approx(other.intercept_[0], abs=0.02)
    assert record.slope == pytest.approx(1 / 3, abs=0.04)


def test_calibrated_probabilities_come_true() -> None:
    record = calibrate(*simulated(3000, 1))
    fresh, truth = simulated(6000, 2)
    yes = np.array([record.apply(answer).yes for answer in fresh])
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9)):
        inside = (yes >= low) & (yes < high)
        assert inside.sum() > 300
        assert abs(yes[inside].mean() - truth[inside].mean()) < 0.06
    raw = np.array([answer.yes for answer in fresh])
    assert np.mean((yes - truth) ** 2) < np.mean((raw - truth) ** 2) - 0.01


@pytest.mark.parametrize("precision", [0.8, 0.9, 0.95])
def test_verdicts_have_the_wanted_precision(precision: float) -> None:
    record = calibrate(*simulated(2000, 3), precision=precision)
    fresh, truth = simulated(20000, 4)
    verdicts = [record.apply(answer).verdict for answer in fresh]
    for word, right in (("yes", truth), ("no", ~truth)):
        answered = np.array([verdict == word for verdict in verdicts])
        assert answered.sum() > 1000
        assert right[answered].mean() > precision - 0.03
    coverage = np.mean([verdict != "unknown" for verdict in verdicts])
    assert record.coverage.low - 0.05 < coverage < record.coverage.high + 0.05
    assert record.precision.low <= record.precision.rate <= record.precision.high


def test_a_higher_precision_costs_coverage() -> None:
    answered, truth = simulated(1000, 5)
    covered = [calibrate(answered, truth, precision=precision).coverage.rate for precision in (0.7, 0.85, 0.95)]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] > covered[-1] + 0.2


def test_what_it_reports_was_measured_on_unseen_labels() -> None:
    # chance alone: the cuts find something on the labels they are made on, and the report must not believe it
    rates = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        record = calibrate(answers(rng.random(100)), rng.random(100) < 0.5, precision=0.7)
        rates += [record.precision.rate] * record.precision.n
    assert not rates or np.mean(rates) < 0.6


def test_a_vlm_that_knows() -> None:
    yes = np.r_[np.full(10, 0.9), np.full(10, 0.1)]
    record = calibrate(answers(yes), yes > 0.5)
    assert (record.labels, record.positives, record.unknown, record.reason) == (20, 10, 0, "")
    assert [record.apply(answer).verdict for answer in answers([0.97, 0.5, 0.03])] == ["yes", "unknown", "no"]
    assert math.isfinite(record.slope)


def test_a_vlm_that_is_wrong_about_everything_gives_no_verdict() -> None:
    yes = np.linspace(0.01, 0.99, 60)
    record = calibrate(answers(yes), yes < 0.5)
    assert (record.cuts.low, record.cuts.high) == (None, None)
    assert "do not go with the labels" in record.reason
    assert record.coverage.k == 0
    assert math.isnan(record.precision.rate)
    assert str(record.precision) == "not known"
    assert record.apply(Answer(0.99, 1.0, "yes")).verdict == "unknown"


def test_a_vlm_that_always_says_the_same() -> None:
    record = calibrate(answers(np.full(60, 0.8)), np.arange(60) % 2 == 0)
    assert record.coverage.k == 0
    assert record.apply(Answer(0.8, 1.0, "yes")).verdict == "unknown"


def test_one_side_may_lack_a_cut() -> None:
    # sure of its no, right about its yes half of the time
    yes = np.r_[np.full(40, 0.9), np.full(40, 0.02)]
    truth = np.r_[np.arange(40) % 2 == 0, np.zeros(40, bool)]
    record = calibrate(answers(yes), truth)
    assert record.cuts.high is None
    assert record.reason == "no cut for yes has a precision of 90 % on these labels"
    assert record.apply(Answer(0.01, 1.0, "unknown")).verdict == "no"
    assert record.apply(Answer(0.99, 1.0, "unknown")).verdict == "unknown"
    assert record.precision.rate == 1


def test_answers_without_yes_or_no_count_against_coverage() -> None:
    known = np.linspace(0, 1, 40)
    silent = [Answer(math.nan, 0.0, "unknown", "why"), Answer(0.9, 0.1, "unknown", "why")] * 5
    record = calibrate([*answers(known), *silent], [*(known > 0.5), *[True] * 10])
    assert (record.labels, record.unknown, record.coverage.n) == (50, 10, 50)
    assert record.coverage.k <= 40
    assert record.apply(silent[0]) == silent[0]
    low = record.apply(silent[1])
    assert low.verdict == "unknown"
    assert "neither yes nor no" in low.reason


def test_the_intervals_are_those_of_wilson() -> None:
    record = calibrate(*simulated(300, 6))
    for share in (record.coverage, record.precision):
        low, high = wilson(share.k, share.n)
        assert (share.low, share.high) == (pytest.approx(float(low)), pytest.approx(float(high)))
        assert share.rate == share.k / share.n


def test_it_goes_through_json() -> None:
    for labels in (simulated(100, 7), (answers(np.linspace(0, 1, 60)), np.arange(60) < 30)):
        record = calibrate(*labels)
        again = VlmCalibration.from_dict(json.loads(json.dumps(record.to_dict())))
        assert again.to_dict() == record.to_dict()  # an interval of nothing is NaN, and equals none
        assert again.apply(Answer(0.42, 0.9, "unknown")) == record.apply(Answer(0.42, 0.9, "unknown"))
    facts = record.to_dict()
    no_number = {**facts, "coverage": {**facts["coverage"], "low": "x"}}
    for broken in ({}, {**facts, "slope": None}, {**facts, "more": 1}, {"cuts": {"low": "x"}}, no_number):
        with pytest.raises(InputError):
            VlmCalibration.from_dict(broken)


def test_the_same_labels_give_the_same_record_in_any_run() -> None:
    answered, truth = simulated(200, 8)
    assert calibrate(answered, truth) == calibrate(answered, truth)


def test_the_extremes_are_finite() -> None:
    record = calibrate(answers([0.0] * 15 + [1.0] * 15), [False] * 15 + [True] * 15)
    assert record.apply(Answer(0.0, 1.0, "no")).verdict == "no"
    assert record.apply(Answer(1.0, 1.0, "yes")).verdict == "yes"


@pytest.mark.parametrize(
    ("yes", "truth", "settings", "reason"),
    [
        (np.linspace(0, 1, 19), np.arange(19) < 10, {}, "at least 20 labels .* got 19 with 10"),
        (np.linspace(0, 1, 40), np.arange(40) < 4, {}, "5 of each kind, got 40 with 4"),
        (np.linspace(0, 1, 40), np.arange(40) < 36, {}, "5 of each kind, got 40 with 36"),
        (np.full(40, np.nan), np.arange(40) < 20, {}, r"got 0 with 0 .*\(40 more without"),
        (np.linspace(0, 1, 40), np.arange(39) < 20, {}, "as many labels as answers, got 39 and 40"),
        (np.linspace(0, 1, 40), np.arange(40) < 20, {"precision": 1.0}, "precision from 0.5 to below 1"),
        (np.linspace(0, 1, 40), np.arange(40) < 20, {"precision": 0.4}, "precision from 0.5 to below 1"),
        (np.linspace(0, 1, 40), np.arange(40) < 20, {"mass": 2.0}, "got 0 with 0"),
    ],
)
def test_it_refuses(yes: np.ndarray, truth: np.ndarray, settings: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        calibrate(answers(yes), truth, **settings)


def test_the_cuts_are_on_the_calibrated_probability() -> None:
    record = VlmCalibration.from_dict({**calibrate(*simulated(100, 9)).to_dict(), "slope": 1.0, "intercept": -5.0})
    assert record.apply(Answer(0.9, 1.0, "yes")).yes == pytest.approx(1 / (1 + math.exp(5 - math.log(9))))
    assert isinstance(record.cuts, Cuts)

"""Are newer models less useful? The rank correlation, against scipy's and by simulation, and the sentences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from loupe.brain.core.experiment import ArmResult
from loupe.brain.core.realism import Estimate
from loupe.brain.realism.newer import by_release, correlation, sentences

DATES = ["2022-08-22", "2022-10", "2023-07-26", "2024-06-12", "2024-08-01", "2025-08"]


def _arm(model: str, released: str, utility: float, style: str = "class", recall: float = 0.5) -> ArmResult:
    def known(value: float) -> Estimate:
        return Estimate(value, value - 0.1, value + 0.1)

    return ArmResult(
        f"{model} · {style}", model, style, math.nan, 0, n=100, utility=known(utility), precision=known(0.9),
        recall=known(recall), released=released,
    )  # fmt: skip


def test_the_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    for n in (5, 9, 30):
        x, y = rng.integers(0, 8, n), rng.normal(size=n)
        made = correlation(x.tolist(), y.tolist())
        assert made.value == pytest.approx(spearmanr(x, y).statistic, rel=1e-9)
        assert made.low <= made.value <= made.high


def test_the_interval_holds_the_truth() -> None:
    for n, r in ((5, 0.0), (6, 0.8), (12, 0.5)):
        rng = np.random.default_rng(n)
        truth = 6 / math.pi * math.asin(r / 2)
        held = 0
        for _ in range(400):
            x = rng.normal(size=n)
            made = correlation(x.tolist(), (r * x + math.sqrt(1 - r * r) * rng.normal(size=n)).tolist())
            held += made.low <= truth <= made.high
        assert held / 400 >= 0.92, (n, r)


def test_few_models_and_equal_ones_tell_nothing() -> None:
    assert math.isnan(correlation([1, 2, 3, 4], [4, 3, 2, 1]).value)
    assert math.isnan(correlation([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]).value)
    # five of one order: not all of them are known to be
    five = correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    assert five.value == five.low == -1
    assert -0.5 < five.high < 0


def test_newer_is_less_useful_where_it_is_so() -> None:
    arms = [_arm(f"m{at}", date, 0.9 - 0.1 * at, recall=0.5 + 0.01 * at) for at, date in enumerate(DATES)]
    # a model has two arms of one date: it counts once, by their mean
    arms += [_arm("m0", DATES[0], 0.7, "caption"), _arm("undated", "", 0.0)]
    known = {each.measure: each for each in by_release(arms)}
    assert known["utility"].models == 6
    assert known["utility"].correlation.value == -1
    assert known["utility"].correlation.high < 0
    assert known["recall"].correlation.value == 1
    (text,) = sentences(by_release(arms))
    assert text.startswith("Of 6 models with a release date: newer models are less useful (rank correlation of release")
    assert "newer models are more diverse" in text
    assert "real-looking" not in text  # precision is the same of all


def test_styles_that_only_some_models_have_are_left_out() -> None:
    """The newest was asked by captions, too, and does well by them: that is no merit of its age."""
    arms = [_arm(f"m{at}", date, 0.5 - 0.01 * at) for at, date in enumerate(DATES)]
    arms.append(_arm("m5", DATES[5], 0.99, "caption"))
    assert by_release(arms)[0].correlation.value == -1


def test_without_dates_nothing_is_said_and_of_few_that_they_are_few() -> None:
    assert sentences(by_release([_arm("a", "", 0.5), _arm("b", "", 0.4)])) == ()
    few = by_release([_arm(f"m{at}", date, 0.5) for at, date in enumerate(DATES[:3])])
    assert sentences(few) == ("Whether newer models are less useful 3 dated models do not tell: 5 are needed.",)

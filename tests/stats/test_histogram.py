"""Sliders and histograms over scores: what each rule gives, on figures small enough to check by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from loupe.brain.core.records import Output, Threshold
from loupe.brain.stats.histogram import (
    BARS,
    STEPS,
    Histogram,
    Range,
    decimal_step,
    decimals,
    failing_at,
    histogram,
    nearest,
    score_range,
)

#: nothing that is measured here comes near to 100
ANY = (-math.inf, 100)


def slider(bounds: tuple[float, float], scores: list[float], *lines: float, unit: str = "a ratio") -> tuple[float, ...]:
    """Low, high and step of a slider that is not over counts."""
    over = score_range(_output(bounds, unit), np.array(scores, dtype=np.float32), *lines)
    assert not over.whole
    return over.low, over.high, over.step


def counts(bounds: tuple[float, float], scores: list[float], *lines: float, unit: str = "words") -> tuple[float, ...]:
    """Low, high and step of a slider over counts."""
    over = score_range(_output(bounds, unit), np.array(scores, dtype=np.float32), *lines)
    assert over.whole
    return over.low, over.high, over.step


def _output(bounds: tuple[float, float], unit: str) -> Output:
    return Output("score", unit, higher_is_better=False, bounds=bounds, description="")


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0, 1, 0.01), (0, 0.5, 0.01), (0, 0.49, 0.001), (0, 99, 1), (-50, 50, 1), (0, 5000, 100), (3, 3, 1), (3, 2, 1)],
)
def test_the_step_is_a_power_of_ten_of_which_there_are_fifty(low: float, high: float, step: float) -> None:
    assert decimal_step(low, high) == pytest.approx(step)


@pytest.mark.parametrize(("step", "digits"), [(1e-3, 3), (0.01, 2), (0.1, 1), (1, 0), (10, 0), (1000, 0)])
def test_a_step_has_so_many_decimals(step: float, digits: int) -> None:
    assert decimals(step) == digits


def test_positions_of_a_slider() -> None:
    over = Range(0.0, 1.0, 0.01)
    assert not over.whole
    assert over.positions == 101
    assert [over.at(position) for position in (0, 7, 29, 100)] == [0.0, 0.07, 0.29, 1.0], "with no dust behind"
    assert [over.nearest(value) for value in (-5, 0.074, 0.076, 0.999, 5)] == [0.0, 0.07, 0.08, 1.0, 1.0]
    assert Range(2.0, 2.0, 1.0).positions == 1
    assert Range(-3.0, 5.0, 2.0).nearest(0.9) == 1.0


def test_the_scores_own_bounds_are_the_ends_where_they_are_near() -> None:
    # 5 apart: a bound counts as near up to 10 away
    assert slider((-100, 100), [-1, 4.5], 0) == (-1.0, 4.5, 0.1)
    assert slider((-11, 14), [-1, 4], 0) == (-11.0, 14.0, 0.1)
    assert slider((-11.1, 14.1), [-1, 4], 0) == (-1.0, 4.0, 0.1)
    assert slider((1, 100), [2, 5]) == (1.0, 5.0, 0.01)
    assert slider((0, 1.5), [0.2, 0.21]) == (0.0, 1.5, 0.01), "those of a ratio always are"
    assert slider((0, 1.6), [0.2, 0.21]) == (0.2, 0.21, 0.0001)


def test_zero_is_an_end_where_it_is_near() -> None:
    assert slider(ANY, [3, 8], 5) == (0.0, 8.0, 0.1)
    assert slider(ANY, [10, 15]) == (0.0, 15.0, 0.1)
    assert slider(ANY, [10.1, 15]) == (10.1, 15.0, 0.01)
    assert slider((0.5, 100), [3, 8]) == (0.5, 8.0, 0.1), "but not beyond the bounds"
    assert slider(ANY, [-8, -3]) == (-8.0, -3.0, 0.1)


def test_a_slider_over_one_value_or_none() -> None:
    assert slider(ANY, [3, 3, np.nan, np.inf]) == (2.0, 4.0, 0.01)
    assert counts((-math.inf, math.inf), []) == (0.0, 1.0, 1.0)
    assert slider((-math.inf, 7), []) == (6.0, 8.0, 0.01)
    assert slider((2, 7), []) == (2.0, 7.0, 0.1)
    assert slider((-100, 100), [], 30, 36) == (30.0, 36.0, 0.1)


def test_the_steps_are_fine_enough_for_the_lines() -> None:
    assert slider((0, 1), [0.5], 0.25) == (0.0, 1.0, 0.01)
    assert slider((0, 1), [0.5], 0.05) == (0.0, 1.0, 0.01)
    assert slider((0, 1), [0.5], 0.04) == (0.0, 1.0, 0.001), "a small line moves in small steps"
    assert slider((-1, 0), [-0.5], -0.04) == (-1.0, 0.0, 0.001)
    assert slider((0, 1), [0.5], 0.5, 0.525) == (0.0, 1.0, 0.001), "a line lies on a step"
    assert slider((0, 1), [0.5], 0.52525) == (0.0, 1.0, 0.001), "but there are no more than a thousand"
    assert slider((-1, 0), [-0.5], -0.52525) == (-1.0, 0.0, 0.001)
    assert slider((0, 1.1), [0.5], 0.525) == (0.0, 1.1, 0.01)
    assert slider((0, 1), [0.5], 0.0) == (0.0, 1.0, 0.01)
    assert slider((-1, 1), [-4e-4, 4e-4], 1.23e-4) == (-4e-4, 4e-4, 1e-6), "with no dust behind"


def test_the_ends_lie_on_steps() -> None:
    assert slider((-1000, math.inf), [-60.77, -1.23]) == (-61.0, -1.0, 1.0)
    assert slider((-1000, 100), [-5.77, -0.23]) == (-5.8, -0.2, 0.1)
    assert slider((-1e6, math.inf), [-9876.5, -1234]) == (-9900.0, -1200.0, 100.0)
    # what float32 makes of -5.3 lies below it, and of 5.3 above
    assert slider((-1000, 100), [-5.3, -0.2]) == (-5.3, -0.2, 0.1)
    assert slider((-1000, 100), [-1.7, 5.3]) == (-1.7, 5.3, 0.1)


def test_what_is_very_far_out_does_not_stretch_a_slider() -> None:
    many = [0.0, 1.0] * 300
    assert slider((-100, 100), [*many, 20]) == (0.0, 20.0, 0.1), "twenty times as far as the others is not"
    assert slider((-100, 100), [*many, 21]) == (0.0, 1.25, 0.01)
    assert slider((-100, 100), [*many, -21]) == (-0.25, 1.0, 0.01)
    assert slider((-100, 100), [*many, 90], 2) == (0.0, 2.5, 0.01), "a line counts among the others"
    assert slider((-1000, 100), [*many, 90], 40) == (0.0, 100.0, 1.0)
    assert slider((-100, 100), [*many, -90], -2) == (-2.75, 1.0, 0.01)
    assert slider((-1000, 100), [4.0] * 300 + [90]) == (0.0, 100.0, 1.0), "of one value nothing is far"


def test_a_slider_over_counts() -> None:
    assert counts((0, math.inf), [0, 0, 7], 0) == (0.0, 7.0, 1.0)
    assert counts((0, math.inf), [0, 0], 0) == (0.0, 1.0, 1.0)
    assert counts((0, math.inf), [1, 2]) == (0.0, 2.0, 1.0), "a bound one below is an end"
    assert counts((0, math.inf), [2, 3]) == (2.0, 3.0, 1.0)
    assert counts((0, math.inf), [6, 6], 2.5) == (2.0, 6.0, 1.0), "whole numbers on both sides of a line"
    assert counts((0, math.inf), [6, 6], 8.5) == (6.0, 9.0, 1.0)
    assert counts((0, 1), [0, 1, 1], unit="0 or 1") == (0.0, 1.0, 1.0)
    assert counts((0, 101), [0, 1]) == (0.0, 1.0, 1.0)


def test_a_slider_over_large_counts_has_larger_steps() -> None:
    assert STEPS == 1000
    assert counts((0, math.inf), [0, 1000]) == (0.0, 1000.0, 1.0)
    assert counts((0, math.inf), [0, 1005]) == (0.0, 1010.0, 10.0)
    assert counts((0, math.inf), [0, 10_001]) == (0.0, 10_100.0, 100.0)


def test_what_only_happens_to_be_whole_is_no_count() -> None:
    assert slider((0, 1), [0, 1]) == (0.0, 1.0, 0.01)
    assert slider((0, 100), [0, 60]) == (0.0, 100.0, 1.0)
    assert slider((0, math.inf), [0, 0.5, 7]) == (0.0, 7.0, 0.1)


def test_bars_of_a_ratio() -> None:
    scores = np.float32([-0.5, 0, 0.019, 0.03, 0.5, 1, 1.5, np.nan])
    made = histogram(scores, Threshold(">", 0.4), Range(0.0, 1.0, 0.01))
    assert BARS == 60
    assert (made.start, made.width) == (0.0, 0.02)
    passing, failing = [0] * 50, [0] * 50
    passing[0], passing[1], failing[25], failing[49] = 3, 1, 1, 2
    assert (list(made.passing), list(made.failing)) == (passing, failing)
    assert (made.below, made.above, made.judged, made.unknown, made.failed) == (1, 1, 7, 1, 3)
    assert [made.steps[position] for position in (0, 1, 2, 50, 99, 100)] == [5, 5, 4, 2, 2, 1]
    assert len(made.steps) == 101


def test_sixty_steps_have_a_bar_each_and_one_more_shares() -> None:
    for last, width, bars in ((0.6, 0.01, 60), (0.61, 0.02, 31)):
        made = histogram(np.float32([0.3]), Threshold(">", 0.4), Range(0.0, last, 0.01))
        assert made.width == pytest.approx(width)
        assert len(made.passing) == len(made.failing) == bars
    for last, width, bars in ((59.0, 1, 60), (60.0, 2, 31), (120.0, 3, 41)):
        made = histogram(np.float32([0]), Threshold(">", 4), Range(0.0, last, 1.0, whole=True))
        assert (made.start, made.width, len(made.passing)) == (-0.5, width, bars)


def test_bars_of_counts_stand_around_them() -> None:
    made = histogram(np.float32([0, 2, 3, 120, 130]), Threshold(">", 2), Range(0.0, 120.0, 1.0, whole=True))
    assert (made.passing[0], made.failing[1], made.failing[40]) == (2, 1, 2)
    assert (made.below, made.above) == (0, 1)


def test_a_bar_of_its_own_for_one_value() -> None:
    made = histogram(np.float32([2, 2, np.inf]), Threshold(">", 2), Range(2.0, 2.0, 1.0))
    assert (made.passing, made.failing, made.above, made.steps) == ((2,), (1,), 1, (1,))


def test_dust_beside_an_end_is_not_beyond_it() -> None:
    made = histogram(np.array([-5e-6, 1 + 5e-6]), Threshold(">", 2), Range(0.0, 1.0, 0.01))
    assert (made.below, made.above) == (0, 0)
    made = histogram(np.array([-2e-5, 1 + 2e-5]), Threshold(">", 2), Range(0.0, 1.0, 0.01))
    assert (made.below, made.above) == (1, 1)


def test_a_histogram_goes_through_json() -> None:
    made = histogram(np.float32([0, 0.5, np.nan]), Threshold("<", 0.4), Range(0.0, 1.0, 0.01))
    assert Histogram.from_dict(json.loads(json.dumps(made.to_dict()))) == made


@pytest.mark.parametrize("op", ["<", ">"])
def test_failing_at_counts_what_the_threshold_flags(op: str) -> None:
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 11, 200).astype(np.float32) / np.float32(10)
    scores[rng.random(200) < 0.1] = np.nan
    values = [0.0, 0.1, 0.3, 0.35, 0.7, 1.0]
    expected = [int(Threshold(op, value).violates(scores).sum()) for value in values]  # type: ignore[arg-type]
    assert failing_at(scores, op, values) == expected  # type: ignore[arg-type]


def test_the_nearest_on_both_sides_of_a_line() -> None:
    scores = np.float32([0.1, 0.5, np.nan, 0.3, 0.9, 0.5, 0.4])
    assert nearest(scores, Threshold("<", 0.4), 2) == ([3, 0], [6, 1]), "a score on the line passes"
    assert nearest(scores, Threshold("<", 0.4), 9) == ([3, 0], [6, 1, 5, 4]), "of two alike the first"
    assert nearest(scores, Threshold(">", 0.4), 1) == ([1], [6])
    assert nearest(scores, Threshold(">", 0.4), 0) == ([], [])

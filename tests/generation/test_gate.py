"""The gate: better in the target, beyond the check's noise, and worse in nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.records import Threshold
from loupe.brain.generation import gate
from loupe.brain.generation.gate import Limits, Rule, Scored
from loupe.brain.generation.likeness import Likeness, likeness, style_distance
from loupe.brain.generation.records import Repair, RepairedSample
from loupe.brain.generation.variants import N, variants

NAN = math.nan
RULES = {
    "blur": Rule("sharpness", Threshold("<", 0.2), "sharpness"),
    "dark": Rule("bright_part", Threshold("<", 0.3), "exposure"),
    "text": Rule("wrong", Threshold(">", 0.0), "text"),
}
SAME = Likeness(0.0, 1.0, 0.0)
BEFORE = {"sharpness": 0.1, "bright_part": 0.8, "wrong": 0.0}


def decided(after: dict[str, float], before: dict[str, float] | None = None, **more: Any) -> gate.Decision:
    given = {"alike": SAME, "free": frozenset(), **more}
    noise = given.pop("noise", {})
    errors = given.pop("errors", {})
    return gate.decide(
        "blur", RULES, Scored({**BEFORE, **(before or {})}), Scored({**BEFORE, **after}, errors=errors), noise, **given
    )


def test_what_is_better_and_worse_in_nothing_is_kept() -> None:
    made = decided({"sharpness": 0.5})
    assert made.accepted
    assert made.gain == pytest.approx(0.4)
    assert (made.reason, made.worse) == ("", False)


@pytest.mark.parametrize(
    ("after", "more", "reason", "worse"),
    [
        ({"sharpness": 0.19}, {}, "blur stays", False),
        ({"sharpness": 0.05}, {}, "blur stays", True),
        ({"sharpness": 0.21}, {"noise": {"sharpness": 0.12}}, "no more than its own noise", False),
        ({"sharpness": NAN}, {}, "blur cannot be judged", False),
        ({"sharpness": 0.5, "wrong": 1.0}, {}, "text is new", True),
        ({"sharpness": 0.5, "wrong": NAN}, {}, "text cannot be judged any more", True),
        ({"sharpness": 0.5, "bright_part": 0.2}, {}, "dark is new", True),
        ({"sharpness": 0.5, "bright_part": 0.35}, {}, "dark gets worse", True),
        ({"sharpness": 0.5}, {"alike": Likeness(3.0, 1.0, 0.0)}, "outside of the region", True),
        ({"sharpness": 0.5}, {"alike": Likeness(0.0, 0.4, 0.0)}, "blurrier: 40 % of its edges", True),
        ({"sharpness": 0.5}, {"alike": Likeness(0.0, 1.0, 50.0)}, "other colors", True),
        ({"sharpness": 0.5}, {"alignment": (0.3, 0.2, 0.0)}, "fits the prompt less", True),
        ({"sharpness": 0.5, "wrong": NAN}, {"errors": {"text": "boom"}}, "the check text broke on it: boom", True),
    ],
)
def test_what_is_refused_and_why(after: dict[str, float], more: dict[str, Any], reason: str, worse: bool) -> None:
    made = decided(after, **more)
    assert not made.accepted
    assert reason in made.reason
    assert made.worse is worse


@pytest.mark.parametrize(
    ("after", "before", "more"),
    [
        ({"sharpness": 0.5, "bright_part": 0.55}, {}, {}),  # of its margin of 0.5 half is left
        ({"sharpness": 0.5, "wrong": 2.0}, {"wrong": 2.0}, {}),  # what failed before, fails no more than it did
        ({"sharpness": 0.5, "bright_part": 0.27}, {"bright_part": 0.29}, {}),  # by less than a tenth
        ({"sharpness": 0.5, "wrong": 0.0}, {"wrong": NAN}, {}),
        ({"sharpness": 0.5, "wrong": NAN}, {"wrong": NAN}, {}),
        ({"sharpness": 0.5, "wrong": 3.0}, {}, {"asked": frozenset({"text"})}),
        ({"sharpness": 0.5}, {"sharpness": NAN}, {}),
        ({"sharpness": 0.5}, {}, {"alike": Likeness(NAN, 0.1, 50.0), "free": frozenset({"sharpness", "style"})}),
        ({"sharpness": 0.5}, {}, {"alignment": (0.3, 0.27, 0.05)}),
        ({"sharpness": 0.5, "bright_part": 0.31}, {}, {"limits": Limits(margin=1.0)}),
    ],
)
def test_what_is_no_harm(after: dict[str, float], before: dict[str, float], more: dict[str, Any]) -> None:
    made = decided(after, before, **more)
    assert made.accepted, made.reason


@pytest.mark.parametrize(("name", "before", "after"), [("bright_part", 0.29, 0.25), ("wrong", 2.0, 3.0)])
def test_what_failed_already_may_not_fail_more(name: str, before: float, after: float) -> None:
    made = decided({"sharpness": 0.5, name: after}, {name: before})
    assert not made.accepted
    assert "gets worse" in made.reason


def test_noise_is_the_largest_difference_over_pictures_that_show_the_same() -> None:
    again = [Scored({"a": 0.4, "b": NAN}), Scored({"a": 0.7, "b": 2.0})]
    assert gate.noise_of(Scored({"a": 0.5, "b": NAN}), again) == {"a": pytest.approx(0.2), "b": 0.0}


def test_a_failure_has_to_stand_and_a_repair_too() -> None:
    rule = RULES["blur"]
    low, high, none = (Scored({"sharpness": value}) for value in (0.1, 0.4, NAN))
    assert gate.stands(rule, low, [low, low, high])
    assert not gate.stands(rule, low, [low, high, high])
    assert not gate.stands(rule, high, [low, low])
    assert gate.steady(rule, [high] * 5) == ""
    assert "fails again on 1 of 5" in gate.steady(rule, [high] * 4 + [low])
    assert "judged on 2 of 5" in gate.steady(rule, [high] * 2 + [none] * 3)


def test_the_best_improves_the_most_and_equal_ones_come_in_order() -> None:
    made = [gate.Decision(ok, gain=gain) for ok, gain in ((True, 1.0), (False, 9.0), (True, 2.0), (True, 2.0))]
    assert gate.best(made) == [2, 3, 0]


def test_variants_show_the_same_and_differ() -> None:
    picture = np.random.default_rng(1).integers(40, 200, (31, 47, 3), dtype=np.uint8)
    made = variants(picture)
    assert len(made) == N
    assert len({each.tobytes() for each in [picture, *made]}) == N + 1
    for each in made:
        assert each.shape == picture.shape
        assert each.dtype == np.uint8


def test_a_blurred_region_has_fewer_edges_and_another_color_another_style() -> None:
    import cv2

    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    assert likeness(picture, picture, mask) == SAME
    blurred = picture.copy()
    blurred[mask] = cv2.GaussianBlur(picture, (0, 0), 2)[mask]
    assert likeness(picture, blurred, mask).sharpness < 0.5
    assert likeness(picture, blurred, mask).outside == 0
    outside = likeness(picture, cv2.GaussianBlur(picture, (0, 0), 2), mask).outside
    assert outside == pytest.approx(np.abs(cv2.GaussianBlur(picture, (0, 0), 2).astype(int) - picture)[~mask].mean())
    assert math.isnan(likeness(picture, picture, np.ones((40, 40), bool)).outside)
    gray, white = np.full((9, 9, 3), 119, np.uint8), np.full((9, 9, 3), 255, np.uint8)
    # middle gray has L* = 50
    assert style_distance(gray, white, np.ones((9, 9), bool)) == pytest.approx(50, abs=0.5)


def test_rates_count_what_was_attempted() -> None:
    def sample(number: int, attempt: int, reason: str = "", worse: bool = False) -> RepairedSample:
        return RepairedSample(str(number), "blur", "inpaint", "refused" if reason else "better", "", attempt, 0.1, 0.5,
                              reason, worse)  # fmt: skip

    made = Repair.of([sample(1, 2), sample(2, 1, "no", True), sample(3, 0, "no prompt"), sample(4, 1)])
    assert (made.attempted, made.better, made.worse, made.unknown) == (3, 2, 1, 1)
    assert (made.rate.k, made.rate.n, made.harm.k) == (2, 3, 1)
    assert made.rates[0].unknown == 1
    assert "2 of 3 attempted samples have a better picture now, 1 unknown" in repr(made)
    assert made.to_dict()["rates"][0]["rate"]["k"] == 2
    assert Repair.of([]).rate.n == 0

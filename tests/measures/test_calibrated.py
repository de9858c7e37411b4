"""The likelihoods: monotone, within bounds, and unknown where they have to be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.composition.reference import random_boxes
from loupe.brain.core.relations import SIZE_RELATIONS, SPATIAL_RELATIONS
from loupe.brain.measures.composition import calibrated
from loupe.brain.measures.composition.calibrated import (
    Estimate,
    counted,
    missing,
    presence,
    related,
    settled,
    side,
    sized,
)
from loupe.brain.perception.detectors.detection import Detection

SIZE = (100, 100)


def detection_at(left: float, top: float, right: float, bottom: float, score: float = 0.9) -> Detection:
    bounds = (left / 100, top / 100, (right - left) / 100, (bottom - top) / 100)
    return Detection("object", score, (left, top, right, bottom), bounds)


def spread(count: int, score: float = 0.9, side_length: float = 12) -> list[Detection]:
    return [detection_at(20 * at, 0, 20 * at + side_length, side_length, score) for at in range(count)]


def test_a_better_box_makes_it_likelier_there() -> None:
    likely = [presence(score) for score in np.linspace(0, 1, 101)]
    assert likely == sorted(likely)
    assert 0 < likely[0] < 0.2
    assert likely[50] > 0.98


def test_silence_of_a_detector_that_says_little_proves_less() -> None:
    assert missing((), 0.05).probability > missing((), 0.5).probability > 0.5
    assert missing([detection_at(0, 0, 9, 9, 0.9)], 0.5).probability < 0.01


def test_sides_are_an_ordered_regression() -> None:
    wrong, right = zip(*map(side, np.linspace(-3, 3, 61)), strict=True)
    assert list(wrong) == sorted(wrong, reverse=True)
    assert list(right) == sorted(right)
    assert all(a + b <= 1 for a, b in zip(wrong, right, strict=True))
    assert max(side(0)) < calibrated.DECIDABLE, "level centres are not decided"


@pytest.mark.parametrize(
    ("relation", "opposite"), [("left of", "right of"), ("above", "below"), ("right of", "left of"), ("below", "above")]
)
def test_a_side_is_held_violated_or_unknown(relation: str, opposite: str) -> None:
    a, b = ([detection_at(0, 0, 20, 20)], [detection_at(70, 70, 95, 95)])
    if relation in ("right of", "below"):
        a, b = b, a
    assert related(relation, a, b).probability < 0.01
    assert related(opposite, a, b).probability > 0.99
    assert related(relation, [detection_at(30, 30, 60, 60)], [detection_at(32, 32, 62, 62)]).reason


def test_instances_that_disagree_are_unknown() -> None:
    target = [detection_at(45, 0, 55, 10)]
    both = [detection_at(0, 0, 10, 10, 0.9), detection_at(90, 0, 100, 10, 0.88)]
    assert math.isnan(settled(related("left of", both, target), 0.8).probability)
    sure_one = [both[0], detection_at(90, 0, 100, 10, 0.3)]
    assert related("left of", sure_one, target).probability < 0.01


@pytest.mark.parametrize(
    ("relation", "held", "violated"),
    [
        ("on", ((40, 20, 60, 50), (20, 48, 80, 90)), ((40, 60, 60, 95), (20, 0, 80, 20))),
        ("under", ((20, 48, 80, 90), (40, 20, 60, 50)), ((20, 0, 80, 20), (40, 60, 60, 95))),
        ("in", ((40, 40, 50, 50), (20, 20, 80, 80)), ((0, 0, 10, 10), (50, 50, 90, 90))),
        ("next to", ((0, 0, 30, 30), (32, 0, 60, 30)), ((0, 0, 10, 10), (90, 90, 100, 100))),
    ],
)
def test_rules_for_what_is_not_fitted(relation: str, held: tuple, violated: tuple) -> None:
    assert related(relation, *([detection_at(*box)] for box in held)).probability < 0.2
    assert related(relation, *([detection_at(*box)] for box in violated)).probability > 0.8


@pytest.mark.parametrize("relation", ["in front of", "behind"])
def test_depth_is_not_seen_in_boxes(relation: str) -> None:
    assert (
        related(relation, [detection_at(0, 0, 9, 9)], [detection_at(50, 50, 60, 60)]).reason
        == f"boxes do not show what is {relation} what"
    )


def test_counts_that_all_ways_agree_on() -> None:
    assert counted(spread(3), 3, True, SIZE).probability == 0
    assert counted(spread(3), 2, True, SIZE).probability == 1
    assert counted(spread(3), 2, False, SIZE).probability == 0
    # one may have been missed, as likely as the detector is unsure of the other
    assert counted(spread(1), 2, False, SIZE).probability == pytest.approx(0.9)
    assert counted(spread(1), 4, False, SIZE).probability == pytest.approx(0.999)


def test_fewer_than_asked_for_is_not_settled_by_a_detector_that_is_unsure() -> None:
    doubtful = [detection_at(0, 0, 20, 20, 0.53), detection_at(40, 0, 60, 20, 0.52)]
    assert 0.2 < counted(doubtful, 3, True, SIZE).probability < 0.8


def test_counts_that_hang_on_the_threshold_are_not_settled() -> None:
    doubtful = [*spread(2), detection_at(60, 0, 80, 20, 0.5)]
    for min_count in (2, 3):
        assert 0.2 < counted(doubtful, min_count, True, SIZE).probability < 0.8


def test_counts_that_hang_on_the_background_are_not_settled() -> None:
    background = [*spread(2), detection_at(90, 90, 95, 95, 0.9)]
    assert 0.2 < counted(background, 2, True, SIZE).probability < 0.8


def test_many_things_are_not_counted() -> None:
    assert counted(spread(3), 11, True, SIZE).reason
    assert counted([detection_at(0, 0, 9, 9)] * 30, 3, True, SIZE).reason


@pytest.mark.parametrize(
    ("name", "a", "b", "wanted"),
    [
        ("larger than", 40, 20, "held"),
        ("larger than", 20, 40, "violated"),
        ("smaller than", 20, 40, "held"),
        ("smaller than", 40, 20, "violated"),
        ("larger than", 20, 21, "unknown"),
        ("same size as", 20, 21, "held"),
        ("same size as", 20, 40, "violated"),
        ("same size as", 20, 27, "unknown"),
    ],
)
def test_sizes(name: str, a: float, b: float, wanted: str) -> None:
    estimate = sized(name, [detection_at(0, 0, a, a)], [detection_at(50, 50, 50 + b, 50 + b)])
    known = "held" if estimate.probability < 0.2 else "violated" if estimate.probability > 0.8 else "unknown"
    assert known == wanted


def test_whatever_the_boxes_a_likelihood_or_a_reason() -> None:
    rng = np.random.default_rng(0)
    boxes = random_boxes(300, 9) / 5.12
    for _ in range(300):
        a, b = (
            sorted(
                (
                    detection_at(*boxes[at], float(rng.uniform(0.05, 1)))
                    for at in rng.integers(0, 300, rng.integers(1, 6))
                ),
                key=lambda detection: -detection.score,
            )
            for _ in range(2)
        )
        estimates = [related(name, a, b) for name in SPATIAL_RELATIONS]
        estimates += [sized(name, a, b) for name in SIZE_RELATIONS]
        estimates.append(counted(a, int(rng.integers(1, 5)), bool(rng.random() < 0.5), SIZE))
        for estimate in estimates:
            assert bool(estimate.reason) == math.isnan(estimate.probability)
            assert estimate.reason or 0 <= estimate.probability <= 1


def test_what_is_not_sure_is_unknown() -> None:
    assert settled(Estimate(0.85), 0.8).probability == 0.85
    assert settled(Estimate(0.1), 0.8).probability == 0.1
    assert settled(Estimate(0.5), 0.8).reason == "too close to call: 50 % likely wrong"

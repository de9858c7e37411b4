"""Pairs of boxes against brute force; what speaks for a box that is overlooked, badly located or swapped."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.imaging.boxes import iou
from loupe.brain.labels import boxes as label_boxes
from loupe.brain.labels.box_issues import EVEN, Assessed, assess, shares
from loupe.brain.labels.boxes import Boxes, Pairs


def boxes(rows: list[tuple[int, int, tuple[float, float, float, float], float]], crowd: tuple[int, ...] = ()) -> Boxes:
    """(image, class, corners, confidence) each."""
    return Boxes(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        np.array([row[3] for row in rows], dtype=np.float64),
        np.isin(np.arange(len(rows)), crowd),
    )


def random_boxes(n: int, images: int, rng: np.random.Generator) -> Boxes:
    corner, size = rng.uniform(0, 80, (n, 2)), rng.uniform(5, 40, (n, 2))
    return Boxes(
        np.sort(rng.integers(0, images, n)),
        rng.integers(0, 3, n),
        np.concatenate([corner, corner + size], axis=1),
        rng.random(n),
        np.zeros(n, dtype=bool),
    )


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_pairs_are_those_of_brute_force_however_many_fit(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_boxes, "_PAIRS", limit)
    rng = np.random.default_rng(0)
    given, predicted = random_boxes(60, 12, rng), random_boxes(80, 14, rng)
    pairs = Pairs.of(given, predicted)
    made = {(a, b): c for a, b, c in zip(pairs.given.tolist(), pairs.predicted.tolist(), pairs.iou, strict=True)}
    wanted = {
        (a, b): iou(tuple(given.corners[a]), tuple(predicted.corners[b]))
        for a in range(60)
        for b in range(80)
        if given.image[a] == predicted.image[b]
    }
    assert {pair for pair, by in wanted.items() if by > 0} == made.keys()
    assert made == pytest.approx({pair: wanted[pair] for pair in made}, abs=1e-6)


def test_nothing_on_either_side() -> None:
    none, some = boxes([]), boxes([(3, 0, (0, 0, 1, 1), 0.9)])
    for given, predicted in ((none, none), (none, some), (some, none)):
        made = assess(given, predicted)
        assert len(made.swapped) == len(given)
        assert len(made.overlooked) == len(predicted)
        assert not made.swapped.any()
        assert not made.badly_located.any()
    # nothing says how far such predictions are to be trusted
    assert 0 < assess(none, some).overlooked[0] < 0.5


def agreeing(n: int) -> tuple[list, list]:
    """Many images of one right box each, half of class 0, half of class 1, that the model sees nearly as it is."""
    rng = np.random.default_rng(1)
    given = [(at, at % 2, (10, 10, 50, 50), np.nan) for at in range(n)]
    predicted = [(at, at % 2, tuple(np.array([10, 10, 50, 50]) + rng.normal(size=4)), 0.9) for at in range(n)]
    return given, predicted


def made_of(own: list, other: list, n: int = 200, crowd: tuple[int, ...] = ()) -> Assessed:
    """What is judged of further boxes in one more image: they come last."""
    given, predicted = agreeing(n)
    return assess(
        boxes([*given, *((n, *row) for row in own)], tuple(n + at for at in crowd)),
        boxes([*predicted, *((n, *row) for row in other)]),
    )


WHERE = (10, 10, 50, 50)


def test_each_kind_is_that_kind_only() -> None:
    missing = made_of([], [(0, WHERE, 0.9)])
    assert missing.overlooked[-1] > 0.7
    assert not missing.overlooked[:-1].any()
    swapped = made_of([(1, WHERE, np.nan)], [(0, WHERE, 0.9)])
    assert swapped.swapped[-1] > 0.5
    assert swapped.swapped_by[-1] == 200
    assert not swapped.swapped[:-1].any()
    assert (swapped.overlooked == 0).all()
    assert swapped.badly_located[-1] == 0
    shifted = made_of([(0, (30, 10, 70, 50), np.nan)], [(0, WHERE, 0.9)])
    assert shifted.badly_located[-1] > 0.5
    assert shifted.located_iou[-1] == pytest.approx(1 / 3, abs=1e-6)
    assert shifted.badly_located[:-1].max() < 0.5
    assert (shifted.overlooked == 0).all()
    assert shifted.swapped[-1] == 0


def test_a_box_that_lies_worse_has_a_higher_score() -> None:
    scores = [
        made_of([(0, (10 + by, 10, 50 + by, 50), np.nan)], [(0, WHERE, 0.9)]).badly_located[-1] for by in (2, 8, 15, 25)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 0.3 < 0.7 < scores[-1]


def test_a_prediction_of_two_boxes_speaks_of_the_one_it_lies_on() -> None:
    """A person on a horse: the prediction of the horse says nothing of the person."""
    made = made_of([(0, WHERE, np.nan), (1, (10, 10, 50, 45), np.nan)], [(0, WHERE, 0.9), (1, (10, 10, 50, 45), 0.9)])
    assert not made.swapped[-2:].any()
    assert not made.overlooked[-2:].any()
    # the other one was not seen: that the horse lies there does not make the person one
    unseen = made_of([(0, WHERE, np.nan), (1, (10, 10, 50, 45), np.nan)], [(0, WHERE, 0.9)])
    assert not unseen.swapped[-2:].any()
    assert made.seen.all()
    assert not made_of([(0, (70, 70, 80, 80), np.nan)], []).seen[-1]


def test_what_the_model_also_sees_as_given_is_less_probably_swapped() -> None:
    alone = made_of([(1, WHERE, np.nan)], [(0, WHERE, 0.9)]).swapped[-1]
    both = made_of([(1, WHERE, np.nan)], [(0, WHERE, 0.9), (1, WHERE, 0.9)]).swapped[-1]
    assert both < 0.2 < alone


def test_a_crowd_is_not_judged_and_nothing_in_it_is_overlooked() -> None:
    crowd = made_of([(0, (0, 0, 100, 100), np.nan)], [(0, WHERE, 0.9)], crowd=(0,))
    assert crowd.overlooked[-1] == 0
    assert crowd.badly_located[-1] == crowd.swapped[-1] == 0
    assert crowd.seen[-1]
    # of another class it may be
    assert made_of([(1, (0, 0, 100, 100), np.nan)], [(0, WHERE, 0.9)], crowd=(0,)).swapped[-1] == 0


def test_of_two_predictions_of_one_missing_object_one_speaks() -> None:
    made = made_of([], [(0, WHERE, 0.9), (0, (12, 10, 52, 50), 0.9), (0, (80, 80, 90, 90), 0.9)])
    assert (made.overlooked[-3:] > 0).tolist() == [True, False, True]


def test_scores_do_not_depend_on_the_scale_of_confidences() -> None:
    """Neither on boxes' unit: half as sure a model, or logits, say the same."""
    rng = np.random.default_rng(2)
    given, predicted = random_boxes(400, 60, rng), random_boxes(500, 60, rng)
    usual = assess(given, predicted)
    for scale in (lambda score: score / 2, lambda score: 10 * score - 5):
        other = Boxes(predicted.image, predicted.label, predicted.corners, scale(predicted.score), predicted.crowd)
        for name in ("swapped", "badly_located", "overlooked"):
            assert getattr(assess(given, other), name) == pytest.approx(getattr(usual, name), abs=1e-9)
    small = [Boxes(each.image, each.label, each.corners / 100, each.score, each.crowd) for each in (given, predicted)]
    for name in ("swapped", "badly_located", "overlooked"):
        assert getattr(assess(*small), name) == pytest.approx(getattr(usual, name), abs=1e-6)
        assert 0 <= getattr(usual, name).min() <= getattr(usual, name).max() <= 1


def test_evidence_of_even_odds_is_one_half_and_more_of_it_flags_fewer() -> None:
    low = made_of([], [(0, WHERE, 0.9)]).overlooked[-1]
    given, predicted = agreeing(200)
    own = boxes(given), boxes([*predicted, (200, 0, WHERE, 0.9)])
    assert assess(*own, even={**EVEN, "overlooked": 0.99}).overlooked[-1] < low
    share = assess(*own).agreement[-1]
    assert assess(*own, even={**EVEN, "overlooked": share}).overlooked[-1] == pytest.approx(0.5)


def test_shares_rise_and_are_those_of_the_predictions() -> None:
    rng = np.random.default_rng(3)
    score = rng.random(20_000)
    agrees = rng.random(20_000) < score**2
    made = shares(score, agrees, np.ones(20_000, dtype=bool))
    order = np.argsort(score)
    assert (np.diff(made[order]) >= 0).all()
    assert np.abs(made - score**2).max() < 0.08
    score[:5000] = np.nan
    without = shares(score, agrees, np.ones(20_000, dtype=bool))
    assert without[:5000] == pytest.approx(agrees[:5000].mean(), abs=1e-3)
    assert shares(np.array([0.5, np.nan]), np.zeros(2, dtype=bool), np.zeros(2, dtype=bool)) == pytest.approx(
        [0.5, 0.5]
    )
    assert not len(shares(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)))


def test_the_worst_box_of_each_kind_is_that_of_cleanlab() -> None:
    """An independent implementation of the three kinds, where it can say something: predictions above .95."""
    from benchmarks.labels.boxes import objectlab

    rng = np.random.default_rng(4)
    given, predicted = [], []
    for at in range(40):
        for label, where in ((0, (10, 10, 50, 50)), (1, (200, 200, 260, 240))):
            predicted.append((at, label, tuple(np.array(where) + rng.normal(size=4)), 0.96 + 0.03 * rng.random()))
            if (at, label) != (3, 1):
                moved = (where[0] + 20, where[1], where[2] + 20, where[3]) if (at, label) == (13, 0) else where
                given.append((at, 2 if (at, label) == (8, 0) else label, moved, np.nan))
    own, other = boxes(given), boxes(predicted)
    ours, theirs = assess(own, other), objectlab(own, other, 40, 3, 0.95)
    for kind, image in (("overlooked", 3), ("badly_located", 13), ("swapped", 8)):
        side = other if kind == "overlooked" else own
        scores = getattr(ours, kind)
        assert side.image[scores.argmax()] == side.image[theirs[kind].argmax()] == image
        # cleanlab's are 0 to 1 as well; ours flag no other box
        assert (scores > 0.5).sum() == 1

"""Matching of boxes and average precision, against pycocotools and against loops."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.slicing.evaluation import boxes, coco_numbers, pycocotools_numbers
from loupe.brain.core.errors import InputError
from loupe.brain.evaluation.average_precision import Ranked
from loupe.brain.evaluation.matching import COCO_IOUS, Boxes, match, overlaps


def _boxes(rows: list[tuple[float, ...]]) -> Boxes:
    """Boxes of image, label, left, top, width, height, score, crowd."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 8)
    whole = table[:, :2].astype(int)
    return Boxes(whole[:, 0], whole[:, 1], table[:, 2:6], table[:, 6], table[:, 7].astype(bool))


@pytest.mark.parametrize("seed", range(6))
def test_cocos_numbers_are_those_of_pycocotools(seed: int) -> None:
    """Crowds, several classes, ties of scores, areas: all twelve but those of fewer detections."""
    rng = np.random.default_rng(seed)
    truths, predictions = boxes(rng, 50, classes=3, crowds=0.2)
    ours, theirs = coco_numbers(truths, predictions, 3), pycocotools_numbers(truths, predictions, 3, 50)
    assert len(ours) == 10
    assert ours == pytest.approx(theirs, abs=1e-9, nan_ok=True)


def test_more_than_a_hundred_of_a_class_in_a_picture_are_as_by_pycocotools() -> None:
    rng = np.random.default_rng(3)
    truths = _boxes([(0, 0, 20.0 * at, 0, 15, 15, np.nan, 0) for at in range(150)])
    score = rng.permutation(150) / 150
    predictions = _boxes([(0, 0, 20.0 * at + 1, 0, 15, 15, score[at], 0) for at in range(150)])
    ours = coco_numbers(truths, predictions, 1)
    assert ours == pytest.approx(pycocotools_numbers(truths, predictions, 1, 1), abs=1e-9, nan_ok=True)
    assert ours[6] == pytest.approx(np.mean([100 / 150 if iou <= 0.875 else 0 for iou in COCO_IOUS]))


def test_a_surer_prediction_takes_the_truth_and_each_truth_is_taken_once() -> None:
    truths = _boxes([(0, 0, 0, 0, 10, 10, np.nan, 0), (1, 0, 0, 0, 10, 10, np.nan, 0)])
    predictions = _boxes([(0, 0, 0, 0, 10, 10, 0.5, 0), (0, 0, 0, 0, 10, 9, 0.8, 0), (1, 1, 0, 0, 10, 10, 0.9, 0)])
    matches = match(truths, predictions, [0.5, 0.95])
    assert matches.match.tolist() == [[-1, 0, -1], [0, -1, -1]]
    assert matches.true_score[:, 0].tolist() == [0.8, 0.5]
    assert np.isnan(matches.true_score[:, 1]).all()  # another class, and another picture
    assert not matches.ignored.any()


def test_what_a_threshold_leaves_out_changes_no_match_above_it() -> None:
    rng = np.random.default_rng(8)
    truths, predictions = boxes(rng, 40)
    whole = match(truths, predictions)
    for confidence in (0.2, 0.5, 0.8):
        kept = predictions.score >= confidence
        again = match(truths, predictions.take(kept))
        assert (again.match == whole.match[:, kept]).all()
        assert (again.ignored == whole.ignored[:, kept]).all()


def test_a_box_without_a_score_comes_last_and_one_of_no_area_matches_nothing() -> None:
    truths = _boxes([(0, 0, 0, 0, 10, 10, np.nan, 0), (0, 0, 50, 50, 0, 0, np.nan, 0)])
    predictions = _boxes([(0, 0, 0, 0, 10, 10, np.nan, 0), (0, 0, 0, 0, 10, 9, 0.1, 0), (0, 0, 50, 50, 0, 0, 0.9, 0)])
    matches = match(truths, predictions, [0.5])
    assert matches.match.tolist() == [[-1, 0, -1]]


def test_what_is_out_of_the_slice_is_neither_right_nor_wrong() -> None:
    truths = _boxes([(0, 0, 0, 0, 10, 10, np.nan, 0), (0, 0, 30, 0, 10, 10, np.nan, 0)])
    predictions = _boxes(
        [
            (0, 0, 0, 0, 10, 10, 0.9, 0),
            (0, 0, 30, 0, 10, 10, 0.8, 0),
            (0, 0, 60, 0, 9, 9, 0.7, 0),
            (0, 0, 90, 0, 9, 9, 0.6, 0),
        ]
    )
    matches = match(
        truths, predictions, [0.5], true_ignored=np.array([False, True]), outside=np.array([True, False, True, False])
    )
    # matched: by the truth, whatever the prediction is itself; not matched: by the prediction itself
    assert matches.ignored.tolist() == [[False, True, True, False]]
    assert matches.true_ignored.tolist() == [False, True]


def test_nothing_to_match() -> None:
    nothing, some = _boxes([]), _boxes([(0, 0, 0, 0, 10, 10, 0.5, 0)])
    assert match(nothing, some, [0.5]).match.tolist() == [[-1]]
    assert match(some, nothing, [0.5]).match.shape == (1, 0)
    assert np.isnan(match(some, nothing, [0.5]).true_score).all()
    with pytest.raises(InputError, match="overlaps"):
        match(nothing, some, [0.0])


def test_overlaps_are_those_of_a_grid_of_pixels() -> None:
    rng = np.random.default_rng(5)
    first, second = (np.c_[rng.integers(0, 20, (60, 2)), rng.integers(1, 20, (60, 2))] for _ in range(2))
    crowd = rng.random(60) < 0.5
    for at, value in enumerate(overlaps(first.astype(float), second.astype(float), crowd)):
        grids = np.zeros((2, 40, 40), dtype=bool)
        for grid, (x, y, wide, high) in zip(grids, (first[at], second[at]), strict=True):
            grid[y : y + high, x : x + wide] = True
        over = grids[1].sum() if crowd[at] else grids.any(axis=0).sum()
        assert value == pytest.approx((grids[0] & grids[1]).sum() / over)


def test_weights_are_pictures_taken_so_many_times() -> None:
    rng = np.random.default_rng(11)
    truths, predictions = boxes(rng, 30)
    # no ties, whose order a copied picture would change
    predictions = Boxes(
        predictions.image,
        predictions.label,
        predictions.box,
        rng.permutation(len(predictions)) / 1e4,
        predictions.crowd,
    )
    weights = rng.integers(0, 3, 30)

    def ranked(truths: Boxes, predictions: Boxes) -> Ranked:
        matches = match(truths, predictions)
        real = ~matches.true_ignored
        right = matches.match >= 0
        return Ranked.of(
            4,
            predictions.label,
            predictions.score,
            right,
            matches.ignored,
            predictions.image,
            truths.label[real],
            truths.image[real],
        )

    def copied(boxes: Boxes) -> Boxes:
        times = weights[boxes.image]
        made = boxes.take(np.repeat(np.arange(len(boxes)), times))
        nth = np.concatenate([np.arange(count) for count in times]).astype(int)
        moved = Boxes(made.image * 3 + nth, made.label, made.box, made.score, made.crowd)
        return moved.take(np.argsort(moved.image, kind="stable"))

    average, recall = ranked(truths, predictions).measure(weights.astype(float))
    expected, expected_recall = ranked(copied(truths), copied(predictions)).measure()
    assert average == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert recall == pytest.approx(expected_recall, abs=1e-9, nan_ok=True)

"""Masks, against loops over pixels and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from loupe.brain.core.errors import InputError
from loupe.brain.evaluation.segmentation import Segmented, overlaps, scaled


def _masks(seed: int, n: int = 12) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        truth = rng.integers(0, 4, (rng.integers(4, 20), rng.integers(4, 20)))
        made.append((truth, np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 4, truth.shape))))
    return made


def test_masks_are_measured_as_by_scikit_learn() -> None:
    masks = _masks(1)
    made = Segmented.of_masks(masks, np.arange(12), 5)
    truth, predicted = (np.concatenate([pair[side].ravel() for pair in masks]) for side in (0, 1))
    k, n = made.ratios(None)["accuracy"]
    assert k.sum() / n.sum() == pytest.approx((truth == predicted).mean())
    own = made.resampled(None)
    values = dict(zip(own.names, own.statistic(np.ones(12)), strict=True))
    assert values["miou"] == pytest.approx(metrics.jaccard_score(truth, predicted, average="macro"))
    assert values["dice"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    iou, _ = overlaps(made.confusion())
    assert np.isnan(iou[4])  # the fifth class does not occur
    assert iou[:4] == pytest.approx(metrics.jaccard_score(truth, predicted, average=None))
    weights = np.arange(12) % 3
    again = [pair for pair, times in zip(masks, weights, strict=True) for _ in range(times)]
    copied = Segmented.of_masks(again, np.arange(len(again)), 5)
    assert made.confusion(weights.astype(float)).tolist() == copied.confusion().tolist()


def test_a_part_of_the_masks_and_pixels_that_nobody_labeled() -> None:
    masks = _masks(2)
    made = Segmented.of_masks(masks, np.arange(12), 4, ignore=3)
    truth, predicted = (np.concatenate([pair[side].ravel() for pair in masks[:5]]) for side in (0, 1))
    known = truth != 3
    part = made.take(np.arange(12) < 5)
    k, n = part.ratios(None)["accuracy"]
    assert (k.sum(), n.sum()) == ((truth == predicted)[known].sum(), known.sum())
    assert part.clusters == 5


def test_a_mask_of_another_size_is_scaled_and_one_of_another_kind_is_refused() -> None:
    mask = np.array([[0, 1], [2, 3]])
    assert scaled(mask, (4, 4)).tolist() == np.kron(mask, np.ones((2, 2), int)).tolist()
    assert scaled(scaled(mask, (6, 8)), (2, 2)).tolist() == mask.tolist()
    made = Segmented.of_masks([(scaled(mask, (8, 6)), mask)], np.arange(1), 4)
    assert (made.truth == made.predicted).all()
    for bad in (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), np.zeros((0, 4), np.uint8)):
        with pytest.raises(InputError, match="expected masks of"):
            Segmented.of_masks([(bad, bad)], np.arange(1), 4)
    with pytest.raises(InputError, match="got 0 to 7"):
        Segmented.of_masks([(np.array([[0, 7]]), np.array([[0, 1]]))], np.arange(1), 4)

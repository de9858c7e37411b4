"""The one IoU: against torchvision's, and against pixels that are counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from loupe.brain.imaging.boxes import area, center, containment, from_bounds, intersection, iou, ious


@pytest.fixture
def boxes() -> np.ndarray:
    """(60, 4) float64: whole pixels, some of them far from each other, some empty."""
    rng = np.random.default_rng(4)
    corners = np.sort(rng.integers(0, 30, (60, 2, 2)), axis=1).reshape(60, 4).astype(np.float64)
    corners[0] = (3, 3, 3, 9)
    corners[1] = corners[2]
    return corners


def test_one_against_many_is_torchvisions(boxes: np.ndarray) -> None:
    peer = box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).nan_to_num(0).numpy()
    assert peer.max() == 1
    assert 0 < np.median(peer[peer > 0]) < 1
    for index, box in enumerate(boxes):
        np.testing.assert_allclose(ious(box, boxes), peer[index], atol=1e-12)


def test_one_against_one_is_the_same_as_one_against_many(boxes: np.ndarray) -> None:
    for box in boxes[::7]:
        pairwise = [iou(tuple(box), tuple(other)) for other in boxes]
        np.testing.assert_allclose(pairwise, ious(box, boxes), atol=1e-12)


def test_float32_stays_float32(boxes: np.ndarray) -> None:
    assert ious(boxes[5].astype(np.float32), boxes.astype(np.float32)).dtype == np.float32


def test_areas_are_counted_pixels(boxes: np.ndarray) -> None:
    def mask(box: np.ndarray) -> np.ndarray:
        left, top, right, bottom = box.astype(int)
        pixels = np.zeros((30, 30), bool)
        pixels[top:bottom, left:right] = True
        return pixels

    for first, second in itertools.pairwise(boxes):
        a, b = mask(first), mask(second)
        common, smaller = (a & b).sum(), min(a.sum(), b.sum())
        assert area(tuple(first)) == a.sum()
        assert intersection(tuple(first), tuple(second)) == common
        assert containment(tuple(first), tuple(second)) == pytest.approx(common / smaller if smaller else 0)


def test_bounds_are_left_top_width_height() -> None:
    assert from_bounds((0.25, 0.5, 0.5, 0.125)) == (0.25, 0.5, 0.75, 0.625)
    assert center((2.0, 10.0, 4.0, 30.0)) == (3.0, 20.0)

"""The formulas over boxes, against a second and plain implementation of the published rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.composition.reference import random_boxes, reference_geneval, reference_t2i
from loupe.brain.imaging import boxes
from loupe.brain.measures.composition import geometry

SIDES = ("left of", "right of", "above", "below")
MIRROR = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


@pytest.fixture(scope="module")
def pairs() -> list[tuple[boxes.Corners, boxes.Corners]]:
    a, b = random_boxes(3000, 100), random_boxes(3000, 101)
    b[:300] = a[:300] + np.random.default_rng(0).normal(0, 8, (300, 1))  # near and overlapping ones
    b[300:330] = a[300:330]
    return [(tuple(first), tuple(second)) for first, second in zip(a.tolist(), b.tolist(), strict=True)]


def test_genevals_relations_are_the_published_ones(pairs: list) -> None:
    sides = [geometry.geneval_relations(a, b) for a, b in pairs]
    assert sides == [frozenset(reference_geneval(a, b)) for a, b in pairs]
    assert {len(names) for names in sides} == {0, 1, 2}


@pytest.mark.parametrize("relation", [*SIDES, "next to", "near"])
def test_t2i_compbenchs_positions_are_the_published_ones(pairs: list, relation: str) -> None:
    for a, b in pairs:
        assert geometry.t2i_position(relation, a, b) == pytest.approx(reference_t2i(relation, a, b), abs=1e-12)


def test_a_relation_seen_from_the_other_side_is_its_opposite(pairs: list) -> None:
    for a, b in pairs:
        assert geometry.geneval_relations(b, a) == {MIRROR[name] for name in geometry.geneval_relations(a, b)}
        for name in SIDES:
            assert geometry.t2i_position(name, a, b) == geometry.t2i_position(MIRROR[name], b, a)
            assert geometry.side_gap(name, a, b) == pytest.approx(-geometry.side_gap(MIRROR[name], a, b))


def test_overlaps_against_counted_pixels() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        corners = np.sort(rng.integers(0, 30, (2, 2, 2)), axis=1)
        masks = np.zeros((2, 30, 30), bool)
        for mask, ((left, top), (right, bottom)) in zip(masks, corners, strict=True):
            mask[top:bottom, left:right] = True
        a, b = (tuple(map(float, box.ravel())) for box in corners)
        shared, union, smaller = (masks[0] & masks[1]).sum(), (masks[0] | masks[1]).sum(), masks.sum((1, 2)).min()
        assert boxes.iou(a, b) == pytest.approx(shared / union if union else 0)
        assert boxes.containment(a, b) == pytest.approx(shared / smaller if smaller else 0)


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ((0.25, 0.5, 0.5, 0.25), (50, 50, 150, 75)),
        ((-0.5, -0.5, 1, 1), (0, 0, 100, 50)),
        ((0.9, 0.9, 5, 5), (180, 90, 200, 100)),
        ((0.2, 0.2, 0, 0.2), None),
        ((0.2, 0.2, -0.1, 0.2), None),
        ((1.5, 0, 0.5, 0.5), None),
        ((math.nan, 0, 1, 1), None),
        ((0, 0, math.inf, 1), None),
        ((0, 0, 1), None),
    ],
)
def test_corners_are_cut_to_the_picture_or_none(bounds: tuple, wanted: tuple | None) -> None:
    assert boxes.corners(bounds, 200, 100) == (pytest.approx(wanted) if wanted else None)


def test_boxes_without_an_area_break_nothing() -> None:
    point, box = (5.0, 5.0, 5.0, 5.0), (0.0, 0.0, 10.0, 10.0)
    for a, b in ((point, point), (point, box), (box, point), (box, box)):
        geometry.geneval_relations(a, b)
        for name in (*SIDES, "near", "inside out"):
            assert 0 <= geometry.t2i_position(name, a, b) <= 1
        assert boxes.iou(point, b) == 0
        assert math.isfinite(geometry.side_gap("above", a, b) + geometry.edge_distance(a, b))


def test_the_same_thing_for_counting() -> None:
    outer = (0.0, 0.0, 100.0, 100.0)
    assert geometry.t2i_same(outer, (1.0, 1.0, 100.0, 100.0))
    assert geometry.t2i_same(outer, (40.0, 40.0, 60.0, 60.0))
    assert geometry.t2i_same((40.0, 40.0, 60.0, 60.0), outer)
    assert not geometry.t2i_same(outer, (30.0, 0.0, 130.0, 100.0))
    assert not geometry.t2i_same(outer, (200.0, 200.0, 220.0, 220.0))
    # one pixel more: 9.1 of 10 are covered, and not 8.1 of 9
    assert geometry.t2i_same((0.0, 0.0, 9.0, 9.0), (0.9, 0.0, 20.0, 9.0))

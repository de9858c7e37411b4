"""The nearest by angle, out of the distances about a center, against the cosines themselves."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.labels.holes import looked_at, uncovered
from loupe.brain.realism import balls, manifold, tiles
from loupe.brain.realism.angles import Angles
from loupe.brain.realism.compare import compare
from loupe.brain.similarity.gathered import scaled
from loupe.brain.similarity.neighbors import nearest


def _sets(seed: int, *, unit: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = rng.normal(1, 1, (190, 6)), rng.normal(1.2, 1, (140, 6))
    real, synthetic = (np.asarray(each, np.float32) for each in made)
    return (scaled(real).unit, scaled(synthetic).unit) if unit else (real, synthetic)


def _angles(real: np.ndarray, synthetic: np.ndarray, chosen: tuple[np.ndarray, np.ndarray], k: int) -> Angles:
    return Angles((np.linalg.norm(real, axis=1), np.linalg.norm(synthetic, axis=1)), chosen, k)


@pytest.mark.parametrize("unit", [False, True])
def test_the_neighbors_are_those_of_the_cosines(unit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_ROWS", 37)
    monkeypatch.setattr(tiles, "_COLUMNS", 29)
    real, synthetic = _sets(0, unit=unit)
    chosen = np.flatnonzero(np.arange(190) % 5), np.flatnonzero(np.arange(140) % 3)
    angles = _angles(real, synthetic, chosen, 7)
    compare(real, synthetic, angles=angles, permutations=9)
    both = np.concatenate([scaled(real).unit[chosen[0]], scaled(synthetic).unit[chosen[1]]])
    np.testing.assert_array_equal(angles.nearest(), nearest(both, 7)[0])


def test_holes_are_the_same_with_neighbors_that_are_known_and_with_those_it_looks_for() -> None:
    rng = np.random.default_rng(2)
    real, synthetic = _sets(1)
    real = np.concatenate([real, rng.normal(0, 0.1, (40, 6)).astype(np.float32) - 3])
    groups = rng.integers(0, 110, len(synthetic))
    real[3] = 0  # it has no direction, and takes no part
    own, others = scaled(synthetic), scaled(real)
    looked = looked_at(len(others.unit), len(own.unit), groups, seed=4)
    angles = _angles(real, synthetic, (others.index[looked.reference], own.index[looked.samples]), looked.k)
    compare(real, synthetic, angles=angles, permutations=9)
    known = uncovered(others.unit, own.unit, groups, seed=4, neighbors=angles.nearest())
    plain = uncovered(others.unit, own.unit, groups, seed=4)
    assert (known.covered, known.samples, known.k) == (plain.covered, plain.samples, plain.k)
    assert len(plain.regions) == 1
    for region, other in zip(known.regions, plain.regions, strict=True):
        np.testing.assert_array_equal(region.rows, other.rows)
        assert region.p == other.p


@pytest.mark.parametrize("few", [0.0, 1.0])
def test_pairs_one_by_one_and_whole_tiles_say_the_same(few: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real, synthetic = _sets(3)
    expected = manifold.measure(real, synthetic, splits=3)
    monkeypatch.setattr(balls, "_FEW", few)
    monkeypatch.setattr(tiles, "_ROWS", 41)
    made = manifold.measure(real, synthetic, splits=3)
    assert made.values == expected.values
    for name in manifold.NAMES:
        np.testing.assert_array_equal(made.matched[name], expected.matched[name])
    np.testing.assert_array_equal(made.recalled, expected.recalled)

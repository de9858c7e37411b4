"""All measures together, beside what halves of the real set give."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.realism import manifold, results
from loupe.brain.realism.compare import MOMENT_SPLITS, Compared, compare
from loupe.brain.realism.diversity import diversity
from loupe.brain.realism.moments import Moments, frechet


def _sets(n: int = 400, m: int = 300, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    real = rng.normal(2, 1, (n, 16)).astype(np.float32)
    # half of the numbers move, so that directions do, too
    return real, rng.normal(2 + shift * (np.arange(16) < 8), 1, (m, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def same() -> Compared:
    return compare(*_sets(), permutations=39)


def _kid(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    own, theirs, across = ((x @ y.T / a.shape[1] + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    return float(
        (own.sum() - np.trace(own)) / (n * (n - 1))
        + (theirs.sum() - np.trace(theirs)) / (m * (m - 1))
        - 2 * across.mean()
    )


def test_kernel_distances_are_those_of_their_definition_whole_and_in_parts(same: Compared) -> None:
    real, synthetic = _sets()
    assert same.metrics["kid"].value == pytest.approx(_kid(real, synthetic), rel=1e-3, abs=2e-5)
    for at, (a, b, s) in enumerate(
        manifold.parts(len(real), len(synthetic), manifold.SPLITS, np.random.default_rng(0))
    ):
        assert same.metrics["kid"].matched[at] == pytest.approx(_kid(real[a], synthetic[s]), rel=1e-3, abs=5e-5)
        assert same.metrics["kid"].null[at] == pytest.approx(_kid(real[a], real[b]), rel=1e-3, abs=5e-5)


def test_a_small_cmmd_is_not_lost_beside_the_kernels_of_near_one() -> None:
    rng = np.random.default_rng(7)
    mixing = rng.normal(size=(6, 64))
    real, synthetic = (
        np.maximum(spread * rng.normal(size=(300, 6)) @ mixing + 2, 0).astype(np.float32) for spread in (1.0, 0.95)
    )
    units = [(each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float64) for each in (real, synthetic)]
    squared = [((a[:, None] - b[None]) ** 2).sum(axis=2) for a, b in ((units[0],) * 2, (units[1],) * 2, units)]
    own, theirs, across = (np.exp(-each / 200) for each in squared)
    within = (own.sum() + theirs.sum() - 600) / (300 * 299)
    expected = within - 2 * across.mean()
    assert 0 < abs(expected) < 1e-4
    assert compare(real, synthetic, splits=2, permutations=1).metrics["cmmd"].value == pytest.approx(expected, rel=1e-3)


def test_moments_and_diversity_are_of_the_same_parts(same: Compared) -> None:
    real, synthetic = _sets()
    drawn = manifold.parts(len(real), len(synthetic), manifold.SPLITS, np.random.default_rng(0))[:MOMENT_SPLITS]
    a, b, s = drawn[2]
    assert same.metrics["frechet"].null[2] == pytest.approx(frechet(Moments.of(real[a]), Moments.of(real[b])))
    assert same.metrics["frechet"].matched[2] == pytest.approx(frechet(Moments.of(real[a]), Moments.of(synthetic[s])))
    assert same.diversity[0][2] == pytest.approx(diversity(synthetic[s]).vendi)
    assert same.diversity[1][2] == pytest.approx(diversity(real[b]).vendi)


def test_of_one_distribution_every_ratio_is_one_and_every_distance_is_chance(same: Compared) -> None:
    for name in ("precision", "recall", "density", "coverage", "authenticity", "vendi", "rke"):
        assert same.metrics[name].ratio == pytest.approx(1, abs=0.1), name
    for name in ("kid", "cmmd", "frechet"):
        metric = same.metrics[name]
        assert (
            metric.null.min() - 3 * metric.null.std()
            < metric.matched.mean()
            < metric.null.max() + 3 * metric.null.std()
        )
    assert same.metrics["frechet_endless"].value < 0.3 * same.metrics["frechet"].value
    assert same.apart.p > 0.02
    assert not same.unit_length


def test_a_shift_shows_in_every_distance() -> None:
    made = compare(*_sets(shift=-1.5), permutations=39)
    for name in ("kid", "cmmd", "frechet", "c2st"):
        assert made.metrics[name].matched.mean() > 2 * abs(made.metrics[name].null).max() or name == "c2st"
    assert made.metrics["precision"].ratio < 0.8
    assert made.apart.accuracy > 0.9
    assert made.apart.p == 1 / 40


def test_vectors_of_one_length_are_said() -> None:
    real, synthetic = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in _sets())
    assert compare(real, synthetic, permutations=19).unit_length


def test_nothing_changes_with_the_order_but_the_draws() -> None:
    real, synthetic = _sets()
    rng = np.random.default_rng(3)
    turned = compare(real[rng.permutation(len(real))], synthetic[rng.permutation(len(synthetic))], permutations=19)
    plain = compare(real, synthetic, permutations=19)
    for name in ("precision", "recall", "density", "coverage", "kid", "cmmd", "frechet", "vendi", "clipped_density"):
        assert turned.metrics[name].value == pytest.approx(plain.metrics[name].value, rel=1e-3, abs=2e-5), name


def test_pairs_are_those_nearer_than_real_ones_the_nearest_first() -> None:
    real, synthetic = _sets()
    made = compare(real, synthetic, splits=2, permutations=1).manifold
    ids, theirs = [f"r{at}" for at in range(len(real))], [f"s{at}" for at in range(len(synthetic))]
    pairs = results.pairs(made, ids, theirs)
    assert {pair.synthetic for pair in pairs} <= {theirs[at] for at in np.flatnonzero(~made.authentic)}
    assert len(pairs) == min(100, int((~made.authentic).sum())) > 0
    shares = [pair.distance / pair.usual for pair in pairs]
    assert shares == sorted(shares)
    assert max(shares) <= 1


def test_far_from_zero_lengths_are_alike_and_that_is_no_sphere() -> None:
    real, synthetic = (each + 1e4 for each in _sets())
    made = compare(real, synthetic, permutations=19)
    assert not made.unit_length
    assert made.metrics["frechet"].value > 0.1


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_numbers_whose_squares_are_lost_are_refused(scale: float) -> None:
    real, synthetic = (np.float32(scale) * each for each in _sets())
    with pytest.raises(InputError, match="scale those of both sides alike"):
        compare(real, synthetic, permutations=19)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_a_scale_changes_no_ratio(scale: float) -> None:
    real, synthetic = _sets()
    plain = compare(real, synthetic, permutations=19)
    scaled = compare(np.float32(scale) * real, np.float32(scale) * synthetic, permutations=19)
    for name in ("precision", "recall", "density", "coverage", "vendi", "c2st", "frechet"):
        assert scaled.metrics[name].ratio == pytest.approx(plain.metrics[name].ratio, rel=0.02), name

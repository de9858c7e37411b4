"""Fréchet distance and diversity, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from loupe.brain.core.errors import InputError
from loupe.brain.realism.diversity import diversity
from loupe.brain.realism.moments import MIN_PER_NUMBER, Moments, extrapolated, frechet, frechet_of


def _vectors(seed: int, n: int = 400, size: int = 10, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(size, size))
    return np.asarray(rng.normal(shift, 1, (n, size)) @ mix, np.float32)


def test_the_distance_is_that_of_the_formula() -> None:
    a, b = _vectors(0), _vectors(1, n=300, shift=0.2)
    first, second = np.cov(a.astype(float), rowvar=False), np.cov(b.astype(float), rowvar=False)
    gap = a.astype(float).mean(0) - b.astype(float).mean(0)
    expected = gap @ gap + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    assert frechet(Moments.of(a), Moments.of(b)) == pytest.approx(expected, rel=1e-6)
    assert frechet(Moments.of(a), Moments.of(a)) == pytest.approx(0, abs=1e-6)


def test_moments_add_up() -> None:
    a = _vectors(2)
    both, whole = Moments.of(a[:150]) + Moments.of(a[150:]), Moments.of(a)
    assert both.n == whole.n
    np.testing.assert_allclose(both.covariance, np.cov(a.astype(float), rowvar=False), rtol=1e-6)
    np.testing.assert_allclose(both.covariance, whole.covariance, rtol=1e-9)


def test_fewer_vectors_than_numbers_make_a_distance_too() -> None:
    a, b = _vectors(3, n=6), _vectors(4, n=7)
    assert frechet(Moments.of(a), Moments.of(b)) > 0
    with pytest.raises(InputError, match="at least two vectors on each side, got 1 and 7"):
        frechet(Moments.of(a[:1]), Moments.of(b))


@pytest.mark.parametrize(("n", "m"), [(6, 7), (7, 30), (30, 30)])
def test_few_vectors_have_the_distance_of_the_formula_too(n: int, m: int) -> None:
    a, b = _vectors(3, n=n), _vectors(4, n=m, shift=0.3)
    assert frechet_of(a, b) == pytest.approx(frechet(Moments.of(a), Moments.of(b)), rel=1e-6)


def test_extrapolation_takes_the_bias_away() -> None:
    """Two draws of one distribution: their distance is all bias, and 0 in truth."""
    plain, endless = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(size=(600, 40)).astype(np.float32), rng.normal(size=(600, 40)).astype(np.float32)
        plain.append(frechet(Moments.of(a), Moments.of(b)))
        endless.append(extrapolated(a, b, rng))
    assert np.mean(plain) > 1
    assert abs(np.mean(endless)) < 0.15 * np.mean(plain)


def test_nothing_is_extrapolated_from_too_few() -> None:
    rng = np.random.default_rng(0)
    n = MIN_PER_NUMBER * 10
    a, b = _vectors(0, n=n - 1), _vectors(1, n=500)
    assert np.isnan(extrapolated(a, b, rng))
    assert np.isnan(extrapolated(b, a, rng))
    assert np.isfinite(extrapolated(_vectors(0, n=n), b, rng))


def test_diversity_is_that_of_the_kernel_matrix() -> None:
    a = _vectors(5, n=60)
    unit = a / np.linalg.norm(a, axis=1, keepdims=True)
    values = np.linalg.eigvalsh((unit @ unit.T).astype(float) / 60)
    values = values[values > 1e-10]
    made = diversity(a)
    assert made.vendi == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-4)
    assert made.rke == pytest.approx(1 / (((unit @ unit.T).astype(float) / 60) ** 2).sum(), rel=1e-4)


def test_diversity_of_few_vectors_is_that_of_their_kernel_matrix() -> None:
    a = _vectors(6, n=8, size=20)
    unit = a / np.linalg.norm(a, axis=1, keepdims=True)
    values = np.linalg.svd(unit.T @ unit / 8, compute_uv=False)[:8]
    assert diversity(a).vendi == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-4)


def test_diversity_counts_what_differs() -> None:
    a = np.repeat(np.eye(7, dtype=np.float32), 9, axis=0)
    assert diversity(a).vendi == pytest.approx(7)
    assert diversity(a).rke == pytest.approx(7)
    assert diversity(np.ones((5, 3), np.float32)).vendi == pytest.approx(1)

"""Precision, recall, density, coverage and authenticity, against their definitions written out in float64."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.realism import manifold, tiles
from loupe.brain.realism.kernels import KernelSums, mmd2_of_sums, own_values
from loupe.brain.stats import ball_coverage


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(a[:, None].astype(np.float64) - b[None].astype(np.float64), axis=2))


def _kth(own: np.ndarray, k: int) -> np.ndarray:
    """The distance to the k-th nearest other: the nearest is the vector itself."""
    return np.asarray(np.sort(own, axis=1)[:, k])


def _defined(real: np.ndarray, synthetic: np.ndarray, k: int) -> dict[str, float]:
    own, theirs, across = _distances(real, real), _distances(synthetic, synthetic), _distances(real, synthetic)
    radius, other = _kth(own, k), _kth(theirs, k)
    inside = across <= radius[:, None]
    nearest = across.argmin(axis=0)
    return {
        "precision": inside.any(axis=0).mean(),
        "recall": (across <= other[None, :]).any(axis=1).mean(),
        "density": inside.sum() / (k * len(synthetic)),
        "coverage": inside.any(axis=1).mean(),
        "authenticity": (across.min(axis=0) > _kth(own, 1)[nearest]).mean(),
    }


def _sets(seed: int, n: int = 230, m: int = 170, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    real = rng.normal(0, 1, (n, size)).astype(np.float32)
    return real, (rng.normal(0.3, 0.8, (m, size))).astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", [1, 5])
def test_values_are_those_of_the_definitions(seed: int, k: int) -> None:
    real, synthetic = _sets(seed)
    made = manifold.measure(real, synthetic, k=k, splits=0)
    expected = _defined(real, synthetic, k)
    assert {name: made.values[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert 0.05 < expected["coverage"] < 0.95
    assert 0.05 < expected["recall"] < 0.95


def test_parts_are_those_of_the_definitions_and_the_null_compares_halves_of_the_real_set() -> None:
    real, synthetic = _sets(3)
    made = manifold.measure(real, synthetic, splits=4, seed=7)
    drawn = manifold.parts(len(real), len(synthetic), 4, np.random.default_rng(7))
    for at, (a, b, s) in enumerate(drawn):
        assert not set(a) & set(b)
        assert len(b) == len(s) == made.n_matched[1]
        for values, expected in (
            (made.matched, _defined(real[a], synthetic[s], 5)),
            (made.null, _defined(real[a], real[b], 5)),
        ):
            assert {name: values[name][at] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_a_larger_synthetic_set_is_matched_by_as_many_as_a_half_of_the_real_set_has() -> None:
    real, synthetic = _sets(4, n=60, m=900)
    made = manifold.measure(real, synthetic, splits=3, seed=1)
    drawn = manifold.parts(60, 900, 3, np.random.default_rng(1))
    assert made.n_matched == (30, 30)
    for at, (a, _, s) in enumerate(drawn):
        expected = _defined(real[a], synthetic[s], 5)
        assert {name: made.matched[name][at] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_tile_size_and_order_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, synthetic = _sets(5)
    whole = manifold.measure(real, synthetic, splits=0)
    monkeypatch.setattr(tiles, "_ROWS", 37)
    monkeypatch.setattr(tiles, "_COLUMNS", 23)
    tiled = manifold.measure(real, synthetic, splits=0)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(real)), rng.permutation(len(synthetic))
    turned = manifold.measure(real[rows], synthetic[columns], splits=0)
    assert tiled.values == pytest.approx(whole.values, rel=1e-12)
    assert turned.values == pytest.approx(whole.values, rel=1e-12)
    np.testing.assert_array_equal(turned.covered, whole.covered[rows])
    np.testing.assert_array_equal(tiled.nearest_real, whole.nearest_real)
    np.testing.assert_array_equal(columns[turned.nearest_synthetic], whole.nearest_synthetic[rows])


def test_what_is_said_of_each_sample() -> None:
    real, synthetic = _sets(6)
    made = manifold.measure(real, synthetic, splits=0)
    across = _distances(real, synthetic)
    np.testing.assert_array_equal(made.nearest_real, across.argmin(axis=0))
    np.testing.assert_array_equal(made.nearest_synthetic, across.argmin(axis=1))
    np.testing.assert_allclose(made.real_distance, across.min(axis=0), rtol=1e-4)
    np.testing.assert_allclose(made.synthetic_distance, across.min(axis=1), rtol=1e-4)
    assert made.covered.mean() == made.values["coverage"]
    assert made.inside.mean() == made.values["precision"]
    assert made.recalled.mean() == made.values["recall"]
    assert made.authentic.mean() == made.values["authenticity"]


def test_the_same_set_twice_covers_itself_and_is_not_authentic() -> None:
    real, _ = _sets(7)
    made = manifold.measure(real, real.copy(), splits=0)
    assert (made.real_distance == 0).all()
    assert made.values["authenticity"] == 0
    assert made.values["precision"] == made.values["recall"] == made.values["coverage"] == 1


def test_copies_are_counted_and_real_twins_are_their_null() -> None:
    real, synthetic = _sets(11)
    real[:10] = real[10:20] + 0.001  # a twin each: near to it, and the twin's next is far
    plain = manifold.measure(real, synthetic, splits=0)
    own = _distances(real, real)
    np.fill_diagonal(own, np.inf)
    near = own.argmin(axis=1)
    twins = 0
    for at, other in enumerate(near):
        usual = np.delete(own[other], at).min()
        twins += own[at, other] < usual / 2
    assert twins == 20
    assert plain.copies[1] == twins / len(real)
    assert plain.copies[0] < 0.03
    synthetic[:34] = real[40:74] + 0.001
    assert manifold.measure(real, synthetic, splits=0).copies[0] == pytest.approx(0.2, abs=0.02)


def test_vectors_that_are_all_alike_cover_themselves() -> None:
    real = np.ones((40, 8), np.float32)
    made = manifold.measure(real, real.copy(), splits=2)
    assert made.values["coverage"] == made.values["precision"] == 1
    assert np.isfinite(list(made.values.values())).all()


def test_too_few_vectors_are_refused() -> None:
    real, synthetic = _sets(8)
    with pytest.raises(InputError, match="at least 12 vectors on each side, got 230 real and 11 synthetic"):
        manifold.measure(real, synthetic[:11])


def test_vectors_far_from_zero_lose_nothing() -> None:
    """About the center float32 is exact; a mean of 1,000 would take four digits of every distance."""
    real, synthetic = _sets(9)
    near = manifold.measure(real, synthetic, splits=0).values
    center = (real + 1000).mean(axis=0, dtype=np.float64).astype(np.float32)
    far = manifold.measure((real + 1000) - center, (synthetic + 1000) - center, splits=0).values
    assert far == pytest.approx(near, abs=0.01)


@pytest.mark.parametrize(("n", "m", "k"), [(400, 400, 5), (600, 150, 5), (100, 500, 3)])
def test_expected_coverage_is_what_simulation_gives(n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(n + m)
    simple, clipped = [], []
    for _ in range(40):
        real, synthetic = rng.normal(size=(n, 4)).astype(np.float32), rng.normal(size=(m, 4)).astype(np.float32)
        held = (_distances(real, synthetic) <= _kth(_distances(real, real), k)[:, None]).sum(axis=1)
        simple.append((held > 0).mean())
        clipped.append(np.minimum(held / k, 1).mean())
    assert ball_coverage.coverage(n, m, k) == pytest.approx(np.mean(simple), abs=0.01)
    assert ball_coverage.clipped_coverage(n, m, k) == pytest.approx(np.mean(clipped), abs=0.01)


@pytest.mark.parametrize(
    ("n", "m", "expected"), [(10_000, 10_000, 0.9688), (5_000, 1_000, 0.598), (100_000, 10_000, 0.379)]
)
def test_expected_coverage_is_the_published_product(n: int, m: int, expected: float) -> None:
    product = 1 - np.prod([(n - i) / (m + n - i) for i in range(1, 6)])
    assert ball_coverage.coverage(n, m, 5) == pytest.approx(product, rel=1e-9) == pytest.approx(expected, abs=5e-4)


def test_clipped_metrics_say_the_share_of_good_vectors() -> None:
    """Vectors of which a share is of the real distribution, and the others far away."""
    rng = np.random.default_rng(2)
    real = rng.normal(size=(1500, 6)).astype(np.float32)
    for share in (0.25, 0.5, 0.9):
        good = rng.random(1500) < share
        synthetic = np.where(good[:, None], rng.normal(size=(1500, 6)), 100 + rng.normal(size=(1500, 6)))
        made = manifold.measure(real, synthetic.astype(np.float32), splits=0).values
        assert made["clipped_coverage"] == pytest.approx(good.mean(), abs=0.05)
        assert made["clipped_density"] == pytest.approx(good.mean(), abs=0.05)


def test_good_share_is_the_inverse_of_the_expectation() -> None:
    for m in (1, 30, 300, 999):
        value = ball_coverage.clipped_coverage(800, m, 5)
        assert ball_coverage.good_share(value, 800, 1000, 5) == pytest.approx(m / 1000, rel=1e-6)
    assert ball_coverage.good_share(0.0, 800, 1000, 5) == 0
    assert ball_coverage.good_share(1.0, 800, 1000, 5) == 1


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.mark.parametrize("kernel", ["cubic", "gaussian"])
def test_kernel_sums_are_those_of_the_definition(kernel: str) -> None:
    real, synthetic = _sets(10)
    real, synthetic = real + 3, synthetic + 3  # the polynomial is not the same about another center
    center = real.mean(axis=0)
    left = np.random.default_rng(0).random((len(real), 3)) < 0.5
    right = np.random.default_rng(1).random((len(synthetic), 3)) < 0.5
    sums = KernelSums(
        kernel, left, right, size=12, sigma=2.0,  # type: ignore[arg-type]
        left_lengths=(real**2).sum(1), right_lengths=(synthetic**2).sum(1),
    )  # fmt: skip
    tiles.stream(real - center, synthetic - center, [sums])
    a, b = real.astype(np.float64), synthetic.astype(np.float64)
    # a constant falls out of the discrepancy: the Gaussian is kept less 1, so that what is left is exact
    values = (a @ b.T / 12 + 1) ** 3 if kernel == "cubic" else np.expm1(-(_distances(_unit(a), _unit(b)) ** 2) / 8)
    expected = [left[:, s] @ values @ right[:, s] for s in range(3)]
    np.testing.assert_allclose(sums.sums, expected, rtol=1e-5)


def test_mmd_of_kernel_sums_is_the_unbiased_estimate() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(50, 4)), rng.normal(0.5, 1, size=(60, 4))

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray((x @ y.T / 4 + 1) ** 3)

    own, theirs = kernel(a, a), kernel(b, b)
    expected = (
        (own.sum() - np.trace(own)) / (50 * 49)
        + (theirs.sum() - np.trace(theirs)) / (60 * 59)
        - 2 * kernel(a, b).mean()
    )
    diagonal = own_values("cubic", (a**2).sum(1), 4).sum(), own_values("cubic", (b**2).sum(1), 4).sum()
    made = mmd2_of_sums(own.sum() - diagonal[0], theirs.sum() - diagonal[1], kernel(a, b).sum(), 50, 60)
    assert float(made) == pytest.approx(expected, rel=1e-9)

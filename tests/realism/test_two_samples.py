"""The classifier that tells synthetic from real."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.realism.two_samples import tell_apart


def _sets(seed: int, shift: float, n: int = 300, m: int = 300, size: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, size)).astype(np.float32), rng.normal(shift, 1, (m, size)).astype(np.float32)


def test_what_differs_is_told_apart_and_what_does_not_is_not() -> None:
    near, far = tell_apart(*_sets(3, 0.0)), tell_apart(*_sets(3, 1.0))
    assert near.accuracy < 0.56
    assert near.p > 0.05
    # the best that any classifier does is Φ(√10 / 2) = .943
    assert far.accuracy == pytest.approx(0.943, abs=0.03)
    assert far.p == 1 / 200
    assert abs(near.null.mean() - 0.5) < 0.01


def test_the_accuracy_is_that_of_a_ridge_fitted_without_the_fold() -> None:
    """One fold's weights, by least squares on stacked rows instead of normal equations."""
    from loupe.brain.realism.two_samples import _ridge, _Sums

    real, synthetic = _sets(1, 0.5, n=40, m=40)
    vectors, sides = np.concatenate([real, synthetic]), np.repeat([False, True], 40)[:, None]
    weights, offset = _ridge(_Sums.of(vectors, sides))
    own = vectors - vectors.mean(0)
    stacked = np.concatenate([own, np.sqrt(10) * np.eye(10)])
    expected, *_ = np.linalg.lstsq(stacked, np.concatenate([np.repeat([-1.0, 1.0], 40), np.zeros(10)]), rcond=None)
    np.testing.assert_allclose(weights[:, 0], expected, rtol=1e-3)
    halfway = (real.mean(0) + synthetic.mean(0)) / 2
    np.testing.assert_allclose(offset, -halfway @ expected, atol=1e-4)


def test_p_is_spread_evenly_where_nothing_differs() -> None:
    ps = np.array([tell_apart(*_sets(seed, 0.0, n=60, m=60), permutations=39).p for seed in range(80)])
    assert (ps <= 0.05).mean() < 0.15
    assert 0.35 < ps.mean() < 0.65


def test_groups_are_no_evidence_of_their_own() -> None:
    """Ten pictures of each of a few prompts, and prompts that no side shares: they are told apart by their prompt."""
    fires = {True: 0, False: 0}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        prompts = rng.normal(size=(12, 8))
        every = (np.repeat(prompts, 10, axis=0) + 0.1 * rng.normal(size=(120, 8))).astype(np.float32)
        groups = np.repeat(np.arange(12), 10)
        for known in fires:
            made = tell_apart(every[:60], every[60:], groups=groups if known else None, permutations=39)
            fires[known] += made.p <= 0.05
    assert fires[False] >= 18
    assert fires[True] <= 4


def test_probabilities_are_of_everybody_and_calibrated() -> None:
    real, synthetic = _sets(2, 0.7, n=900, m=300)
    made = tell_apart(real, synthetic)
    assert made.probability.shape == (1200,)
    assert ((made.probability >= 0) & (made.probability <= 1)).all()
    assert made.probability[900:].mean() > 0.7 > 0.3 > made.probability[:900].mean()
    rng = np.random.default_rng(0)
    picked = np.concatenate([rng.choice(900, 300, replace=False), np.arange(900, 1200)])
    high = made.probability[picked] > 0.8
    assert (picked[high] >= 900).mean() > 0.75


def test_a_constant_set_is_not_told_from_itself() -> None:
    made = tell_apart(np.ones((30, 4), np.float32), np.ones((30, 4), np.float32), permutations=19)
    assert made.p == 1
    assert (made.probability == 0.5).all()


def test_too_few_are_refused() -> None:
    with pytest.raises(InputError, match="at least 5 vectors on each side, got 4 and 300"):
        tell_apart(_sets(0, 0)[0][:4], _sets(0, 0)[1])


@pytest.mark.parametrize("prompts", [1, 3])
def test_a_set_of_few_prompts_is_told_apart_all_the_same(prompts: int) -> None:
    real, synthetic = _sets(4, 1.0)
    groups = np.concatenate([np.arange(300), 300 + np.arange(300) % prompts])
    made = tell_apart(real, synthetic, groups=groups, permutations=39)
    assert made.accuracy == pytest.approx(tell_apart(real, synthetic, permutations=39).accuracy, abs=0.02)
    assert made.p == 1 / 40

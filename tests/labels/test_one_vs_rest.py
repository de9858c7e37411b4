"""The probes of several classes a sample against scikit-learn and plain loops; out-of-fold means out-of-fold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.labels import one_vs_rest
from loupe.brain.labels.one_vs_rest import OneVsRest, rarest


def drawn(seed: int, n: int = 400, classes: int = 5, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Returns unit vectors that are sums of class centers, and which classes each has; some have none."""
    rng = np.random.default_rng(seed)
    given = rng.random((n, classes)) < np.linspace(0.1, 0.4, classes)
    vectors = given @ rng.normal(size=(classes, size)) + 0.8 * rng.normal(size=(n, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), given


def table(given: np.ndarray) -> sparse.csc_matrix:
    return sparse.csc_matrix(given.astype(np.int8))


@pytest.mark.parametrize("shrinkage", [1.0, 0.05])
def test_a_discriminant_is_scikit_learns_of_one_class_against_the_rest(shrinkage: float) -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    unit, given = drawn(0)
    vectors, labels = unit.astype(np.float64), given.astype(np.float64)
    made = one_vs_rest._discriminant(
        len(unit), labels.sum(axis=0), labels.T @ vectors, vectors.sum(axis=0), vectors.T @ vectors, shrinkage
    )
    for at in range(given.shape[1]):
        own = given[:, at]
        mean = np.where(own[:, None], vectors[own].mean(axis=0), vectors[~own].mean(axis=0))
        within = (vectors - mean).T @ (vectors - mean) / len(vectors)
        # the sphere is that of all samples: by this much more than that of the samples within a class
        whole = np.trace(np.cov(vectors.T, bias=True)) / np.trace(within)
        amount = shrinkage * whole / (1 + shrinkage * whole)
        theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=amount).fit(vectors, own)
        prior = np.log(own.mean() / (1 - own.mean()))
        # theirs is the weighted mean of covariance and sphere, ours their sum
        expected = (theirs.decision_function(vectors) - prior) * (1 - amount) + prior
        assert np.abs(vectors @ made[0][:, at] + made[1][at] - expected).max() < 2e-3


def test_a_block_is_a_part_of_the_whole() -> None:
    unit, given = drawn(1)
    probe = OneVsRest(unit, table(given))
    whole, part = probe.log_odds(slice(0, 5)), probe.log_odds(slice(2, 4))
    assert len(whole) == 3
    for all_classes, some in zip(whole, part, strict=True):
        assert all_classes.shape == given.shape
        assert np.allclose(all_classes[:, 2:4], some, atol=1e-4)


def test_votes_are_those_of_the_nearest_of_other_groups() -> None:
    unit, given = drawn(2, n=200)
    groups = np.arange(200) // 2
    odds = OneVsRest(unit, table(given), groups=groups).log_odds(slice(0, 5))[2]
    centered = unit - unit.mean(axis=0)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    for row in range(0, 200, 20):
        cosines = centered @ centered[row]
        cosines[groups == groups[row]] = -2
        nearest = np.argsort(-cosines)[:25]
        weight = cosines[nearest].clip(0)
        share = (weight @ given[nearest] / weight.sum() * 25 + given.mean(axis=0)) / 26
        assert np.allclose(odds[row], np.log(share / (1 - share)), atol=1e-3)


def test_a_label_is_never_seen_by_what_speaks_of_it() -> None:
    """Labels that have nothing to do with the vectors cannot be told: a probe that saw them would."""
    rng = np.random.default_rng(3)
    unit, _ = drawn(3, n=300, size=60)
    random = rng.random((300, 4)) < 0.5
    for odds in OneVsRest(unit, table(random)).log_odds(slice(0, 4)):
        assert np.abs(((odds > 0) == random).mean() - 0.5) < 0.06
    # neither is that of its group
    pairs = np.repeat(random[:150], 2, axis=0)
    twins = np.repeat(unit[:150], 2, axis=0)
    for odds in OneVsRest(twins, table(pairs), groups=np.arange(300) // 2).log_odds(slice(0, 4)):
        assert np.abs(((odds > 0) == pairs).mean() - 0.5) < 0.08


def test_the_rarest_class_of_each_sample() -> None:
    assert rarest(table(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 1]]))).tolist() == [1, 0, 0, 2, 2]
    assert rarest(table(np.zeros((3, 2)))).tolist() == [0, 0, 0]


def test_bad_input() -> None:
    unit, given = drawn(4, n=10)
    with pytest.raises(InputError, match="2 folds"):
        OneVsRest(unit, table(given), folds=1)
    with pytest.raises(InputError, match="as many samples as folds"):
        OneVsRest(unit, table(given), folds=11)

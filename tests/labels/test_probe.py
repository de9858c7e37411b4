"""The probes against scikit-learn and plain loops; out-of-fold means out-of-fold; probabilities mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels import probe as probes
from loupe.brain.labels.probe import folds_of, neighbor_votes, probe


def drawn(seed: int, n: int = 600, classes: int = 4, size: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns unit vectors around class centers, the true classes, and given ones of which an eighth are wrong."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(classes, size))
    true = rng.integers(0, classes, n)
    vectors = centers[true] + 0.8 * rng.normal(size=(n, size))
    given = np.where(rng.random(n) < 1 / 8, (true + rng.integers(1, classes, n)) % classes, true)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), true, given


def test_the_discriminant_is_scikit_learns_with_half_its_covariance_shrunk() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    unit, _, given = drawn(0)
    fold = np.arange(len(given)) % 3
    made = probes._discriminant(unit - unit.mean(axis=0), given, 4, fold, 3)
    for each in range(3):
        theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)
        theirs.fit((unit - unit.mean(axis=0))[fold != each], given[fold != each])
        prior = np.log(theirs.priors_)
        # theirs is half of the sum of the covariance and the sphere: its scores without the prior are twice as large
        scores = (theirs.decision_function((unit - unit.mean(axis=0))[fold == each]) - prior) / 2 + prior
        expected = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        assert np.abs(made[fold == each] - expected).max() < 2e-3


def test_a_label_is_never_seen_by_what_speaks_of_it() -> None:
    unit, _, given = drawn(1, n=300)
    changed = given.copy()
    changed[7] = (given[7] + 1) % 4
    rng = np.random.default_rng(0)
    fold = folds_of(given, np.arange(300), 5, rng)
    centered = unit - unit.mean(axis=0)
    first = probes._discriminant(centered, given, 4, fold, 5)
    second = probes._discriminant(centered, changed, 4, fold, 5)
    assert np.array_equal(first[fold == fold[7]], second[fold == fold[7]])
    assert not np.array_equal(first[fold != fold[7]], second[fold != fold[7]])


def test_the_votes_are_those_of_the_nearest_of_other_groups() -> None:
    unit, _, given = drawn(2, n=80)
    groups = np.arange(80) // 4
    votes = neighbor_votes(unit, given, 4, groups, np.random.default_rng(0))
    for row in (0, 33, 79):
        others = np.flatnonzero(groups != groups[row])
        cosines = unit[others] @ unit[row]
        nearest = np.argsort(-cosines)[: probes.NEIGHBORS]
        expected = np.full(4, 1e-3)
        for at in nearest:
            expected[given[others[at]]] += max(float(cosines[at]), 0)
        assert np.allclose(votes[row], expected / expected.sum(), atol=1e-5)


def test_the_same_seed_gives_the_same_numbers() -> None:
    unit, _, given = drawn(5, n=200)
    first, again = probe(unit, given, 4, seed=1), probe(unit, given, 4, seed=1)
    other = probe(unit, given, 4, seed=2)
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_groups_are_never_on_both_sides() -> None:
    # pairs of one picture with two labels: alone each would speak for the other
    unit, true, given = drawn(6, n=200)
    both = np.repeat(unit, 2, axis=0)
    labels = np.repeat(given, 2)
    groups = np.repeat(np.arange(200), 2)
    fold = folds_of(labels, groups, 5, np.random.default_rng(0))
    assert (fold[::2] == fold[1::2]).all()
    wrong = np.repeat(given != true, 2)

    def apart(**more: np.ndarray) -> float:
        linear, votes = (np.exp(each)[np.arange(400), labels] for each in probe(both, labels, 4, **more))
        return float((linear + votes)[~wrong].mean() - (linear + votes)[wrong].mean())

    assert apart(groups=groups) > apart() + 0.02


def test_a_class_of_one_sample_and_bad_input() -> None:
    unit, _, given = drawn(7, n=60)
    rare = given.copy()
    rare[rare == 3] = 0
    rare[5] = 3
    linear, votes = probe(unit, rare, 4)
    assert np.isfinite(linear).all()
    assert np.isfinite(votes).all()
    # nothing else has its class: out of its fold nobody knows it
    assert np.exp(linear[5, 3]) < 0.01
    assert np.exp(votes[5, 3]) < 0.01
    with pytest.raises(InputError, match="two classes"):
        probe(unit, np.zeros(60, np.int64), 1)
    with pytest.raises(InputError, match="folds"):
        probe(unit[:3], np.array([0, 1, 1]), 2)

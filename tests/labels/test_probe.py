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
    before = probe(unit, given, 4, seed=0, repeats=1).probabilities
    changed = given.copy()
    changed[7] = (given[7] + 1) % 4
    rng = np.random.default_rng(0)
    fold = folds_of(given, np.arange(300), 5, rng)
    centered = unit - unit.mean(axis=0)
    first = probes._discriminant(centered, given, 4, fold, 5)
    second = probes._discriminant(centered, changed, 4, fold, 5)
    assert np.array_equal(first[fold == fold[7]], second[fold == fold[7]])
    assert not np.array_equal(first[fold != fold[7]], second[fold != fold[7]])
    assert before.shape == (300, 4)


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


def test_wrong_labels_are_the_least_probable_and_probabilities_are_honest() -> None:
    unit, true, given = drawn(3, n=2000)
    made = probe(unit, given, 4, seed=0)
    own = made.probabilities[np.arange(2000), given]
    wrong = given != true
    order = np.argsort(own)
    assert wrong[order[: wrong.sum()]].mean() > 0.85
    suggested = made.probabilities.argmax(axis=1)
    assert (suggested == true)[wrong].mean() > 0.85
    assert np.abs(made.probabilities.sum(axis=1) - 1).max() < 1e-5
    # of classes of about this probability about so many are the given ones
    as_given = made.as_given().ravel()
    assert 0.08 < made.noise < 0.25
    bins = np.clip((as_given * 5).astype(int), 0, 4)
    hits = (np.arange(4)[None, :] == given[:, None]).ravel()
    sizes = np.bincount(bins, minlength=5)
    assert (sizes >= 300).sum() >= 2
    for each in np.flatnonzero(sizes >= 300):
        assert abs(as_given[bins == each].mean() - hits[bins == each].mean()) < 0.03


def test_vectors_that_say_nothing_give_the_shares_of_the_classes() -> None:
    rng = np.random.default_rng(4)
    unit = rng.normal(size=(1000, 8))
    given = (rng.random(1000) < 0.25).astype(np.int64)
    made = probe((unit / np.linalg.norm(unit, axis=1, keepdims=True)).astype(np.float32), given, 2)
    assert abs(float(made.as_given()[:, 1].mean()) - given.mean()) < 0.03
    assert float(made.as_given()[:, 1].std()) < 0.08


def test_the_same_seed_gives_the_same_numbers() -> None:
    unit, _, given = drawn(5, n=200)
    first, again = probe(unit, given, 4, seed=1), probe(unit, given, 4, seed=1)
    other = probe(unit, given, 4, seed=2)
    assert np.array_equal(first.probabilities, again.probabilities)
    assert not np.array_equal(first.probabilities, other.probabilities)


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
        own = probe(both, labels, 4, **more).as_given()[np.arange(400), labels]
        return float(own[~wrong].mean() - own[wrong].mean())

    assert apart(groups=groups) > apart() + 0.02


def test_a_class_of_one_sample_and_bad_input() -> None:
    unit, _, given = drawn(7, n=60)
    rare = given.copy()
    rare[rare == 3] = 0
    rare[5] = 3
    made = probe(unit, rare, 4)
    assert np.isfinite(made.probabilities).all()
    # nothing else has its class: out of its fold nobody knows it
    assert made.probabilities[5, 3] < 0.1
    with pytest.raises(InputError, match="two classes"):
        probe(unit, np.zeros(60, np.int64), 1)
    with pytest.raises(InputError, match="folds"):
        probe(unit[:3], np.array([0, 1, 1]), 2)

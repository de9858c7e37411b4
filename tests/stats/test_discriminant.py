"""Discriminants by sums, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from loupe.brain.stats.discriminant import ClassSums, fit, log_softmax


def _classes(seed: int, n: int = 300, size: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n)
    mix = rng.normal(size=(size, size))
    means = rng.normal(size=(3, size))
    return (rng.normal(size=(n, size)) @ mix + means[classes]).astype(np.float32), classes


def test_it_decides_as_scikit_learns_shrunk_discriminant_does() -> None:
    """A covariance plus its mean variance on the diagonal is twice one that is drawn halfway to the sphere."""
    vectors, classes = _classes(0)
    sums = ClassSums.of(vectors, classes, 3)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5, priors=[1 / 3] * 3)
    # its covariance is a mean over classes of those about their own means, weighted by the priors: make them alike
    balanced = np.concatenate([np.flatnonzero(classes == each)[:80] for each in range(3)])
    peer.fit(vectors[balanced], classes[balanced])
    own = fit(ClassSums.of(vectors[balanced], classes[balanced], 3))
    expected = peer.decision_function(vectors)
    made = own.scores(vectors)
    differences = made - made.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(2 * differences, expected - expected.mean(axis=1, keepdims=True), rtol=1e-3, atol=1e-3)
    assert sums.counts.sum() == 300


def test_sums_add_up_and_take_away() -> None:
    vectors, classes = _classes(1)
    whole, first = ClassSums.of(vectors, classes, 4), ClassSums.of(vectors[:100], classes[:100], 4)
    rest = ClassSums.of(vectors[100:], classes[100:], 4)
    for made, expected in ((first + rest, whole), (whole - first, rest)):
        np.testing.assert_allclose(made.counts, expected.counts)
        np.testing.assert_allclose(made.sums, expected.sums, atol=1e-3)
        np.testing.assert_allclose(made.scatter, expected.scatter, rtol=1e-4, atol=1e-3)


def test_a_class_that_was_not_seen_is_never_likely() -> None:
    vectors, classes = _classes(2)
    scores = fit(ClassSums.of(vectors, classes, 5)).scores(vectors)
    assert set(scores.argmax(axis=1)) <= {0, 1, 2}
    assert np.isfinite(scores).all()


def test_priors_move_the_offsets_only() -> None:
    vectors, classes = _classes(3)
    sums = ClassSums.of(vectors, classes, 3)
    even, rare = fit(sums, priors=np.ones(3)), fit(sums, priors=np.array([1, 1, 1e-6]))
    np.testing.assert_array_equal(even.weights, rare.weights)
    assert (rare.scores(vectors).argmax(axis=1) == 2).sum() < (even.scores(vectors).argmax(axis=1) == 2).sum()


def test_one_vector_makes_no_nan() -> None:
    assert np.isfinite(fit(ClassSums.of(np.ones((1, 4), np.float32), np.zeros(1, int), 2)).weights).all()


def test_log_softmax_sums_to_one() -> None:
    made = np.exp(log_softmax(np.array([[1000.0, 1000.0], [0.0, -np.log(3)]])))
    assert made.ravel().tolist() == pytest.approx([0.5, 0.5, 0.75, 0.25])

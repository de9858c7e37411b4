"""Does a picture show its class? Against a discriminant of scikit-learn, and where nothing can be told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from loupe.brain.realism.agreement import agreeing
from loupe.brain.realism.blocks import Labeled


def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    return np.asarray(data.data / 16, np.float32), np.asarray(data.target, np.int64)


def test_it_tells_as_a_discriminant_does() -> None:
    vectors, classes = digits()
    order = np.random.default_rng(3).permutation(len(classes))
    train, test = order[:900], order[900:]
    tells = agreeing(Labeled(vectors[train], classes[train]), 10)
    probable = tells.probabilities(vectors[test])
    assert probable.sum(axis=1) == pytest.approx(np.ones(len(test)))
    theirs = LinearDiscriminantAnalysis().fit(vectors[train], classes[train])
    ours = (probable.argmax(axis=1) == classes[test]).mean()
    assert ours >= theirs.score(vectors[test], classes[test]) - 0.02
    assert tells.right.low <= ours <= tells.right.high, "what it says of itself on left-out blocks"
    assert tells.usable.all()
    # what it says of its own sureness holds
    sure = probable.max(axis=1)
    right = probable.argmax(axis=1) == classes[test]
    assert abs(sure.mean() - right.mean()) < 0.05


def test_a_picture_is_judged_alone() -> None:
    vectors, classes = digits()
    tells = agreeing(Labeled(vectors[:900], classes[:900]), 10)
    together = tells.probabilities(vectors[900:940])
    for at in range(40):
        assert tells.probabilities(vectors[900 + at : 901 + at])[0] == pytest.approx(together[at], abs=1e-5)


def test_classes_that_it_cannot_tell() -> None:
    vectors, classes = digits()
    few = np.flatnonzero((classes != 3) | (np.cumsum(classes == 3) <= 10))
    mixed = classes.copy()
    both = np.flatnonzero((classes == 7) | (classes == 8))  # nobody tells which of the two it is
    mixed[both] = np.random.default_rng(5).permutation(classes[both])
    tells = agreeing(Labeled(vectors[few], mixed[few]), 10)
    assert tells.usable.tolist() == [at not in (3, 7, 8) for at in range(10)], "ten pictures are too few"


def test_noise_tells_nothing() -> None:
    rng = np.random.default_rng(11)
    usable = []
    for _ in range(20):
        tells = agreeing(Labeled(rng.normal(size=(200, 16)).astype(np.float32), rng.integers(0, 4, 200)), 4)
        usable += tells.usable.tolist()
    assert np.mean(usable) <= 0.08

"""Labels judged by a model's probabilities: as many as cleanlab flags where few are wrong, and not fewer right ones."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from loupe.brain.labels import by_model, noise

THRESHOLD = 0.2


@pytest.fixture(scope="module")
def digits() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """True classes, labels of which ten are wrong, and out-of-fold probabilities of a small network."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_predict
    from sklearn.neural_network import MLPClassifier

    pixels, true = load_digits(return_X_y=True)
    drawn = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        given = true.copy()
        at = rng.choice(len(true), 10, replace=False)
        given[at] = (true[at] + rng.integers(1, 10, 10)) % 10
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MLPClassifier((32,), max_iter=60, random_state=seed)
            drawn.append((true, given, cross_val_predict(model, pixels / 16, given, cv=4, method="predict_proba")))
    return drawn


def test_where_few_labels_are_wrong_no_fewer_are_right_than_of_cleanlab(digits: list[tuple[np.ndarray, ...]]) -> None:
    ours, theirs, flagged, cleanlab = 0, 0, 0, 0
    for true, given, probabilities in digits:
        wrong = given != true
        made = by_model.fit(probabilities, given, THRESHOLD).wrong > THRESHOLD
        peer = find_label_issues(given, probabilities)
        ours, theirs = ours + int(wrong[made].sum()), theirs + int(wrong[peer].sum())
        flagged, cleanlab = flagged + int(made.sum()), cleanlab + int(peer.sum())
    assert ours >= theirs >= 18
    assert abs(flagged - cleanlab) <= 0.15 * cleanlab


def test_scores_keep_the_order_of_what_the_model_says_and_lie_in_0_to_1(digits: list[tuple[np.ndarray, ...]]) -> None:
    _, given, probabilities = digits[0]
    made = by_model.fit(probabilities, given, THRESHOLD)
    rows = np.arange(len(given))
    own = probabilities[rows, given]
    others = probabilities.copy()
    others[rows, given] = -1
    best = others.max(axis=1)
    lead = best / (best + own) + (1 + best - own) / 2
    order = np.argsort(lead, kind="stable")
    assert (np.diff(made.wrong[order]) >= -1e-6).all()
    assert made.wrong.min() >= 0
    assert made.wrong.max() <= 1
    np.testing.assert_array_equal(made.suggested, others.argmax(axis=1))
    np.testing.assert_allclose(made.suggested_probability, best, rtol=1e-6)


def test_where_many_are_wrong_the_table_of_mix_ups_says_how_many() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 4000)
    scores = rng.normal(size=(4000, 4)) + 3.0 * np.eye(4)[true]
    probabilities = noise.softmax(scores)
    given = np.where(rng.random(4000) < 0.2, (true + 1) % 4, true)
    made = by_model.fit(probabilities, given, THRESHOLD)
    learned = noise.fit([np.log(np.maximum(probabilities, noise.FLOOR))], given)
    assert (made.wrong > THRESHOLD).sum() == pytest.approx((learned.wrong > THRESHOLD).sum(), abs=3)
    wrong = given != true
    assert wrong[made.wrong > THRESHOLD].mean() > 0.6


def test_the_surest_of_one_wrong_label_is_flagged_and_ties_go_together() -> None:
    sure = np.array([[0.98, 0.02]] * 50 + [[0.02, 0.98]] * 50)
    made = by_model.fit(sure, np.array([0] * 49 + [1] * 51), THRESHOLD)
    assert np.flatnonzero(made.wrong > THRESHOLD).tolist() == [49]


def test_what_ties_with_what_is_not_flagged_is_below_the_threshold_in_the_database_too() -> None:
    """As a double 0.2 of float32 is above 0.2."""
    scores = by_model._scaled(np.array([0.9, 0.5, 0.5, 0.1]), 2, THRESHOLD).astype(np.float32)
    assert [float(score) > THRESHOLD for score in scores] == [True, False, False, False]
    none = by_model._scaled(np.array([0.5, 0.25]), 0, THRESHOLD).astype(np.float32)
    assert none.tolist() == pytest.approx([0.1, 0.05])


def test_of_many_samples_some_say_how_many_of_all_are_issues(
    digits: list[tuple[np.ndarray, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, given, probabilities = digits[0]
    rng = np.random.default_rng(0)
    given = np.where(rng.random(len(given)) < 0.1, (given + 1) % 10, given)
    every = by_model._estimated(probabilities, given)
    monkeypatch.setattr(by_model, "_ESTIMATED_ON", 600)
    assert by_model._estimated(probabilities, given) == pytest.approx(every, rel=0.25)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_that_all_agree_are_no_issues(n_classes: int) -> None:
    given = np.arange(60) % n_classes
    probabilities = np.full((60, n_classes), 0.1 / (n_classes - 1))
    probabilities[np.arange(60), given] = 0.9
    made = by_model.fit(probabilities, given, THRESHOLD)
    assert (made.wrong <= THRESHOLD).all()


def test_classes_that_no_label_names_may_be_suggested() -> None:
    """Cleanlab numbers the classes that occur; a model knows more."""
    probabilities = np.full((40, 4), 0.02)
    given = np.arange(40) % 2
    probabilities[np.arange(40), given] = 0.94
    probabilities[7] = [0.01, 0.01, 0.01, 0.97]
    made = by_model.fit(probabilities, given, THRESHOLD)
    assert np.flatnonzero(made.wrong > THRESHOLD).tolist() == [7]
    assert made.suggested[7] == 3


def test_one_class_of_labels_makes_no_error() -> None:
    made = by_model.fit(np.tile([0.9, 0.1], (10, 1)), np.zeros(10, int), THRESHOLD)
    assert np.isfinite(made.wrong).all()

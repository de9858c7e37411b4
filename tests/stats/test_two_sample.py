"""Kernel and classifier two-sample tests against brute force, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.stats.two_sample import Classifier, auc_influence, mmd2, rbf, squared_distances


def brute(gram: np.ndarray, side: np.ndarray) -> float:
    new, reference = np.flatnonzero(side), np.flatnonzero(~side)
    inside = [np.mean([gram[a, b] for a in own for b in own if a != b]) for own in (new, reference)]
    return float(sum(inside) - 2 * np.mean([gram[a, b] for a in new for b in reference]))


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_mmd_is_the_mean_of_pairs(shift: float) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 5)) + shift * (np.arange(30) < 12)[:, None]
    sides = np.stack([np.arange(30) < 12, *(rng.permutation(np.arange(30) < n) for n in (2, 15, 28))], axis=1)
    squared = np.array([[((a - b) ** 2).sum() for b in vectors] for a in vectors])
    assert squared_distances(vectors) == pytest.approx(squared, abs=1e-4)
    median = np.median(squared[np.triu_indices(30, 1)])
    gram = np.exp(-squared / (2 * median))
    assert rbf(squared) == pytest.approx(gram)
    assert rbf(squared_distances(vectors)) == pytest.approx(gram, abs=1e-5)
    assert mmd2(gram, sides) == pytest.approx([brute(gram, side) for side in sides.T])
    kept = rng.normal(size=(30, 30))
    kept += kept.T  # a diagonal of anything is left out
    assert mmd2(kept, sides) == pytest.approx([brute(kept, side) for side in sides.T])


def test_with_the_distance_for_a_kernel_it_is_the_energy_distance() -> None:
    """scipy's, of the two empirical distributions, counts each number with itself, too: at distance 0."""
    from scipy.stats import energy_distance

    rng = np.random.default_rng(1)
    a, b = rng.normal(size=40), rng.normal(0.8, 2, size=25)
    both = np.r_[a, b]
    gram = -np.abs(both[:, None] - both[None])
    side = np.arange(65) >= 40
    unbiased = mmd2(gram, side[:, None])[0]
    inside = [-gram[np.ix_(own, own)].mean() for own in (side, ~side)]
    with_itself = unbiased + inside[0] * 25 / 24 + inside[1] * 40 / 39 - sum(inside)
    assert with_itself == pytest.approx(energy_distance(a, b) ** 2)


def test_mmd_of_two_normal_distributions_is_their_closed_form() -> None:
    rng = np.random.default_rng(2)
    n, dimensions, shift, s2 = 150, 3, 0.8, 4.0
    # of N(0, I) and N(m, I) with the kernel exp(-d² / 2s²): 2 (s² / (s² + 2))^(D/2) (1 - exp(-|m|² / 2(s² + 2)))
    expected = 2 * (s2 / (s2 + 2)) ** (dimensions / 2) * (1 - np.exp(-(shift**2) / (2 * (s2 + 2))))
    side = (np.arange(2 * n) >= n)[:, None]
    made = []
    for _ in range(200):
        vectors = rng.normal(size=(2 * n, dimensions))
        vectors[n:, 0] += shift
        made.append(mmd2(np.exp(squared_distances(vectors) / (-2 * s2)), side)[0])
    assert np.mean(made) == pytest.approx(expected, abs=3.5 * np.std(made) / np.sqrt(200))


def test_vectors_that_are_all_alike_have_no_difference() -> None:
    alike = np.full((200, 7), 3.3, dtype=np.float32)
    sides = np.random.default_rng(0).permuted(np.tile(np.arange(200) < 90, (50, 1)), axis=1).T
    assert mmd2(rbf(squared_distances(alike)), sides) == pytest.approx([0] * 50, abs=1e-7)
    classifier = Classifier.of(alike, np.arange(200), 5, np.random.default_rng(0))
    assert (classifier.auc(sides) == 0.5).all()


@pytest.mark.parametrize("dimensions", [4, 150], ids=["fewer numbers than samples", "more"])
def test_the_classifier_is_ridge_regression_left_out_fold_by_fold(dimensions: int) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(3)
    vectors = 10 * rng.normal(size=(100, dimensions)) + 5
    side = rng.random(100) < 0.4
    vectors[side, 0] += 20
    classifier = Classifier.of(vectors, np.arange(100), 5, np.random.default_rng(0))
    fold_of = np.zeros(100, dtype=int)
    for fold, (out, others) in enumerate(classifier.folds):
        fold_of[out] = fold
        assert sorted([*out, *others]) == list(range(100))
    scaled = StandardScaler().fit_transform(vectors)
    expected = cross_val_predict(Ridge(alpha=dimensions), scaled, side.astype(float), cv=PredefinedSplit(fold_of))
    made = classifier.predictions(side)
    for fold, (out, others) in enumerate(classifier.folds):
        assert made[out] == pytest.approx(expected[out] - side[others].mean(), abs=1e-4), fold
    wins, pairs = 0.0, 0.0
    for fold in range(5):
        own = fold_of == fold
        n = int(side[own].sum()) * int((~side[own]).sum())
        wins, pairs = wins + n * roc_auc_score(side[own], expected[own]), pairs + n
    area, moved = auc_influence(made, side, fold_of)
    assert classifier.auc(side[:, None])[0] == pytest.approx(wins / pairs, abs=1e-6)
    assert area == pytest.approx(wins / pairs, abs=1e-6)
    assert moved.sum() == pytest.approx(0, abs=1e-9)


def test_groups_are_left_out_together_in_folds_of_about_the_same_size() -> None:
    groups = np.repeat(np.arange(40), np.random.default_rng(0).integers(1, 9, 40))
    classifier = Classifier.of(
        np.random.default_rng(1).normal(size=(len(groups), 3)), groups, 5, np.random.default_rng(2)
    )
    sizes = [len(out) for out, _ in classifier.folds]
    assert max(sizes) - min(sizes) <= 2
    for out, others in classifier.folds:
        assert not set(groups[out]) & set(groups[others])


def test_without_a_difference_the_area_is_around_a_half_however_few_there_are() -> None:
    rng = np.random.default_rng(4)
    sides = rng.permuted(np.tile(np.arange(40) < 15, (300, 1)), axis=1).T
    areas = Classifier.of(rng.normal(size=(40, 60)), np.arange(40), 5, rng).auc(sides)
    assert areas.mean() == pytest.approx(0.5, abs=0.02)


def test_the_error_of_the_area_is_delongs() -> None:
    """Against its definition: the variances of the placements of both sides."""
    rng = np.random.default_rng(5)
    scores, side = rng.normal(size=80), np.arange(80) >= 50
    scores[side] += 1
    area, moved = auc_influence(scores, side, np.zeros(80, dtype=int))
    above = np.array([(scores[~side] < score).mean() for score in scores[side]])
    below = np.array([(scores[side] > score).mean() for score in scores[~side]])
    assert area == pytest.approx(above.mean())
    assert (moved**2).sum() == pytest.approx(above.var() / 30 + below.var() / 50)

"""How much of a label a model gets that sees nothing but properties of the pictures, out-of-fold. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.labels.shortcuts import Property
from loupe.brain.stats.differences import more_often_p
from loupe.brain.stats.effective_n import effective_n_of_values
from loupe.brain.stats.intervals import Proportion, wilson_clustered

#: more samples say little more
MAX_SAMPLES = 8_000
#: more classes cost more, and their names are not read; the others are one class
MAX_CLASSES = 20
#: trees in all, shared out among the classes
_TREES, _MIN_ROUNDS, _MAX_ROUNDS = 400, 12, 60
#: categories beyond the most frequent ones are one category
_MAX_CATEGORIES = 200


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model made of N samples.

    Attributes:
        right: (N,) bool: where it said the label, out-of-fold
        accuracy: how many, with the interval by groups
        balanced: the mean recall of the classes, in [0, 1]
        guess: the share of the most frequent class, in [0, 1]
        p: one-sided, of the accuracy being no higher than the guess
    """

    right: np.ndarray
    accuracy: Proportion
    balanced: float
    guess: float
    p: float


def predicted(
    properties: Sequence[Property],
    labels: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray,
    *,
    seed: int = 0,
) -> Predicted:
    """Returns how many labels gradient-boosted trees get (scikit-learn's), each by samples of other folds.

    Args:
        properties: of N samples; at least one
        labels: (N,) int64
        groups: (N,) int64
        folds: (N,) int64, no group in two
        seed: of the trees
    """
    table = np.stack([_column(own) for own in properties], axis=1)
    categories = [own.kind == "category" for own in properties]
    right = np.zeros(len(labels), dtype=bool)
    for fold in np.unique(folds).tolist():
        out = folds == fold
        right[out] = _labels_by(table[~out], labels[~out], table[out], categories, seed) == labels[out]
    _, own, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    usual = own == int(sizes.argmax())
    _, of = np.unique(groups, return_inverse=True)
    low, high = wilson_clustered(np.bincount(of, weights=right), np.bincount(of))
    recall = np.bincount(own, weights=right) / sizes
    # groups count as many as they are worth
    worth = effective_n_of_values(right.astype(float) - usual, of) / len(right)
    p = more_often_p((right & ~usual).sum() * worth, (usual & ~right).sum() * worth)
    accuracy = Proportion(len(right), int(right.sum()), float(low), float(high))
    return Predicted(right, accuracy, float(recall.mean()), float(usual.mean()), float(p))


def _labels_by(
    known: np.ndarray, labels: np.ndarray, asked: np.ndarray, categories: Sequence[bool], seed: int
) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    present = np.unique(labels)
    if len(present) < 2:
        return np.full(len(asked), present[0] if len(present) else -1)
    # the trees cannot bin NaN alone
    known_of = np.isfinite(known).any(axis=0)
    if not known_of.any():
        return np.full(len(asked), present[np.bincount(np.searchsorted(present, labels)).argmax()])
    rounds = int(np.clip(_TREES // len(present), _MIN_ROUNDS, _MAX_ROUNDS))
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=max(5, min(20, len(labels) // 50)),
        categorical_features=[own for own, kept in zip(categories, known_of, strict=True) if kept],
        early_stopping=False,
        random_state=seed,
    )
    # steps of so few samples take microseconds: threads inside of them wait for each other, on busy cores thirty times
    # as long as the steps take
    with threadpool_limits(1, "openmp"):
        return np.asarray(model.fit(known[:, known_of], labels).predict(asked[:, known_of]))


def _column(own: Property) -> np.ndarray:
    """Returns (N,) float64 as trees take it: categories by how frequent they are, the rare ones as one."""
    if own.kind != "category":
        return own.values
    known = own.known
    codes = own.values[known].astype(np.int64)
    order = np.argsort(-np.bincount(codes, minlength=len(own.names)), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    made = np.full(len(known), np.nan)
    made[known] = np.minimum(place[codes], _MAX_CATEGORIES)
    return made

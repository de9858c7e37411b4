"""Can a classifier tell synthetic from real? With a permutation p, and what it says of each sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.stats.permutation import permute
from loupe.brain.stats.two_sample import folds_of

FOLDS, PERMUTATIONS = 5, 199


@dataclass(frozen=True, eq=False)
class TwoSamples:
    """What a classifier that has not seen them says of real and synthetic samples.

    Attributes:
        accuracy: share of held-out samples it tells apart, both sides equally many: 0.5 is chance, 1 always
        low, high: its 95 % interval
        null: (P,) accuracies of permuted sides
        p: share of permutations that do as well
        probability: (N + M,) float64, of being synthetic, the real ones first; higher is more like the synthetic
    """

    accuracy: float
    low: float
    high: float
    null: np.ndarray
    p: float
    probability: np.ndarray


def tell_apart(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    folds: int = FOLDS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> TwoSamples:
    """Returns how well a ridge classifier tells the sides apart, out-of-fold.

    Lopez-Paz & Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017. The numbers of the vectors are scaled to one
    deviation, and the penalty is their number. What the classifier is made of does not depend on the sides, so that a
    permutation costs a product. Of the larger side as many are drawn as the smaller has.

    Args:
        real, synthetic: (N, D) and (M, D) float32
        groups: (N + M,) int, the real ones first: of one prompt or scene; left out and permuted together. On a side of
            fewer groups than folds each vector stands for itself: else a classifier would be trained without that side
        folds: at least 2
        permutations: P
        seed: decides folds, draws and permutations

    Raises:
        InputError: a side has fewer vectors than folds
    """
    n = min(len(real), len(synthetic))
    if n < folds:
        raise InputError(f"expected at least {folds} vectors on each side, got {len(real):,} and {len(synthetic):,}")
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([
        np.sort(rng.choice(len(real), n, replace=False)),
        len(real) + np.sort(rng.choice(len(synthetic), n, replace=False)),
    ])  # fmt: skip
    every = np.concatenate([real, synthetic])
    center, deviation = every.mean(axis=0), every.std(axis=0, dtype=np.float64)
    moves = deviation > 1e-6 * np.maximum(np.abs(every).max(axis=0, initial=0), 1e-12)
    scaled = np.asarray((every - center)[:, moves] / deviation[moves], dtype=np.float32)
    new = drawn >= len(real)
    own = np.arange(len(every)) if groups is None else _enough(np.asarray(groups), len(real), folds)
    sides = permute(new, own[drawn], permutations, rng).sides
    fold_of = folds_of(own[drawn], folds, rng)
    chosen = scaled[drawn]
    left = np.ones(len(every), dtype=bool)
    left[drawn] = False
    correct = np.zeros((len(drawn), sides.shape[1]), dtype=bool)
    raw = np.zeros(len(every))
    for fold in range(folds):
        out, others = fold_of == fold, fold_of != fold
        weights, offset = _ridge(chosen[others], sides[others])
        values = chosen[out] @ weights + offset
        correct[out] = (values > 0) == sides[out]
        raw[drawn[out]] = values[:, 0]
        raw[left] += (scaled[left] @ weights[:, 0] + offset[0]) / folds
    shares = correct.mean(axis=0)
    clusters = own[drawn]
    low, high = _interval(correct[:, 0], clusters)
    return TwoSamples(
        accuracy=float(shares[0]),
        low=low,
        high=high,
        null=shares[1:],
        p=float((1 + (shares[1:] >= shares[0]).sum()) / (1 + permutations)),
        probability=_probability(raw, drawn, new),
    )


def _enough(groups: np.ndarray, n_real: int, folds: int) -> np.ndarray:
    """Returns the groups, each vector by itself on a side that has too few of them."""
    made = groups.copy()
    for side in (slice(0, n_real), slice(n_real, None)):
        if len(np.unique(groups[side])) < folds:
            made[side] = groups.max() + 1 + np.arange(len(groups))[side]
    return made


def _ridge(vectors: np.ndarray, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (D, 1 + P) weights and (1 + P,) offsets of ridge regressions on ±1; 0 lies halfway between the means.

    Halfway, and not where the shares of the sides would put it: a fold that lacks a side by chance leaves more of it to
    the others, and a classifier that follows the shares is then wrong more often than chance is.
    """
    center = vectors.mean(axis=0)
    own = vectors - center
    new = sides.astype(np.float32)
    count = new.sum(axis=0)
    products = own.T @ new
    gram = (own.T @ own).astype(np.float64)
    gram[np.diag_indices(len(gram))] += max(len(gram), 1)
    # the products with a centered ±1: what is centered itself takes no offset
    weights = np.linalg.solve(gram, 2 * products.astype(np.float64)).astype(np.float32)
    halfway = (products / np.maximum(count, 1) - products / np.maximum(len(new) - count, 1)) / 2
    return weights, -(center @ weights) - (halfway * weights).sum(axis=0)


def _interval(correct: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    from loupe.brain.stats.intervals import wilson_clustered

    _, of = np.unique(clusters, return_inverse=True)
    n = np.bincount(of)
    low, high = wilson_clustered(np.bincount(of, weights=correct), n)
    return float(low), float(high)


def _probability(raw: np.ndarray, drawn: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Returns values as probabilities, by a logistic curve through those that were told out-of-fold: Platt, 1999."""
    from sklearn.linear_model import LogisticRegression

    if np.ptp(raw[drawn]) == 0:
        return np.full(len(raw), 0.5)
    spread = float(raw[drawn].std()) or 1.0
    curve = LogisticRegression(C=math.inf).fit(raw[drawn, None] / spread, new)
    return np.asarray(curve.predict_proba(raw[:, None] / spread)[:, 1])

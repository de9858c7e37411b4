"""Can a classifier tell synthetic from real? With a permutation p, and what it says of each sample."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.stats.permutation import permute
from loupe.brain.stats.two_sample import folds_of

FOLDS, PERMUTATIONS = 5, 199
_CHUNK = 8192


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
    scaled = _scaled(real, synthetic)
    new = drawn >= len(real)
    own = np.arange(len(scaled)) if groups is None else _enough(np.asarray(groups), len(real), folds)
    sides = permute(new, own[drawn], permutations, rng).sides
    fold_of = folds_of(own[drawn], folds, rng)
    left = np.ones(len(scaled), dtype=bool)
    left[drawn] = False
    parts = [_Sums.of(scaled[drawn[fold_of == fold]], sides[fold_of == fold]) for fold in range(folds)]
    every = sum(parts[1:], parts[0])
    correct = np.zeros((len(drawn), sides.shape[1]), dtype=bool)
    raw = np.zeros(len(scaled))
    for fold, part in enumerate(parts):
        out = fold_of == fold
        weights, offset = _ridge(every - part)
        values = scaled[drawn[out]] @ weights + offset
        correct[out] = (values > 0) == sides[out]
        raw[drawn[out]] = values[:, 0]
        if left.any():
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


def _scaled(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Returns all vectors about their center, each number at one deviation, without numbers that do not move."""
    every = np.concatenate([real, synthetic])
    every -= every.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(sum((each.astype(np.float64) ** 2).sum(axis=0) for each in _chunks(every)) / len(every))
    largest = np.maximum(*(np.abs(side).max(axis=0, initial=0) for side in (real, synthetic)))
    moves = deviation > 1e-6 * np.maximum(largest, 1e-12)
    if not moves.all():
        every, deviation = every[:, moves], deviation[moves]
    every /= deviation.astype(np.float32)
    return every


def _chunks(vectors: np.ndarray) -> list[np.ndarray]:
    return [vectors[start : start + _CHUNK] for start in range(0, len(vectors), _CHUNK)]


@dataclass(frozen=True, eq=False)
class _Sums:
    """What ridge regressions are made of: it adds up over vectors, so that no fold is gone through but once.

    Attributes:
        count: (1 + P,) float64: vectors of the one side
        n: of both
        total: (D,) float64
        products: (D, 1 + P) float64: the total of the one side
        gram: (D, D) float64
    """

    count: np.ndarray
    n: int
    total: np.ndarray
    products: np.ndarray
    gram: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, sides: np.ndarray) -> _Sums:
        """Returns the sums of (N, D) float32 vectors about their common center, and (N, 1 + P) bool sides."""
        made = (
            vectors.sum(axis=0, dtype=np.float64),
            (vectors.T @ sides.astype(np.float32)).astype(np.float64),
            (vectors.T @ vectors).astype(np.float64),
        )
        return cls(sides.sum(axis=0, dtype=np.float64), len(vectors), *made)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __sub__(self, part: _Sums) -> _Sums:
        return _Sums(*(getattr(self, each.name) - getattr(part, each.name) for each in fields(self)))


def _ridge(sums: _Sums) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (D, 1 + P) weights and (1 + P,) offsets of ridge regressions on ±1; 0 lies halfway between the means.

    Halfway, and not where the shares of the sides would put it: a fold that lacks a side by chance leaves more of it to
    the others, and a classifier that follows the shares is then wrong more often than chance is.
    """
    center = sums.total / sums.n
    products = sums.products - center[:, None] * sums.count
    gram = sums.gram - sums.n * np.outer(center, center)
    gram[np.diag_indices(len(gram))] += max(len(gram), 1)
    # the products with a centered ±1: what is centered itself takes no offset
    weights = np.linalg.solve(gram, 2 * products)
    halfway = (products / np.maximum(sums.count, 1) - products / np.maximum(sums.n - sums.count, 1)) / 2
    offset = -(center @ weights) - (halfway * weights).sum(axis=0)
    return weights.astype(np.float32), offset.astype(np.float32)


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

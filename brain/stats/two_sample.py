"""Do two sets of vectors come from one distribution? Kernel and classifier two-sample tests, for permuted sides.

Each function takes the sides as (N, 1 + P) columns, see ``permutation.permute``, and returns a statistic for each: the
distances and the classifiers' matrices are made once, and a permutation costs a matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: columns of permutations that are worked on at once
_CHUNK = 250
#: pairs that the median distance is taken of
_PAIRS = 20_000


def squared_distances(vectors: np.ndarray) -> np.ndarray:
    """Returns the (N, N) float32 squared Euclidean distances of (N, D) vectors; 0 on the diagonal."""
    centered = (vectors - vectors.mean(axis=0)).astype(np.float32)
    lengths = np.einsum("nd,nd->n", centered, centered)
    squared = lengths[:, None] + lengths[None] - 2 * (centered @ centered.T)
    np.maximum(squared, 0, out=squared)
    np.fill_diagonal(squared, 0)
    return squared


def rbf(squared: np.ndarray) -> np.ndarray:
    """Returns the (N, N) Gaussian kernel exp(-d² / (2 s²)) of squared distances, s the median distance of two vectors.

    The median heuristic of Gretton et al., A Kernel Two-Sample Test, JMLR 13 (2012). It is taken of both sides
    together, so that permuting does not change it. Vectors that are all alike are 1 to each other.

    Args:
        squared: (N, N) squared distances
    """
    n = len(squared)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, n, (2, _PAIRS)) if n * n > _PAIRS else np.triu_indices(n, 1)
    apart = squared[a, b][a != b]
    median = float(np.median(apart)) if len(apart) else 0.0
    if median <= 0:  # more than half of the pairs are alike
        median = float(apart.mean()) if len(apart) and apart.mean() > 0 else 1.0
    return np.asarray(np.exp(squared / np.float32(-2 * median)))


def mmd2(gram: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Returns the unbiased squared maximum mean discrepancy of each column of sides: (1 + P,) around 0 for none.

    Gretton et al. 2012, equation 3. With minus the distance for a kernel it is the energy distance (Sejdinovic et al.,
    Annals of Statistics 41, 2013).

    Args:
        gram: (N, N) symmetric kernel matrix
        sides: (N, 1 + P) bool, at least two samples on each side

    >>> gram = -np.abs(np.subtract.outer([0.0, 1.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]))
    >>> mmd2(gram, np.array([[True], [True], [False], [False]])).tolist()  # 2 * 3 - 1 - 1
    [4.0]
    """
    rows, diagonal = gram.sum(axis=1, dtype=np.float64), np.diagonal(gram).astype(np.float64)
    total = rows.sum() - diagonal.sum()
    made = []
    for part in _chunks(sides):
        side = part.astype(gram.dtype)
        within = np.einsum("np,np->p", gram @ side, side, dtype=np.float64)
        from_new, own = rows @ part, diagonal @ part
        n_new = part.sum(axis=0).astype(np.float64)
        n_reference = len(part) - n_new
        across = from_new - within
        within_reference = total + diagonal.sum() - 2 * from_new + within - (diagonal.sum() - own)
        pairs_new, pairs_reference = n_new * (n_new - 1), n_reference * (n_reference - 1)
        made.append(
            (within - own) / np.maximum(pairs_new, 1)
            + within_reference / np.maximum(pairs_reference, 1)
            - 2 * across / np.maximum(n_new * n_reference, 1)
        )
    return np.concatenate(made)


@dataclass(frozen=True, eq=False)
class Classifier:
    """Ridge classifiers that each left out a fold, as matrices: what they say of a sample is linear in the sides.

    Attributes:
        folds: for each fold the (V,) places of the samples that are left out, and of the (T,) others
        weights: for each fold the (V, T) matrix that makes predictions of the others' sides
    """

    folds: tuple[tuple[np.ndarray, np.ndarray], ...]
    weights: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, vectors: np.ndarray, groups: np.ndarray, folds: int, rng: np.random.Generator) -> Classifier:
        """Returns the classifiers of (N, D) vectors, whatever side they are on.

        Each number of the vectors is scaled to a standard deviation of 1, and the penalty is their number D. A choice
        that looks at the sides would have to be made anew for each permutation.

        Args:
            vectors: (N, D)
            groups: (N,) int: samples of one group are left out together
            folds: how many
            rng: decides who is left out with whom
        """
        deviation = vectors.std(axis=0, dtype=np.float64)
        moves = deviation > 1e-6 * np.maximum(np.abs(vectors).max(axis=0, initial=0), 1e-12)
        scaled = ((vectors - vectors.mean(axis=0)) / np.where(moves, deviation, 1)).astype(np.float32)[:, moves]
        fold_of = folds_of(groups, folds, rng)
        penalty = float(max(scaled.shape[1], 1))
        placed, weights = [], []
        for fold in range(folds):
            out, others = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
            placed.append((out, others))
            weights.append(_ridge(scaled[others], scaled[out], penalty))
        return cls(tuple(placed), tuple(weights))

    def predictions(self, side: np.ndarray) -> np.ndarray:
        """Returns what the classifiers say of each sample, made without it: (N,) float64, higher is more like the new.

        0 is the share of the new side among the others. Least squares of the side: a number, not a probability.

        Args:
            side: (N,) bool
        """
        made = np.zeros(len(side))
        for (out, others), weights in zip(self.folds, self.weights, strict=True):
            target = side[others].astype(np.float64)
            made[out] = weights @ (target - target.mean())
        return made

    def auc(self, sides: np.ndarray) -> np.ndarray:
        """Returns how well unseen samples are told apart: (1 + P,) area under the ROC curve; 0.5 is chance, 1 perfect.

        Samples are compared within a fold only, for two folds' classifiers have scales of their own. Lopez-Paz & Oquab,
        Revisiting Classifier Two-Sample Tests, ICLR 2017, with the area in place of the accuracy, which says less where
        one side is larger. NaN where no fold has both sides.

        Args:
            sides: (N, 1 + P) bool
        """
        from scipy.stats import rankdata

        wins = np.zeros(sides.shape[1])
        pairs = np.zeros(sides.shape[1])
        for (out, others), weights in zip(self.folds, self.weights, strict=True):
            at = 0
            for part in _chunks(sides):
                target = part[others].astype(np.float32)
                scored = weights @ (target - target.mean(axis=0))
                own = part[out]
                # what differs by the rounding of a sum only is a tie
                ranks = rankdata(np.round(scored, 6), axis=0)
                n_new = own.sum(axis=0).astype(np.float64)
                wins[at : at + part.shape[1]] += (ranks * own).sum(axis=0) - n_new * (n_new + 1) / 2
                pairs[at : at + part.shape[1]] += n_new * (len(own) - n_new)
                at += part.shape[1]
        return np.where(pairs > 0, wins / np.maximum(pairs, 1), np.nan)


def auc_influence(predictions: np.ndarray, side: np.ndarray, fold_of: np.ndarray) -> tuple[float, np.ndarray]:
    """Returns the area under the ROC curve within folds, and (N,) how much each sample moves it.

    The sum of the squares of the second, groups added up first, is the variance of the area: DeLong, DeLong &
    Clarke-Pearson, Biometrics 44 (1988), by groups as Obuchowski, Biometrics 53 (1997).

    Args:
        predictions: (N,)
        side: (N,) bool
        fold_of: (N,) int: only samples of one fold are compared
    """
    from scipy.stats import rankdata

    moved, wins, pairs = np.zeros(len(side)), 0.0, 0.0
    for fold in np.unique(fold_of):
        inside = np.flatnonzero(fold_of == fold)
        new = side[inside]
        n_new, n_reference = int(new.sum()), int((~new).sum())
        scored = np.round(predictions[inside], 6)
        ranks = rankdata(scored)
        own = np.empty(len(inside))
        own[new] = rankdata(scored[new]) if n_new else 0
        own[~new] = rankdata(scored[~new]) if n_reference else 0
        below = ranks - own  # of the other side, how many are below
        moved[inside] = np.where(new, below, n_new - below)
        wins += below[new].sum()
        pairs += n_new * n_reference
    if not pairs:
        return float("nan"), moved
    area = wins / pairs
    for fold in np.unique(fold_of):
        inside = np.flatnonzero(fold_of == fold)
        new = side[inside]
        moved[inside] -= area * np.where(new, (~new).sum(), new.sum())
    return area, moved / pairs


def _ridge(train: np.ndarray, out: np.ndarray, penalty: float) -> np.ndarray:
    """Returns the (V, T) matrix of ridge regression, by whichever of its two forms is smaller."""
    if not train.shape[1]:
        return np.zeros((len(out), len(train)), dtype=np.float32)
    mean = train.mean(axis=0)
    train, out = train - mean, out - mean
    if train.shape[1] <= len(train):
        inside = train.T @ train + penalty * np.eye(train.shape[1], dtype=np.float32)
        return np.asarray(out @ np.linalg.solve(inside, train.T))
    inside = train @ train.T + penalty * np.eye(len(train), dtype=np.float32)
    return np.asarray(np.linalg.solve(inside, train @ out.T).T)


def folds_of(groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Returns a fold for each sample: groups stay together, and the folds are about as large."""
    _, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, dtype=np.int64)
    fold_of_group = np.empty(len(sizes), dtype=np.int64)
    for group in order.tolist():
        smallest = int(filled.argmin())
        fold_of_group[group] = smallest
        filled[smallest] += sizes[group]
    return fold_of_group[of]


def _chunks(sides: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, sides.shape[1], _CHUNK):
        yield sides[:, start : start + _CHUNK]

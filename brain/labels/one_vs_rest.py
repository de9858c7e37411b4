"""How likely each of several classes is on each sample, by vectors and the labels of the others: out-of-fold.

Each class is a yes or no of its own. Three probes speak of each: linear discriminants with their covariance shrunk much
and little, and the votes of the nearest neighbors. Folds, neighbors and covariances are made once. What a class needs
is worked out for a block of classes at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse

from loupe.brain.core.errors import InputError
from loupe.brain.labels.probe import REPEATS, folds_of, neighbors_of

#: by how much the covariance is drawn to a sphere: much, where classes exclude each other; little, where they add up
SHRINKAGES = (1.0, 0.05)
#: log-odds are at most these: no probe alone decides
LIMIT = 13.8


class OneVsRest:
    """Probes of N samples, asked for the classes of a block at a time.

    Args:
        unit: (N, D) float32 vectors of unit length
        given: (N, L) of 0 and 1: which classes each sample is given
        groups: (N,) int64: those of one group are never on both sides of a fold, and do not vote for each other
        folds: at least 2
        repeats: how often the folds are drawn; the log-odds are averaged
        seed: of the draws
        step: called with how much is done of how much

    Raises:
        InputError: fewer samples than folds, or a group larger than a fold
    """

    def __init__(
        self,
        unit: np.ndarray,
        given: sparse.csc_matrix,
        *,
        groups: np.ndarray | None = None,
        folds: int = 5,
        repeats: int = REPEATS,
        seed: int = 0,
        step: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        n = given.shape[0]
        if folds < 2 or n < folds:
            raise InputError(f"expected at least 2 folds, and as many samples as folds: got {folds} folds, {n} samples")
        groups = np.arange(n) if groups is None else groups
        rng = np.random.default_rng(seed)
        self._given = given
        self._centered = np.asarray(unit - unit.mean(axis=0), dtype=np.float32)
        rare, total = rarest(given), repeats + 1
        #: of each repeat the samples by fold, and the sums of squares of each fold
        self._folds: list[list[np.ndarray]] = []
        self._scatter: list[np.ndarray] = []
        for repeat in range(repeats):
            fold = folds_of(rare, groups, folds, rng)
            self._folds.append([np.flatnonzero(fold == each) for each in range(folds)])
            parts = (self._centered[rows] for rows in self._folds[-1])
            self._scatter.append(np.stack([part.T @ part for part in parts]))
            step(repeat + 1, total)
        nearest, weight = neighbors_of(self._centered, groups, rng)
        ends = np.arange(0, nearest.size + 1, nearest.shape[1])
        self._votes = sparse.csr_matrix((weight.ravel(), nearest.ravel(), ends), shape=(n, n))
        self._weight = weight.sum(axis=1, dtype=np.float32)
        self._votes_at_most = float(nearest.shape[1])
        step(total, total)

    def log_odds(self, block: slice) -> list[np.ndarray]:
        """Returns of each probe the (N, B) float32 log-odds that a sample has each class of the block."""
        given = np.asarray(self._given[:, block].toarray(), dtype=np.float32)
        odds = [np.zeros(given.shape, dtype=np.float32) for _ in SHRINKAGES]
        for folds, scatter in zip(self._folds, self._scatter, strict=True):
            sums = np.stack([given[rows].T @ self._centered[rows] for rows in folds]).astype(np.float64)
            counts = np.stack([given[rows].sum(axis=0, dtype=np.float64) for rows in folds])
            every = np.stack([self._centered[rows].sum(axis=0, dtype=np.float64) for rows in folds])
            for at, rows in enumerate(folds):
                seen = len(given) - len(rows)
                own = (counts.sum(0) - counts[at], sums.sum(0) - sums[at], every.sum(0) - every[at])
                squares = scatter.sum(axis=0, dtype=np.float64) - scatter[at]
                for shrinkage, made in zip(SHRINKAGES, odds, strict=True):
                    weights, offsets = _discriminant(seen, *own, squares, shrinkage)
                    made[rows] += np.clip(self._centered[rows] @ weights + offsets, -LIMIT, LIMIT)
        return [*(made / len(self._folds) for made in odds), self._votes_of(given)]

    def _votes_of(self, given: np.ndarray) -> np.ndarray:
        """Returns the (N, B) log-odds by the neighbors' votes, and one more by the class's share of all samples."""
        share = np.asarray(self._votes @ given) / np.maximum(self._weight, 1e-12)[:, None]
        known = self._votes_at_most * (self._weight > 0)[:, None]
        vote = (share * known + given.mean(axis=0)) / (known + 1)
        vote = np.clip(vote, 1e-6, 1 - 1e-6)
        return np.asarray(np.log(vote / (1 - vote)), dtype=np.float32)


def rarest(given: sparse.csc_matrix) -> np.ndarray:
    """Returns (N,) int64: the rarest class of each sample, by which folds are stratified; a number more for none.

    >>> rarest(sparse.csc_matrix([[1, 1], [1, 0], [1, 0], [0, 0]])).tolist()
    [1, 0, 0, 2]
    """
    table = given.tocoo()
    sizes = np.bincount(table.col, minlength=given.shape[1])
    order = np.lexsort((table.col, sizes[table.col], table.row))
    rows, columns = table.row[order], table.col[order]
    which, first = np.unique(rows, return_index=True)
    made = np.full(given.shape[0], given.shape[1], dtype=np.int64)
    made[which] = columns[first]
    return np.asarray(np.unique(made, return_inverse=True)[1]).ravel()


def _discriminant(
    n: int, counts: np.ndarray, sums: np.ndarray, every: np.ndarray, scatter: np.ndarray, shrinkage: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (D, B) weights and (B,) offsets of linear discriminants, each of one class against the rest.

    The covariance within a class and the rest is that of all samples less a part of rank one, by which the weights
    only change their length (Sherman & Morrison 1950): the equations are solved once for all classes.

    Args:
        n: how many samples were seen
        counts: (B,) of how many each class is
        sums: (B, D) of the vectors of each class
        every: (D,) the sum of all vectors
        scatter: (D, D) their sum of squares
        shrinkage: by how much the covariance is drawn to a sphere of the same size
    """
    mean = every / n
    covariance = scatter / n - np.outer(mean, mean)
    sphere = max(float(np.trace(covariance)), 1e-12) / len(covariance)
    covariance[np.diag_indices(len(covariance))] += shrinkage * sphere
    rest = n - counts
    inside = sums / np.maximum(counts, 1)[:, None]
    outside = (every - sums) / np.maximum(rest, 1)[:, None]
    apart = inside - outside
    weights = linalg.solve(covariance, apart.T, assume_a="pos")
    share = counts / n
    weights /= np.maximum(1 - share * (1 - share) * (apart.T * weights).sum(axis=0), 1e-6)
    known = (counts > 0) & (rest > 0)
    weights[:, ~known] = 0
    prior = np.log(np.maximum(counts, 0.5) / np.maximum(rest, 0.5))
    offsets = prior - 0.5 * ((inside + outside).T * weights).sum(axis=0)
    return weights.astype(np.float32), offsets.astype(np.float32)

"""How probable each class is for each sample, by vectors and the given labels of the others: out-of-fold.

There are two probes. The first is linear discriminant analysis with its covariance shrunk towards a sphere (Ledoit &
Wolf's form, by a fixed amount), for which the sums that it needs add up: each fold costs what is left of one pass. The
second is the vote of the nearest neighbors. Neither sees the label that it speaks of; ``noise`` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.stats.discriminant import ClassSums, Discriminant, fit, log_softmax

#: nearest neighbors that vote, and how many samples they are looked for among
NEIGHBORS, REFERENCE = 25, 10_000
#: how often samples are put into folds anew; the log-probabilities are averaged
REPEATS = 3
_CHUNK = 8192


@leavable
def probe(
    unit: np.ndarray,
    given: np.ndarray,
    n_classes: int,
    *,
    groups: np.ndarray | None = None,
    folds: int = 5,
    repeats: int = REPEATS,
    seed: int = 0,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the log-probabilities of each class for each sample, by all others: (N, K) float32 of either probe.

    Args:
        unit: (N, D) float32 vectors of unit length
        given: (N,) int64: the given classes, each of 0 to K - 1 at least once
        n_classes: K
        groups: (N,) int64: those of one group are never on both sides of a fold, and do not vote for each other
        folds: at least 2; a class of fewer samples, or groups, is missing in some: there it gets the least probability
        repeats: how often the folds are drawn
        seed: of the draws
        step: called with how much is done of how much

    Raises:
        InputError: fewer than two classes, or fewer samples than folds
    """
    n = len(given)
    if n_classes < 2:
        raise InputError(f"expected at least two classes, got {n_classes}: with one there is nothing to confuse")
    if folds < 2 or n < folds:
        raise InputError(f"expected at least 2 folds, and as many samples as folds: got {folds} folds, {n} samples")
    groups = np.arange(n) if groups is None else groups
    rng = np.random.default_rng(seed)
    centered = np.asarray(unit - unit.mean(axis=0), dtype=np.float32)
    logs = np.zeros((n, n_classes), dtype=np.float32)
    for repeat in range(repeats):
        fold = folds_of(given, groups, folds, rng)
        logs += _discriminant(centered, given, n_classes, fold, folds)
        step(repeat + 1, repeats + 1)
    logs /= repeats
    votes = np.log(neighbor_votes(centered, given, n_classes, groups, rng))
    step(repeats + 1, repeats + 1)
    return logs, votes


def folds_of(given: np.ndarray, groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the fold of each sample: (N,) int64. Classes are dealt out evenly, groups stay whole."""
    from scipy import sparse

    from loupe.brain.labels.splits import Targets, assign

    n = len(given)
    _, own = np.unique(groups, return_inverse=True)
    targets = Targets(tuple(map(str, range(folds))), np.full(folds, 1 / folds))
    classes = sparse.csr_matrix((np.ones(n), (np.arange(n), given)), shape=(n, int(given.max()) + 1))
    return assign(targets, n, classes=classes, groups=np.ravel(own), seed=int(rng.integers(2**32)))


def _discriminant(centered: np.ndarray, given: np.ndarray, n_classes: int, fold: np.ndarray, folds: int) -> np.ndarray:
    """Returns (N, K) float32 log-probabilities, each by a discriminant that has not seen the sample's fold."""
    logs = np.empty((len(given), n_classes), dtype=np.float32)
    for each, model in enumerate(discriminants(centered, given, n_classes, fold, folds)):
        for start in range(0, len(rows := np.flatnonzero(fold == each)), _CHUNK):
            part = rows[start : start + _CHUNK]
            logs[part] = log_softmax(model.scores(centered[part]))
    return logs


def discriminants(
    centered: np.ndarray, given: np.ndarray, n_classes: int, fold: np.ndarray, folds: int
) -> list[Discriminant]:
    """Returns for each fold the discriminant of all other folds."""
    rows = [np.flatnonzero(fold == each) for each in range(folds)]
    parts = [ClassSums.of(centered[own], given[own], n_classes) for own in rows]
    every = reduce(add, parts)
    return [fit(every - part) for part in parts]


def neighbor_votes(
    centered: np.ndarray, given: np.ndarray, n_classes: int, groups: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns the (N, K) float32 shares of the classes among each sample's nearest of other groups, by their cosines.

    With more than ``REFERENCE`` samples the neighbors are looked for among so many, drawn.
    """
    votes = np.zeros((len(centered), n_classes), dtype=np.float32)
    nearest, weight = neighbors_of(centered, groups, rng)
    rows = np.repeat(np.arange(len(centered)), nearest.shape[1])
    np.add.at(votes, (rows, given[nearest].ravel()), weight.ravel())
    # what has no neighbor at all is as likely to be anything
    votes += 1e-3
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def neighbors_of(centered: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns each sample's nearest of other groups, (N, k) int64, and their cosines, (N, k) float32 of at least 0.

    With more than ``REFERENCE`` samples they are looked for among so many, drawn.
    """
    length = np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-12)
    unit = centered / length
    n = len(unit)
    pool = np.arange(n) if n <= REFERENCE else np.sort(rng.choice(n, REFERENCE, replace=False))
    k = min(NEIGHBORS, max(1, len(pool) - 1))
    nearest, weight = np.empty((n, k), dtype=np.int64), np.empty((n, k), dtype=np.float32)
    their_groups, searched = groups[pool], unit[pool].T
    for start in range(0, n, 1024):
        part = slice(start, start + 1024)
        cosines = unit[part] @ searched
        cosines[groups[part, None] == their_groups[None, :]] = -np.inf
        own = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        nearest[part] = pool[own]
        weight[part] = np.clip(np.take_along_axis(cosines, own, axis=1), 0, None)
    return nearest, weight

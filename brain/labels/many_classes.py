"""Which labels are probably wrong where there are many classes: nothing of the size of samples by classes is kept.

The probes are those of ``probe``, asked for a few samples at a time. Of thousands of classes nobody can learn which is
given for which other: a label is wrong with one probability, the same for all, and is then given by how frequent it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.labels.noise import FLOOR, Noise, softmax
from loupe.brain.labels.probe import REPEATS, discriminants, folds_of, neighbors_of
from loupe.brain.stats.discriminant import log_softmax

#: with more classes, or more probabilities, a table of mix-ups is not learned, and probabilities are not kept
MANY, TOO_MANY = 300, 100_000_000
#: probabilities at a time; and for the few numbers that are learned
_CHUNK, _FITTED_ON = 8_000_000, 20_000_000
_ROUNDS = 6
#: how surely the weights are about the first ones; and how many wrong labels of how many are taken for seen before
_RIDGE, _PRIOR_WRONG, _PRIOR = 4.0, 0.5, 10.0

#: returns of some samples the (M, K) log-probabilities of each probe
Logs = Callable[[np.ndarray], Sequence[np.ndarray]]


def are_many(n: int, n_classes: int) -> bool:
    """Returns whether there are too many classes, or too many samples for them, to keep each probability."""
    return n_classes > MANY or n * n_classes > TOO_MANY


@leavable
def probes(
    unit: np.ndarray,
    given: np.ndarray,
    n_classes: int,
    *,
    groups: np.ndarray,
    folds: int = 5,
    seed: int = 0,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Logs:
    """Returns what the probes of ``probe.probe`` say, asked for some samples at a time; its arguments are the same."""
    rng = np.random.default_rng(seed)
    centered = np.asarray(unit - unit.mean(axis=0), dtype=np.float32)
    # each takes folds · D · K numbers
    repeats = REPEATS if len(given) * n_classes <= TOO_MANY else 1
    fold, models = np.empty((repeats, len(given)), dtype=np.int64), []
    for repeat in range(repeats):
        fold[repeat] = folds_of(given, groups, folds, rng)
        models.append(discriminants(centered, given, n_classes, fold[repeat], folds))
        step(repeat + 1, repeats + 1)
    nearest, weight = neighbors_of(centered, groups, rng)
    frequency = (np.bincount(given, minlength=n_classes) / len(given)).astype(np.float32)
    step(repeats + 1, repeats + 1)

    def logs(rows: np.ndarray) -> list[np.ndarray]:
        linear = np.zeros((len(rows), n_classes), dtype=np.float32)
        for own, parts in zip(fold, models, strict=True):
            for each, model in enumerate(parts):
                inside = np.flatnonzero(own[rows] == each)
                linear[inside] += log_softmax(model.scores(centered[rows[inside]]))
        # one vote more by how frequent a class is
        votes = np.repeat(frequency[None, :], len(rows), axis=0)
        who = np.repeat(np.arange(len(rows)), nearest.shape[1])
        np.add.at(votes, (who, given[nearest[rows]].ravel()), weight[rows].ravel())
        return [linear / repeats, np.log(votes / votes.sum(axis=1, keepdims=True) + FLOOR)]

    return logs


@leavable
def fit(logs: Logs, given: np.ndarray, n_classes: int, step: Callable[[int, int], None] = lambda *_: None) -> Noise:
    """Returns how probable it is that each label is wrong; of the result ``classes`` and ``table`` are empty.

    Args:
        logs: of some samples the log-probabilities of each probe, which have not seen the label they speak of
        given: (N,) int64 in 0 to K - 1
        n_classes: K
        step: called with how many samples are done of how many
    """
    n = len(given)
    frequency = (np.bincount(given, minlength=n_classes) + 1e-9) / n
    size = min(n, max(500, _FITTED_ON // n_classes))
    some = np.arange(n) if n <= size else np.random.default_rng(0).choice(n, size, replace=False)
    stacked = np.stack([np.maximum(part, np.log(FLOOR), dtype=np.float32) for part in logs(some)])
    weights, share = _fitted(stacked, given[some], frequency)
    del stacked
    wrong, beside = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    suggested = np.empty(n, dtype=np.int64)
    chunk = max(1, _CHUNK // n_classes)
    for start in range(0, n, chunk):
        rows = np.arange(start, min(start + chunk, n))
        parts = [np.maximum(part, np.log(FLOOR), dtype=np.float32) for part in logs(rows)]
        classes = softmax(sum(weight * part for weight, part in zip(weights, parts, strict=True)))
        at, own = np.arange(len(rows)), given[rows]
        right = (1 - share) * classes[at, own]
        mistaken = share * frequency[own]
        wrong[rows] = 1 - (right + mistaken * classes[at, own]) / (right + mistaken)
        classes[at, own] = -1
        suggested[rows] = classes.argmax(axis=1)
        beside[rows] = mistaken * classes[at, suggested[rows]] / (right + mistaken)
        step(int(rows[-1]) + 1, n)
    empty = np.zeros((0, 0))
    return Noise(empty, np.clip(wrong, 0, 1), suggested, beside, empty, tuple(weights.tolist()))


def _fitted(stacked: np.ndarray, given: np.ndarray, frequency: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the weights of the probes, and the share of wrong labels, by which the given ones are most probable."""
    from scipy.optimize import minimize

    p, n, _ = stacked.shape
    rows, mistaken = np.arange(n), frequency[given]
    first = np.full(p, 1 / p)
    weights, share = first.copy(), 0.1
    of_given = stacked[:, rows, given].astype(np.float64)

    def right_of(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        classes = softmax(np.tensordot(numbers.astype(np.float32), stacked, axes=1))
        return classes, classes[rows, given].astype(np.float64)

    def cost(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        classes, own = right_of(numbers)
        likelihood = (1 - share) * own + share * mistaken
        right = (1 - share) * own / likelihood
        slope = np.array(
            [right @ (of_given[at] - np.einsum("nk,nk->n", classes, stacked[at])) for at in range(p)], dtype=np.float64
        )
        away = numbers - first
        value = -float(np.log(likelihood).sum()) + _RIDGE / 2 * float(away @ away)
        return value / n, (_RIDGE * away - slope) / n

    for _ in range(_ROUNDS):
        bounds = [(0.02, 5.0), *[(0.0, 5.0)] * (p - 1)]
        weights = minimize(cost, weights, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 6}).x
        _, own = right_of(weights)
        for _ in range(20):
            right = (1 - share) * own / ((1 - share) * own + share * mistaken)
            share = float(((1 - right).sum() + _PRIOR_WRONG) / (n + _PRIOR))
    return weights, share

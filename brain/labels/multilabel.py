"""Which of several classes a sample is wrongly given, and which it lacks, where labels are noisy. Pure arithmetic.

Each class is a yes or no of its own, given by a table of two numbers: how often it is given where it is not, and how
often it is missing where it is. Probes say by log-odds how likely the class is, too surely or not surely enough. The
numbers, the weights of the probes and an offset are those by which the given labels are most probable, by expectation
maximization as in ``noise``, for each class apart: what is often forgotten in one may never be in another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit

from loupe.brain.core.interrupts import leavable
from loupe.brain.labels.one_vs_rest import LIMIT

#: numbers in a block of classes
_BLOCK = 6_000_000
#: rounds of fitting, Newton's steps for the weights in each, and steps for the table
_ROUNDS, _NEWTON, _STEPS = 12, 3, 5
#: so few numbers need no more samples than these; fewer where there are many classes
_FITTED_ON, _FITTED_ON_MANY, _MANY = 20_000, 4_000, 100
#: weight of the first table, in samples for each sample of the class and of the rest, and its minimum; its mix-ups
_PRIOR, _MIN_PRIOR, _PRIOR_NOISE = 0.001, 10.0, 0.05
#: how surely the weights of the probes and the offset are about the first ones: one over the variance
_RIDGE, _RIDGE_OFFSET = 4.0, 0.5
#: no class is more often wrongly given, or missing, than this: else all could be, of which few are labeled
_MAX_ADDED, _MAX_MISSED = 0.5, 0.6


@dataclass(frozen=True, eq=False)
class MultiNoise:
    """What was learned of the labels of N samples, L classes each.

    Attributes:
        score: (N,) float32 in [0, 1], higher is worse: the probability that what the label says of the sample's most
            doubtful class is wrong
        any_wrong: (N,) float32 in [0, 1]: the probability that what the label says of any class is wrong
        rows, columns: (M,) int64: the sample and the class of each doubt above the limit, by sample, the worst first
        wrong: (M,) float32: the probability that what the label says of them is wrong
        other: (N,) int64: the most probable class that the sample is not given; -1 where none was judged
        other_probability: (N,) float32: its probability
        added: (L,) float64 in [0, 1]: how often a class is given where it is not; NaN where it was not judged
        missed: (L,) float64 in [0, 1]: how often it is not given where it is; NaN where it was not judged
        expected: how many of the N · L yes and no are expected to be wrong: of the yes, and of the no
    """

    score: np.ndarray
    any_wrong: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    wrong: np.ndarray
    other: np.ndarray
    other_probability: np.ndarray
    added: np.ndarray
    missed: np.ndarray
    expected: tuple[float, float]


@leavable
def fit(
    probes: Callable[[slice], Sequence[np.ndarray]],
    given: sparse.csc_matrix,
    *,
    limit: float,
    min_count: int = 1,
    only_given: bool = False,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> MultiNoise:
    """Returns how probable it is that a class is wrongly given, or wrongly not given.

    Args:
        probes: called with a block of classes; returns the (N, B) log-odds of each probe, which have not seen the label
            they speak of
        given: (N, L) of 0 and 1
        limit: doubts above it are listed
        min_count: a class that fewer samples have, or fewer have not, is not judged
        only_given: whether a class that is not given says nothing: then only what is given can be wrong
        step: called with how many classes are done of how many

    >>> odds = np.array([[4.0]] * 50 + [[-4.0]] * 50)
    >>> labels = np.array([[1]] * 49 + [[0]] * 51)
    >>> made = fit(lambda block: [odds], sparse.csc_matrix(labels), limit=0.5)
    >>> made.rows.tolist(), made.columns.tolist()
    ([49], [0])
    """
    n, n_classes = given.shape
    score, expected = np.zeros(n, dtype=np.float32), np.zeros(2)
    all_right = np.ones(n)
    other, other_probability = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.float32)
    added, missed = np.full(n_classes, np.nan), np.full(n_classes, np.nan)
    size = max(1, _BLOCK // max(n, 1))
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, n_classes, size):
        block = slice(start, min(start + size, n_classes))
        own = given[:, block].toarray().astype(bool)
        counts = own.sum(axis=0)
        judged = (counts >= min_count) & (n - counts >= min_count)
        if judged.any():
            # what a probe says beside how frequent the class is: where it says nothing, that is left
            base = np.log(np.maximum(counts, 0.5) / np.maximum(n - counts, 0.5))[judged].astype(np.float32)
            parts = [np.clip(part, -LIMIT, LIMIT)[:, judged] - base for part in probes(block)]
            weights, alpha, beta = _fitted(parts, own[:, judged], base, n_classes)
            wrong = np.zeros(own.shape, dtype=np.float32)
            wrong[:, judged] = _doubts(parts, own[:, judged], weights, base, alpha, beta)
            absent = np.where(own, 0, wrong)
            best = absent.argmax(axis=1)
            more = absent[np.arange(n), best] > other_probability
            other[more] = best[more] + start
            other_probability[more] = absent[np.arange(n), best][more]
            if only_given:
                wrong[~own] = 0
            at = np.flatnonzero(judged) + start
            added[at], missed[at] = alpha, beta
            expected += wrong[own].sum(dtype=np.float64), wrong[~own].sum(dtype=np.float64)
            all_right *= (1 - wrong).prod(axis=1, dtype=np.float64)
            np.maximum(score, wrong.max(axis=1), out=score)
            rows, columns = np.nonzero(wrong > limit)
            kept.append((rows, columns + start, wrong[rows, columns]))
        step(block.stop, n_classes)
    empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    rows, columns, wrong = (np.concatenate(column) for column in zip(empty, *kept, strict=True))
    order = np.lexsort((columns, -wrong, rows))
    return MultiNoise(
        score=score,
        any_wrong=(1 - all_right).astype(np.float32),
        rows=rows[order],
        columns=columns[order],
        wrong=wrong[order],
        other=other,
        other_probability=other_probability,
        added=added,
        missed=missed,
        expected=(float(expected[0]), float(expected[1])),
    )


def _doubts(
    parts: Sequence[np.ndarray],
    given: np.ndarray,
    weights: np.ndarray,
    base: np.ndarray,
    added: np.ndarray,
    missed: np.ndarray,
) -> np.ndarray:
    """Returns the (N, B) probability that what the label says is wrong, by Bayes' rule."""
    odds = sum((part * weight for part, weight in zip(parts, weights, strict=False)), weights[-1] + base)
    after = _after(np.asarray(odds), given, added, missed)
    return np.where(given, 1 - after, after)


def _after(odds: np.ndarray, given: np.ndarray, added: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """Returns the probability of the class with the label looked at."""
    likelihood = np.where(given, np.log(1 - missed) - np.log(added), np.log(missed) - np.log(1 - added))
    return np.asarray(expit(odds + likelihood))


def _fitted(
    parts: Sequence[np.ndarray], given: np.ndarray, base: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns of B classes the (P + 1, B) weights of the probes and an offset, and the two numbers of the table.

    Newton's steps take the weights to where the expected labels are most probable.
    """
    labels, stacked, counted = _drawn(parts, given, _FITTED_ON if n_classes <= _MANY else _FITTED_ON_MANY)
    p = len(parts)
    with_it, without = (counted * labels).sum(axis=0), (counted * ~labels).sum(axis=0)
    first = np.vstack([np.full((p, given.shape[1]), 1 / p), np.zeros((1, given.shape[1]))])
    weights, added, missed = first.copy(), np.full(given.shape[1], 0.05), np.full(given.shape[1], 0.05)
    ridge = np.r_[np.full(p, _RIDGE), _RIDGE_OFFSET][:, None]
    prior = [np.maximum(_PRIOR * each, _MIN_PRIOR) for each in (with_it, without)]
    for _ in range(_ROUNDS):
        for _ in range(_NEWTON):
            odds = np.einsum("pnb,pb->nb", stacked, weights) + base
            classes = expit(odds)
            pull = counted * (_after(odds, labels, added, missed) - classes)
            slope = np.einsum("pnb,nb->pb", stacked, pull) - ridge * (weights - first)
            curve = np.einsum("pnb,qnb,nb->bpq", stacked, stacked, counted * classes * (1 - classes), optimize=True)
            curve += np.diag(ridge[:, 0])
            weights += np.linalg.solve(curve, slope.T[:, :, None])[:, :, 0].T
            weights[:p] = np.clip(weights[:p], 0, 5)
            weights[p] = np.clip(weights[p], -LIMIT, LIMIT)
        odds = np.einsum("pnb,pb->nb", stacked, weights) + base
        for _ in range(_STEPS):
            after = counted * _after(odds, labels, added, missed)
            has, lacks = after.sum(axis=0), (counted - after).sum(axis=0)
            missed = ((after * ~labels).sum(axis=0) + _PRIOR_NOISE * prior[0]) / (has + prior[0])
            added = (((counted - after) * labels).sum(axis=0) + _PRIOR_NOISE * prior[1]) / (lacks + prior[1])
            missed, added = np.minimum(missed, _MAX_MISSED), np.minimum(added, _MAX_ADDED)
    return weights, added, missed


def _drawn(parts: Sequence[np.ndarray], given: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns of M samples, for each class its own: the (M, B) labels, (P + 1, M, B) log-odds, and how many each is.

    Of a rare class every sample is drawn, of the rest so many as there is room for: each counts for those left out.
    """
    n, width = given.shape
    if n <= size:
        stacked = np.stack([*parts, np.ones_like(given, dtype=np.float32)]).astype(np.float64)
        return given, stacked, np.ones(given.shape)
    rng = np.random.default_rng(0)
    rows, counted = np.empty((size, width), dtype=np.int64), np.empty((size, width))
    for at in range(width):
        sides = np.flatnonzero(given[:, at]), np.flatnonzero(~given[:, at])
        fewer = min(size // 2, *map(len, sides))
        amounts = [fewer if len(side) == min(map(len, sides)) else size - fewer for side in sides]
        if len(sides[0]) == len(sides[1]):
            amounts = [size - fewer, fewer]
        chosen = [rng.choice(side, amount, replace=False) for side, amount in zip(sides, amounts, strict=True)]
        rows[:, at] = np.concatenate(chosen)
        counted[:, at] = np.repeat(
            [len(side) / max(len(own), 1) for side, own in zip(sides, chosen, strict=True)], amounts
        )
    labels = np.take_along_axis(given, rows, axis=0)
    gathered = [np.take_along_axis(part, rows, axis=0) for part in parts]
    return labels, np.stack([*gathered, np.ones_like(gathered[0])]).astype(np.float64), counted

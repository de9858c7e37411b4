"""How probable it is that a given label is wrong, where labels are given by a noisy process. Pure arithmetic.

Each sample has a class that nobody sees. The probes say which, by log-probabilities, too surely or not surely enough;
a label is then given by a table: of class c, label g with probability T[c, g]. The weights and the table are
those by which the given labels are most probable (expectation maximization for the table, Dempster, Laird & Rubin,
JRSS B 39 (1977); the table of mix-ups is that of Dawid & Skene, JRSS C 28 (1979), with one annotator). What follows is
the probability that the class is another than the label says. Confusing one class for one other, which a threshold on
the probability of the given class cannot tell from classes that look alike, is told by this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.interrupts import leavable

#: no probability of a probe is below this: no probe alone decides
FLOOR = 1e-6
#: rounds of fitting, and steps for the table in each
_ROUNDS, _STEPS = 8, 5
#: weight of the first table, which knows no mix-ups, in samples for each sample
_PRIOR = 0.01
_PRIOR_NOISE = 0.02
#: so few numbers need no more samples than these
_FITTED_ON = 20_000
_CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class Noise:
    """What was learned of N given labels of K classes.

    Attributes:
        classes: (N, K) float32: the probability of each class, before the sample's own label is looked at; empty where
            there are too many, as is the table (see ``many_classes``)
        wrong: (N,) float32 in [0, 1], higher is worse: the probability that the label is wrong
        suggested: (N,) int64: the most probable class beside the given one
        suggested_probability: (N,) float32: its probability, with the label looked at
        table: (K, K) float64: of each class how often each label is given; rows sum to 1
        weights: of each probe's log-probabilities
    """

    classes: np.ndarray
    wrong: np.ndarray
    suggested: np.ndarray
    suggested_probability: np.ndarray
    table: np.ndarray
    weights: tuple[float, ...]

    @property
    def share(self) -> float:
        """The share of labels that is expected to be wrong, in [0, 1]."""
        return float(self.wrong.mean())


@leavable
def fit(probes: Sequence[np.ndarray], given: np.ndarray) -> Noise:
    """Returns how probable it is that each label is wrong.

    Args:
        probes: (N, K) log-probabilities each, of models that have not seen the label they speak of
        given: (N,) int64 in 0 to K - 1

    >>> sure = np.log(np.array([[0.98, 0.02]] * 50 + [[0.02, 0.98]] * 50))
    >>> made = fit([sure], np.array([0] * 49 + [1] * 51))
    >>> int(made.wrong.argmax()), bool(made.wrong[49] > 0.5), bool(made.wrong[0] < 0.1)
    (49, True, True)
    """
    parts = [np.maximum(probe, np.log(FLOOR), dtype=np.float32) for probe in probes]
    n, n_classes = parts[0].shape
    some = np.arange(n) if n <= _FITTED_ON else np.random.default_rng(0).choice(n, _FITTED_ON, replace=False)
    weights, table = _fitted([part[some].astype(np.float64) for part in parts], given[some])
    classes = np.empty((n, n_classes), dtype=np.float32)
    wrong, beside = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    suggested = np.empty(n, dtype=np.int64)
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        labels, rows = given[part], np.arange(len(given[part]))
        own = softmax(sum(weight * probe[part] for weight, probe in zip(weights, parts, strict=True)))
        classes[part] = own
        after = own * table[:, labels].T
        after /= after.sum(axis=1, keepdims=True)
        wrong[part] = 1 - after[rows, labels]
        after[rows, labels] = -1
        suggested[part] = after.argmax(axis=1)
        beside[part] = after[rows, suggested[part]]
    return Noise(classes, np.clip(wrong, 0, 1), suggested, beside, table, tuple(weights.tolist()))


def _fitted(parts: list[np.ndarray], given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the weights of the probes and the table by which the given labels are most probable."""
    from scipy.optimize import minimize

    n, n_classes = parts[0].shape
    stacked = np.stack(parts)
    first = (1 - _PRIOR_NOISE) * np.eye(n_classes) + _PRIOR_NOISE / n_classes
    prior = _PRIOR * n / n_classes * first
    table = 0.9 * np.eye(n_classes) + 0.1 / n_classes
    weights = np.full(len(parts), 0.5 / len(parts))

    def cost(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        classes = softmax(np.tensordot(numbers, stacked, axes=1))
        after = classes * table[:, given].T
        likelihood = after.sum(axis=1)
        after /= likelihood[:, None]
        slope = [((after - classes) * part).sum() / n for part in stacked]
        return -float(np.log(likelihood + 1e-12).mean()), -np.array(slope)

    for _ in range(_ROUNDS):
        bounds = [(0.02, 5.0), *[(0.0, 5.0)] * (len(parts) - 1)]
        options = {"maxiter": 15}
        weights = minimize(cost, weights, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        classes = softmax(np.tensordot(weights, stacked, axes=1))
        for _ in range(_STEPS):
            after = classes * table[:, given].T
            after /= after.sum(axis=1, keepdims=True)
            counts = prior.copy()
            np.add.at(counts.T, given, after)
            table = counts / counts.sum(axis=1, keepdims=True)
    return weights, table


def softmax(scores: np.ndarray) -> np.ndarray:
    """Returns the (N, K) probabilities of (N, K) scores."""
    made = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(made / made.sum(axis=1, keepdims=True))

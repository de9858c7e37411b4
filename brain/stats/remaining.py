"""How many labels are still wrong after some were looked at: decisions and scores together. Pure arithmetic.

Whoever looks at the worst labels first sees no random sample, so that the share of wrong ones among those is none of
the rest. But which labels were looked at follows from their scores alone: given its score, a label that was looked at
is as likely to be wrong as one that was not. So how likely a label of each score is to be wrong is learned from what
was decided, and applied to those that are open.

The score is a probability already, which may be off: by much where wrong labels look like right ones. The correction of
its logit is a Gaussian process over the logit (Rasmussen & Williams, Gaussian Processes for Machine Learning, MIT
2006, 3.4, Laplace's approximation): before anything is decided the score is believed, give or take a factor of ten in
the odds; where much was decided, the decisions count alone; where nothing was, the interval stays wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.core.relabeled import Remaining

#: the logits of a score are put into bins of this width, up to these ends
_WIDTH, _END = 0.5, 8.0
_BINS = round(2 * _END / _WIDTH)
#: of the correction of the logit: the standard deviation of what all scores share, of its slope over the logit, of the
#: rest of it, and how far apart scores have to be for that to differ
_COMMON, _SLOPE, _OWN, _LENGTH = 1.0, 0.35, 1.0, 2.0
#: no label is less or more likely to be wrong than these before it was looked at: to the vectors a mistake may look
#: right, and what is right may look like a mistake
_FLOOR, _CEILING = 0.002, 0.95
_DRAWS, _ROUNDS = 2000, 50


def bins_of(scores: np.ndarray) -> np.ndarray:
    """Returns the bin of each score: (N,) int64; -1 for NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(scores) - np.log1p(-np.asarray(scores, dtype=np.float64))
    known = ~np.isnan(logits)
    at = np.clip(np.where(known, logits, 0) + _END, 0, 2 * _END) / _WIDTH
    return np.where(known, np.minimum(at.astype(np.int64), _BINS - 1), -1)


@dataclass(eq=False)
class ByScore:
    """Labels by their scores, and what was decided of them.

    Attributes:
        means: (B,) float64: the mean score of each bin
        n: (B,) int64: how many labels it has
        wrong, right: (B,) int64: how many of these were decided to be wrong, and to be right
        accepted: (B,) int64: of how many others the suggestion was put in though nobody has looked
        fits: (B,) float64: of these, the sum of how probably the suggestion is right where the label is wrong
    """

    means: np.ndarray
    n: np.ndarray
    wrong: np.ndarray
    right: np.ndarray
    accepted: np.ndarray
    fits: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> ByScore:
        """Returns labels of which nothing is decided; those without a score are left out."""
        at = bins_of(scores)
        known = at >= 0
        n = np.bincount(at[known], minlength=_BINS)
        sums = np.bincount(at[known], weights=scores[known], minlength=_BINS)
        wrong, right, accepted = (np.zeros(_BINS, np.int64) for _ in range(3))
        return cls(sums / np.maximum(n, 1), n, wrong, right, accepted, np.zeros(_BINS))

    def count(self, score: float | None, wrong: bool, change: int = 1) -> None:
        """Notes a decision, or that it was taken back; one on a label without a score counts nothing."""
        if score is None or score != score:
            return
        (self.wrong if wrong else self.right)[bins_of(np.array([score]))[0]] += change

    def accept(self, score: float, probability: float, change: int = 1) -> None:
        """Notes that a suggestion was put in though nobody has looked, or that it was taken out.

        Args:
            score: how probable it is that the label is wrong, in [0, 1]
            probability: of the suggested class, in [0, 1]
            change: 1, or -1 where it is taken out
        """
        if score != score:
            return
        at = bins_of(np.array([score]))[0]
        self.accepted[at] += change
        self.fits[at] += change * min(max(probability, 0.0) / max(score, 1e-9), 1.0)


def remaining(labels: ByScore, seed: int = 0) -> Remaining:
    """Returns how many of the labels are still wrong where each decided one has been put right.

    Of the open ones it is an estimate with its 95 % interval, which takes in that the scores may be off and that the
    open ones are so many and no more. A suggestion that was put in unseen is wrong where the given label is right, or a
    third class is. It takes for granted that people decide rightly.

    Args:
        labels: the labels by their scores, and what was decided
        seed: of the draws

    >>> labels = ByScore.of(np.array([0.9] * 50 + [0.01] * 950))
    >>> before = remaining(labels)
    >>> for _ in range(50):
    ...     labels.count(0.9, wrong=True)
    >>> after = remaining(labels)
    >>> before.n, after.open, after.high < before.high
    (1000, 950, True)
    """
    used = np.flatnonzero(labels.n)
    wrong, right = labels.wrong[used], labels.right[used]
    accepted = labels.accepted[used]
    still_open = np.maximum(labels.n[used] - wrong - right - accepted, 0)
    n, decided = int(labels.n.sum()), int(wrong.sum() + right.sum())
    counts = {"n": n, "decided": decided, "wrong": int(wrong.sum()), "open": int((still_open + accepted).sum())}
    if not len(used):
        return Remaining(**counts)
    before = _logit(np.clip(labels.means[used], _FLOOR, _CEILING))
    middle, root = _posterior(before, wrong, right)
    rng = np.random.default_rng(seed)
    drawn = before + middle + rng.standard_normal((_DRAWS, len(used))) @ root.T
    shares = 1 / (1 + np.exp(-drawn))
    fits = _logit(np.clip(labels.fits[used] / np.maximum(accepted, 1), _FLOOR, 1 - _FLOOR))
    counted = rng.binomial(still_open, shares)
    # how often a suggestion is right is no better known than the scores are
    right_ones = 1 / (1 + np.exp(-(fits + _COMMON * rng.standard_normal((_DRAWS, 1)))))
    misses = 1 - shares * right_ones
    expected = shares @ still_open + misses @ accepted
    counted += rng.binomial(accepted, misses)
    low, high = np.quantile(counted.sum(axis=1), [0.025, 0.975])
    return Remaining(**counts, rate=float(np.median(expected)) / n, low=float(low) / n, high=float(high) / n)


def _posterior(before: np.ndarray, wrong: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mode of the correction, and a root of its covariance there."""
    apart = before[:, None] - before[None, :]
    prior = _COMMON**2 + _SLOPE**2 * np.outer(before, before) + _OWN**2 * np.exp(-0.5 * (apart / _LENGTH) ** 2)
    prior[np.diag_indices(len(before))] += 1e-4
    inverse = np.linalg.inv(prior)
    looked = wrong + right
    middle = np.zeros(len(before))
    for _ in range(_ROUNDS):
        share = 1 / (1 + np.exp(-(before + middle)))
        bend = inverse + np.diag(looked * share * (1 - share))
        step = np.linalg.solve(bend, wrong - looked * share - inverse @ middle)
        # the posterior has one mode; from far away the full step leaps over it
        middle += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-6:
            break
    share = 1 / (1 + np.exp(-(before + middle)))
    bend = inverse + np.diag(looked * share * (1 - share))
    return middle, np.linalg.cholesky(np.linalg.inv(bend))


def _logit(share: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(share) - np.log1p(-share))

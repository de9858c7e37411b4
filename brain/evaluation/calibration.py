"""How far confidence and being right are apart: reliability bins, the calibration error. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.stats.bootstrap import draws

#: of equal width, as by C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017
BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """What bins of confidence hold; an empty bin has NaN shares.

    Attributes:
        low, high: (B,) where each bin begins and ends
        n: (B,) float64: how many predictions it holds, by their weights
        confidence: (B,) their mean confidence
        correct: (B,) the share that is right
    """

    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of both, by the size of the bins, in [0, 1]."""
        return float(_error(self.n, self.confidence, self.correct))

    @property
    def debiased(self) -> float:
        """The same with the noise of each bin taken off, in squares: A. Kumar et al., NeurIPS 2019."""
        return float(_debiased(self.n, self.confidence, self.correct))

    @property
    def excess(self) -> float:
        """Mean confidence less the share that is right, in [-1, 1]: above 0 is over-confident."""
        total = self.n.sum()
        if not total:
            return float("nan")
        return float(np.nansum(self.n * (self.confidence - self.correct)) / total)


def _error(n: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Returns the error of (…, B) bins: (…,), NaN where they hold nothing."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(n * np.abs(correct - confidence), axis=-1) / n.sum(axis=-1))


def _debiased(n: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Returns the debiased error of (…, B) bins: (…,), NaN where they hold nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (correct * n + 1) / (n + 2)  # a bin of nothing but right ones is noisy, too
        each = n * np.sqrt(np.maximum((correct - confidence) ** 2 - share * (1 - share) / n, 0))
        return np.asarray(np.nansum(each, axis=-1) / n.sum(axis=-1))


def bin_of(score: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Returns the bin of each confidence: (N,) int64; bin i holds (i / bins, (i + 1) / bins], the first also 0.

    >>> bin_of(np.array([0.0, 0.1, 0.11, 1.0]), 10).tolist()
    [0, 0, 1, 9]
    """
    return np.clip(np.ceil(score * bins).astype(np.int64) - 1, 0, bins - 1)


def reliability(
    score: np.ndarray, correct: np.ndarray, weights: np.ndarray | None = None, bins: int = BINS
) -> Reliability:
    """Returns the bins of N predictions.

    The error depends on the number of bins and is above 0 by chance alone: about sqrt(bins / n) / 4 of a model that is
    calibrated. Compare models on the same samples and bins only.

    Args:
        score: (N,) confidences in [0, 1]; NaN is left out
        correct: (N,) bool
        weights: (N,) how often each counts; once by default
        bins: how many, of equal width

    Raises:
        InputError: a confidence outside [0, 1], or less than one bin

    >>> round(reliability(np.array([0.9, 0.9, 0.6]), np.array([True, False, True])).error, 3)
    0.4
    """
    if bins < 1:
        raise InputError(f"expected at least one bin, got {bins}")
    known = ~np.isnan(score)
    score, correct = score[known], np.asarray(correct)[known]
    if len(score) and not (score.min() >= 0 and score.max() <= 1):
        raise InputError(f"expected confidences in [0, 1], got {score.min():g} to {score.max():g}")
    own = np.ones(len(score)) if weights is None else np.asarray(weights, dtype=np.float64)[known]
    place = bin_of(score, bins)
    n, sure, right = (np.bincount(place, own * each, bins) for each in (np.ones(len(score)), score, correct))
    with np.errstate(invalid="ignore"):
        return Reliability(np.arange(bins) / bins, np.arange(1, bins + 1) / bins, n, sure / n, right / n)


def error_interval(
    score: np.ndarray,
    correct: np.ndarray,
    cluster: np.ndarray,
    *,
    resamples: int,
    seed: int = 0,
    confidence: float = 0.95,
    bins: int = BINS,
) -> tuple[float, float]:
    """Returns the interval (low, high) of the calibration error itself, in [0, 1].

    The error of a sample is above that of the model by chance, and resampling raises it once more: so the interval is
    put around the debiased error, and may lie below the error that was measured. Its low end is 0 where a calibrated
    model could have an error as high: J. Bröcker & L. A. Smith, Weather and Forecasting 22 (2007). Clusters are
    resampled whole.

    Args:
        score: (N,) confidences in [0, 1], none of them NaN
        correct: (N,) bool
        cluster: (N,) int64, from 0 on
        resamples: how many
        seed: of the resamples
        confidence: in (0, 1)
        bins: of the error

    Raises:
        InputError: as for ``reliability``
    """
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if clusters < 2:
        return float("nan"), float("nan")
    made = reliability(score, correct, bins=bins)
    place = bin_of(score, bins)
    errors = _debiased(*_drawn(place, score, correct, cluster, draws(clusters, resamples, seed), bins))
    ends = np.quantile(errors, [0.5 - confidence / 2, 0.5 + confidence / 2])
    mirrored = made.debiased + made.error - ends[::-1]
    moved = made.debiased + ends - np.mean(errors)
    low, high = min(mirrored[0], moved[0]), max(mirrored[1], moved[1])
    rng = np.random.default_rng([seed, 1])
    right = np.array([np.bincount(place, rng.random(len(score)) < score, bins) for _ in range(resamples)])
    with np.errstate(invalid="ignore"):
        calibrated = _error(made.n, made.confidence, right / made.n)
    if made.error <= np.quantile(calibrated, 0.5 + confidence / 2):
        low = 0.0
    return float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))


def _drawn(
    place: np.ndarray,
    score: np.ndarray,
    correct: np.ndarray,
    cluster: np.ndarray,
    weights: Iterable[np.ndarray],
    bins: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns what bins hold by each of R weights of the clusters: how many, mean confidence and share, (R, B) each."""
    sums = []
    for each in weights:
        own = each[cluster]
        sums.append([np.bincount(place, values, bins) for values in (own, own * score, own * correct)])
    n, sure, right = np.array(sums).transpose(1, 0, 2)
    with np.errstate(invalid="ignore"):
        return n, sure / n, right / n

"""How well a score tells flawed pictures from clean ones, and where its threshold has to be for a wanted rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.records import ImageBatch, OperatingPoint, Output, Scores, Share, Threshold
from loupe.brain.slices.rates import wilson

if TYPE_CHECKING:
    from loupe.brain.specs import Defect

#: below this AUROC a score is not said to tell flawed pictures from others
LEAST_AUROC = 0.7


def spread(n: int, limit: int, seed: int) -> np.ndarray:
    """Returns 0 … n - 1 in the order in which to take them: first one out of each of ``limit`` equal parts, in random
    order, then the others, in random order.

    >>> sorted((spread(100, 4, seed=0)[:4] // 25).tolist())
    [0, 1, 2, 3]
    """
    rng = np.random.default_rng(seed)
    edges = np.arange(min(limit, n) + 1) * n // min(limit, n)
    first = rng.permutation(rng.integers(edges[:-1], edges[1:]))
    return np.concatenate([first, rng.permutation(np.setdiff1d(np.arange(n), first))])


def auroc(clean: np.ndarray, flawed: np.ndarray) -> float:
    """Returns the area under the ROC curve in [0, 1]: how often a flawed picture's score is above a clean one's.

    Half is chance; ties count half; NaN where either has no known score. By ranks, as Mann & Whitney, Annals of
    Mathematical Statistics 18 (1947).

    Args:
        clean: (N,) scores, higher is worse; NaN is left out
        flawed: (M,) scores

    >>> auroc(np.array([0.1, 0.2, 0.3]), np.array([0.25, 0.4]))
    0.8333333333333334
    """
    clean, flawed = clean[~np.isnan(clean)], flawed[~np.isnan(flawed)]
    if not len(clean) or not len(flawed):
        return math.nan
    ordered = np.sort(clean)
    below = np.searchsorted(ordered, flawed, "left") + np.searchsorted(ordered, flawed, "right")
    return float(below.mean() / (2 * len(clean)))


def threshold_for(clean: np.ndarray, op: Literal["<", ">"], rate: float) -> float:
    """Returns the threshold nearest to the clean scores that at most ``rate`` of them are beyond.

    It lies on a clean score: "beyond" is strictly above, or strictly below, so that this one does not fail.

    Args:
        clean: (N,) scores as stored; NaN is left out
        op: of the threshold
        rate: in [0, 1)

    Raises:
        ValueError: no known score

    >>> threshold_for(np.arange(100.0), ">", 0.02)
    97.0
    """
    ordered = np.sort(clean[~np.isnan(clean)])
    if not len(ordered):
        raise ValueError("expected at least one known score of a clean picture, got none")
    # the tiny addition keeps 0.01 * 300 = 2.9999999999999996 from being 2
    allowed = min(math.floor(rate * len(ordered) + 1e-9), len(ordered) - 1)
    return float(ordered[allowed] if op == "<" else ordered[-1 - allowed])


def least_known(rate: float) -> int:
    """Returns how many known scores there have to be to choose a threshold for that rate: one of them is beyond it.

    >>> least_known(0.01)
    100
    """
    # the tiny subtraction keeps a rate such as 1 / 49, whose inverse is 49.00000000000001, from needing 50
    return math.ceil(1 / rate - 1e-9)


def propose(
    clean: np.ndarray, flawed: np.ndarray, op: Literal["<", ">"], rate: float
) -> tuple[Threshold, str] | tuple[None, str]:
    """Returns the threshold that at most ``rate`` of the clean scores are beyond, or None and why there is none.

    Args:
        clean: (N,) scores as stored; NaN is left out
        flawed: (M,) scores with the strongest defect; NaN is left out
        op: of the threshold
        rate: in (0, 1)

    >>> propose(np.arange(100.0), np.arange(90.0, 190.0), ">", 0.02)[0].value
    97.0
    >>> propose(np.arange(10.0), np.arange(20.0), ">", 0.02)[0] is None
    True
    """
    clean, flawed = clean[~np.isnan(clean)], flawed[~np.isnan(flawed)]
    if len(clean) < least_known(rate):
        return None, (
            f"a rate of {rate:.1%} needs {least_known(rate)} known scores to choose from, got {len(clean)}: "
            "take more pictures, or a higher rate"
        )
    if not len(flawed):
        return None, "no copy with the strongest defect has a known score"
    worse = 1 if op == ">" else -1
    apart = auroc(worse * clean, worse * flawed)
    if apart < LEAST_AUROC:
        return None, f"the score does not tell the strongest defect from these pictures: AUROC {apart:.2f}"
    value = threshold_for(clean, op, rate)
    if not math.isfinite(value) or Threshold(op, value).fails(flawed).mean() <= rate:
        return None, f"too many of these pictures score as badly as the strongest defect: at {rate:.1%} it is not found"
    return Threshold(op, value), ""


def operating_point(threshold: Threshold, scores: np.ndarray) -> OperatingPoint:
    """Returns what a threshold does.

    Args:
        threshold: the threshold
        scores: (N, 1 + severities): of N pictures as they are, then with the defect at each severity; NaN as unknown
    """
    clean, *flawed = (share_of(threshold, column) for column in scores.T)
    return OperatingPoint(threshold, clean, tuple(flawed))


def share_of(threshold: Threshold, scores: np.ndarray) -> Share:
    """Returns how many of the (N,) scores fail, with the 95 % Wilson interval; NaN counts as unknown."""
    n = int((~np.isnan(scores)).sum())
    flagged = int(threshold.fails(scores).sum())
    low, high = wilson(flagged, n)
    return Share(n, flagged, len(scores) - n, flagged / n if n else math.nan, float(low), float(high))


def score(judge: Callable[[ImageBatch], Scores], output: Output, pixels: np.ndarray, device: str = "cpu") -> float:
    """Returns one output for one (H, W, 3) uint8 picture; NaN where unknown."""
    import torch

    height, width = pixels.shape[:2]
    planes = torch.from_numpy(np.array(pixels)[None].transpose(0, 3, 1, 2)).to(device)
    return float(judge(ImageBatch(("",), planes, ((width, height),)))[output.name][0])


def injected(
    defect: Defect, pixels: np.ndarray, seed: Iterable[int], severities: Iterable[float] | None = None
) -> list[np.ndarray]:
    """Returns a copy of the picture with the defect at each severity; the same seed places it the same."""
    entropy = list(seed)
    return [
        defect.inject(pixels, severity, np.random.default_rng(entropy))
        for severity in (defect.severities if severities is None else severities)
    ]

"""How well a score tells flawed pictures from clean ones, and where its threshold has to be for a wanted rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from loupe.brain.records import ImageBatch, Output, Scores

if TYPE_CHECKING:
    from loupe.brain.specs import Defect


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


def score(judge: Callable[[ImageBatch], Scores], output: Output, pixels: np.ndarray, device: str = "cpu") -> float:
    """Returns one output for one (H, W, 3) uint8 picture; NaN where unknown."""
    import torch

    height, width = pixels.shape[:2]
    planes = torch.from_numpy(np.ascontiguousarray(pixels)[None].transpose(0, 3, 1, 2)).to(device)
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

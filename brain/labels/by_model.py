"""How probable it is that a label is wrong by probabilities of a model of the user's own. Pure arithmetic.

They are seldom calibrated. A table of mix-ups, as ``noise`` learns it beside a probe of its own, takes the mistakes of
a sure model for those of the labels where few labels are wrong. So what ranks a label here is what the model says
itself: how far the best other class is ahead of the given one. How many labels are flagged is learned.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loupe.brain.core.interrupts import leavable
from loupe.brain.labels import noise
from loupe.brain.labels.noise import Noise

#: below this share of issues, as cleanlab estimates it, labels are wrong where the model is sure, and not where classes
#: look alike: there the absolute lead counts beside the odds. benchmarks.labels given
RARE = 0.05
#: cleanlab's estimate is made of so many samples at most
_ESTIMATED_ON = 100_000


@leavable
def fit(probabilities: np.ndarray, given: np.ndarray, threshold: float) -> Noise:
    """Returns how probable it is that each label is wrong, by a model's probabilities.

    ``wrong`` is scaled so that as many labels lie above the threshold as are estimated to be issues: where few are, by
    cleanlab's ``prune_by_noise_rate`` (Northcutt, Jiang & Chuang, Confident Learning, JAIR 70, 2021), else by the table
    of mix-ups of ``noise``.

    Args:
        probabilities: (N, K), rows sum to 1, of a model that was not trained on these labels
        given: (N,) int64 in 0 to K - 1
        threshold: in (0, 1), above which a label is an issue
    """
    learned = noise.fit([np.log(np.maximum(probabilities, noise.FLOOR))], given)
    rows = np.arange(len(given))
    own = probabilities[rows, given].astype(np.float64)
    others = probabilities.astype(np.float64)
    others[rows, given] = -1
    suggested = others.argmax(axis=1)
    best = others[rows, suggested]
    odds = best / np.maximum(best + own, 1e-12)
    estimated = _estimated(probabilities, given)
    if estimated < RARE * len(given):
        lead, count = (odds + (1 + best - own) / 2) / 2, max(estimated, int((learned.wrong > 0.5).sum()))
    else:
        lead, count = odds, int((learned.wrong > threshold).sum())
    return replace(
        learned,
        classes=probabilities,
        wrong=_scaled(lead, count, threshold).astype(np.float32),
        suggested=suggested,
        suggested_probability=best.astype(np.float32),
    )


def _estimated(probabilities: np.ndarray, given: np.ndarray) -> int:
    """Returns how many labels cleanlab estimates to be issues."""
    from cleanlab.filter import find_label_issues

    n = len(given)
    some = np.arange(n)
    if n > _ESTIMATED_ON:
        some = np.random.default_rng(0).choice(n, _ESTIMATED_ON, replace=False)
    # it knows classes that occur only, numbered without gaps
    present, labels = np.unique(given[some], return_inverse=True)
    if len(present) < 2:
        return 0
    table = np.asarray(probabilities[some][:, present], np.float64)
    table /= np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    flagged = find_label_issues(labels.ravel(), table, filter_by="prune_by_noise_rate", n_jobs=1)
    return round(float(np.mean(flagged)) * n)


def _scaled(lead: np.ndarray, count: int, threshold: float) -> np.ndarray:
    """Returns a lead in [0, 1] as scores in [0, 1], in the same order, ``count`` of them above the threshold."""
    order = np.sort(lead)[::-1]
    count = int(np.clip(count, 0, len(order)))
    last = order[count - 1] if count else 1.0
    first_out = order[count] if count < len(order) else 0.0
    # between the last that is flagged and the first that is not; where they tie, neither is
    cut = (last + first_out) / 2
    if not count:
        cut = 1.0
    below = threshold * lead / max(cut, 1e-12)
    above = threshold + (1 - threshold) * (lead - cut) / max(1 - cut, 1e-12)
    # clear of the threshold itself: as float32, and as the database holds it, .2 is more than .2
    under, over = threshold * (1 - 1e-6), threshold * (1 + 1e-6)
    return np.where(lead > cut, np.clip(above, over, 1), np.clip(below, 0, under))

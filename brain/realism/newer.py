"""Are newer models more useful? How their release dates and what their sets are worth go together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from loupe.brain.core.experiment import ArmResult, ByRelease
from loupe.brain.core.realism import Estimate

#: models of two dates or more, of fewer of which a rank correlation has no interval to speak of
MIN_MODELS = 5
#: what is held against the date, and what it is when it falls
MEASURES: dict[str, tuple[str, Callable[[ArmResult], float]]] = {
    "utility": ("useful", lambda arm: arm.utility.value),
    "precision": ("real-looking", lambda arm: arm.precision.value),
    "recall": ("diverse", lambda arm: arm.recall.value),
}


def correlation(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Returns Spearman's rank correlation with its 95 % interval; unknown of fewer than 5, or of one value on a side.

    Bonett & Wright, Sample size requirements for estimating Pearson, Kendall and Spearman correlations, Psychometrika
    65 (2000): of atanh(r) the variance is (1 + r² / 2) / (n - 3). At an end the interval is that of half a step of
    ranks before it: of five models in one order nobody knows that all are.

    >>> print(correlation([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]))
    -1 [-1, -0.632]
    """
    from scipy.stats import rankdata

    n = len(x)
    first, second = (rankdata(own) - (n + 1) / 2 for own in (x, y))
    spread = math.sqrt(float((first**2).sum() * (second**2).sum()))
    if n < MIN_MODELS or not spread > 0:
        return Estimate(math.nan, math.nan, math.nan)
    value = float((first * second).sum() / spread)
    limit = 1 - 6 / (n * (n * n - 1))
    center = min(max(value, -limit), limit)
    half = 1.959964 * math.sqrt((1 + center**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(center) - half), math.tanh(math.atanh(center) + half)
    return Estimate(value, min(low, value), max(high, value))


def by_release(arms: Sequence[ArmResult]) -> tuple[ByRelease, ...]:
    """Returns how measures go with the release date of the models: the mean of a model's arms stands for it.

    The arms of a model share its date, so that models are counted and not arms. Where all dated models have arms of a
    style, other styles are left out: else a model would be judged by how it was asked.
    """
    dated = [arm for arm in arms if arm.measured and arm.released]
    models = sorted({arm.model for arm in dated})
    common = {arm.style for arm in dated}
    for model in models:
        common &= {arm.style for arm in dated if arm.model == model}
    made = []
    for name, (_, value) in MEASURES.items():
        rows = []
        for model in models:
            own = [arm for arm in dated if arm.model == model and (not common or arm.style in common)]
            rows.append((own[0].released.ljust(10, " "), float(np.mean([value(arm) for arm in own]))))
        rows = [row for row in rows if not math.isnan(row[1])]
        place = {date: at for at, date in enumerate(sorted({date for date, _ in rows}))}
        known = correlation([place[date] for date, _ in rows], [number for _, number in rows])
        made.append(ByRelease(name, len(rows), known))
    return tuple(made) if models else ()


def sentences(known: Sequence[ByRelease]) -> tuple[str, ...]:
    """Returns what follows: are newer models surely more, or less, useful?"""
    if not known:
        return ()
    use = known[0]
    if math.isnan(use.correlation.value):
        return (
            f"Whether newer models are less useful {use.models} dated models do not tell: {MIN_MODELS} are needed.",
        )
    made = []
    for each in known:
        if math.isnan(each.correlation.value):
            continue
        words, own = MEASURES[each.measure][0], each.correlation
        if own.high < 0:
            follows = f"newer models are less {words}"
        elif own.low > 0:
            follows = f"newer models are more {words}"
        else:
            follows = f"that newer models are more or less {words} is not shown"
        made.append(f"{follows} (rank correlation of release date and {each.measure} {own})")
    return (f"Of {use.models} models with a release date: {'; '.join(made)}.",)

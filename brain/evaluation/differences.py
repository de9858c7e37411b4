"""How much more often one model is right than another, on the same images. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from loupe.brain.core.evaluation import AccuracyDifference
from loupe.brain.evaluation.classification import Classified
from loupe.brain.evaluation.labels import Labels
from loupe.brain.evaluation.slicing import Model
from loupe.brain.slicing.comparison import differences_of, paired_counts


def differences(
    labels: Labels, models: Sequence[Model], confidence: float | None = None, interval: float = 0.95
) -> list[AccuracyDifference]:
    """Returns the difference in accuracy of each two models, the later against the earlier, on what both judged.

    Paired: what both get right, or both wrong, tells nothing. Images of one cluster count as fewer.

    Args:
        labels: what was read
        models: what each did; none but those of a classification are compared
        confidence: the threshold; None: every prediction counts
        interval: how sure the intervals are, in (0, 1)
    """
    if labels.kind != "classification":
        return []
    wrong = {model.name: _wrong(model, len(labels.ids), confidence) for model in models}
    couples, lines = [], []
    for earlier, later in combinations(models, 2):
        both = earlier.judged & later.judged
        clusters = np.unique(labels.cluster[both], return_inverse=True)[1]
        alone = not len(clusters) or int(clusters.max()) + 1 == len(clusters)
        couples.append((earlier.name, later.name))
        own = wrong[earlier.name][both], wrong[later.name][both]
        lines.append(paired_counts(*own, None if alone else clusters, interval))
    return [
        AccuracyDifference(
            model=each.b,
            against=each.a,
            n=each.n,
            only_model=round(each.only_a),  # only the other one is wrong
            only_against=round(each.only_b),
            difference=each.difference,
            low=each.low,
            high=each.high,
            p=each.p_adjusted,
        )
        for each in differences_of(couples, lines, interval)
    ]


def _wrong(model: Model, n: int, confidence: float | None) -> np.ndarray:
    """Returns (n,) 1 where the model is wrong, 0 where it is right; NaN where it said nothing."""
    made = np.full(n, np.nan)
    assert isinstance(model.whole, Classified)
    made[model.judged] = model.whole.answers(confidence) != model.whole.truth
    return made

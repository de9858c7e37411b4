"""Two models on the same images: against counts by hand, McNemar's test, and the direction of the sign."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.evaluation import Evaluation
from loupe.brain.evaluation.assemble import assemble, evaluation
from loupe.brain.evaluation.labels import Labels, Side
from loupe.brain.evaluation.measure import Setting
from loupe.brain.evaluation.slicing import Options
from loupe.brain.stats import differences as stats

N = 300


def _side(codes: np.ndarray, score: np.ndarray | None = None) -> Side:
    return Side(codes >= 0, codes, np.full(len(codes), np.nan) if score is None else score)


def _labels(seed: int, cluster: np.ndarray | None = None, score: np.ndarray | None = None) -> Labels:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, N)
    guesses = {
        name: np.where(rng.random(N) < right, truth, (truth + 1) % 4) for name, right in (("old", 0.7), ("new", 0.9))
    }
    guesses["new"][:20] = -1  # it says nothing of these
    sides = {name: _side(codes, score) for name, codes in guesses.items()}
    groups = np.arange(N) if cluster is None else cluster
    return Labels("classification", [str(at) for at in range(N)], tuple("abcd"), groups, _side(truth), sides)


def _evaluated(labels: Labels, confidence: float | None = None) -> Evaluation:
    return evaluation(assemble(labels, {}, Options(), {}), Setting(confidence, 0.95, 50, 0, 1), "truth")


@pytest.mark.parametrize("seed", range(3))
def test_a_difference_is_that_of_the_images_that_both_judged(seed: int) -> None:
    labels = _labels(seed)
    result = _evaluated(labels)
    made = result.difference("new", "old")
    truth, old, new = (
        side.label[20:]  # type: ignore[index]
        for side in (labels.truth, labels.models["old"], labels.models["new"])
    )
    only_new, only_old = int(((new == truth) & (old != truth)).sum()), int(((new != truth) & (old == truth)).sum())
    assert (made.n, made.only_model, made.only_against) == (N - 20, only_new, only_old)
    assert made.difference == pytest.approx((new == truth).mean() - (old == truth).mean())
    assert (made.low, made.high) == pytest.approx(tuple(map(float, stats.paired(only_new, only_old, N - 20))))
    assert 0 < made.low < made.difference < made.high
    exact = binomtest(min(only_new, only_old), only_new + only_old).pvalue
    assert 0 < made.p <= exact, "McNemar's mid-p is a little below the exact one"
    back = result.difference("old", "new")
    assert (back.model, back.difference, back.low, back.high) == ("old", -made.difference, -made.high, -made.low)
    assert str(made).startswith("new against old: accuracy +")
    assert str(made) in repr(result)


def test_images_that_belong_together_count_as_fewer() -> None:
    whole = _evaluated(_labels(0)).differences[0]
    labels = _labels(0)
    rows = np.repeat(np.arange(20, N), 2)  # every image twice
    twice = Labels(
        "classification",
        [str(at) for at in range(len(rows))],
        labels.classes,
        rows,
        _side(labels.truth.label[rows]),  # type: ignore[index]
        {name: _side(side.label[rows]) for name, side in labels.models.items()},  # type: ignore[index]
    )
    doubled = _evaluated(twice).differences[0]
    assert doubled.difference == pytest.approx(whole.difference)
    assert doubled.high - doubled.low == pytest.approx(whole.high - whole.low, rel=0.02)


def test_what_is_not_sure_enough_is_not_right() -> None:
    score = np.linspace(0, 1, N)
    labels = _labels(1, score=score)
    half = _evaluated(labels, 0.5).differences[0]
    sure = score[20:] >= 0.5
    truth, old = (side.label[20:] for side in (labels.truth, labels.models["old"]))  # type: ignore[index]
    new = labels.models["new"].label[20:]  # type: ignore[index]
    assert half.only_model == int((sure & (new == truth) & (old != truth)).sum())


def test_names_that_are_no_models_are_refused() -> None:
    result = _evaluated(_labels(0))
    with pytest.raises(UnknownName, match="'newer'"):
        result.difference("newer", "old")
    with pytest.raises(InputError, match="'old' twice"):
        result.difference("old", "old")


def test_models_that_judged_no_image_in_common() -> None:
    labels = _labels(0)
    old = labels.models["old"].label
    assert old is not None
    old[20:] = -1
    apart = Labels(
        "classification",
        labels.ids,
        labels.classes,
        labels.cluster,
        labels.truth,
        {"old": _side(old), "new": labels.models["new"]},
    )
    made = _evaluated(apart).difference("new", "old")
    assert made.n == 0
    assert np.isnan([made.difference, made.low, made.high, made.p]).all()
    assert str(made) == "new and old: not compared, no image was judged by both"

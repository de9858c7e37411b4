"""Do labels fit pictures: against scikit-learn out-of-fold, on sets whose wrong labels are known."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.realism import alignment
from loupe.brain.realism.blocks import Labeled, cut

K, SIZE = 4, 12
MEANS = np.random.default_rng(77).normal(0, 0.6, (K, SIZE))


def _drawn(seed: int, n: int, wrong: float = 0.0, only: int | None = None) -> Labeled:
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % K
    vectors = (MEANS[classes] + rng.normal(size=(n, SIZE))).astype(np.float32)
    turned = (rng.random(n) < wrong) & (True if only is None else classes == only)
    return Labeled(vectors, np.where(turned, (classes + rng.integers(1, K, n)) % K, classes))


def test_the_share_of_real_labels_is_that_of_classifiers_that_have_not_seen_them() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    real = _drawn(0, 400)
    made = alignment.aligned(real, _drawn(1, 200), K)
    right = np.zeros(400)
    for block in cut(real, K, np.random.default_rng(0)):
        rest = np.setdiff1d(np.arange(400), block.index)
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)
        peer.fit(real.vectors[rest], real.classes[rest])
        right[block.index] = peer.predict(real.vectors[block.index]) == real.classes[block.index]
    assert made.all.real == pytest.approx(right.mean(), abs=0.015)
    assert made.real.shape == (400,)
    assert made.synthetic.shape == (200,)
    assert ((made.real >= 0) & (made.real <= 1)).all()
    judged_right = right == 1
    assert made.real[judged_right].mean() > 2 * made.real[~judged_right].mean()


def test_a_second_real_set_has_a_ratio_of_1_as_often_as_its_interval_says() -> None:
    known = [alignment.aligned(_drawn(2 * at, 240), _drawn(2 * at + 1, 240), K).all.ratio for at in range(60)]
    assert np.mean([each.value for each in known]) == pytest.approx(1, abs=0.015)
    assert np.mean([each.low <= 1 <= each.high for each in known]) >= 0.87


def test_wrong_labels_lower_it_by_their_share_and_are_the_least_probable() -> None:
    order = np.random.default_rng(5).permutation(600)
    synthetic = _drawn(1, 600, wrong=0.4).take(order)
    made = alignment.aligned(_drawn(0, 600), synthetic, K)
    assert made.all.ratio.high < 0.8
    wrong = synthetic.classes != order % K
    assert np.median(made.synthetic[wrong]) < 0.1 < 0.5 < np.median(made.synthetic[~wrong])


def test_the_class_whose_pictures_are_others_stands_out() -> None:
    synthetic = _drawn(1, 800)
    classes = synthetic.classes.copy()
    shown = np.flatnonzero(classes == 1)[:100]
    classes[shown] = 2  # pictures of class 1 for the label 2
    made = alignment.aligned(_drawn(0, 800), Labeled(synthetic.vectors, classes), K)
    assert int(np.argmin([each.ratio.value for each in made.by])) == 2
    assert made.by[2].ratio.high < 0.85
    assert made.by[0].ratio.high > 1


def test_few_samples_and_a_classifier_that_knows_nothing_are_not_known() -> None:
    real, few = _drawn(0, 400), _drawn(1, 60)
    made = alignment.aligned(real, few, K)
    assert all(np.isnan(each.ratio.value) for each in made.by), "15 of a class"
    assert np.isfinite(made.all.ratio.value)
    alike = Labeled(np.ones((400, SIZE), np.float32), real.classes)
    blind = alignment.aligned(alike, few, K)
    assert blind.all.real < 0.4
    sure = alignment.aligned(Labeled(MEANS[real.classes].astype(np.float32), real.classes), few, K).all
    assert sure.real == 1
    assert sure.real_interval[0] < 1


def test_groups_stay_together_and_widen_the_interval() -> None:
    real, synthetic = _drawn(0, 400), _drawn(1, 400)
    plain = alignment.aligned(real, synthetic, K).all.ratio
    groups = np.repeat(np.arange(40), 10)
    order = np.argsort(synthetic.classes + (synthetic.vectors @ MEANS.T).argmax(axis=1) * K, kind="stable")
    tied = synthetic.take(order)
    grouped = alignment.aligned(real, Labeled(tied.vectors, tied.classes, groups), K).all.ratio
    assert grouped.high - grouped.low > 1.3 * (plain.high - plain.low)

"""Transfer tests: arms, halves, the learning curve, and what they say of sets that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.realism import Estimate
from loupe.brain.realism import blocks, transfer
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.curve import Curve, Point
from loupe.brain.realism.estimates import difference, share, spread
from loupe.brain.realism.learners import LEARNERS

K, SIZE = 4, 12
MEANS = np.random.default_rng(77).normal(0, 0.6, (K, SIZE))


def _drawn(seed: int, n: int, *, noise: float = 1.0, wrong: float = 0.0, shift: float = 0.0) -> Labeled:
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % K
    vectors = (MEANS[classes] + noise * rng.normal(size=(n, SIZE)) + shift).astype(np.float32)
    turned = rng.random(n) < wrong
    return Labeled(vectors, np.where(turned, rng.integers(0, K, n), classes))


@pytest.fixture(scope="module")
def as_real() -> transfer.Measured:
    return transfer.measure(_drawn(0, 800), _drawn(1, 800), _drawn(2, 800), K)


def test_a_second_real_set_is_as_good_as_the_first(as_real: transfer.Measured) -> None:
    for estimate in (as_real.gap, as_real.asymmetry, as_real.narrowness, as_real.foreignness):
        assert estimate.low < 0 < estimate.high
        assert abs(estimate.value) < 0.05
    assert as_real.utility.value == pytest.approx(1, abs=0.1)
    assert as_real.utility.low < 1 < as_real.utility.high
    assert as_real.chance == 0.25
    assert as_real.gain.value > -0.01


def test_the_accuracy_is_that_of_a_discriminant_trained_on_those_samples(as_real: transfer.Measured) -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    real, test, synthetic = _drawn(0, 800), _drawn(1, 800), _drawn(2, 800)
    for name, known in (("R→R", real), ("S→R", synthetic)):
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5).fit(known.vectors, known.classes)
        assert as_real.arms[name].accuracy.value == pytest.approx(peer.score(test.vectors, test.classes), abs=0.006)
    arm = as_real.arms["R→R"]
    expected = [arm.correct[test.classes == each].mean() for each in range(K)]
    assert arm.recall.tolist() == pytest.approx(expected)
    assert arm.n_train == 800
    assert as_real.arms["R+S→R"].n_train == 1600
    assert as_real.arms["S→S"].n_train == 700


def test_probabilities_of_a_discriminant_are_calibrated_on_its_own_set(as_real: transfer.Measured) -> None:
    assert as_real.arms["R→R"].calibration_error < 0.06
    sharp = transfer.measure(_drawn(0, 800), _drawn(1, 800), _drawn(2, 800, noise=0.3), K)
    assert sharp.arms["S→R"].calibration_error > 2 * as_real.arms["S→R"].calibration_error


def test_a_narrow_set_tells_of_itself_more_than_of_the_real_one() -> None:
    made = transfer.measure(_drawn(0, 800), _drawn(1, 800), _drawn(2, 800, noise=0.2), K)
    assert made.narrowness.low > 0.05
    assert made.foreignness.low > 0
    assert made.asymmetry.low > 0


def test_wrong_labels_show_on_the_synthetic_side_only() -> None:
    made = transfer.measure(_drawn(0, 800), _drawn(1, 800), _drawn(2, 800, wrong=0.4), K)
    assert made.narrowness.high < -0.1
    assert made.foreignness.high < -0.1
    assert made.arms["S→R"].accuracy.value > made.arms["S→S"].accuracy.value + 0.1


def test_a_useless_set_is_worth_nothing() -> None:
    rng = np.random.default_rng(5)
    junk = Labeled(rng.normal(size=(400, SIZE)).astype(np.float32), np.arange(400) % K)
    made = transfer.measure(_drawn(0, 800), _drawn(1, 800), junk, K)
    assert made.utility.high < 0.5
    assert made.equivalent_real_size.value == 0
    assert made.gap.low > 0.2


def test_more_of_the_same_is_worth_as_many_real_samples() -> None:
    made = transfer.measure(_drawn(0, 1600), _drawn(1, 2000), _drawn(2, 400), K)
    size = made.equivalent_real_size
    assert size.low < 400 < size.high
    assert 100 < size.value < 1600
    accuracies = [estimate.value for _, estimate in made.curve.rows()]
    assert accuracies[0] < accuracies[-1]
    assert [n for n, _ in made.curve.rows()] == [200, 400, 600, 800, 1200, 1600]


def test_the_order_of_samples_and_the_seed_decide_the_draws_only() -> None:
    real, test, synthetic = _drawn(0, 800), _drawn(1, 800), _drawn(2, 800)
    once, again = (transfer.measure(real, test, synthetic, K, seed=3) for _ in range(2))
    assert once.gap == again.gap
    assert once.equivalent_real_size == again.equivalent_real_size
    other = transfer.measure(real, test, synthetic, K, seed=4)
    # all samples of both sets are matched: the arms are the same whoever draws
    assert other.arms["R→R"].accuracy.value == once.arms["R→R"].accuracy.value


def test_logistic_regression_orders_the_arms_alike() -> None:
    sets = _drawn(0, 400), _drawn(1, 600), _drawn(2, 400, noise=2.0)
    made = {name: transfer.measure(*sets, K, learner_name=name) for name in LEARNERS}
    orders = [sorted(("R→R", "S→R"), key=lambda arm: each.arms[arm].accuracy.value) for each in made.values()]
    assert orders[0] == orders[1]
    for arm in ("R→R", "S→R", "R→S"):
        assert abs(made["discriminant"].arms[arm].accuracy.value - made["logistic"].arms[arm].accuracy.value) < 0.08


def test_intervals_cover_what_another_draw_of_everything_gives() -> None:
    """The gap of endless draws, from 300 runs' mean; each run's interval is to hold it in about 95 of 100."""
    gaps = [
        transfer.measure(_drawn(3 * at, 160), _drawn(3 * at + 1, 200), _drawn(3 * at + 2, 160, noise=1.5), K).gap
        for at in range(60)
    ]
    truth = np.mean([gap.value for gap in gaps])
    covered = np.mean([gap.low <= truth <= gap.high for gap in gaps])
    assert covered >= 0.87
    assert np.mean([gap.high - gap.low for gap in gaps]) < 6 * np.std([gap.value for gap in gaps])


def test_samples_of_one_prompt_stay_in_one_block_and_widen_the_interval() -> None:
    real = _drawn(0, 400)
    groups = np.repeat(np.arange(40), 10)
    made = blocks.cut(Labeled(real.vectors, real.classes, groups), K, np.random.default_rng(0))
    of = {int(groups[at]): number for number, block in enumerate(made) for at in block.index}
    assert all(of[int(groups[at])] == number for number, block in enumerate(made) for at in block.index)
    alone, together = (
        share(np.repeat(np.arange(40) % 2 == 0, 10), clusters, np.zeros((0, 400)))
        for clusters in (np.arange(400), groups)
    )
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


def test_matched_sets_have_as_many_of_each_class() -> None:
    a, b = _drawn(0, 100), Labeled(_drawn(1, 60).vectors, np.repeat([0, 1, 2], [40, 15, 5]))
    ours, theirs = blocks.matched(a, b, K, np.random.default_rng(0))
    assert np.bincount(a.classes[ours], minlength=K).tolist() == [25, 15, 5, 0]
    assert np.bincount(b.classes[theirs], minlength=K).tolist() == [25, 15, 5, 0]
    assert len(set(ours)) == len(ours)


def test_blocks_have_the_classes_in_the_same_shares() -> None:
    made = blocks.cut(_drawn(0, 400), K, np.random.default_rng(0))
    for block in made:
        assert np.bincount(block.classes, minlength=K).min() >= 12
    assert sorted(np.concatenate([block.index for block in made])) == list(range(400))


def test_halves_come_with_what_they_left_out() -> None:
    made = blocks.halves(8, 6, np.random.default_rng(0))
    for first, second in zip(made[::2], made[1::2], strict=True):
        assert sorted([*first, *second]) == list(range(8))
        assert len(first) == 4


def test_spread_of_clusters_is_that_of_their_sums() -> None:
    values, clusters = np.array([1.0, 1, 0, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2])
    sums = np.array([2, 0, 1]) - 1.0
    assert spread(values, clusters) == (pytest.approx((sums**2).sum() / 36 * 3 / 2), 2)
    assert spread(values, np.arange(6))[0] == pytest.approx(values.var(ddof=1) / 6)


def test_a_difference_without_any_spread_is_exact() -> None:
    assert difference(np.zeros(9), np.arange(9), [np.zeros((3, 9))]) == Estimate(0, 0, 0)


def test_a_size_beyond_the_curve_is_said_and_not_extrapolated() -> None:
    points = tuple(
        Point(n, np.repeat([1.0, 0.0], [round(200 * at), 200 - round(200 * at)]), np.array([at, at]))
        for n, at in ((100, 0.5), (200, 0.6), (400, 0.7))
    )
    curve, rng = Curve(points, np.arange(200)), np.random.default_rng(0)

    def size(accuracy: float) -> float:
        right = np.repeat([1.0, 0.0], [round(200 * accuracy), 200 - round(200 * accuracy)])
        return curve.size_of(right, 0.0, np.arange(200), rng).value

    assert size(0.4) == 0
    assert size(0.8) == math.inf
    assert size(0.6) == pytest.approx(200)
    assert size(0.65) == pytest.approx(math.sqrt(200 * 400))


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="at least 50 real samples to test on, got 40"):
        transfer.measure(_drawn(0, 100), _drawn(1, 40), _drawn(2, 100), K)
    with pytest.raises(InputError, match="at least 20 synthetic samples of 4 classes to train on, got 12"):
        transfer.measure(_drawn(0, 100), _drawn(1, 100), _drawn(2, 12), K)
    with pytest.raises(InputError, match="at least two classes"):
        transfer.measure(_drawn(0, 100), _drawn(1, 100), _drawn(2, 100), 1)
    with pytest.raises(UnknownName, match=r"unknown learner 'logistics'\. Did you mean 'logistic'"):
        transfer.measure(_drawn(0, 100), _drawn(1, 100), _drawn(2, 100), K, learner_name="logistics")


def test_of_long_vectors_the_leading_axes_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve numbers that matter among many that are small: what is left out is not missed."""
    rng = np.random.default_rng(8)
    turn = np.linalg.qr(rng.normal(size=(40, 40)))[0][:SIZE].astype(np.float32)

    def longer(labeled: Labeled) -> Labeled:
        noise = 0.05 * rng.normal(size=(len(labeled.classes), 40))
        return Labeled((labeled.vectors @ turn + noise).astype(np.float32), labeled.classes)

    sets = [longer(_drawn(seed, 400)) for seed in range(3)]
    whole = transfer.measure(*sets, K)
    monkeypatch.setattr(transfer, "MAX_NUMBERS", 14)
    short = transfer.measure(*sets, K)
    for name in whole.arms:
        assert short.arms[name].accuracy.value == pytest.approx(whole.arms[name].accuracy.value, abs=0.02)


def test_what_is_held_out_was_not_trained_on() -> None:
    """Labels by chance, and about as many numbers as samples: whoever has seen a sample knows its label."""
    rng = np.random.default_rng(11)

    def junk(n: int) -> Labeled:
        return Labeled(rng.normal(size=(n, 120)).astype(np.float32), np.arange(n) % K)

    made = transfer.measure(junk(160), junk(400), junk(160), K)
    for name in ("S→S", "R→R held out"):
        assert made.arms[name].accuracy.value == pytest.approx(0.25, abs=0.11)

"""The probability that a label is wrong means what it says, and a class that is taken for one other is told."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.labels.noise import fit, softmax


def drawn(seed: int, table: np.ndarray, n: int = 4000, sharpness: float = 1.0) -> tuple[np.ndarray, ...]:
    """Returns log-probabilities that are honest but for a factor, the true classes, and labels by a table."""
    rng = np.random.default_rng(seed)
    classes = len(table)
    honest = softmax(3 * rng.normal(size=(n, classes)))
    true = (rng.random(n)[:, None] > honest.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    given = (rng.random(n)[:, None] > table[true].cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    return np.log(honest) * sharpness, true, given


UNIFORM = 0.85 * np.eye(4) + 0.15 / 4
ONE_FOR_ANOTHER = np.eye(4)
ONE_FOR_ANOTHER[1] = [0, 0.7, 0.3, 0]


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("table", [UNIFORM, ONE_FOR_ANOTHER], ids=["by chance", "one for another"])
def test_it_is_calibrated_and_undoes_what_is_too_sure(table: np.ndarray, sharpness: float) -> None:
    logs, true, given = drawn(0, table, n=20_000, sharpness=sharpness)
    made = fit([logs], given)
    wrong = given != true
    assert made.weights[0] * sharpness == pytest.approx(1, abs=0.15)
    assert np.abs(made.table - table).max() < 0.06
    assert made.share == pytest.approx(wrong.mean(), abs=0.02)
    for low, high in ((0, 0.1), (0.1, 0.4), (0.4, 0.8), (0.8, 1.01)):
        inside = (made.wrong >= low) & (made.wrong < high)
        if inside.sum() > 60:
            assert made.wrong[inside].mean() == pytest.approx(wrong[inside].mean(), abs=0.08)


def test_it_is_bayes_rule() -> None:
    logs, _, given = drawn(1, UNIFORM, n=500)
    made = fit([logs], given)
    for row in range(0, 500, 50):
        after = made.classes[row] * made.table[:, given[row]]
        after /= after.sum()
        assert made.wrong[row] == pytest.approx(1 - after[given[row]], abs=1e-5)
        others = np.delete(np.arange(4), given[row])
        assert made.suggested[row] == others[after[others].argmax()]
        assert made.suggested_probability[row] == pytest.approx(after[others].max(), abs=1e-5)
    assert (made.suggested != given).all()
    assert made.table.sum(axis=1) == pytest.approx(np.ones(4))


def test_a_probe_that_knows_nothing_does_not_count() -> None:
    logs, _, given = drawn(2, UNIFORM)
    useless = np.log(softmax(np.random.default_rng(9).normal(size=logs.shape)))
    both, alone = fit([logs, useless], given), fit([logs], given)
    assert both.weights[1] < 0.1 * both.weights[0]
    assert np.abs(both.wrong - alone.wrong).mean() < 0.02


def test_right_labels_are_left_alone() -> None:
    logs, true, _ = drawn(3, np.eye(4))
    sure = np.log(0.97 * np.eye(4)[true] + 0.01)
    made = fit([sure], true)
    assert made.share < 0.01
    assert made.wrong.max() < 0.2
    assert logs.shape == (4000, 4)


def test_many_samples_are_fitted_on_some_and_told_for_all() -> None:
    logs, true, given = drawn(4, UNIFORM, n=30_000)
    made = fit([logs.astype(np.float32)], given)
    assert made.wrong.shape == (30_000,)
    assert made.share == pytest.approx((given != true).mean(), abs=0.02)

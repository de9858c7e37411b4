"""A class that is wrongly given or missing is found; probabilities mean what they say; cleanlab finds no more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from loupe.brain.labels import multilabel
from loupe.brain.labels.multilabel import MultiNoise, fit
from loupe.brain.labels.one_vs_rest import OneVsRest


def drawn(
    seed: int, added: list[float], missed: list[float], n: int = 4000, sharpness: float = 1.0, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns log-odds that are honest but for a factor and an offset, the true classes, and given ones by a table."""
    rng = np.random.default_rng(seed)
    odds = 4 * rng.normal(size=(n, len(added))) - 1
    true = rng.random(odds.shape) < expit(odds)
    given = np.where(true, rng.random(odds.shape) >= missed, rng.random(odds.shape) < added)
    return odds * sharpness + shift, true, given


def doubts(made: MultiNoise, shape: tuple[int, ...]) -> np.ndarray:
    table = np.full(shape, np.nan)
    table[made.rows, made.columns] = made.wrong
    return table


def of(odds: np.ndarray, given: np.ndarray, **settings: float) -> MultiNoise:
    settings.setdefault("limit", -1.0)
    return fit(lambda block: [odds[:, block]], sparse.csc_matrix(given.astype(np.int8)), **settings)


@pytest.mark.parametrize(("sharpness", "shift"), [(1.0, 0.0), (0.5, 0.0), (2.0, 1.0)])
def test_it_is_calibrated_and_learns_the_noise_of_each_class(sharpness: float, shift: float) -> None:
    added, missed = [0.0, 0.05, 0.15], [0.3, 0.1, 0.0]
    odds, true, given = drawn(0, added, missed, n=20_000, sharpness=sharpness, shift=shift)
    made = of(odds, given)
    assert np.abs(made.added - added).max() < 0.01
    assert np.abs(made.missed - missed).max() < 0.02
    table, wrong = doubts(made, given.shape), given != true
    assert made.expected[0] == pytest.approx((wrong & given).sum(), rel=0.06)
    assert made.expected[1] == pytest.approx((wrong & ~given).sum(), rel=0.06)
    for low, high in ((0, 0.1), (0.1, 0.4), (0.4, 0.8), (0.8, 1.01)):
        inside = (table >= low) & (table < high)
        assert table[inside].mean() == pytest.approx(wrong[inside].mean(), abs=0.06)
    assert made.score == pytest.approx(table.max(axis=1))
    assert made.any_wrong.mean() == pytest.approx(wrong.any(axis=1).mean(), abs=0.02)
    absent = np.where(given, 0, table)
    assert made.other.tolist() == np.where(given.all(axis=1), -1, absent.argmax(axis=1)).tolist()
    assert made.other_probability == pytest.approx(absent.max(axis=1))


def test_doubts_are_listed_by_sample_the_worst_first_and_above_the_limit_only() -> None:
    odds, _, given = drawn(1, [0.1] * 4, [0.1] * 4, n=600)
    every, some = of(odds, given), of(odds, given, limit=0.3)
    table = doubts(every, given.shape)
    assert not np.isnan(table).any()
    assert len(some.wrong) == (table > 0.3).sum() > 20
    assert (some.wrong > 0.3).all()
    keys = list(zip(some.rows.tolist(), (-some.wrong).tolist(), strict=True))
    assert keys == sorted(keys)


def test_blocks_of_classes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    odds, _, given = drawn(2, [0.1] * 7, [0.1] * 7, n=500)
    whole = of(odds, given, limit=0.2)
    monkeypatch.setattr(multilabel, "_BLOCK", 2 * 500)
    steps: list[tuple[int, int]] = []
    parts = of(odds, given, limit=0.2, step=lambda done, total: steps.append((done, total)))  # type: ignore[arg-type]
    assert steps == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert parts.columns.tolist() == whole.columns.tolist()
    assert np.allclose(parts.wrong, whole.wrong)
    assert np.allclose(parts.expected, whole.expected)


def test_many_samples_are_drawn_and_a_rare_class_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    odds, true, given = drawn(3, [0.05, 0.0], [0.05, 0.2], n=20_000)
    odds[:, 1] -= 6
    true[:, 1] &= np.random.default_rng(0).random(20_000) < expit(-6)
    given[:, 1] &= true[:, 1]
    whole = of(odds, given)
    monkeypatch.setattr(multilabel, "_FITTED_ON", 2000)
    drawn_only = of(odds, given)
    assert np.abs(drawn_only.added - whole.added).max() < 0.03
    assert np.abs(drawn_only.missed - whole.missed).max() < 0.06
    assert np.abs(drawn_only.score - whole.score).mean() < 0.02


def test_a_class_of_too_few_is_not_judged() -> None:
    odds, _, given = drawn(4, [0.0] * 4, [0.0] * 4, n=100)
    given[:, 0], given[:, 1] = False, True
    given[:, 2] = np.arange(100) < 3
    made = of(odds, given, min_count=5, limit=-1)
    assert np.isnan(made.added).tolist() == [True, True, True, False]
    assert (doubts(made, given.shape)[:, :3] == 0).all()


def test_what_is_not_given_may_say_nothing() -> None:
    odds, true, given = drawn(5, [0.1] * 3, [0.4] * 3, n=3000)
    made = of(odds, given, only_given=True, limit=0.5)
    assert given[made.rows, made.columns].all()
    assert not true[made.rows, made.columns].mean() > 0.3
    assert made.expected[1] == 0


@pytest.mark.parametrize("kind", ["balanced", "missing"])
def test_cleanlab_finds_no_more_of_what_was_injected(kind: str) -> None:
    from cleanlab.internal.multilabel_utils import onehot2int
    from cleanlab.multilabel_classification import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import cross_val_predict

    rng = np.random.default_rng(6)
    true = rng.random((800, 6)) < 0.2
    vectors = true @ rng.normal(size=(6, 32)) + 1.2 * rng.normal(size=(800, 32))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    wrong = (rng.random(true.shape) < np.where(true, 0.1, 0.025 if kind == "balanced" else 0)).astype(bool)
    given = true ^ wrong
    theirs = np.stack(
        [
            cross_val_predict(LogisticRegression(C=10), 5 * unit, own, cv=5, method="predict_proba")[:, 1]
            for own in given.T
        ],
        axis=1,
    )
    quality = get_label_quality_scores(onehot2int(given.astype(int)), theirs)
    table = sparse.csc_matrix(given.astype(np.int8))
    made = fit(OneVsRest(unit, table).log_odds, table, limit=-1)
    bad = wrong.any(axis=1)
    ours = average_precision_score(bad, made.score)
    assert ours > average_precision_score(bad, 1 - quality) + 0.05
    assert ours > 0.7
    # with the same probabilities, too
    given_probabilities = np.log(theirs / (1 - theirs))
    same = fit(lambda block: [given_probabilities[:, block]], table, limit=-1)
    assert average_precision_score(bad, same.score) > average_precision_score(bad, 1 - quality)


def test_what_is_drawn_stands_for_all() -> None:
    rng = np.random.default_rng(7)
    given = rng.random((5000, 3)) < [0.002, 0.5, 0.999]
    part = rng.normal(size=(5000, 3)).astype(np.float32)
    labels, stacked, counted = multilabel._drawn([part], given, 400)
    assert labels.shape == counted.shape == (400, 3)
    assert stacked.shape == (2, 400, 3)
    # of the rare side every sample is there, and each of the others counts for those left out
    assert (counted * labels).sum(axis=0) == pytest.approx(given.sum(axis=0))
    assert counted.sum(axis=0) == pytest.approx([5000] * 3)
    assert labels[:, 0].sum() == given[:, 0].sum()
    assert (~labels[:, 2]).sum() == (~given[:, 2]).sum()
    assert np.isin(stacked[0, :, 1], part[:, 1]).all()

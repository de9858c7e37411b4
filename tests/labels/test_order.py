"""Labels that depend on the order of samples: planted blocks are found, and the tests are those of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.labels.shortcut_results import Settings, order_of, usable

N = 600
SETTINGS = Settings(permutations=199)


def order(labels: np.ndarray, place: np.ndarray, vectors: np.ndarray | None = None, groups: Any = None) -> Any:
    given = usable(labels, [f"c{at}" for at in range(int(labels.max()) + 1)], "label", SETTINGS)
    groups = np.arange(len(labels)) if groups is None else groups
    ids = [str(at) for at in range(len(labels))]
    held = None

    if vectors is not None:
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

        def held(wanted: Any) -> Any:
            return unit[[int(each) for each in wanted]], np.arange(len(wanted))

    return order_of(given, place, groups, "time", SETTINGS, held, "vectors" if held else "", ids)


def test_labels_in_blocks_and_look_alikes_in_blocks_are_two_things() -> None:
    rng = np.random.default_rng(8)
    n = 400
    shuffled, sorted_labels = rng.integers(0, 2, n), np.repeat([0, 1], n // 2)
    noise = rng.normal(size=(n, 16))
    place = np.arange(n, dtype=float)
    assert order(shuffled, place, noise).sentences() == []
    by_class = order(sorted_labels, place, noise + 3 * sorted_labels[:, None])
    # Datalab calls this non-IID, too; within the classes the order says nothing
    assert by_class.repeats_p < 1e-10
    assert by_class.distance_p < 0.05 < by_class.within_p
    assert [each.label for each in by_class.drifting if each.q < 0.05]
    (sentence,) = by_class.sentences()
    assert "labels depend on time" in sentence
    scenes = np.repeat(rng.normal(size=(n // 20, 16)), 20, axis=0)
    in_scenes = order(shuffled, place, scenes + 0.5 * noise)
    assert in_scenes.within_p < 0.05
    assert in_scenes.distance > 0.2
    (sentence,) = in_scenes.sentences()
    assert "in blocks" in sentence
    assert "loupe.split" in sentence


def test_groups_stand_in_the_order_once_and_what_has_no_time_is_left_out() -> None:
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(60), 5)
    labels = rng.integers(0, 2, 60)[groups]
    place = np.arange(300, dtype=float)
    assert order(labels, place).repeats_p < 1e-6
    made = order(labels, place, groups=groups)
    assert (made.n, made.repeats_p > 0.01) == (60, True)
    place[:10] = np.nan
    assert (order(labels, place).n, order(labels, place).without) == (290, 10)
    assert order(labels, np.full(300, np.nan)) is None
    # all at one time: no order, by chance and not as they are stored
    assert order(np.repeat([0, 1], 150), np.zeros(300)).repeats_p > 0.001


def test_the_runs_test_is_that_of_statsmodels_and_of_permutations() -> None:
    from statsmodels.sandbox.stats.runs import runstest_1samp

    from loupe.brain.labels.order import repeats_p

    rng = np.random.default_rng(10)
    labels = np.sort(rng.integers(0, 2, 200).reshape(20, 10), axis=1).ravel()
    same, expected, p = repeats_p(labels)
    z, two_sided = runstest_1samp(labels, cutoff=0.5, correction=True)
    assert z < 0
    assert p == pytest.approx(two_sided / 2, rel=0.1)
    three = rng.integers(0, 3, 50)
    drawn = np.array([repeats_p(rng.permutation(three))[0] for _ in range(4000)])
    assert repeats_p(three)[1] == pytest.approx(drawn.mean(), abs=0.2)
    level = np.quantile(drawn, 0.95)
    assert 0.02 < (drawn >= level).mean() < 0.12
    assert expected == pytest.approx((np.bincount(labels) ** 2).sum() / 200 - 1)
    assert same == (labels[1:] == labels[:-1]).sum()
    assert repeats_p(np.zeros(20, int))[2] == 1.0


def test_nearness_is_datalabs_statistic_with_a_p_of_permutations() -> None:
    from cleanlab.datalab.internal.issue_manager.noniid import NonIIDIssueManager

    from loupe.brain.labels.order import _neighbors, nearness

    rng = np.random.default_rng(11)
    n = 300
    for vectors, is_issue in (
        (rng.normal(size=(n, 8)), False),
        (np.repeat(rng.normal(size=(15, 8)), 20, axis=0) + 0.3 * rng.normal(size=(n, 8)), True),
    ):
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        made = nearness(unit, np.arange(n), np.zeros(n, int), permutations=199)
        theirs = NonIIDIssueManager.__new__(NonIIDIssueManager)
        theirs.N, theirs.background_distribution = n, None
        apart = np.abs(np.arange(n)[:, None] - _neighbors(unit, np.arange(n), 10))
        # theirs is taken just below each step of the distribution
        assert made.distance == pytest.approx(theirs._get_statistics(apart)["ks"], abs=0.02)
        assert (made.p < 0.05) == is_issue
        assert (made.within_p < 0.05) == is_issue


def test_datalabs_own_test_agrees() -> None:
    from cleanlab.datalab.internal.issue_manager.noniid import NonIIDIssueManager

    from loupe.brain.labels.order import _neighbors, nearness

    rng = np.random.default_rng(12)
    turning = np.c_[rng.normal(size=(200, 4)) + np.linspace(0, 4, 200)[:, None], np.ones(200)]
    for vectors, is_issue in ((turning, True), (turning[rng.permutation(200)], False)):
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        theirs = NonIIDIssueManager.__new__(NonIIDIssueManager)
        theirs.N, theirs.background_distribution, theirs.seed = 200, None, 0
        theirs.neighbor_index_choices = _neighbors(unit, np.arange(200), 10)
        apart = np.abs(np.arange(200)[:, None] - theirs.neighbor_index_choices)
        theirs.statistics = theirs._get_statistics(apart)
        assert (theirs._permutation_test(25) < 0.05) == is_issue
        assert (nearness(unit, np.arange(200), np.zeros(200, int), permutations=199).p < 0.05) == is_issue

"""Counts, weights and cells agree with scipy, scikit-learn and counting; chance is named as seldom as stated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels.balance import balanced_weights, effective_classes, effective_weights, imbalance_ratio
from loupe.brain.labels.coverage import Members, weights_of
from loupe.brain.labels.covering import Crossing, Part, balance_of, named_cells
from loupe.brain.labels.crosstab import MAX_CELLS, crossed, intraclass_of, poisson_interval, ratio_interval
from loupe.brain.slicing.columns import Column
from loupe.brain.stats.effective_n import intraclass


def part(name: str, column: Column) -> Part:
    return Part(name, column, ({"name": name},))


def drawn(seed: int, n: int = 400, classes: int = 4, contexts: int = 3) -> tuple[Column, Column]:
    rng = np.random.default_rng(seed)
    return (
        Column.of([f"c{value}" for value in rng.integers(0, classes, n)]),
        Column.of([f"v{value}" if value else None for value in rng.integers(0, contexts, n)]),
    )


def test_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

    labels = np.random.default_rng(0).choice(["cat", "dog", "a.b", "$"], 500, p=[0.7, 0.2, 0.07, 0.03])
    column = Column.of([str(label) for label in labels])
    counts = {str(name): int((labels == name).sum()) for name in np.unique(labels)}
    own = balanced_weights(counts)
    theirs = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    assert [own[str(name)] for name in np.unique(labels)] == pytest.approx(theirs.tolist())
    ids = [str(at) for at in range(500)]
    by_sample = weights_of(Members(ids, column), own)
    assert [by_sample[each] for each in ids] == pytest.approx(compute_sample_weight("balanced", labels).tolist())


def test_effective_weights_are_those_of_the_paper() -> None:
    counts = {"a": 5000, "b": 50, "c": 1}
    raw = {name: (1 - 0.999) / (1 - 0.999**n) for name, n in counts.items()}
    scale = 3 / sum(raw.values())
    assert effective_weights(counts) == pytest.approx({name: weight * scale for name, weight in raw.items()})
    assert effective_weights(counts, 1 - 1e-12)["c"] == pytest.approx(balanced_ratio(counts), rel=1e-3)
    for beta in (1.0, -0.1, True, math.nan):
        with pytest.raises(InputError, match="beta"):
            effective_weights(counts, beta)


def balanced_ratio(counts: dict[str, int]) -> float:
    inverse = {name: 1 / n for name, n in counts.items()}
    return inverse["c"] * len(counts) / sum(inverse.values())


def test_a_sample_of_several_classes_has_their_mean_and_without_any_none() -> None:
    column = Column.of([["a", "b"], "a", None])
    assert weights_of(Members(["x", "y", "z"], column), {"a": 1.0, "b": 3.0}) == {"x": 2.0, "y": 1.0}


def test_how_even_counts_are() -> None:
    assert imbalance_ratio(np.array([50, 10, 0])) == 5
    assert math.isnan(imbalance_ratio(np.array([0])))
    assert effective_classes(np.array([7, 7, 0])) == 2
    made = balance_of(part("kind", Column.of(["a", "a", "b", None])), None, ["a", "b", "never"])
    assert (made.counts, made.n, made.missing, made.empty) == ({"a": 2, "b": 1, "never": 0}, 3, 1, ("never",))
    assert made.shares["a"].k == 2
    grouped = balance_of(part("kind", Column.of(["a", "a", "b", None])), np.array([0, 0, 1, 2]))
    assert grouped.shares["a"].low < made.shares["a"].low


def test_cells_are_those_of_scipy() -> None:
    from scipy.stats import chi2_contingency, fisher_exact

    rows, columns = drawn(1)
    table = crossed(rows, columns)
    assert table.expected == pytest.approx(chi2_contingency(table.counts).expected_freq.ravel())
    tested = 0
    for at in range(len(table.at)):
        k, size, failed, total = (int(each) for each in (table.n[at], table.column_n[at], table.row_n[at], table.total))
        square = [[k, size - k], [failed - k, total - size - failed + k]]
        if not math.isnan(table.p[at]):
            tested += 1
            assert table.p[at] == pytest.approx(fisher_exact(square)[1])
    assert tested == 12


def test_counts_are_those_of_counting_with_lists_and_missing_values() -> None:
    rng = np.random.default_rng(2)
    names = ["a", "b", "c"]
    held = [[name for name in names if rng.random() < 0.5] for _ in range(200)]
    context = [None if rng.random() < 0.2 else str(rng.integers(2)) for _ in range(200)]
    table = crossed(Column.of(held), Column.of(context))
    assert table.total == sum(bool(own) for own in held)
    for (row, name), (at, value) in itertools.product(enumerate(names), enumerate(["0", "1", None])):
        assert table.counts[row, at] == sum(
            name in own and value == other for own, other in zip(held, context, strict=True)
        )
    pairs = crossed(Column.of(held), None)
    for (a, first), (b, second) in itertools.combinations(enumerate(names), 2):
        assert pairs.counts[a, b] == sum(first in own and second in own for own in held)
    assert pairs.expected.sum() == pytest.approx(pairs.n.sum())


def test_groups_that_decide_both_count_as_one_sample() -> None:
    """Of ten alike samples a prompt the p is that of one a prompt; where the context varies freely, that of all."""
    rng = np.random.default_rng(3)
    prompts, times = 60, 10
    kind, time = rng.integers(0, 2, prompts), rng.integers(0, 2, prompts)
    groups = np.repeat(np.arange(prompts), times)
    one_each = crossed(Column.of(kind.tolist()), Column.of(time.tolist()))
    repeated = Column.of(np.repeat(kind, times).tolist())
    both = crossed(repeated, Column.of(np.repeat(time, times).tolist()), groups)
    assert both.design == pytest.approx([times] * 4)
    assert both.p == pytest.approx(one_each.p, nan_ok=True)
    free = Column.of(rng.integers(0, 2, prompts * times).tolist())
    assert crossed(repeated, free, groups).design.max() < 1.5


def test_the_correlation_within_groups_is_that_of_one_value_at_a_time() -> None:
    from scipy import sparse

    rng = np.random.default_rng(4)
    groups = np.sort(rng.integers(0, 40, 300))
    groups = np.unique(groups, return_inverse=True)[1]
    has = (rng.random((300, 1)) < np.where(groups % 3, 0.1, 0.8)[:, None]).astype(float)
    assert intraclass_of(sparse.csr_matrix(has), groups)[0] == pytest.approx(intraclass(has[:, 0] > 0, groups))
    assert intraclass_of(sparse.csr_matrix(has), np.arange(300)).tolist() == [0.0]


def test_a_planted_imbalance_is_named_with_its_numbers() -> None:
    rng = np.random.default_rng(5)
    kind = rng.choice(["cat", "dog"], 1000)
    night = np.where(kind == "cat", rng.random(1000) < 0.02, rng.random(1000) < 0.3)
    crossing = Crossing.of(
        "context",
        part("kind", Column.of(kind.tolist())),
        part("time", Column.of(np.where(night, "n", "d").tolist())),
        None,
    )
    cells, thin, tested = named_cells([crossing], 5, 2.0, 0.05)
    below = [cell for cell in cells if cell.far == "below"]
    assert [cell.values for cell in below] == [(("kind", "cat"), ("time", "n"))]
    cell = below[0]
    both = (kind == "cat") & night
    assert cell.n == both.sum()
    assert cell.expected == pytest.approx((kind == "cat").sum() * night.sum() / 1000)
    assert cell.low < cell.ratio < cell.high < 0.5
    assert cell.q < 0.001
    assert tested == 4
    assert thin == int(cell.n < 5)


def test_chance_is_named_no_more_often_than_stated() -> None:
    named = sum(
        any(
            cell.far
            for cell in named_cells([Crossing.of("context", part("k", a), part("v", b), None)], 1, 1.0, 0.05)[0]
        )
        for a, b in (drawn(seed) for seed in range(100))
    )
    assert named <= 10


def test_classes_with_one_each_do_not_avoid_each_other_but_friends_are_named() -> None:
    rng = np.random.default_rng(6)
    single = [
        [f"c{rng.integers(6)}"] if rng.random() < 0.7 else rng.permutation([f"c{at}" for at in range(6)])[:2].tolist()
        for _ in range(2000)
    ]
    crossing = Crossing.of("pair", part("k", Column.of(single)), part("k", Column.of(single)), None)
    assert not any(cell.far for cell in named_cells([crossing], 1, 2.0, 0.05)[0])
    friends = [[*own, "cup", "saucer"] if at % 40 == 0 else own for at, own in enumerate(single)]
    crossing = Crossing.of("pair", part("k", Column.of(friends)), part("k", Column.of(friends)), None)
    far = [cell for cell in named_cells([crossing], 1, 2.0, 0.05)[0] if cell.far == "above"]
    assert far[0].values == (("k", "cup"), ("k", "saucer"))
    assert far[0].where == "cup × saucer"


def test_intervals_hold_the_ratio_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    kept = 0
    for _ in range(400):
        first = rng.random(600) < 0.2
        second = rng.random(600) < np.where(first, 0.05, 0.25)
        n = int((first & second).sum())
        low, high = ratio_interval(n, int(first.sum()), int(second.sum()), 600, 1.0)
        truth = 0.05 / (0.2 * 0.05 + 0.8 * 0.25)
        kept += low <= truth <= high
    assert 0.93 <= kept / 400 <= 0.995
    counts = np.random.default_rng(8).poisson(6, 1000)
    assert np.mean([low <= 1 <= high for low, high in (poisson_interval(int(n), 6.0, 1.0) for n in counts)]) >= 0.94


def test_what_is_too_much_or_nothing() -> None:
    empty = Column.of([None, None])
    assert crossed(empty, Column.of(["a", "b"])).total == 0
    assert named_cells(
        [Crossing.of("context", part("k", empty), part("v", Column.of(["a", "b"])), None)], 5, 2, 0.05
    ) == ((), 0, 0)
    assert named_cells([], 5, 2, 0.05) == ((), 0, 0)
    many = Column.of([str(at) for at in range(10_000)])
    with pytest.raises(InputError, match=f"{MAX_CELLS:,} cells, got 100,000,000"):
        crossed(many, many)
    few = crossed(many, Column.of([at % 3 for at in range(10_000)]))
    assert few.counts.shape == (10_000, 3)
    assert np.isnan(few.p).all()


def test_sentences_say_just_what_is_so() -> None:
    from loupe.brain.labels.cells import Cell, balanced

    alike = balance_of(part("kind", Column.of(["a", "b"])), None)
    assert balanced(alike) == "kind: 2 values, which count as 2.0 equally frequent"
    uneven = balance_of(part("kind", Column.of(["a", "a", "a", "b", None])), None, ["c"])
    assert balanced(uneven).endswith(
        "a has 3.0 times as many samples as b (3 and 1); no sample has c; 1 sample has none"
    )
    cell = Cell("context", (("kind", "a"), ("scenario.time", "night")), 1, 27.2, 0.037, 0.01, 0.2, 1e-5, 1e-4, 1.0)
    assert cell.sentence == "a × time=night: 1 sample where 27 are expected, 0.037 times as many [0.01, 0.2] (q < .001)"
    unsure = Cell("object", (("o", "a"), ("o size", "small")), 0, 0.3, 0, math.nan, math.nan, math.nan, math.nan, 0.0)
    assert unsure.sentence == "a × o size=small: 0 boxes where 0.3 are expected"

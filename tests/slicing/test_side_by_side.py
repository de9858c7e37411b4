"""Two groups side by side, against counts by hand and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.side_by_side import side_by_side

N = 400


def times_of(seed: int) -> list[object]:
    rng = np.random.default_rng(seed)
    kinds: list[object] = ["day", "night", None, ["day", "dusk"]]
    return [kinds[at] for at in rng.integers(0, 4, N)]


def by_hand(state: np.ndarray, times: list[object], models: list[str], model: str, time: object) -> list[int]:
    counts = [0, 0, 0, 0]
    for own, value, of in zip(state.tolist(), times, models, strict=True):
        values = value if isinstance(value, list) else [value]
        if of == model and (time == "all" or time in values):
            counts[own] += 1
    return counts


def test_rates_are_those_of_a_count_and_intervals_those_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import confint_proportions_2indep

    rng = np.random.default_rng(7)
    state = rng.choice(4, N, p=[0.05, 0.1, 0.5, 0.35]).astype(np.int8)
    times, models = times_of(3), [str(model) for model in rng.choice(["old", "new", "other"], N)]
    column, groups = Column.of(times), Column.of(models)
    shown = ("night", "day", "dusk", None)
    sides = side_by_side(state, "blur", ("time", column), shown, ("model", groups), "new", "old")
    assert sides.values == shown
    pairs = {"all": sides.overall, **dict(zip(shown, sides.rows, strict=True))}
    for time, pair in pairs.items():
        for model, rate in (("new", pair.a), ("old", pair.b)):
            unchecked, unknown, passed, failed = by_hand(state, times, models, model, time)
            counted = (rate.failures, rate.n, rate.unknown, rate.unchecked)
            assert counted == (failed, failed + passed, unknown, unchecked), (time, model)
        assert pair.difference == pytest.approx(pair.a.rate - pair.b.rate)
        low, high = confint_proportions_2indep(
            pair.a.failures, pair.a.n, pair.b.failures, pair.b.n, method="newcomb", compare="diff"
        )
        assert (pair.low, pair.high) == pytest.approx((low, high), abs=1e-9)
    q = multipletests([pair.p for pair in sides.rows], method="fdr_bh")[1]
    assert [pair.q for pair in sides.rows] == pytest.approx(q.tolist())
    assert sides.overall.q == sides.overall.p


def test_a_group_that_was_not_judged_somewhere_has_no_difference_there() -> None:
    state = np.array([State.FAILED, State.PASSED] * 10 + [State.UNKNOWN] * 10, dtype=np.int8)
    groups = Column.of(["new"] * 10 + ["old"] * 10 + ["new"] * 10)
    column = Column.of(["day"] * 20 + ["night"] * 10)
    sides = side_by_side(state, "blur", ("time", column), ("day", "night"), ("model", groups), "new", "old")
    day, night = sides.rows
    assert (day.difference, day.differs) == (0.0, False)
    assert night.a.unknown == 10
    assert all(math.isnan(number) for number in (night.difference, night.low, night.high, night.p, night.q))
    assert night.too_few
    assert not night.differs
    assert side_by_side(state, "blur", ("", None), (), ("model", groups), "new", "old").rows == ()


def test_a_difference_of_enough_samples_that_leaves_out_zero_differs() -> None:
    state = np.repeat([State.FAILED, State.PASSED, State.PASSED], [9, 1, 60]).astype(np.int8)
    groups = Column.of(["new"] * 10 + ["old"] * 60)
    pair = side_by_side(state, "blur", ("", None), (), ("model", groups), "new", "old").overall
    assert pair.differs
    assert pair.low > 0
    few = side_by_side(state, "blur", ("", None), (), ("model", groups), "new", "old", min_n=11).overall
    assert few.too_few
    assert not few.differs

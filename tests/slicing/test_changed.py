"""Two contenders' pairs, against loops over them."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.slicing.changed import by_slice, changed, take, units_of
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.comparison import Entries
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats import differences as stats

F, P, U = (np.int8(state) for state in (State.FAILED, State.PASSED, State.UNKNOWN))
RNG = np.random.default_rng(0)
N = 120
TIME = RNG.choice(["day", "night"], N)
STATE = RNG.choice([F, P, U], 2 * N, p=[0.3, 0.6, 0.1])
ENTRIES = Entries(("new", "old"), np.repeat([0, 1], N), STATE, np.tile(np.arange(N), 2))
ROWS = np.arange(2 * N) + 7  # the samples are others than the judgments
FACTORS = {
    "time": Column.of([None] * 7 + [*TIME.tolist(), *TIME.tolist()]),
    "place": Column.of([None] * 7 + ["a"] * N + ["b"] * N),
}


def test_a_column_of_some_samples_has_their_values_in_their_order() -> None:
    values = ["day", ["day", "night"], None, [], "night"]
    rows = np.array([4, 1, 2, 1])
    own, expected = take(Column.of(values), rows), Column.of([values[row] for row in rows])
    assert own.n == 4
    assert own.samples.tolist() == expected.samples.tolist()
    assert [own.values[code] for code in own.codes] == [expected.values[code] for code in expected.codes]


def test_the_pairs_and_those_that_changed_are_what_a_loop_counts() -> None:
    units, unlike = units_of(ENTRIES, ROWS, FACTORS, "new", "old", paired=True)
    judged = [at for at in range(N) if STATE[at] != U and STATE[N + at] != U]
    assert unlike == ["place"]
    assert len(units) == len(judged)
    assert units.failed_new.tolist() == [float(STATE[at] == F) for at in judged]
    own = units.factors["time"]
    assert [own.values[code] for code in own.codes] == [TIME[at] for at in judged]
    new, old = changed(ENTRIES, "new", "old")
    worse = [at for at in judged if STATE[at] == F and STATE[N + at] == P]
    assert new.tolist() == worse
    assert old.tolist() == [N + at for at in worse]
    assert changed(ENTRIES, "old", "new")[0].tolist() != old.tolist()


def test_each_slice_has_its_own_pairs_and_the_p_values_are_corrected_over_all() -> None:
    units, _ = units_of(ENTRIES, ROWS, FACTORS, "new", "old", paired=True)
    made = by_slice(units, "time")
    assert made.values == ("day", "night")
    for value, own, worse in zip(made.values, made.differences, made.worse, strict=True):
        pairs = [(STATE[at], STATE[N + at]) for at in range(N) if TIME[at] == value]
        judged = [pair for pair in pairs if U not in pair]
        only_new, only_old = judged.count((F, P)), judged.count((P, F))
        assert (own.n, own.only_a, own.only_b, worse) == (len(judged), only_new, only_old, only_new)
        ends = [float(end) for end in stats.paired(only_new, only_old, len(judged))]
        assert (own.low, own.high) == pytest.approx(ends)
    assert [own.p_adjusted for own in made.differences] == pytest.approx(
        stats.holm([own.p for own in made.differences])
    )
    assert by_slice(units, "time", max_values=1).values in (("day",), ("night",))


def test_without_pairs_each_picture_counts_for_its_own_one() -> None:
    units, unlike = units_of(ENTRIES, ROWS, FACTORS, "new", "old", paired=False)
    assert unlike == []
    assert len(units) == (STATE != U).sum()
    made = by_slice(units, "place")
    assert made.values == ("a", "b")
    assert [(own.n_a, own.n_b) for own in made.differences] == [
        ((STATE[:N] != U).sum(), 0), (0, (STATE[N:] != U).sum()),
    ]  # fmt: skip
    assert all(np.isnan(own.difference) for own in made.differences)
    time = by_slice(units, "time")
    day = np.array(TIME == "day")
    judged = STATE[:N][day] != U
    assert time.differences[0].rate_a == pytest.approx((STATE[:N][day][judged] == F).mean())
    assert time.worse == (0, 0)

"""The table of one factor's values by failure modes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from loupe.brain.slicing.rates import State, rates
from loupe.brain.slicing.table import Table, tabulate

F, P, U, N = State.FAILED, State.PASSED, State.UNKNOWN, State.UNCHECKED
TIME = ["day", "night", "day", None, "day", "night"]
STATES = {
    "blur": np.array([F, F, P, F, U, P]),
    "noise": np.array([P, P, P, P, P, P]),
    "dark": np.array([F, P, P, N, U, N]),
}


@pytest.fixture
def table() -> Table:
    return tabulate("scenario.time", TIME, STATES)


def test_rows_are_values_and_columns_are_the_modes_that_failed(table: Table) -> None:
    assert table.factor == "scenario.time"
    assert table.values == ("day", "night", None)
    assert table.modes == ("blur", "dark")
    assert table.modes_left_out == 1
    assert table.values_left_out == 0
    failed_of_judged = [[(rate.failures, rate.n) for rate in row] for row in table.cells]
    assert failed_of_judged == [[(1, 2), (1, 2)], [(1, 2), (0, 1)], [(1, 1), (0, 0)]]
    assert [rate.slice.values["scenario.time"] for row in table.cells for rate in row] == [
        *("day", "day", "night", "night", "(none)", "(none)")
    ]


def test_below_it_stand_the_rates_of_all(table: Table) -> None:
    assert table.overall == tuple(rate for rate in rates(STATES) if rate.failure != "noise")
    assert [(rate.failures, rate.n) for rate in table.overall] == [(3, 5), (1, 3)]


def test_a_sample_counts_once_however_many_modes_it_fails_in(table: Table) -> None:
    assert (table.n, table.failed, table.unknown, table.unchecked) == (6, 3, 1, 2)


def test_a_mode_that_never_failed_stands_there_if_asked_for_or_if_none_failed() -> None:
    assert tabulate("time", TIME, STATES, every_mode=True).modes == ("blur", "noise", "dark")
    made = tabulate("time", TIME, {"noise": STATES["noise"], "haze": STATES["noise"]})
    assert made.modes == ("noise", "haze")
    assert (made.failed, made.modes_left_out) == (0, 0)
    assert len(made.cells[0]) == len(made.overall) == 2


def test_the_most_frequent_values_stay_in_their_order() -> None:
    made = tabulate("time", TIME, STATES, max_values=2)
    assert made.values == ("day", "night")
    assert made.values_left_out == 1
    made = tabulate("time", ["c", "b", "a", "c", "b", "b"], STATES, max_values=2)
    assert made.values == ("b", "c")
    assert [row[0].slice.values["time"] for row in made.cells] == ["b", "c"]
    assert made.n == 6, "all of them are counted"


def test_there_are_forty_values_unless_asked_otherwise() -> None:
    made = tabulate("camera", list(range(41)), {"blur": np.full(41, F)})
    assert made.values == tuple(range(40))
    assert made.values_left_out == 1


def test_a_table_goes_through_json(table: Table) -> None:
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    np.testing.assert_equal(again.cells[2][1].rate, np.nan)
    assert again.to_dict() == table.to_dict()
    assert again.cells[0] == table.cells[0]
    assert again.overall == table.overall
    assert (again.values, again.modes) == (table.values, table.modes)


def test_of_many_modes_those_stay_that_some_value_fares_worst_in() -> None:
    day_night = ["day"] * 10 + ["night"] * 10
    # "dark" fails at night alone, "noise" by day alone, "blur" as often by day as at night
    states = {
        "blur": np.array([F, P] * 10),
        "dark": np.array([P] * 10 + [F] * 10),
        "noise": np.array([F] * 10 + [P] * 10),
        "haze": np.full(20, P),
    }
    made = tabulate("time", day_night, states, max_modes=2)
    assert made.modes == ("dark", "noise")
    assert [rate.failure for rate in made.overall] == ["dark", "noise"]
    assert (made.milder_left_out, made.modes_left_out) == (1, 1)
    for whole in (tabulate("time", day_night, states), tabulate("time", day_night, states, max_modes=3)):
        assert (whole.modes, whole.milder_left_out, whole.modes_left_out) == (("blur", "dark", "noise"), 0, 1)
    assert tabulate("time", day_night, states, max_modes=2, every_mode=True).modes == tuple(states)


def test_where_no_value_stands_out_those_modes_stay_that_fail_the_most() -> None:
    states = {"blur": np.array([F, P, P, P]), "dark": np.array([F, F, F, P]), "haze": np.array([F, F, P, P])}
    assert tabulate("", TIME[:4], states, max_modes=1).modes == ("dark",)
    assert tabulate("time", ["day"] * 4, states, max_modes=2).modes == ("dark", "haze")

"""The order of cells, against a sort by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.core.errors import UnknownName
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.ranking import ORDERS, ranked
from loupe.brain.slicing.table import Table, tabulate


def table() -> Table:
    rng = np.random.default_rng(5)
    sizes = {"a": 200, "b": 100, "c": 40, "d": 9, "never judged": 5}
    values = [value for value, size in sizes.items() for _ in range(size)]
    states = {}
    for mode in ("blur", "dark", "halo"):
        state = np.where(rng.random(len(values)) < rng.uniform(0.1, 0.5), State.FAILED, State.PASSED).astype(np.int8)
        state[-5:] = State.UNKNOWN
        states[mode] = state
    return tabulate("kind", values, states)


@pytest.mark.parametrize("order", ORDERS)
def test_cells_come_in_order_and_those_of_too_few_last(order: str) -> None:
    made = table()
    rates = [made.cells[row][column] for row, column in ranked(made, order)]
    assert len(rates) == 12, "what was not judged has no place"
    enough = [rate for rate in rates if not rate.too_few]
    assert len(enough) == 9
    assert rates[:9] == enough
    keys = [getattr(rate, order) for rate in enough]
    assert keys == sorted(keys, reverse=order != "q")
    assert len(set(keys)) > 1


def test_what_has_no_lift_or_q_comes_after_what_has() -> None:
    states = {"blur": np.repeat([State.FAILED, State.PASSED], 20), "dark": np.repeat(State.PASSED, 40)}
    made = tabulate("kind", ["a"] * 40, states, every_mode=True)
    assert [math.isnan(rate.q) for (rate,) in zip(made.cells[0], strict=False)] == [True, True]
    assert ranked(made, "q") == [(0, 0), (0, 1)], "then by rate"
    with pytest.raises(UnknownName, match="order"):
        ranked(made, "beauty")

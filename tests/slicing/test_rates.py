"""Rates, against counts made one sample at a time."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.slicing import columns
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.rates import NONE, State, rates
from loupe.brain.slicing.table import tabulate
from loupe.brain.stats.intervals import wilson


def test_rates_count_every_state_apart() -> None:
    state = np.array([State.FAILED, State.PASSED, State.PASSED, State.UNKNOWN, State.UNCHECKED, State.UNCHECKED])
    (rate,) = rates({"blur": state})
    assert (rate.n, rate.failures, rate.unknown, rate.unchecked) == (3, 1, 1, 2)
    assert rate.rate == pytest.approx(1 / 3)
    assert (rate.low, rate.high) == pytest.approx([float(end) for end in wilson(1, 3)])
    assert str(rate.slice) == "all"


def test_rates_of_several_factors_are_the_combinations_that_occur() -> None:
    rng = np.random.default_rng(3)
    time = rng.choice(["day", "night", None], 400).tolist()
    rain = rng.choice([True, False], 400).tolist()
    rain = [True if hour is None else wet for hour, wet in zip(time, rain, strict=True)]
    states = {name: rng.integers(0, 4, 400).astype(np.int8) for name in ("blur", "dark")}
    table = rates(states, {"scenario.time": time, "rain": rain}, confidence=0.9)

    assert len(table) == 5 * 2  # (none) with no rain does not occur
    assert [rate.failure for rate in table[:4]] == ["blur", "dark"] * 2
    assert table[-1].slice.values == {"scenario.time": NONE, "rain": "True"}
    for rate in table:
        hour, wet = rate.slice.values.values()
        rows = [i for i in range(400) if (time[i] or NONE) == hour and str(rain[i]) == wet]
        held = [states[rate.failure][i] for i in rows]
        assert rate.failures == held.count(State.FAILED)
        assert rate.n == held.count(State.FAILED) + held.count(State.PASSED)
        assert rate.unknown == held.count(State.UNKNOWN)
        assert rate.unchecked == held.count(State.UNCHECKED)
        assert (rate.low, rate.high) == pytest.approx([float(end) for end in wilson(rate.failures, rate.n, 0.9)])


def test_a_slice_where_nothing_was_judged_has_no_rate() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (rate,) = rates({"blur": np.array([State.UNKNOWN, State.UNCHECKED])}, {"time": ["day", "day"]})
    assert rate.n == 0
    assert np.isnan([rate.rate, rate.low, rate.high]).all()
    assert rate.to_dict()["rate"] is None
    assert rates({}) == []


def test_a_sample_with_several_values_counts_in_each_of_its_slices() -> None:
    rng = np.random.default_rng(5)
    classes = [rng.choice(["cat", "dog", "owl"], rng.integers(0, 4), replace=False).tolist() for _ in range(300)]
    tags = [rng.choice(["a", "b"], rng.integers(0, 3), replace=False).tolist() or None for _ in range(300)]
    state = rng.integers(0, 4, 300).astype(np.int8)
    table = rates({"blur": state}, {"class": Column.of(classes), "tags": tags})

    expected: dict[tuple[str, str], list[int]] = {}
    for own, tagged, of in zip(classes, tags, state.tolist(), strict=True):
        for name in own or [NONE]:
            for tag in tagged or [NONE]:
                expected.setdefault((name, tag), []).append(of)
    assert [tuple(rate.slice.values.values()) for rate in table] == [
        (name, tag) for name in ("cat", "dog", "owl", NONE) for tag in ("a", "b", NONE)
    ]
    for rate in table:
        held = expected[rate.slice.values["class"], rate.slice.values["tags"]]
        counts = (rate.failures, rate.n - rate.failures, rate.unknown, rate.unchecked)
        assert counts == tuple(held.count(of) for of in (State.FAILED, State.PASSED, State.UNKNOWN, State.UNCHECKED))
    # one factor of one value each: the counts add up to the samples; of lists: to their entries
    single = rates({"blur": state}, {"half": [index % 2 for index in range(300)]})
    assert sum(rate.n + rate.unknown + rate.unchecked for rate in single) == 300
    several = rates({"blur": state}, {"class": classes})
    assert sum(rate.n + rate.unknown + rate.unchecked for rate in several) == sum(len(own) or 1 for own in classes)


def test_a_table_of_lists_counts_samples_once() -> None:
    state = np.array([State.FAILED, State.PASSED, State.FAILED, State.UNKNOWN], dtype=np.int8)
    values = [["cat", "dog"], ["dog"], [], ["dog", "owl", "cat"]]
    table = tabulate("class", values, {"blur": state}, max_values=2)
    assert (table.n, table.failed, table.unknown, table.unchecked) == (4, 2, 1, 0)
    assert table.values == ("cat", "dog")
    assert table.values_left_out == 2
    assert [(row[0].failures, row[0].n) for row in table.cells] == [(1, 1), (1, 2)]
    assert tabulate("class", Column.of(values), {"blur": state}, max_values=2) == table


def test_there_may_be_too_many_slices_but_not_for_the_number_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_SLICES", 40)
    state = np.zeros(50, dtype=np.int8)
    half = [index // 2 for index in range(50)]
    assert len(rates({"blur": state}, {"a": half, "b": half, "c": half})) == 25  # 15,625 combinations do not occur
    with pytest.raises(InputError, match=r"at most 40 slices, got 50 by a: .*bins=4"):
        rates({"blur": state}, {"a": list(range(50))})
    with pytest.raises(InputError, match="got 50 by a, b"):
        rates({"blur": state}, {"a": half, "b": [index % 2 for index in range(50)]})


def test_many_factors_of_many_values_do_not_overflow() -> None:
    rng = np.random.default_rng(0)
    factors = {f"f{index}": rng.permutation(1000).tolist() for index in range(8)}  # 10 ** 24 combinations
    table = rates({"blur": np.full(1000, State.PASSED)}, factors)
    assert [rate.n for rate in table] == [1] * 1000
    assert {tuple(rate.slice.values.values()) for rate in table} == set(
        zip(*([str(value) for value in values] for values in factors.values()), strict=True)
    )
    assert [int(rate.slice.values["f0"]) for rate in table] == list(range(1000))

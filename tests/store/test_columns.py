"""Columns and cells, against the samples' own documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import loupe
from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, NoSamples, UnknownName
from loupe.brain.slicing.outcomes import State

pytestmark = pytest.mark.database


def state_of(sample: Any, failure: str) -> State:
    """What the fields of one sample say: the same facts, read one document at a time."""
    check, output = registry.failures()[failure]
    if sample.quality[output.name] is None:
        return State.UNKNOWN if check in (sample.checked or {}) else State.UNCHECKED
    if sample.failures is None:
        return State.UNCHECKED
    labels = [label.label for label in sample.failures.classifications]
    return State.FAILED if failure in labels else State.PASSED


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    """240 samples; none of the tests changes them."""
    import fiftyone as fo
    from filled import fill

    made = fo.Dataset()
    fill(made, 240)
    yield made
    made.delete()


def test_states_are_those_of_the_documents_and_a_cell_is_exactly_its_samples(filled: Any) -> None:
    from loupe.brain.store import columns

    samples = list(filled)
    read = columns.read(filled, ["scenario.weather"])
    weathers = read.factors["scenario.weather"]
    assert [weathers.values[code] for code in weathers.codes] == [sample.scenario.weather for sample in samples]
    seen = set()
    for failure, states in read.states.items():
        assert states.tolist() == [state_of(sample, failure) for sample in samples]
        for weather in ("fog", None):
            for state in State:
                cell = columns.narrow(filled, columns.Cell({"scenario.weather": weather}, failure, state))
                expected = [
                    sample.id
                    for sample, of in zip(samples, states, strict=True)
                    if of == state and sample.scenario.weather == weather
                ]
                assert cell.values("id") == expected
                seen.add((state, bool(expected)))
    assert {(state, True) for state in State} <= seen


def test_a_narrowed_view_knows_the_way_back(filled: Any) -> None:
    from loupe.brain.store import columns

    failure = next(iter(registry.failures()))
    before = filled.match({"scenario.time": "night"})
    cell = columns.narrow(before, columns.Cell({"scenario.weather": "fog"}, failure, State.PASSED))
    assert 0 < len(cell) < len(before)
    back, picked = columns.widen(cell.limit(5))
    assert back.values("id") == before.limit(5).values("id")
    assert picked == columns.Cell({"scenario.weather": "fog"}, failure, State.PASSED)
    assert columns.widen(before) == (before, None)
    assert columns.widen(filled) == (filled, None)
    assert columns.fingerprint(back) == columns.fingerprint(before.limit(5))
    assert columns.fingerprint(back) != columns.fingerprint(before.limit(6))


@pytest.mark.parametrize("comment", ["loupe cell: ", "loupe cell: [1, 2]", 'loupe cell: [{}, "no such", "failed"]', 3])
def test_a_stage_of_somebody_elses_is_no_cell(dataset: Any, comment: Any) -> None:
    from loupe.brain.store import columns

    view = dataset.match({"$comment": comment, "$and": [{"filepath": {"$ne": None}}]})
    assert columns.widen(view) == (view, None)


def test_scores_that_were_never_flagged_are_not_passed(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import columns
    from loupe.brain.store import scores as store_scores

    failure, (check, output) = next(iter(registry.failures().items()))
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(3)])
    store_scores.declare(dataset, [output])
    assert output.default_threshold is not None
    good = output.default_threshold.value + (1 if output.default_threshold.op == "<" else -1)
    dataset.set_values(f"quality.{output.name}", [good] * 3)
    dataset.set_values("checked", [{check: "made up"}] * 3)
    assert set(columns.read(dataset).states[failure].tolist()) == {State.UNCHECKED}
    loupe.flag(dataset)
    assert set(columns.read(dataset).states[failure].tolist()) == {State.PASSED}


def test_values_with_a_meaning_to_the_database_are_only_values(dataset: Any) -> None:
    import fiftyone as fo
    from filled import fill

    from loupe.brain.store import columns

    fill(dataset, 40)
    odd = ["$filepath", "a.b", '"; {}', "(none)", None] * 8
    dataset.set_values("scenario.time", odd)
    failure = next(iter(registry.failures()))
    states = columns.read(dataset).states[failure]
    for value in odd[:5]:
        count = sum(
            len(columns.narrow(dataset, columns.Cell({"scenario.time": value}, failure, state))) for state in State
        )
        assert count == 8
    assert len(states) == 40
    assert isinstance(dataset, fo.Dataset)


def test_slice_counts_what_is_there(filled: Any) -> None:
    failure = next(iter(registry.failures()))
    rates = loupe.slice(filled, ["scenario.time", "scenario.weather"], failure=failure)
    assert {tuple(rate.slice.values.values()) for rate in rates} == {
        (time, weather) for time in ("day", "night") for weather in ("clear", "fog", "rain", "(none)")
    }
    assert sum(rate.n + rate.unknown + rate.unchecked for rate in rates) == 240
    rate = next(rate for rate in rates if rate.slice.values == {"scenario.time": "night", "scenario.weather": "fog"})
    states = [
        state_of(sample, failure) for sample in filled.match({"scenario.time": "night", "scenario.weather": "fog"})
    ]
    assert rate.failures == states.count(State.FAILED)
    assert rate.n == states.count(State.FAILED) + states.count(State.PASSED)
    assert rate.low <= rate.rate <= rate.high


def test_slice_over_every_judged_failure_and_a_wider_interval(filled: Any) -> None:
    (narrow, *rest) = loupe.slice(filled, [], confidence=0.5)
    assert str(narrow.slice) == "all"
    assert [narrow.failure, *(rate.failure for rate in rest)] == list(registry.failures())
    wide = loupe.slice(filled, [], confidence=0.99)[0]
    assert wide.low < narrow.low <= narrow.rate <= narrow.high < wide.high


def test_slice_says_what_it_cannot_slice_by(filled: Any) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'scenario\.time'"):
        loupe.slice(filled, "scenario.tme")
    with pytest.raises(UnknownName, match="blurr"):
        loupe.slice(filled, "scenario.time", failure="blurr")
    for path in ("checked", "created_at", "scenario", "failures.classifications", "id"):
        with pytest.raises(InputError, match=f"cannot slice by '{path}'"):
            loupe.slice(filled, path)
    with pytest.raises(NoSamples):
        loupe.slice(filled.limit(1).match({"prompt": "none"}), "scenario.time")
    with pytest.raises(InputError, match="confidence"):
        loupe.slice(filled, "scenario.time", confidence=95)


def test_ints_and_bools_are_factors_and_unchecked_datasets_have_no_rates(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import columns

    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{index}.png", level=index % 2, wet=index < 2) for index in range(4)]
    )
    assert loupe.slice(dataset, "level") == []
    failure = next(iter(registry.failures()))
    rates = loupe.slice(dataset, ["level", "wet"], failure=failure)
    assert [tuple(rate.slice.values.values()) for rate in rates] == [
        ("0", "False"), ("0", "True"), ("1", "False"), ("1", "True"),
    ]  # fmt: skip
    assert [(rate.n, rate.unchecked) for rate in rates] == [(0, 1)] * 4
    assert not columns.any_checked(dataset)
    assert len(columns.narrow(dataset, columns.Cell({"wet": True, "level": 1}, failure, State.UNCHECKED))) == 1


def test_factors_are_scenario_fields_first_then_fields_with_few_values(filled: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import columns

    own = filled.clone()
    own.add_sample_field("camera", fo.StringField)
    own.set_values("camera", ["left", "right"] * 120)
    # house numbers have many values: last
    assert columns.factors(own) == ["scenario.time", "scenario.weather", "scenario.color", "camera", "scenario.text"]
    own.delete()

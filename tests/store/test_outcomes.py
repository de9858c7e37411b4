"""The rule of an outcome in the database, against the same rule in numpy and against the documents themselves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

import loupe
from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.slicing.outcomes import Outcome, State

pytestmark = pytest.mark.database

FAILURE = "blur"
MISSING = object()
SCORES = (MISSING, None, float("nan"), 0.5, 0.0, -2.0, float("inf"), float("-inf"))
#: in ``unknown``: the failure modes that are as asked, None where a check only could not judge
ASKED = (MISSING, None, [], [None], [FAILURE], ["dark"], [None, "dark", FAILURE])
LABELS = (MISSING, None, [], [FAILURE], ["dark"], ["dark", FAILURE], ["ugly"], [None])


def _checked() -> tuple[Any, ...]:
    check, _ = registry.failures()[FAILURE]
    return (MISSING, None, {}, {check: "k"}, {check: None}, {"exposure": "k"}, {"exposure": "k", check: "k"})


def state_of(score: Any, labels: Any, checked: Any, asked: Any) -> State:
    """What one document says, by the sentences of docs/architecture.md."""
    check, _ = registry.failures()[FAILURE]
    if score in (MISSING, None) or score != score:
        looked = isinstance(checked, dict) and checked.get(check) is not None
        return State.UNKNOWN if looked else State.UNCHECKED
    if asked not in (MISSING, None) and FAILURE in asked:
        return State.UNKNOWN
    if labels in (MISSING, None):
        return State.UNCHECKED
    return State.FAILED if FAILURE in labels else State.PASSED


@pytest.fixture(scope="module")
def documents(database: str) -> Iterator[tuple[Any, list[State]]]:
    """A sample for each combination of score, labels and checks, as raw documents; and the state of each."""
    import fiftyone as fo

    from loupe.brain.store import fields as store_fields
    from loupe.brain.store import scores as store_scores

    check, output = registry.failures()[FAILURE]
    rows = list(itertools.product(SCORES, LABELS, _checked(), ASKED))
    made = fo.Dataset()
    made.add_samples([fo.Sample(filepath=f"/nowhere/{index:04}.png") for index in range(len(rows))], progress=False)
    store_scores.declare(made, [output])
    store_fields.declare(made, [store_fields.AS_ASKED])
    for (score, labels, checked, asked), sample_id in zip(rows, made.values("_id"), strict=True):
        values: dict[str, Any] = {"quality": {"_cls": "DynamicEmbeddedDocument"}, "checked": checked}
        if score is not MISSING:
            values["quality"][output.name] = score
        if labels is not MISSING:
            # the check that flagged it does not matter
            listed = [{"_cls": "Classification", "label": label, "check": "another"} for label in labels or ()]
            values["failures"] = None if labels is None else {"_cls": "Classifications", "classifications": listed}
        if asked is not MISSING:
            reasons = [
                {"_cls": "Classification", "label": FAILURE, "reason": "why", **({"asked": mode} if mode else {})}
                for mode in asked or ()
            ]
            values["unknown"] = None if asked is None else {"_cls": "Classifications", "classifications": reasons}
        unset = {name: "" for name in ("failures", "checked", "unknown") if values.get(name, MISSING) is MISSING}
        kept = {name: value for name, value in values.items() if name not in unset}
        made._sample_collection.update_one({"_id": sample_id}, {"$set": kept, **({"$unset": unset} if unset else {})})
    assert check not in ("exposure", "another")
    yield made, [state_of(*row) for row in rows]
    made.delete()


def test_numpy_and_the_database_follow_one_rule(documents: Any) -> None:
    from loupe.brain.store import columns, outcomes

    dataset, expected = documents
    assert columns.read(dataset, failures=[FAILURE]).states[FAILURE].tolist() == expected
    ids = dataset.values("id")
    (outcome,) = outcomes.of_failures([FAILURE])
    for state in State:
        query = outcomes.query(outcome, state)
        assert json.loads(json.dumps(query, allow_nan=False)) == query  # a view travels as JSON
        wanted = [sample_id for sample_id, of in zip(ids, expected, strict=True) if of == state]
        assert dataset.match(query).values("id") == wanted
        assert len(wanted) > 0
        assert columns.narrow(dataset, columns.Cell({}, FAILURE, state)).values("id") == wanted


def test_rates_count_every_sample_once(documents: Any) -> None:
    dataset, expected = documents
    (rate,) = loupe.slice(dataset, [], failure=FAILURE)
    assert rate.n + rate.unknown + rate.unchecked == len(expected) == len(dataset)
    assert rate.failures == expected.count(State.FAILED)
    assert rate.n == expected.count(State.FAILED) + expected.count(State.PASSED)
    assert rate.unknown == expected.count(State.UNKNOWN)


def test_fields_that_are_not_declared_are_unchecked(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import outcomes

    dataset.add_samples([fo.Sample(filepath="/nowhere/0.png")])
    (rate,) = loupe.slice(dataset, [], failure=FAILURE)
    assert (rate.n, rate.unknown, rate.unchecked) == (0, 0, 1)
    (outcome,) = outcomes.of_failures([FAILURE])
    counts = {state: len(dataset.match(outcomes.query(outcome, state))) for state in State}
    assert counts == {State.UNCHECKED: 1, State.UNKNOWN: 0, State.PASSED: 0, State.FAILED: 0}


def test_every_failure_mode_that_something_flags_has_an_outcome() -> None:
    from loupe.brain.store import outcomes

    assert [outcome.name for outcome in outcomes.of_failures()] == list(registry.failures())
    assert outcomes.of_failures([]) == []
    with pytest.raises(UnknownName, match=r"blurr.*Did you mean 'blur'"):
        outcomes.of_failures(["blurr"])


@pytest.mark.parametrize("values", [[True, False, None, False], ["good", "bad", None, "unsure"]])
def test_an_outcome_that_a_field_holds(dataset: Any, values: list[Any]) -> None:
    import fiftyone as fo

    from loupe.brain.store import columns, outcomes

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png", day=index % 2 == 0) for index in range(4)])
    dataset.add_sample_field("verdict", fo.BooleanField if values[0] is True else fo.StringField)
    dataset.set_values("verdict", values)
    outcome = loupe.Outcome.field("verdict", failed=[False, "bad"], unknown=["unsure"], name="wrong")
    states = columns.read(dataset, outcome=outcome).states
    expected = {True: State.PASSED, "good": State.PASSED, None: State.UNCHECKED, "unsure": State.UNKNOWN}
    assert states["wrong"].tolist() == [expected.get(value, State.FAILED) for value in values]
    for state in State:
        matched = dataset.match(outcomes.query(outcome, state)).values("verdict")
        assert matched == [value for value, of in zip(values, states["wrong"], strict=True) if of == state]

    table = loupe.slice(dataset, "day", outcome=outcome)
    assert [(rate.failure, rate.slice.values) for rate in table] == [
        ("wrong", {"day": "False"}),
        ("wrong", {"day": "True"}),
    ]
    assert sum(rate.n + rate.unknown + rate.unchecked for rate in table) == 4
    assert sum(rate.failures for rate in table) == values.count(False) + values.count("bad")


def test_what_an_outcome_cannot_be_counted_by(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath="/nowhere/0.png", verdict="good")])
    with pytest.raises(UnknownName, match=r"field 'verdit'\. Did you mean 'verdict'"):
        loupe.slice(dataset, [], outcome=Outcome.field("verdit", failed=["bad"]))
    with pytest.raises(InputError, match="got both: 'blur' and 'verdict'"):
        loupe.slice(dataset, [], failure="blur", outcome=Outcome.field("verdict", failed=["bad"]))


def test_a_rule_without_a_line_for_a_state_has_no_sample_in_it(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.slicing.outcomes import Fact
    from loupe.brain.store import outcomes

    dataset.add_samples([fo.Sample(filepath="/nowhere/0.png", size=0.5)])
    sized = Outcome(
        "sized", {"any": Fact("size", "number")}, ((State.PASSED, {"any": True}), (State.FAILED, {"any": False}))
    )
    assert len(dataset.match(outcomes.query(sized, State.UNKNOWN))) == 0
    assert len(dataset.match(outcomes.query(sized, State.PASSED))) == 1


SEVERAL = ("any", "artifact", "exposure", "family:artifact")


@pytest.fixture(scope="module")
def several(database: str) -> Iterator[tuple[Any, dict[str, list[State]]]]:
    """600 random raw documents with scores, labels, checks and asked modes of three failure modes; their states."""
    import random

    import fiftyone as fo

    from loupe.brain.store import fields as store_fields
    from loupe.brain.store import scores as store_scores

    chance = random.Random(12)
    modes = ("blur", "halo", "dark")
    known = {mode: registry.failures()[mode] for mode in modes}
    made = fo.Dataset()
    made.add_samples([fo.Sample(filepath=f"/nowhere/{index:04}.png") for index in range(600)], progress=False)
    store_scores.declare(made, [output for _, output in known.values()])
    store_fields.declare(made, [store_fields.AS_ASKED])
    states: dict[str, list[State]] = {mode: [] for mode in modes}
    for sample_id in made.values("_id"):
        scores = {mode: chance.choice([MISSING, None, float("nan"), 0.5, 0.5, -1.0]) for mode in modes}
        labels: Any = chance.choice([MISSING, None, [], [], ["blur"], ["dark"], ["halo", "blur"], ["ugly", "halo"]])
        asked: Any = chance.choice([MISSING, None, [], [], ["dark"], ["blur", "halo"], list(modes)])
        looked = {check: "k" for check, _ in known.values() if chance.random() < 0.4}
        checked: Any = chance.choice([looked, looked, looked, None, MISSING])
        for mode, (check, _) in known.items():
            state = state_of(scores[mode], labels, MISSING, [])
            if state == State.UNCHECKED and (scores[mode] in (MISSING, None) or scores[mode] != scores[mode]):
                seen = checked not in (None, MISSING) and check in checked
                state = State.UNKNOWN if seen else State.UNCHECKED
            elif asked not in (MISSING, None) and mode in asked:
                state = State.UNKNOWN
            elif labels not in (MISSING, None):
                state = State.FAILED if mode in labels else State.PASSED
            states[mode].append(state)
        for mode, (check, _) in registry.failures().items():
            if mode not in modes:  # it has no score
                seen = checked not in (None, MISSING) and check in checked
                states.setdefault(mode, []).append(State.UNKNOWN if seen else State.UNCHECKED)
        quality = {output.name: scores[mode] for mode, (_, output) in known.items() if scores[mode] is not MISSING}
        listed = [{"_cls": "Classification", "label": label} for label in (labels if isinstance(labels, list) else [])]
        reasons = [
            {"_cls": "Classification", "label": "x", "asked": mode}
            for mode in (asked if isinstance(asked, list) else [])
        ]
        values = {
            "quality": {"_cls": "DynamicEmbeddedDocument", **quality},
            "failures": labels if labels in (MISSING, None) else {"_cls": "Classifications", "classifications": listed},
            "unknown": asked if asked in (MISSING, None) else {"_cls": "Classifications", "classifications": reasons},
            "checked": checked,
        }
        unset = {name: "" for name, value in values.items() if value is MISSING}
        kept = {name: value for name, value in values.items() if value is not MISSING}
        made._sample_collection.update_one({"_id": sample_id}, {"$set": kept, **({"$unset": unset} if unset else {})})
    yield made, states
    made.delete()


@pytest.mark.parametrize("name", SEVERAL)
def test_several_failures_together_are_one_rule_in_numpy_and_the_database(several: Any, name: str) -> None:
    """Failed where any failed, passed where judged for one and failed in none, unknown where some only looked."""
    from loupe.brain.store import columns, outcomes

    dataset, states = several
    own = [
        of for mode, of in states.items() if name == "any" or FAILURE_MODES[mode].group == name.removeprefix("family:")
    ]
    expected = [max(of) for of in zip(*own, strict=True)]
    assert set(expected) == set(State)
    assert columns.read(dataset, failures=[name]).states[name].tolist() == expected
    # among others, the database is asked for other answers
    assert columns.read(dataset, failures=["blur", name]).states[name].tolist() == expected
    ids = dataset.values("id")
    (outcome,) = outcomes.of_failures([name])
    for state in State:
        query = outcomes.query(outcome, state)
        assert json.loads(json.dumps(query, allow_nan=False)) == query
        wanted = [sample_id for sample_id, of in zip(ids, expected, strict=True) if of == state]
        assert dataset.match(query).values("id") == wanted
        narrowed = columns.narrow(dataset, columns.Cell({}, name, state))
        assert narrowed.values("id") == wanted
        assert columns.widen(narrowed)[1] == columns.Cell({}, name, state)
    (rate,) = loupe.slice(dataset, [], failure=name)
    assert (rate.failure, rate.failures, rate.unknown) == (
        name,
        expected.count(State.FAILED),
        expected.count(State.UNKNOWN),
    )


def test_names_of_several_failures() -> None:
    from loupe.brain.store import outcomes

    (every,) = outcomes.of_failures(["any"])
    assert [leaf.name for leaf in every.leaves()] == list(registry.failures())
    (text,) = outcomes.of_failures(["text"])
    assert {FAILURE_MODES[leaf.name].group for leaf in text.leaves()} == {"text"}
    with pytest.raises(UnknownName, match=r"'artefact'.*Did you mean 'artifact'.* any,"):
        outcomes.of_failures(["artefact"])


def test_several_outcomes_of_fields_together(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import outcomes

    values = list(itertools.product([None, "ok", "bad", "unsure"], repeat=2))
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{at}.png", a=a, b=b) for at, (a, b) in enumerate(values)])
    parts = [Outcome.field(path, failed=["bad"], unknown=["unsure"]) for path in ("a", "b")]
    both = Outcome.any_of(parts, name="either")
    order = {None: State.UNCHECKED, "unsure": State.UNKNOWN, "ok": State.PASSED, "bad": State.FAILED}
    expected = [max(order[a], order[b]) for a, b in values]
    (rate,) = loupe.slice(dataset, [], outcome=both)
    assert (rate.failures, rate.n, rate.unknown, rate.unchecked) == (
        *(expected.count(State.FAILED), expected.count(State.FAILED) + expected.count(State.PASSED)),
        *(expected.count(State.UNKNOWN), expected.count(State.UNCHECKED)),
    )
    for state in State:
        shown = dataset.match(outcomes.query(both, state))
        assert list(zip(shown.values("a"), shown.values("b"), strict=True)) == [
            pair for pair, of in zip(values, expected, strict=True) if of == state
        ]
    with pytest.raises(InputError, match="outcomes that 'any' is made of"):
        Outcome.any_of([])
    assert Outcome.any_of([both, parts[0]]).leaves() == (*parts, parts[0])

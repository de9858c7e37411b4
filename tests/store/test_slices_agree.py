"""Rates, the views of their slices, and a loop over the documents: the same numbers on random datasets."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

import loupe
from loupe import Factor, Outcome
from loupe.brain.core import registry
from loupe.brain.slicing.columns import NONE
from loupe.brain.slicing.outcomes import State

pytestmark = pytest.mark.database

ODD = ["it's", 'a "b"', "a.b", "$where", "<img src=x onerror=alert(1)>", "🐈", "(none)", "", None]
MODES = ("blur", "dark")


def _documents(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    made = []
    for _ in range(90):
        marks = {
            mode: chance.choice(["failed", "passed", "passed", "passed", "unknown", "unchecked"]) for mode in MODES
        }
        made.append(
            {
                "time": chance.choice(ODD),
                "tags": chance.sample(["a", "b", "$c"], chance.randint(0, 3)),
                "boxes": chance.choices(["cat", "dog", "a.b"], k=chance.randint(0, 4))
                if chance.random() < 0.9
                else None,
                "score": chance.choice([None, float("nan"), float("inf"), chance.random(), chance.random()]),
                "prompt": chance.choice(["two cats", "a dog, no people", 'the word "a"', None]),
                "verdict": chance.choice(["good", "bad", "unsure", None]),
                "states": marks,
            }
        )
    return made


@pytest.fixture(scope="module", params=range(3))
def filled(request: pytest.FixtureRequest, database: str) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    import fiftyone as fo

    from loupe.brain.store import scores as store_scores

    documents = _documents(request.param)
    made = fo.Dataset()
    for path, kind in {"time": fo.StringField, "verdict": fo.StringField, "score": fo.FloatField}.items():
        made.add_sample_field(path, kind)
    made.add_sample_field("prompt", fo.StringField)
    samples = []
    for row, facts in enumerate(documents):
        sample = fo.Sample(filepath=f"/nowhere/{row:03}.png", tags=facts["tags"])
        for name in ("time", "score", "verdict", "prompt"):
            sample[name] = facts[name]
        if facts["boxes"] is not None:
            detections = [fo.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5]) for label in facts["boxes"]]
            sample["boxes"] = fo.Detections(detections=detections)
        samples.append(sample)
    made.add_samples(samples, progress=False)
    known = {mode: registry.failures()[mode] for mode in MODES}
    store_scores.declare(made, [output for _, output in known.values()])
    for facts, sample_id in zip(documents, made.values("_id"), strict=True):
        values: dict[str, Any] = {"failures": {"_cls": "Classifications", "classifications": []}, "checked": {}}
        for mode, (check, output) in known.items():
            state = facts["states"][mode]
            if state in ("failed", "passed"):
                values[f"quality.{output.name}"] = 0.5
            if state == "failed":
                values["failures"]["classifications"].append({"_cls": "Classification", "label": mode})
            if state != "unchecked":
                values["checked"][check] = "k"
        made._sample_collection.update_one({"_id": sample_id}, {"$set": values})
    made.reload()
    yield made, documents
    made.delete()


def _values(facts: dict[str, Any]) -> dict[str, set[str]]:
    """What the slices of a sample are called, by factor, by hand."""
    score, boxes = facts["score"], facts["boxes"]
    return {
        "time": {NONE if facts["time"] is None else f'"{NONE}"' if facts["time"] == NONE else facts["time"]},
        "tags": set(facts["tags"]) or {NONE},
        "boxes": set(boxes or ()) or {NONE},
        "boxes cat count": {NONE if boxes is None else str(boxes.count("cat"))},
        "score": {NONE if score is None or score != score else "low" if score < 0.5 else "high"},
        "prompt negation": {str(facts["prompt"] == "a dog, no people") if facts["prompt"] else NONE},
    }


FACTORS = {
    "time": "time",
    "tags": Factor.tags(),
    "boxes": Factor.label("boxes"),
    "boxes cat count": Factor.count("boxes", of="cat"),
    "score": Factor.field("score", bins=[0.5], names=["low", "high"]),
    "prompt negation": Factor.prompt("negation"),
}
STATES = {"failed": State.FAILED, "passed": State.PASSED, "unknown": State.UNKNOWN, "unchecked": State.UNCHECKED}
VERDICTS = {"bad": State.FAILED, "good": State.PASSED, "unsure": State.UNKNOWN, None: State.UNCHECKED}


def _combinations() -> list[tuple[str, ...]]:
    singles = [(name,) for name in FACTORS]
    pairs = list(itertools.combinations(FACTORS, 2))
    return [(), *singles, *random.Random(5).sample(pairs, 6), ("tags", "boxes", "score"), ("boxes", "time", "tags")]


@pytest.mark.parametrize("by", _combinations(), ids=" × ".join)
@pytest.mark.parametrize("narrowed", [False, True], ids=["all", "filtered"])
def test_rates_views_and_a_loop_over_documents_agree(filled: Any, by: tuple[str, ...], narrowed: bool) -> None:
    from loupe.brain.store import factors, outcomes

    dataset, documents = filled
    view = (
        dataset.match({"verdict": {"$ne": "good"}}).skip(5).select_fields(dataset.get_field_schema())
        if narrowed
        else dataset
    )
    kept = [facts for facts in documents if facts["verdict"] != "good"][5:] if narrowed else documents
    given = [FACTORS[name] for name in by]
    verdict = Outcome.field("verdict", failed=["bad"], unknown=["unsure"])
    several = ("any", lambda facts: max(STATES[state] for state in facts["states"].values()))
    counted = {
        "dark": ({"failure": "dark"}, lambda facts: STATES[facts["states"]["dark"]]),
        "any": ({"failure": "any"}, several[1]),
        "verdict": ({"outcome": verdict}, lambda facts: VERDICTS[facts["verdict"]]),
    }
    for name, (asked, state_of) in counted.items():
        expected: dict[tuple[str, ...], list[State]] = {}
        for facts in kept:
            own = _values(facts)
            for values in itertools.product(*(own[factor] for factor in by)):
                expected.setdefault(values, []).append(state_of(facts))
        table = loupe.slice(view, given, **asked)
        assert {tuple(rate.slice.values.values()) for rate in table} == set(expected)
        (outcome,) = [verdict] if name == "verdict" else outcomes.of_failures([name])
        every = [state_of(facts) for facts in kept]
        for rate in table:
            held = expected[tuple(rate.slice.values.values())]
            counts = {state: held.count(state) for state in State}
            assert rate.failures == counts[State.FAILED]
            assert rate.n == counts[State.FAILED] + counts[State.PASSED]
            assert (rate.unknown, rate.unchecked) == (counts[State.UNKNOWN], counts[State.UNCHECKED])
            rest_n = sum(state >= State.PASSED for state in every) - rate.n
            rest_k = every.count(State.FAILED) - rate.failures
            if rate.n and rest_n and rest_k:
                assert rate.lift == pytest.approx((rate.failures / rate.n) / (rest_k / rest_n))
            shows = factors.samples_of(view, rate.slice, given)
            assert len(shows) == len(held)
            if len(by) < 2:  # each state of it costs a query
                for state, count in counts.items():
                    assert len(shows.match(outcomes.query(outcome, state))) == count


def test_groups_are_read_in_the_same_call(filled: Any) -> None:
    dataset, documents = filled
    table = loupe.slice(dataset, "tags", failure="any", groups="prompt", min_n=3)
    plain = loupe.slice(dataset, "tags", failure="any")
    assert [rate.slice for rate in table] == [rate.slice for rate in plain]
    for rate, alone in zip(table, plain, strict=True):
        tag = rate.slice.values["tags"]
        rows = [
            row
            for row, facts in enumerate(documents)
            if tag in _values(facts)["tags"]
            and max(STATES[state] for state in facts["states"].values()) >= State.PASSED
        ]
        assert rate.groups == len({documents[row]["prompt"] or row for row in rows})
        assert (rate.n, rate.rate, rate.min_n) == (alone.n, alone.rate, 3)
        assert rate.effective_n <= rate.n
        assert rate.high - rate.low >= alone.high - alone.low
        assert f"in {rate.groups} groups, which count as" in str(rate)
    # by what it is sliced by, too
    (rate, *_) = loupe.slice(dataset, "prompt", failure="any", groups="prompt")
    assert rate.groups == 1
    assert list(rate.slice.values) == ["prompt"]
    for path in ("tags", "boxes"):
        with pytest.raises(loupe.errors.InputError, match="each sample is in one of"):
            loupe.slice(dataset, [], failure="any", groups=path)
    with pytest.raises(loupe.errors.InputError, match="'score' holds numbers in between"):
        loupe.slice(dataset, [], failure="any", groups="score")
    with pytest.raises(loupe.errors.UnknownName, match=r"unknown field 'promt'.*Did you mean 'prompt'"):
        loupe.slice(dataset, [], failure="any", groups="promt")


def test_a_field_deleted_in_between_is_a_clear_error(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{row}.png", time="day") for row in range(3)], progress=False)
    view = dataset.view()
    (rate,) = loupe.slice(view, "time", failure="blur")
    dataset.delete_sample_field("time")
    with pytest.raises(loupe.errors.UnknownName, match="'time'"):
        loupe.slice(view, "time", failure="blur")
    from loupe.brain.store import factors

    with pytest.raises(loupe.errors.UnknownName, match="'time'"):
        factors.samples_of(view, rate.slice, "time")


def test_patches_are_counted_one_by_one_and_what_is_no_view_is_refused(dataset: Any) -> None:
    import fiftyone as fo

    def box(label: str, side: float) -> Any:
        return fo.Detection(label=label, bounding_box=[0, 0, side, side])

    for row in range(3):
        boxes = fo.Detections(detections=[box("cat", 0.01), box("dog", 0.9)][: 1 + row])
        dataset.add_sample(fo.Sample(filepath=f"/nowhere/{row}.png", boxes=boxes))
    patches = dataset.to_patches("boxes")
    by = [Factor.label("boxes"), Factor.box_size("boxes")]
    cats = loupe.Outcome.field("boxes.label", failed="cat")
    table = loupe.slice(patches, by, outcome=cats)
    assert [(tuple(rate.slice.values.values()), rate.n, rate.failures) for rate in table] == [
        (("cat", "small"), 3, 3),
        (("dog", "large"), 2, 0),
    ]
    # failures stand on samples, or on objects
    with pytest.raises(loupe.errors.InputError, match=r"a view of patches.*with objects='boxes'"):
        loupe.slice(patches, by, failure="blur")
    assert len(dataset.limit(0)) == 0
    with pytest.raises(loupe.errors.NoSamples):
        loupe.slice(dataset.limit(0), "tags")
    for given in (None, 3, [dataset.first()]):
        with pytest.raises(loupe.errors.InputError, match="dataset or view"):
            loupe.slice(given, "tags")
    for wrong in ({"failure": 3}, {"groups": 3}, {"groups": ["tags"]}):
        with pytest.raises(loupe.errors.InputError, match="to be a text or None"):
            loupe.slice(dataset, "tags", **wrong)
    for min_n in (0, True, "10", 2.5):
        with pytest.raises(loupe.errors.InputError, match="expected min_n to be a whole number"):
            loupe.slice(dataset, "tags", failure="blur", min_n=min_n)


def test_very_many_values_all_missing_and_a_single_one(dataset: Any) -> None:
    import fiftyone as fo

    samples = [fo.Sample(filepath=f"/nowhere/{row}.png", many=f"v{row // 2}", same=1.5) for row in range(5000)]
    dataset.add_samples(samples, progress=False)
    dataset.add_sample_field("nothing", fo.FloatField)
    dataset.add_sample_field("text", fo.StringField)
    assert len(loupe.slice(dataset, "many", failure="blur")) == 2500
    for path in ("nothing", "text"):
        (rate,) = loupe.slice(dataset, path, failure="blur")
        assert (rate.slice.values, rate.unchecked) == ({path: NONE}, 5000)
    (rate,) = loupe.slice(dataset, Factor.field("nothing", width=0.1), failure="blur")
    assert rate.slice.values == {"nothing": NONE}
    (rate,) = loupe.slice(dataset, "same", failure="blur")
    assert rate.slice.values == {"same": "1.5"}
    (rate,) = loupe.slice(dataset, Factor.field("same", width=1), failure="blur")
    assert rate.slice.values == {"same": "[1, 2)"}

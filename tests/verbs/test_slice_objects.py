"""Rates of objects, against a loop over the documents."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import SampleResult
from loupe.brain.core.registry import checks, objects
from loupe.brain.engine.crops import OBJECTS
from loupe.brain.engine.objects import ObjectVerdict
from loupe.brain.slicing.columns import NONE
from loupe.brain.slicing.factors import Factor

pytestmark = pytest.mark.database

CLASSES = ["cat", "it's", "a.b", "$where", "<b>🐈</b>", "(none)", "", None]


@pytest.fixture(params=range(3))
def filled(request: pytest.FixtureRequest, dataset: Any) -> Any:
    """Sixty pictures with up to five objects, whose scores were written without a picture."""
    import fiftyone as fo

    from loupe.brain.store.objects import mirror as store_objects
    from loupe.brain.verbs.steps.objects import flag_objects

    chance = random.Random(request.param)
    samples = []
    for at in range(60):
        sample = fo.Sample(filepath=f"/nowhere/{at}.png", time=chance.choice(["day", "night", None]))
        sample["weather"] = fo.Classification(label=chance.choice(["wet", "dry"])) if at % 7 else None
        labels = [
            fo.Detection(
                label=chance.choice(CLASSES),
                bounding_box=[chance.random() * 0.7, 0.1, chance.choice([0.02, 0.2, 0.3]), 0.1],
                occluded=chance.choice([True, False, None]),
            )
            for _ in range(chance.randint(0, 5))
        ]
        sample["gt"] = fo.Detections(detections=labels) if at % 11 else None
        samples.append(sample)
    dataset.add_samples(samples, dynamic=True, progress=False)
    specs = [checks()["sharpness"](), objects()["cut"]()]
    todo = store_objects.pending(dataset, "gt", {spec.name: spec.key for spec in specs})
    store_objects.declare(dataset, "gt", specs)
    verdicts = []
    for row in todo.rows:
        if chance.random() < 0.15:
            continue  # nobody has looked
        n = len(row.fields[OBJECTS])
        scores = [chance.choice([None, 0.2, 0.9]) for _ in range(n)]
        soft = tuple(
            SampleResult({} if each is None else {"sharpness": each}, None if each else "small") for each in scores
        )
        near = tuple(SampleResult({"border_distance": chance.choice([0.0, 9.0]), "outside": 0.0}) for _ in range(n))
        broken = {"cut": "cannot"} if chance.random() < 0.1 else {}
        results = {"sharpness": soft, **({} if broken else {"cut": near})}
        verdicts.append(ObjectVerdict(row, results, broken))
    store_objects.write(dataset, "gt", verdicts, specs)
    flag_objects(dataset, "gt")
    return dataset


def _counted(dataset: Any, mode: str, score: str, value_of: Callable[[Any, Any], Any]) -> dict[Any, Counter[str]]:
    counts: dict[Any, Counter[str]] = {}
    for sample in dataset:
        known = {each.source: each for each in (sample.gt_objects.detections if sample.gt_objects else [])}
        judged = dict(sample.gt_objects["checked"]) if sample.gt_objects else {}
        check = {"blur": "sharpness", "cut": "cut"}[mode]
        for label in sample.gt.detections if sample.gt else []:
            mirrored = known.get(label.id)
            if mirrored is None or judged.get(check) is None:
                state = "unchecked"
            elif mirrored[score] is None:
                state = "unknown"
            else:
                state = "failed" if mode in mirrored.failures else "passed"
            counts.setdefault(value_of(sample, label), Counter())[state] += 1
    return counts


BY = {
    "class": ("gt", lambda sample, label: label.label),
    "time": ("time", lambda sample, label: sample.time),
    "weather": ("weather", lambda sample, label: sample.weather.label if sample.weather else None),
    "occluded": (Factor.attribute("gt", "occluded"), lambda sample, label: label.occluded),
    "path": ("gt.detections.occluded", lambda sample, label: label.occluded),
    "cats": (
        Factor.attribute("gt", "occluded", of="cat"),
        lambda sample, label: label.occluded if label.label == "cat" else None,
    ),
    "size": (
        Factor.box_size("gt"),
        lambda sample, label: (
            "small" if label.bounding_box[2] < 0.03 else "medium" if label.bounding_box[2] < 0.3 else "large"
        ),
    ),
    "count": (Factor.count("gt"), lambda sample, label: len(sample.gt.detections)),
}


@pytest.mark.parametrize("mode", ["blur", "cut"])
@pytest.mark.parametrize("by", BY)
def test_rates_are_those_of_a_loop(filled: Any, by: str, mode: str) -> None:
    import loupe
    from loupe.brain.slicing.columns import shown

    factor, value_of = BY[by]
    score = {"blur": "sharpness", "cut": "border_distance"}[mode]
    counts = {shown(value): own for value, own in _counted(filled, mode, score, value_of).items()}
    rates = loupe.slice(filled, factor, failure=mode, objects="gt")
    assert {next(iter(rate.slice.values.values())) for rate in rates} == counts.keys()
    for rate in rates:
        own = counts[next(iter(rate.slice.values.values()))]
        assert (rate.failures, rate.n) == (own["failed"], own["failed"] + own["passed"])
        assert (rate.unknown, rate.unchecked) == (own["unknown"], own["unchecked"])
        assert rate.groups is not None
        assert rate.effective_n is not None
        assert rate.effective_n <= rate.n


def test_combinations_and_scores_of_the_objects_themselves(filled: Any) -> None:
    import loupe

    soft = Factor.field("gt_objects.detections.sharpness", bins=[0.5], names=["soft", "sharp"])
    rates = loupe.slice(filled, [soft, "time"], failure="blur", objects="gt")
    for rate in rates:
        name = rate.slice.values["gt_objects.detections.sharpness"]
        assert rate.failures == (rate.n if name == "soft" else 0)
        assert (name == NONE) == (rate.n == 0)
    whole = loupe.slice(filled, [], failure="blur", objects="gt")[0]
    assert sum(rate.n for rate in rates) == whole.n


def test_any_failure_is_any_of_an_object(filled: Any) -> None:
    import loupe

    (rate,) = loupe.slice(filled, [], failure="any", objects="gt")
    failing = sum(
        bool(each.failures) for sample in filled if sample.gt_objects for each in sample.gt_objects.detections
    )
    assert rate.failures == failing == sum(count or 0 for count in filled.values("gt_objects.failing"))


def test_labels_that_a_view_filters_out_do_not_count(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    every = {rate.slice.values["gt"]: rate for rate in loupe.slice(filled, "gt", failure="cut", objects="gt")}
    cats = filled.filter_labels("gt", fo.ViewField("label") == "cat")
    (rate,) = loupe.slice(cats, "gt", failure="cut", objects="gt")
    assert rate.slice.values == {"gt": "cat"}
    assert (rate.n, rate.failures, rate.unchecked) == (every["cat"].n, every["cat"].failures, every["cat"].unchecked)


def test_groups_of_pictures_are_wider_than_pictures(filled: Any) -> None:
    import loupe

    (alone,) = loupe.slice(filled, [], failure="cut", objects="gt")
    (grouped,) = loupe.slice(filled, [], failure="cut", objects="gt", groups="time")
    judged = {
        sample.id if sample.time is None else sample.time
        for sample in filled
        if sample.gt_objects and any(each.border_distance is not None for each in sample.gt_objects.detections)
    }
    assert grouped.groups == len(judged)
    assert alone.groups is not None
    assert alone.groups > grouped.groups


def test_what_cannot_be_sliced_by_is_refused(filled: Any) -> None:
    import loupe

    with pytest.raises(UnknownName, match="unknown failure mode of objects 'hand_malformed'"):
        loupe.slice(filled, "gt", failure="hand_malformed", objects="gt")
    with pytest.raises(InputError, match="expected failure modes of objects, got the outcome"):
        loupe.slice(filled, "gt", outcome=loupe.Outcome.field("time", failed=["day"]), objects="gt")
    with pytest.raises(InputError, match="attribute 'occlude'"):
        loupe.slice(filled, Factor.attribute("gt", "occlude"), objects="gt")
    filled.set_values("level", [0.5] * len(filled))
    filled.set_values("several", [["a", "b"]] * len(filled))
    with pytest.raises(InputError, match="numbers in between"):
        loupe.slice(filled, "gt", objects="gt", groups="level")
    with pytest.raises(InputError, match="several on some"):
        loupe.slice(filled, "time", objects="gt", groups="several")

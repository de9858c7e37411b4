"""``loupe.find_drift`` on a dataset in which the nights of the last day got worse, and on bad input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database

PER_DAY = 150


@pytest.fixture(scope="module")
def days(database: str) -> Iterator[Any]:
    import fiftyone as fo
    from drifting import fill

    made = fo.Dataset()
    fill(made, PER_DAY)
    yield made
    made.delete()


@pytest.fixture(scope="module")
def result(days: Any) -> Any:
    import loupe

    return loupe.find_drift(days, reference="first", by="taken day", predictions="predictions", ground_truth="truth")


def test_the_day_that_drifted_is_told_from_the_others(result: Any) -> None:
    assert [batch.name for batch in result.batches] == ["2026-11-02", "2026-11-03", "2026-11-04"]
    assert [batch.verdict for batch in result.batches] == ["no evidence", "no evidence", "drifted"]
    assert result.verdict == "drifted"
    assert (result.n_reference, result.reference, result.by) == (PER_DAY, "taken day 2026-11-01", "taken day")
    assert result.sentence() == "1 of 3 batches drifted: 2026-11-04."
    assert {shift.quantity for shift in result.batches[0].shifts} == {
        *("embeddings", "quality.sharpness", "quality.sharpness unknown", "quality.luma_mean"),
        *("predictions", "predictions confidence", "predictions over-confidence", "truth"),
        *("scenario.time", "scenario.camera"),
    }
    drifted = {shift.quantity for shift in result.batches[2].drifted()}
    assert drifted == {"embeddings", "quality.sharpness", "predictions over-confidence"}
    assert result.batches[2].shifts[0].p_adjusted <= 0.05
    assert "2026-11-04" in repr(result)


def test_the_numbers_are_those_of_the_samples(days: Any, result: Any) -> None:
    from fiftyone import ViewField as F

    last = days.match(F("taken") >= datetime(2026, 11, 4, tzinfo=UTC))
    first = days.match(F("taken") < datetime(2026, 11, 2, tzinfo=UTC))
    shift = next(each for each in result.batches[2].shifts if each.quantity == "quality.sharpness")
    values = [[value for value in view.values("quality.sharpness") if value is not None] for view in (first, last)]
    assert (shift.n_reference, shift.n) == tuple(map(len, values))
    assert (shift.reference, shift.new) == pytest.approx(tuple(map(np.mean, values)))
    assert shift.low < shift.value < shift.high < 0
    calibrated = result.batches[2].calibration
    right = [a == b for a, b in zip(*last.values(["predictions.label", "truth.label"]), strict=True)]
    assert calibrated.n == PER_DAY
    assert calibrated.right == pytest.approx(np.mean(right))
    assert calibrated.confidence == pytest.approx(np.mean(last.values("predictions.confidence")))
    assert calibrated.gap == pytest.approx(calibrated.confidence - calibrated.right)
    assert calibrated.low > 0.05
    assert result.calibration.low < 0.05
    mix = next(each for each in result.batches[2].shifts if each.quantity == "scenario.camera")
    shares = [
        [view.values("scenario.camera").count(name) / PER_DAY for view in (first, last)] for name in ("north", "south")
    ]
    listed = {change.value: (change.reference, change.new) for change in mix.changes}
    assert [listed[name] for name in ("north", "south")] == [pytest.approx(pair) for pair in shares]
    assert mix.value == pytest.approx(abs(shares[0][1] - shares[0][0]))


def test_the_slice_that_it_comes_from_is_named(days: Any, result: Any) -> None:
    named = {driver.quantity: str(driver.slice) for driver in result.batches[2].drivers if driver.kind == "within"}
    assert named == dict.fromkeys(("embeddings", "quality.sharpness", "predictions over-confidence"), "time=night")
    driver = next(each for each in result.batches[2].drivers if each.quantity == "quality.sharpness")
    assert 0.6 < driver.share < 1.4
    assert driver.shift == pytest.approx(-0.2, abs=0.06)
    times = dict(zip(*days.values(["id", "scenario.time"]), strict=True))
    assert sum(times[sample_id] == "night" for sample_id in result.batches[2].newest) >= 6
    assert not set(result.batches[2].newest) & set(result.batches[2].oldest)


def test_it_writes_nothing_to_the_samples_and_keeps_what_it_found(days: Any, result: Any) -> None:
    from loupe.brain.store import runs
    from loupe.brain.store.drift import kept as drift_kept

    kept = drift_kept.load(days)
    assert kept.drift.to_dict() == result.to_dict()
    assert set(kept.batches) == {"2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"}
    assert days.match(kept.batches["2026-11-04"]).count() == PER_DAY
    night = days.match({"$and": [kept.batches["2026-11-04"], kept.slices[drift_kept.key("scenario.time", "night")]]})
    assert set(night.values("scenario.time")) == {"night"}
    assert runs.listed(days) == ["loupe_drift"]
    assert not days.has_field("drift")


def test_the_page_shows_what_is_printed(result: Any) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")
    assert f"{result}\n{result.batches[2].drivers[0]}\n```" in page


def test_the_same_again_says_the_same(days: Any, result: Any) -> None:
    import loupe

    again = loupe.find_drift(days, reference="first", by="taken day", predictions="predictions", ground_truth="truth")
    assert again.to_dict() == result.to_dict()


def test_a_view_against_another_dataset(days: Any, new_dataset: Callable[[], Any]) -> None:
    from drifting import fill

    import loupe

    other = new_dataset()
    fill(other, 40, drifts=False, seed=9)
    made = loupe.find_drift(days.limit(2 * PER_DAY), reference=other, scores=["quality.sharpness"], factors=[])
    assert [batch.name for batch in made.batches] == ["all samples"]
    assert made.verdict == "no evidence"
    assert made.batches[0].used == (160, 2 * PER_DAY)
    assert made.notes == ("160 files stand on both sides: they show no difference to themselves.",)
    assert {shift.quantity for shift in made.batches[0].shifts} == {
        *("embeddings", "quality.sharpness", "quality.sharpness unknown", "predictions", "truth")
    }


def test_a_clone_of_itself_shows_no_difference(days: Any) -> None:
    import loupe

    clone = days.limit(200).clone()
    try:
        made = loupe.find_drift(days.limit(200), reference=clone, permutations=99)
        assert made.verdict == "no evidence"
        assert made.batches[0].p == 1.0
        assert made.notes[0].startswith("200 files stand on both sides")
    finally:
        clone.delete()


def test_samples_are_not_their_own_reference(days: Any) -> None:
    import loupe

    with pytest.raises(errors.InputError, match="the same samples twice: give another dataset"):
        loupe.find_drift(days, reference=days)
    made = loupe.find_drift(days.limit(100), reference=days.skip(50), permutations=99)
    assert (made.n_reference, made.batches[0].n, made.left_out) == (550, 50, 0)
    assert made.notes == ("50 of the samples are the reference, and in no batch.",)
    assert made.reference == "a view of this dataset"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"reference": "first"}, "say what makes them"),
        ({"reference": "2026-11-02", "by": "taken dya"}, "unknown part of a time 'dya'"),
        ({"reference": "2026-11-9", "by": "taken day"}, "unknown batch by taken day '2026-11-9'. Did you mean"),
        ({"reference": "first", "by": "prompt"}, "at most 400 batches, got 600"),
        ({"reference": "first", "by": "nothing"}, "unknown field 'nothing'"),
        ({"reference": "first", "by": "taken", "scores": ["prompt"]}, "expected a field of numbers, but 'prompt'"),
        ({"reference": "first", "by": "taken", "scores": ["quality.sharpnes"]}, "unknown field 'quality.sharpnes'"),
        ({"reference": "first", "by": "taken", "embeddings": "prompt"}, "expected a field of vectors"),
        ({"reference": "first", "by": "taken", "predictions": "prompt"}, "as predictions"),
        ({"reference": "first", "by": "taken", "ground_truth": "truth"}, "expected the predictions"),
        ({"reference": "first", "by": "taken", "labels": ["prompt"]}, "expected a field of labels"),
        ({"reference": "first", "by": "taken", "groups": ["promt"]}, "unknown field 'promt'"),
        ({"reference": "first", "by": "taken", "alpha": 1.5}, "expected alpha to be a number from 0.001 to 0.5"),
        ({"reference": "first", "by": "taken", "permutations": 5}, "expected permutations to be a whole number"),
        ({"reference": ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"], "by": "taken"}, "has no other value"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do(days: Any, asked: dict[str, Any], message: str) -> None:
    import loupe

    with pytest.raises(errors.InputError, match=message):
        loupe.find_drift(days, **asked)


def test_views_of_patches_and_empty_ones_are_refused(days: Any) -> None:
    import loupe

    with pytest.raises(errors.NoSamples):
        loupe.find_drift(days.limit(10), reference=days.match({"prompt": "nobody's"}))
    with pytest.raises(errors.NoSamples):
        loupe.find_drift(days.match({"prompt": "nobody's"}), reference="first", by="taken")
    with pytest.raises(errors.InputError, match="got a name"):
        loupe.find_drift("days", reference="first", by="taken")


def test_patches_are_refused(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    dataset = new_dataset()
    box = fo.Detection(label="a", bounding_box=[0, 0, 1, 1])
    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{n}.png", boxes=fo.Detections(detections=[box.copy()])) for n in range(30)],
        progress=False,
    )
    with pytest.raises(errors.InputError, match="patches"):
        loupe.find_drift(dataset.to_patches("boxes"), reference=dataset)
    with pytest.raises(errors.InputError, match="patches"):
        loupe.find_drift(dataset, reference=dataset.to_patches("boxes"))
    with pytest.raises(errors.InputError, match="group"):
        loupe.find_drift(dataset.group_by("filepath"), reference=dataset)
    with pytest.raises(errors.InputError, match="got int"):
        loupe.find_drift(dataset, reference=5)


def test_a_caller_can_stop_it_and_sees_how_far_it_is(days: Any) -> None:
    import loupe

    steps: list[Any] = []

    def stop(step: Any) -> None:
        steps.append(step.message)
        if len(steps) == 3:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.find_drift(days, reference="first", by="taken", progress=stop)
    assert steps == ["reading the batches", "reading what is compared", "2026-11-02"]

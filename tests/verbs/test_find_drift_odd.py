"""``loupe.find_drift`` on little, constant, broken and oddly named data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database

PER_DAY = 150


def plain(dataset: Any, n: int, **fields: Any) -> None:
    """Adds n samples; ``fields`` are N values each."""
    import fiftyone as fo

    samples = [
        fo.Sample(filepath=f"/nowhere/{id(dataset)}/{at}.png", **{name: values[at] for name, values in fields.items()})
        for at in range(n)
    ]
    dataset.add_samples(samples, dynamic=True, progress=False)


def test_more_samples_than_are_compared_are_drawn_and_counted(
    new_dataset: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.store.drift import columns as drift
    from loupe.brain.store.drift import fields as drift_reading

    monkeypatch.setattr(drift, "MAX_SAMPLES", 60)
    monkeypatch.setattr(drift, "_MIN_EACH", 40)
    monkeypatch.setattr(drift_reading, "MAX_VECTORS", 30)
    rng = np.random.default_rng(1)
    dataset = new_dataset()
    values = [float(at >= 150) for at in range(300)]
    vectors = list((rng.normal(size=(300, 4)) + 9 * np.array(values)[:, None]).astype(np.float32))
    plain(dataset, 300, split=["a"] * 150 + ["b"] * 150, score=values, embeddings=vectors)
    made = loupe.find_drift(dataset, reference="a", by="split", scores=["score"], factors=[])
    assert (made.n_reference, made.batches[0].n, made.batches[0].used) == (150, 150, (60, 60))
    n = {shift.quantity: (shift.n_reference, shift.n) for shift in made.batches[0].shifts}
    assert n == {"score": (60, 60), "embeddings": (30, 30)}
    score = next(shift for shift in made.batches[0].shifts if shift.quantity == "score")
    assert (score.reference, score.new) == (0.0, 1.0), "each sample has its own values"
    area = next(shift.value for shift in made.batches[0].shifts if shift.quantity == "embeddings")
    assert area == 1.0, "and its own vector"


def test_ten_samples_on_a_side_are_too_few(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    plain(dataset, 60, split=["a"] * 50 + ["b"] * 10, score=[float(at) for at in range(60)])
    made = loupe.find_drift(dataset, reference="a", by="split", scores=["score"])
    assert made.verdict == "too few"
    assert made.batches[0].reason == "it has 10 samples, at least 20 are needed"
    assert made.sentence() == "Too few samples to tell whether anything drifted."
    assert "at least 20 are needed" in str(made.batches[0])
    assert (
        loupe.find_drift(dataset, reference="b", by="split", scores=["score"]).batches[0].reason.startswith("the ref")
    )
    made = loupe.find_drift(dataset, reference="a", by="split", scores=["score"], min_samples=10)
    assert made.verdict == "drifted", "all of them are higher"


def test_ten_prompts_with_many_pictures_are_ten(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    prompts = [f"prompt {at // 20}" for at in range(160)]
    rng = np.random.default_rng(0)
    of_prompt = rng.normal(size=8).repeat(20)
    plain(dataset, 160, prompt=prompts, split=["a"] * 80 + ["b"] * 80, score=list(map(float, of_prompt)))
    made = loupe.find_drift(dataset, reference="a", by="split", scores=["score"])
    assert made.batches[0].reason == "it has only 4 groups of samples, at least 5 are needed"
    assert loupe.find_drift(dataset, reference="a", by="split", scores=["score"], groups=[]).batches[0].units == (
        80,
        80,
    )


def test_constant_numbers_and_vectors_show_nothing(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    vectors = [np.ones(8, dtype=np.float32)] * 100
    plain(dataset, 100, split=["a"] * 50 + ["b"] * 50, score=[0.1] * 100, embeddings=vectors, flag=["yes"] * 100)
    made = loupe.find_drift(dataset, reference="a", by="split", scores=["score"], factors=["flag"])
    assert made.verdict == "no evidence"
    assert {shift.quantity: shift.p for shift in made.batches[0].shifts} == {"embeddings": 1, "score": 1, "flag": 1}


def test_bad_vectors_are_left_out_and_said(new_dataset: Callable[[], Any]) -> None:
    import loupe

    rng = np.random.default_rng(0)
    vectors: list[Any] = [vector / np.linalg.norm(vector) for vector in rng.normal(size=(100, 8))]  # of unit length
    vectors[0], vectors[1], vectors[2], vectors[3] = np.full(8, np.nan), np.full(8, np.inf), None, np.zeros(5)
    dataset = new_dataset()
    plain(dataset, 100, split=["a"] * 50 + ["b"] * 50, embeddings=vectors)
    made = loupe.find_drift(dataset, reference="a", by="split", factors=[])
    assert made.notes == ("3 vectors have NaN, infinity or another size, and were left out.",)
    (shift,) = made.batches[0].shifts
    assert (shift.n_reference, shift.n, shift.verdict) == (46, 50, "no evidence")


def test_vectors_of_two_sizes_are_refused(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset, other = new_dataset(), new_dataset()
    plain(dataset, 40, embeddings=list(np.ones((40, 8))))
    plain(other, 30, embeddings=list(np.ones((30, 5))))
    with pytest.raises(errors.InputError, match="5, 8 numbers"):
        loupe.find_drift(dataset, reference=other)


def test_numbers_with_nan_and_infinity_count_as_not_known(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    scores = [float("nan"), float("inf"), None, *map(float, np.random.default_rng(0).normal(size=97))]
    plain(dataset, 100, split=["a"] * 50 + ["b"] * 50, score=scores)
    (shift,) = loupe.find_drift(dataset, reference="a", by="split", scores=["score"], factors=[]).batches[0].shifts
    assert (shift.n_reference, shift.n) == (47, 50)


def test_days_are_those_of_utc_and_no_date_is_no_batch(new_dataset: Callable[[], Any]) -> None:
    import loupe

    zone = timezone(timedelta(hours=9))
    # 8 o'clock in Tokyo is the day before in UTC; the same time again and again is no trouble
    at = [datetime(2026, 11, 2, 8, tzinfo=zone)] * 30 + [datetime(2026, 11, 2, 10, tzinfo=zone)] * 30 + [None] * 5
    dataset = new_dataset()
    plain(dataset, 65, taken=at, score=list(map(float, np.random.default_rng(0).normal(size=65))))
    made = loupe.find_drift(dataset, reference="2026-11-01", by="taken day", scores=["score"])
    assert (made.n_reference, [(batch.name, batch.n) for batch in made.batches]) == (30, [("2026-11-02", 30)])
    assert made.left_out == 5


def test_a_date_that_no_sample_has_is_said(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    dataset = new_dataset()
    plain(dataset, 30, score=[0.5] * 30)
    dataset.add_sample_field("taken", fo.DateTimeField)
    with pytest.raises(errors.InputError, match="none of 30 samples has a value"):
        loupe.find_drift(dataset, reference="first", by="taken day")


def test_no_batch_at_all_is_no_reference(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    plain(dataset, 30, score=[0.5] * 30, kind=["a", "b", "c"] * 10)
    with pytest.raises(errors.InputError, match=r"at least one batch as the reference, got none. There are: a, b, c"):
        loupe.find_drift(dataset, reference=[], by="kind")
    with pytest.raises(errors.InputError, match=r"or at least one batch as the reference, got none$"):
        loupe.find_drift(dataset, reference=[])


def test_without_anything_to_compare_it_says_what_to_run(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset, other = new_dataset(), new_dataset()
    plain(dataset, 30)
    plain(other, 30, score=[0.5] * 30)
    with pytest.raises(errors.InputError, match=r"run loupe\.check or loupe.embed on both"):
        loupe.find_drift(dataset, reference=other)


def test_what_is_unknown_more_often_is_a_drift_of_its_own(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(2)
    dataset = new_dataset()
    known = [float(value) for value in rng.normal(size=300)]
    scores = [
        None if (at >= 150 and at % 3 == 0) or (at < 150 and at % 15 == 0) else value for at, value in enumerate(known)
    ]
    plain(
        dataset,
        300,
        split=["a"] * 150 + ["b"] * 150,
        quality=[fo.DynamicEmbeddedDocument(sharpness=value) for value in scores],
        checked=[{"sharpness": "made up"}] * 299 + [{}],
    )
    made = loupe.find_drift(dataset, reference="a", by="split")
    (shift,) = made.batches[0].drifted()
    assert (shift.quantity, shift.kind, shift.n) == ("quality.sharpness unknown", "unknown", 149)
    assert (shift.reference, shift.new) == pytest.approx((10 / 150, 50 / 149))
    assert shift.low > 0.15


def test_an_evaluations_yes_and_no_say_what_is_right(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(0)
    dataset = new_dataset()
    right = [None, *map(bool, rng.random(99) < np.where(np.arange(1, 100) < 50, 0.9, 0.3))]
    boxes = [[float(value) for value in rng.random(2)] for _ in range(100)]
    labels = [fo.Detections(detections=[fo.Detection(label="a", confidence=value) for value in pair]) for pair in boxes]
    plain(dataset, 100, split=["a"] * 50 + ["b"] * 50, boxes=labels, right=right)
    made = loupe.find_drift(dataset, reference="a", by="split", predictions="boxes", ground_truth="right", labels=[])
    calibrated = made.batches[0].calibration
    assert calibrated.n == 50
    assert made.calibration.n == 49
    assert calibrated.right == pytest.approx(np.mean(right[50:]))
    assert calibrated.confidence == pytest.approx(np.mean(boxes[50:]))
    assert "boxes over-confidence" in {shift.quantity for shift in made.batches[0].drifted()}


def test_names_with_quotes_dots_and_markup_come_back_as_they_are(new_dataset: Callable[[], Any]) -> None:
    import loupe
    from loupe.brain.store.drift import kept as drift_kept

    names = ['say "hi"', "a.b", "$where", "<b>x</b>", "day 🌙", "it's"]
    dataset = new_dataset()
    plain(dataset, 240, split=[names[at % 6] for at in range(240)], kind=[names[at // 40] for at in range(240)])
    made = loupe.find_drift(dataset, reference="a.b", by="split", factors=["kind"])
    assert {batch.name for batch in made.batches} == set(names) - {"a.b"}
    kept = drift_kept.load(dataset)
    for name in names:
        assert dataset.match(kept.batches[name]).count() == 40

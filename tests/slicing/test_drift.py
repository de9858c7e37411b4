"""One batch against a reference: false alarms, what is seen, what is too few, and which slice it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.core.drift import Drift, DriftBatch, Shift
from loupe.brain.slicing import drift as pure
from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.drift import Samples, Settings, compare, drawn
from loupe.brain.slicing.shifts import Classes, Numbers, indicator

REFERENCE, BATCH = np.arange(120), np.arange(120, 200)
FAST = Settings(permutations=199)


def world(seed: int, groups: str = "none", shift: float = 0.0) -> Samples:
    """Returns 200 samples of which the last 80 are the batch; by ``shift`` all that they have differs."""
    rng = np.random.default_rng(seed)
    n, new = 200, np.arange(200) >= 120
    group = np.arange(n)
    if groups == "whole":  # eight of a prompt, all on one side
        group = np.arange(n) // 8
    elif groups == "shared":  # the same forty prompts on both sides
        group = rng.integers(0, 40, n)
    _, group = np.unique(group, return_inverse=True)
    count = int(group.max()) + 1
    common = 0.0 if groups == "none" else 1.0

    def numbers(width: int) -> np.ndarray:
        return rng.normal(size=(n, width)) + common * rng.normal(size=(count, width))[group] + shift * new[:, None]

    scores = numbers(4)
    values = rng.integers(0, 3, count)[group] if common else rng.integers(0, 3, n)
    return Samples(
        ids=[str(at) for at in range(n)],
        groups=group,
        quantities=[
            *(Numbers(f"score {at}", "score", scores[:, at]) for at in range(4)),
            indicator("unknown", "unknown", np.ones(n, dtype=bool), rng.random(n) < 0.15),
            Classes("labels", "labels", Column.of(rng.integers(0, 5, n).tolist())),
            Classes("factor", "factor", Column.of(values.tolist())),
        ],
        vectors=numbers(12).astype(np.float32),
        vector_of=np.arange(n),
    )


@pytest.mark.parametrize("groups", ["none", "whole", "shared"])
def test_false_alarms_keep_to_their_rate(groups: str) -> None:
    """The full count of 500 is in benchmarks/slicing/drift.py; here 200 of alpha 0.2, so that few runs tell."""
    settings = Settings(alpha=0.2, permutations=99)
    made = [compare(world(seed, groups), REFERENCE, BATCH, "b", settings) for seed in range(200)]
    assert sum(batch.verdict == "drifted" for batch in made) / 200 <= 0.28
    assert sum(batch.verdict == "drifted" for batch in made) / 200 >= 0.08
    of_embeddings = [shift for batch in made for shift in batch.shifts if shift.quantity == "embeddings"]
    for test in ("MMD", "classifier"):
        assert 0.12 <= np.mean([shift.tests[test] <= 0.2 for shift in of_embeddings]) <= 0.28


def test_taking_grouped_pictures_for_independent_ones_would_alarm() -> None:
    """Were it not so, the test above would say nothing of groups."""
    from dataclasses import replace

    made = [replace(world(seed, "whole"), groups=np.arange(200)) for seed in range(40)]
    alarms = sum(compare(each, REFERENCE, BATCH, "b", FAST).verdict == "drifted" for each in made)
    assert alarms > 10


@pytest.mark.parametrize("groups", ["none", "whole", "shared"])
def test_a_shift_is_seen_in_what_shifted(groups: str) -> None:
    batch = compare(world(1, groups, shift=1.6), REFERENCE, BATCH, "b", FAST)
    assert batch.verdict == "drifted"
    drifted = {shift.quantity for shift in batch.drifted()}
    assert "embeddings" in drifted
    assert not drifted & {"unknown", "labels", "factor"}
    by_name = {shift.quantity: shift for shift in batch.shifts}
    assert by_name["embeddings"].value > 0.75
    assert by_name["embeddings"].low < by_name["embeddings"].value
    covered = [by_name[f"score {at}"] for at in range(4)]
    assert sum(shift.low <= 1.6 <= shift.high for shift in covered) >= 3
    assert batch.shifts[0].p == pytest.approx(1 / 200)
    assert batch.p == batch.shifts[0].p_adjusted <= 1.25 / 200 + 1e-9, "a fifth is for what prompts decide"


def test_what_both_sides_prompts_have_in_common_drops_out() -> None:
    """Prompts that differ by far more than the sides do."""
    rng = np.random.default_rng(0)
    group = np.concatenate([np.arange(120) % 40, np.arange(80) % 40])
    values = 10 * rng.normal(size=40)[group] + 0.8 * rng.normal(size=200) + 0.6 * (np.arange(200) >= 120)
    paired = Samples([str(at) for at in range(200)], group, [Numbers("x", "score", values)])
    alone = Samples([str(at) for at in range(200)], np.arange(200), [Numbers("x", "score", values)])
    assert compare(paired, REFERENCE, BATCH, "b", FAST).verdict == "drifted"
    assert compare(alone, REFERENCE, BATCH, "b", FAST).verdict == "no evidence"


def test_a_factor_that_prompts_decide_is_seen_though_both_sides_have_the_prompts() -> None:
    group = np.concatenate([np.arange(120) % 40, np.arange(80) % 10, np.arange(0)])
    values = ["night" if prompt < 10 else "day" for prompt in group]
    both = Samples([str(at) for at in range(200)], group, [Classes("time", "factor", Column.of(values))])
    made = compare(both, REFERENCE, BATCH, "b", FAST)
    assert made.shifts[0].p < 1, "permuting within prompts moves nothing of it"
    assert made.shifts[0].changes[0].reference in (0.25, 0.75)


def test_two_ways_of_permuting_are_corrected_for_both() -> None:
    rng = np.random.default_rng(8)
    group = np.concatenate([np.arange(120) % 40, np.arange(80) % 25])
    score = Numbers("x", "score", rng.normal(size=200) + 0.3 * (np.arange(200) >= 120))
    values = [["day", "night", "dusk"][prompt % 3] for prompt in group]
    alone = compare(Samples([""] * 200, group, [score]), REFERENCE, BATCH, "b", FAST)
    factor = Classes("time", "factor", Column.of(values))
    both = compare(Samples([""] * 200, group, [score, factor]), REFERENCE, BATCH, "b", FAST)
    p = {shift.quantity: shift.p_adjusted for shift in both.shifts}
    alone_factor = compare(Samples([""] * 200, group, [factor]), REFERENCE, BATCH, "b", FAST)
    assert p["x"] == pytest.approx(min(1, 1.25 * alone.p))
    assert p["time"] == pytest.approx(min(1, 5 * alone_factor.p), abs=0.2)


def test_the_slice_that_changed_is_named_and_only_it() -> None:
    rng = np.random.default_rng(3)
    n = 1000
    new = np.arange(n) >= 500
    time = rng.choice(["day", "night", "dusk"], n)
    color = rng.choice(["red", "blue"], n)
    score = rng.normal(size=n) + 1.5 * (new & (time == "night"))
    flat = rng.normal(size=n) + 0.8 * new
    factors = {"time": Column.of(time.tolist()), "color": Column.of(color.tolist())}
    samples = Samples(
        [str(at) for at in range(n)],
        np.arange(n),
        [Numbers("score", "score", score), Numbers("flat", "score", flat)],
        factors,
    )
    made = compare(samples, np.flatnonzero(~new), np.flatnonzero(new), "b", FAST)
    assert [(driver.quantity, str(driver.slice), driver.kind) for driver in made.drivers] == [
        ("score", "time=night", "within")
    ]
    (driver,) = made.drivers
    assert driver.share == pytest.approx(1, abs=0.25)
    assert driver.shift == pytest.approx(1.5, abs=0.4)
    assert driver.n == (new & (time == "night")).sum()
    assert driver.low > 0


def test_a_changed_mix_is_told_from_changed_samples() -> None:
    rng = np.random.default_rng(4)
    n = 1000
    new = np.arange(n) >= 500
    night = rng.random(n) < np.where(new, 0.7, 0.2)
    score = rng.normal(size=n) - 2.0 * night
    samples = Samples(
        [str(at) for at in range(n)],
        np.arange(n),
        [Numbers("score", "score", score)],
        {"time": Column.of(np.where(night, "night", "day").tolist())},
    )
    made = compare(samples, np.flatnonzero(~new), np.flatnonzero(new), "b", FAST)
    (driver,) = made.drivers
    assert (driver.kind, set(driver.slice.values)) == ("mix", {"time"})
    assert driver.share == pytest.approx(1, abs=0.2)


def test_examples_are_the_most_typical_of_their_side() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(200, 5)).astype(np.float32)
    vectors[120:, 0] += np.linspace(0, 8, 80)
    samples = Samples([str(at) for at in range(200)], np.arange(200), vectors=vectors, vector_of=np.arange(200))
    made = compare(samples, REFERENCE, BATCH, "b", FAST)
    assert made.verdict == "drifted"
    assert len(made.newest) == len(made.oldest) == 8
    assert all(int(sample_id) >= 120 for sample_id in made.newest)
    assert np.mean([int(sample_id) for sample_id in made.newest]) > 185
    assert all(int(sample_id) < 120 for sample_id in made.oldest)


def test_what_would_have_been_seen_is_seen_in_four_of_five() -> None:
    rng = np.random.default_rng(6)

    def one_run(shift: float) -> Shift:
        values = rng.normal(size=200) + shift * (np.arange(200) >= 120)
        own = Samples([""] * 200, np.arange(200), [Numbers("x", "score", values)])
        return compare(own, REFERENCE, BATCH, "b", Settings(permutations=199)).shifts[0]

    detectable = np.mean([one_run(0).detectable for _ in range(20)])
    seen = np.mean([one_run(float(detectable)).verdict == "drifted" for _ in range(150)])
    assert 0.65 <= seen <= 0.9


def test_over_confidence_has_a_sign_and_an_interval() -> None:
    rng = np.random.default_rng(7)
    confidence = rng.uniform(0.5, 1, 400)
    right = (rng.random(400) < confidence - 0.2).astype(float)
    right[:10] = np.nan
    samples = Samples([""] * 400, np.arange(400), confidence=confidence, right=right)
    made = pure.calibration(samples, np.arange(400))
    assert made is not None
    assert made.n == 390
    assert made.gap == pytest.approx(made.confidence - made.right)
    assert made.low < 0.2 < made.high
    assert made.low > 0
    assert made.ece >= made.gap - 1e-9
    under = Samples([""] * 400, np.arange(400), confidence=0.3 * confidence, right=np.nan_to_num(right, nan=1.0))
    assert pure.calibration(under, np.arange(400)).high < 0
    assert pure.calibration(Samples([""] * 400, np.arange(400)), np.arange(400)) is None


def test_many_samples_are_drawn_and_groups_stay_whole() -> None:
    rows = np.arange(1000, 3000)
    groups = np.arange(4000) // 4
    kept = drawn(rows, groups, 101, np.random.default_rng(0))
    assert len(kept) == 101
    assert (np.diff(kept) > 0).all()
    _, counts = np.unique(groups[kept], return_counts=True)
    assert sorted(counts.tolist())[1:] == [4] * 25
    assert drawn(rows, groups, 2000, np.random.default_rng(0)) is rows


def test_more_batches_have_to_be_surer() -> None:
    one_of_many = compare(world(2, shift=0.5), REFERENCE, BATCH, "b", Settings(permutations=1999, batches=30))
    alone = compare(world(2, shift=0.5), REFERENCE, BATCH, "b", Settings(permutations=1999))
    assert one_of_many.p == pytest.approx(min(1, 30 * alone.p))


@pytest.mark.parametrize("n", [0, 3, 19])
def test_too_few_say_how_many_are_needed(n: int) -> None:
    made = compare(world(0), REFERENCE, BATCH[:n], "b")
    assert (made.verdict, made.reason) == ("too few", f"it has {n} samples, at least 20 are needed")
    assert np.isnan(made.p)


def test_a_quantity_that_few_have_is_listed_and_not_tested() -> None:
    values = np.full(200, np.nan)
    values[:130] = 1.0
    own = Samples([""] * 200, np.arange(200), [Numbers("rare", "score", values)])
    made = compare(own, REFERENCE, BATCH, "b", FAST)
    assert made.verdict == "too few"
    assert [(shift.verdict, shift.n_reference, shift.n) for shift in made.shifts] == [("too few", 120, 10)]
    assert "too few to tell (120 in the reference, 10 here)" in str(made.shifts[0])


def test_records_survive_as_plain_values() -> None:
    import json

    batch = compare(world(1, shift=1.0), REFERENCE, BATCH, "monday", FAST)
    few = compare(world(1), REFERENCE, BATCH[:4], "tuesday")
    whole = Drift("last week", 120, "day", (batch, few), 0.05, 199, ("prompt",), 3, None, ("a note",))
    again: Any = Drift.from_dict(json.loads(json.dumps(whole.to_dict())))
    assert again.to_dict() == whole.to_dict()
    assert isinstance(again.batches[0], DriftBatch)
    assert str(again.batches[0].shifts[0]) == str(batch.shifts[0])
    assert np.isnan(again.batches[1].p)
    assert whole.sentence() == "1 of 1 batches drifted; 1 has too few samples to tell: monday."
    assert "quantity" in repr(Drift("last week", 120, "", (batch,), 0.05, 199))
    assert "<table>" in whole._repr_html_()

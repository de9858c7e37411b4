"""Findings as a dataset keeps them: dismissed and taken back, narrowed to, and noticed to be of older samples."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def found_in(dataset: Any) -> Any:
    from filled import fill

    import loupe

    fill(dataset, 1500, checks=("exposure", "sharpness", "tiling", "grayscale"))
    return loupe.discover_slices(dataset, by=["scenario.time", "scenario.weather", loupe.Factor.tags()])


def found_in_again(dataset: Any) -> Any:
    from loupe.brain.store import findings as store

    kept = store.load(dataset)
    assert kept is not None
    return kept.findings.findings


def test_a_panel_narrows_to_just_the_samples_of_a_finding_and_finds_the_way_back(dataset: Any) -> None:
    import json

    import loupe
    from loupe.brain.store import findings as store
    from loupe.brain.store import narrowing

    for finding in found_in(dataset).findings:
        to, ids = store.narrowing_of(dataset, finding)
        narrowed = store.narrow(dataset, to, ids)
        json.dumps(narrowed._serialize())
        assert narrowed.values("id") == loupe.view_of(dataset, finding).values("id")
        before, again = narrowing.widen(narrowed, store.InSlice)
        assert again == to
        assert len(before) == 1500
        failing, _ = store.narrowing_of(dataset, finding, failing=True)
        assert len(store.narrow(dataset, failing)) == finding.whole.failures


def test_of_a_saved_view_the_ids_are_taken(dataset: Any) -> None:
    import fiftyone as fo
    import numpy as np

    import loupe
    from loupe.brain.store import findings as store
    from loupe.brain.store import narrowing

    rng = np.random.default_rng(0)
    hard = rng.random(800) < 0.25
    failed = rng.random(800) < np.where(hard, 0.6, 0.1)
    dataset.add_samples(
        [fo.Sample(filepath=f"/n/{at}.png", hard=bool(hard[at]), wrong=bool(failed[at])) for at in range(800)],
        progress=False,
    )
    dataset.save_view("hard ones", dataset.match(fo.ViewField("hard")))
    outcome = loupe.Outcome.field("wrong", failed=[True])
    (finding,) = loupe.discover_slices(dataset, outcome=outcome, by=loupe.Factor.views()).findings
    assert finding.slice.values == {"views": "hard ones"}
    to, ids = store.narrowing_of(dataset, finding)
    narrowed = store.narrow(dataset, to, ids)
    assert len(narrowed) == hard.sum()
    before, again = narrowing.widen(narrowed, store.InSlice)
    assert again == to
    assert len(before) == 800


def test_a_dismissal_keeps_who_when_and_why_and_outlives_the_next_search(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.store import findings as store

    finding = found_in(dataset).findings[0]
    (made,) = store.dismiss(dataset, finding, "  known:\n a lens cap. $set it's <b>ok</b> ")
    assert made.reason == "known: a lens cap. $set it's <b>ok</b>"
    assert made.by
    assert made.at.startswith("20")
    loupe.discover_slices(dataset, by=["scenario.time", "scenario.weather"], seed=1)
    assert store.dismissed(fo.load_dataset(dataset.name)) == {finding.key: made}
    with pytest.raises(loupe.errors.InputError, match="a reason"):
        store.dismiss(dataset, finding, "  ")
    store.restore(dataset, finding.key)
    store.restore(dataset, "never dismissed")
    assert store.dismissed(dataset) == {}
    two, three = dataset, found_in_again(dataset)[:3]
    store.dismiss(two, three, "all at once")
    assert len(store.dismissed(two)) == 3
    store.restore(two, three[1].key)
    assert store.dismissed(two) == {}


def test_it_is_noticed_that_samples_changed(dataset: Any) -> None:
    from loupe.brain.store import findings as store

    found_in(dataset)
    kept = store.load(dataset)
    assert kept is not None
    assert kept.stamp == store.stamp(dataset)
    sample = dataset.first()
    sample.tags.append("seen")
    sample.save()
    assert store.stamp(dataset) != kept.stamp
    now = store.stamp(dataset)
    dataset.delete_samples([dataset.last().id])
    assert store.stamp(dataset) != now


def test_flag_changes_the_stamp_too(dataset: Any) -> None:
    import loupe
    from loupe.brain.store import findings as store

    found_in(dataset)
    before = store.stamp(dataset)
    loupe.flag(dataset, {"blur": 0.99})
    assert store.stamp(dataset) != before


def test_what_nobody_can_read_is_no_finding(dataset: Any) -> None:
    from loupe.brain.store import findings as store
    from loupe.brain.store import runs

    assert store.load(dataset) is None
    runs.put(dataset, store.KEY, "discover_slices", {}, {"findings": {"findings": 3}})
    assert store.load(dataset) is None
    runs.set_settings(dataset, {"dismissed.abc": {"nonsense": 1}})
    assert store.dismissed(dataset) == {}

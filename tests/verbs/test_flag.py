"""Flagging is arithmetic on stored numbers: no file is opened, unknown never fails, other labels are left alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def scored(dataset: Any) -> Any:
    """Four samples without files: dark, fine, unknown, bright."""
    import fiftyone as fo

    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(4)], progress=False)
    store_scores.declare(dataset, registry.checks()["exposure"].outputs)
    dataset.set_values(f"quality.{registry.failures()['dark'][1].name}", [0.01, 0.99, None, 1.0])
    dataset.set_values(f"quality.{registry.failures()['bright'][1].name}", [0.0, 0.1, None, 0.99])
    return dataset


def _labels(dataset: Any) -> list[list[str]]:
    return [labels or [] for labels in dataset.values("failures.classifications.label")]


def test_scores_beyond_the_threshold_fail_and_unknown_does_not(scored: Any) -> None:
    import loupe

    flags = loupe.flag(scored)
    assert _labels(scored) == [["dark"], [], [], ["bright"]]
    assert (flags.counts["dark"], flags.unknown["dark"]) == (1, 1)
    failure = scored.first().failures.classifications[0]
    assert failure.check == "exposure"
    assert failure.score == pytest.approx(0.01)
    assert failure.threshold == flags.thresholds["dark"].value
    assert not Path(scored.first().filepath).exists()


def test_thresholds_are_kept_on_the_dataset_and_can_be_taken_back(scored: Any) -> None:
    import loupe

    assert loupe.flag(scored, {"dark": 0.001}).counts["dark"] == 0
    again = loupe.flag(scored)
    assert (again.counts["dark"], again.thresholds["dark"].source) == (0, "user")
    assert loupe.flag(scored, {"dark": None}).counts["dark"] == 1
    assert loupe.flag(scored).thresholds["dark"].source == "default"
    strict = loupe.flag(scored, {"dark": loupe.Threshold("<", 0.995, source="calibrated:x")})
    assert strict.counts["dark"] == 2


def test_flagging_twice_changes_nothing_and_keeps_what_others_found(scored: Any) -> None:
    import fiftyone as fo

    import loupe

    sample = scored.first()
    sample["failures"] = fo.Classifications(
        classifications=[
            fo.Classification(label="label_issue", score=0.5, threshold=0.4, check="elsewhere"),
            fo.Classification(label="bright", score=9.0, threshold=0.4, check="exposure"),
        ]
    )
    sample.save()
    loupe.flag(scored)
    assert sorted(_labels(scored)[0]) == ["dark", "label_issue"]
    ids = scored.values("failures.classifications.id")
    loupe.flag(scored)
    assert scored.values("failures.classifications.id") == ids


def test_no_more_than_a_chunk_is_held_at_once(scored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million samples whose threshold moves took 3.4 GiB, as their updates were made all together."""
    import loupe
    from loupe.brain.store import scores as store_scores
    from loupe.brain.verbs.steps import flagging

    write, sizes = store_scores.write_failures, []

    def noted(samples: Any, ids: Any, *given: Any) -> None:
        sizes.append(len(ids))
        write(samples, ids, *given)

    monkeypatch.setattr(store_scores, "write_failures", noted)
    monkeypatch.setattr(flagging, "_CHUNK", 3)
    loupe.flag(scored)
    assert sizes == [3, 1]
    assert _labels(scored) == [["dark"], [], [], ["bright"]]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_flags_at_the_same_time_by_another_threshold_loses_nothing(
    scored: Any, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the fault campaign: who had read the thresholds first wrote the failures of the old ones last."""
    import loupe
    from loupe.brain.store import scores as store_scores

    write, calls = store_scores.write_failures, []

    def disturbed(*given: Any) -> None:
        calls.append(given)
        if len(calls) > 1:
            write(*given)
        elif moment == "before":
            loupe.flag(scored, {"bright": 0.05})
            write(*given)
        else:
            write(*given)
            loupe.flag(scored, {"bright": 0.05})

    monkeypatch.setattr(store_scores, "write_failures", disturbed)
    flags = loupe.flag(scored, {"dark": 0.995})
    assert (flags.thresholds["dark"].value, flags.thresholds["bright"].value) == (0.995, 0.05)
    assert [sorted(labels) for labels in _labels(scored)] == [["dark"], ["bright", "dark"], [], ["bright"]]
    assert (flags.counts["dark"], flags.counts["bright"]) == (2, 2)


def test_what_was_never_flagged_or_stands_there_by_another_check_is_written_anew(scored: Any) -> None:
    import loupe

    loupe.flag(scored)
    documents = scored._sample_collection
    first, fine = (each.id for each in scored.limit(2))
    documents.update_one({"filepath": "/nowhere/0.png"}, {"$set": {"failures.classifications.0.check": "another"}})
    documents.update_one({"filepath": "/nowhere/1.png"}, {"$set": {"failures": None}})
    scored.reload()
    loupe.flag(scored)
    scored.reload()
    assert [label.check for label in scored[first].failures.classifications] == ["exposure"]
    assert scored[fine].failures.classifications == []


def test_bad_thresholds_are_refused_before_anything_is_written(scored: Any) -> None:
    import loupe
    from loupe import errors

    with pytest.raises(errors.UnknownName, match="Did you mean 'dark'"):
        loupe.flag(scored, {"darkk": 1})
    for bad in (float("nan"), "0.5", True):
        with pytest.raises(errors.InputError):
            loupe.flag(scored, {"dark": bad})  # type: ignore[dict-item]
    with pytest.raises(errors.NoSamples):
        loupe.flag(scored.limit(0))
    assert "thresholds" not in scored.info.get("loupe", {})


def test_scores_come_oriented_so_that_higher_is_worse(scored: Any) -> None:
    import loupe
    from loupe import errors
    from loupe.brain.core import registry

    dark = loupe.scores(scored, "dark")
    assert dark.dtype == np.float32
    assert int(np.nanargmax(dark)) == 0
    assert np.isnan(dark[2])
    assert int(np.nanargmax(loupe.scores(scored, "bright"))) == 3
    with pytest.raises(errors.UnknownName):
        loupe.scores(scored, "darkness")
    with pytest.raises(errors.InputError, match=r"run loupe\.check"):
        loupe.scores(scored, "blur")
    assert registry.failures()["dark"][1].higher_is_better


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_twenty_thousand_samples_are_flagged_without_decoding_in_seconds(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores

    n = 20_000
    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(n)],
        expand_schema=False,
        validate=False,
        progress=False,
    )
    store_scores.declare(dataset, registry.checks()["exposure"].outputs)
    name = registry.failures()["dark"][1].name
    dataset.set_values(f"quality.{name}", np.linspace(0, 1, n).tolist())
    flags = loupe.flag(dataset, {"dark": 0.1})
    assert flags.counts["dark"] == pytest.approx(2000, abs=1)


def test_a_label_that_somebody_put_in_by_hand_is_replaced(scored: Any) -> None:
    """It has no score and no threshold, and the failure mode is one that is flagged."""
    import fiftyone as fo

    import loupe

    flags = loupe.flag(scored)
    scored.set_values(
        "failures", [fo.Classifications(classifications=[fo.Classification(label="dark")])] * 2 + [None] * 2
    )
    assert loupe.flag(scored).counts == flags.counts
    assert _labels(scored) == [["dark"], [], [], ["bright"]]
    assert scored.values("failures.classifications.threshold")[0] == [flags.thresholds["dark"].value]


def test_only_what_changes_is_written(scored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.store import datasets

    documents = datasets.sample_documents(scored)
    loupe.flag(scored)
    before = {str(document["_id"]): document for document in documents.find()}
    written = _spied(monkeypatch)
    loupe.flag(scored)
    assert written == [], "nothing changes: no sample is written to"

    counts = loupe.flag(scored, {"dark": 0.005}).counts
    after = {str(document["_id"]): document for document in documents.find()}
    changed = {sample_id for sample_id, document in after.items() if document != before[sample_id]}
    assert 0 < len(changed) < len(after), "some change by another threshold, and some do not"
    assert sum(len(own["failures"]["classifications"]) for own in after.values()) == sum(counts.values())
    assert {sample_id for ids, _ in written for sample_id in ids} == changed
    assert sum(modified for _, modified in written) == len(changed), "each that is written to becomes another one"


def _spied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int]]:
    """Collects the ids of each bulk write to samples, and how many documents it changed."""
    from pymongo.collection import Collection

    written: list[tuple[list[str], int]] = []
    real = Collection.bulk_write

    def bulk_write(self: Any, operations: Any, **given: Any) -> Any:
        result = real(self, operations, **given)
        if self.name.startswith("samples."):
            written.append(([str(operation._filter["_id"]) for operation in operations], result.modified_count))
        return result

    monkeypatch.setattr(Collection, "bulk_write", bulk_write)
    return written


@pytest.mark.parametrize("threshold", [-5, 1.01])
def test_a_threshold_that_no_score_can_reach_is_refused_and_not_kept(scored: Any, threshold: float) -> None:
    import loupe

    for given in (threshold, loupe.Threshold("<", threshold)):
        with pytest.raises(errors.InputError, match=r"expected a threshold of 'dark' from 0 to 1 \(luma\), got"):
            loupe.flag(scored, {"dark": given})
    assert loupe.flag(scored).thresholds["dark"].source == "default"
    assert loupe.flag(scored, {"dark": 0.0}).counts["dark"] == 0, "an end switches it off"


def test_slices_of_one_sample_each_are_refused(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{at}.png", kind="cat" if at % 2 else "dog") for at in range(24)], progress=False
    )
    with pytest.raises(errors.InputError, match="but the 24 of 'filepath' are of one sample each"):
        loupe.slice(dataset, ["kind", "filepath"], failure="blur")
    assert len(loupe.slice(dataset, "kind", failure="blur")) == 2
    # what the error says to do instead can be done
    dataset.set_values("prompt", [f"a {'cat' if at % 2 else 'dog'}, number {at}" for at in range(24)])
    dataset.set_values("number", list(range(24)))
    for path, instead in (("prompt", "loupe.Factor.prompt('words', path='prompt')"), ("number", "bins=4")):
        with pytest.raises(errors.InputError, match=re.escape(instead)):
            loupe.slice(dataset, path, failure="blur")
    assert len(loupe.slice(dataset, loupe.Factor.prompt("words", path="prompt"), failure="blur")) == 2
    assert len(loupe.slice(dataset, loupe.Factor.field("number", bins=4), failure="blur")) == 4

"""What stands on samples, read in bulk and sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.core.records import Failure

pytestmark = pytest.mark.database


def test_both_ways_of_reading_say_the_same(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from filled import fill

    from loupe.brain.store import bulk, standing
    from loupe.brain.store.raw import Irregular

    fill(dataset, 60)
    whatever = [{"label": "mine"}, {"label": None, "score": 3}, {"label": "blur", "score": "much", "check": "x"}]
    documents = dataset._sample_collection
    for at, failures in enumerate(({}, {"classifications": []}, None, {"classifications": whatever})):
        documents.update_one({"_id": dataset.skip(at).first()._id}, {"$set": {"failures": failures}})
    outputs = ["sharpness", "no_such_output"]
    for samples in (dataset, dataset.match({"scenario.time": "night"}).skip(3), dataset.limit(0)):
        ids, fast, scores = standing.read(samples, outputs)
        with monkeypatch.context() as patch:

            def refuse(*_: Any) -> None:
                raise Irregular("as a test wants it")

            patch.setattr(bulk, "batches", refuse)
            slow_ids, slow, slow_scores = standing.read(samples, outputs)
        assert ids == slow_ids == samples.values("id")
        np.testing.assert_array_equal(scores, slow_scores)
        assert scores.shape == (len(ids), 2)
        assert scores.dtype == np.float32
        assert [fast.of(at) for at in range(len(ids))] == [slow.of(at) for at in range(len(ids))]
    monkeypatch.setattr(bulk, "_BATCH", 7)
    ids, parts, _ = standing.read(dataset, outputs)
    _, fast, _ = standing.read(dataset, [])
    assert [parts.of(at) for at in range(len(ids))] == [fast.of(at) for at in range(len(ids))]
    assert len(ids) == 60
    assert parts.of(59), "the last one has failures"
    assert [fast.of(at) for at in (0, 1, 2)] == [None, (), None]
    assert fast.of(3)[0] == Failure("mine", None, None, None)
    assert fast.of(3)[2] == Failure("blur", None, None, "x")

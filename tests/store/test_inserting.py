"""What the database refuses is no sample that is there already."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_what_is_refused_for_another_reason_is_an_error(dataset: Any) -> None:
    import fiftyone as fo
    from pymongo.errors import BulkWriteError

    from loupe.brain.store.datasets import sample_documents
    from loupe.brain.store.inserting import insert

    dataset.media_type = "image"
    dataset.add_sample_field("level", fo.IntField)
    samples = [(f"/nowhere/{level}.png", fo.Sample(filepath=f"/nowhere/{level}.png", level=level)) for level in (1, 9)]
    insert(dataset, "filepath", samples[:1])
    stored = sample_documents(dataset)
    stored.database.command("collMod", stored.name, validator={"level": {"$lt": 5}})
    insert(dataset, "filepath", samples[:1])
    assert dataset.values("level") == [1], "once"
    for given in (samples, samples[1:]):
        with pytest.raises(BulkWriteError):
            insert(dataset, "filepath", given)
    assert dataset.values("level") == [1]

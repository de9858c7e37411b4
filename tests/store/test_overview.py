"""What is left to do, as the panel "Overview" reads it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_duplicates_are_looked_for_where_there_may_be_some_and_nobody_has(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import overview

    dataset.add_sample(fo.Sample(filepath="/nowhere/0.png"))
    assert overview.read(dataset.view()).next == {"check": 1}, "one is no other's duplicate"
    dataset.add_sample(fo.Sample(filepath="/nowhere/1.png"))
    assert overview.read(dataset.view()).next == {"check": 2, "find_duplicates": 2}
    dataset.add_sample_field("quality", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    dataset.add_sample_field("quality.near_duplicate", fo.FloatField)
    assert overview.read(dataset.view()).next == {"check": 2}

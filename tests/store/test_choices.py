"""What a panel offers to slice by."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_fields_classes_tags_and_numbers_are_offered_and_what_belongs_to_labels_is_not(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import choices

    def boxes(index: int) -> Any:
        box = fo.Detection(label="ab"[index % 2], bounding_box=[0, 0, 1, 1], confidence=index / 60)
        return fo.Detections(detections=[box])

    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/nowhere/{index}.png",
                tags=["odd"] if index % 2 else [],
                steps=index / 7,
                weather=("fog", "sun")[index % 2],
                truth=fo.Classification(label="ab"[index % 2], confidence=index / 60),
                boxes=boxes(index),
                flaws=boxes(index),
            )
            for index in range(60)
        ],
        progress=False,
    )
    dataset.add_dynamic_sample_fields()
    offered = choices.factors(dataset.view())
    assert set(offered) == {"weather", "truth", "boxes", "tags", "steps"}, (
        "a class is offered once, not as truth.label too"
    )
    assert offered["steps"].bins
    assert not offered["weather"].bins

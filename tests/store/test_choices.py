"""What a panel offers to slice by."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_fields_classes_tags_and_numbers_are_offered_and_what_belongs_to_labels_is_not(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.store import choices

    def boxes(index: int) -> Any:
        size = (0.04, 0.9)[index % 2]
        box = fo.Detection(label="ab"[index % 2], bounding_box=[0, 0, size, size], confidence=index / 60)
        return fo.Detections(detections=[box] * (1 + index % 3))

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
                prompt=f"prompt {index % 4}",
                quality=fo.DynamicEmbeddedDocument(overexposure=index / 60),
                metadata=fo.ImageMetadata(width=40 + index, height=60, mime_type="image/png"),
            )
            for index in range(60)
        ],
        progress=False,
    )
    dataset.add_dynamic_sample_fields()
    offered = choices.factors(dataset.view())
    # a class is offered once, not as truth.label too
    assert set(offered) == {
        *("weather", "truth", "boxes", "tags", "steps"),
        *("boxes count", "boxes size", "boxes position", "metadata.orientation", "metadata.megapixels"),
    }  # all files are of one format
    for factor in offered.values():
        rates = loupe.slice(dataset, factor, failure="blur")
        assert sum(rate.unchecked for rate in rates) >= 60
    assert offered["steps"].bins
    assert not offered["weather"].bins

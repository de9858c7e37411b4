"""How large the pictures of a dataset are, by some of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database


def test_sizes_are_those_that_are_stored_or_those_of_the_headers(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    from loupe.brain.store.sizes import some_megapixels

    assert some_megapixels(dataset, 0) == []
    stored = fo.ImageMetadata(width=2000, height=1000)
    Image.fromarray(np.zeros((10, 100, 3), np.uint8)).save(tmp_path / "a.png")
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "a.png")))
    assert some_megapixels(dataset, 1) == [0.001]
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "gone.png"), metadata=stored))
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "gone.png")))
    assert sorted(some_megapixels(dataset, 3)) == [0.001, 2.0]
    assert some_megapixels(dataset.match_tags("none"), 0) == []


def test_a_few_of_many_are_looked_at_the_same_ones_each_time(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store.sizes import some_megapixels

    made = [
        fo.Sample(filepath=f"/gone/{index}.png", metadata=fo.ImageMetadata(width=1000, height=index + 1))
        for index in range(600)
    ]
    dataset.add_samples(made, progress=False)
    some = some_megapixels(dataset, 600)
    assert len(some) == 12
    assert some == some_megapixels(dataset, 600)
    assert max(some) > 0.03, "not the first ones only, of which the largest has .012"
    assert len(some_megapixels(dataset.limit(5), 5)) == 5

"""Size and shape of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.checks.geometry import Geometry, aspect_ratio
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch


@pytest.mark.parametrize(
    ("size", "odd"),
    [
        ((96, 32), False),
        ((32, 96), False),
        ((512, 512), False),
        ((4000, 1000), True),
        ((10, 200), True),
        ((1, 1), False),
    ],
)
def test_the_default_threshold_spares_panoramas_and_signs(size: tuple[int, int], odd: bool) -> None:
    scores = Geometry().load("cpu")(ImageBatch(("a",), torch.zeros(1, 3, 4, 4, dtype=torch.uint8), (size,)))
    width, height = size
    assert float(scores["aspect_ratio"]) == pytest.approx(min(size) / max(size))
    assert (float(scores["width"]), float(scores["height"])) == (width, height)
    threshold = Geometry.outputs[0].default_threshold
    assert threshold is not None
    assert threshold.violates(scores["aspect_ratio"].numpy())[0] == odd


def test_it_is_the_files_size_that_counts(tmp_path: Path) -> None:
    """Not that of the pixels, which the reader and the batch may scale, and after the camera's rotation."""
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((600, 1600, 3), np.uint8)).save(path, exif=exif)
    rows = [Row("a", str(path), pending=frozenset({"geometry"}))]
    (verdict,) = next(iter(runner.run(rows, [Geometry()])))
    assert verdict.scores == {"width": 600, "height": 1600, "aspect_ratio": pytest.approx(0.375)}


def test_aspect_ratio_of_many() -> None:
    assert aspect_ratio(torch.tensor([[2, 4], [4, 2], [7, 7]])).tolist() == [0.5, 0.5, 1.0]

"""Photos with boxes and prompts of their own, to draw from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def add_photos(dataset: Any, folder: Path) -> Any:
    """Adds four pictures of 160 x 120, each with a box and a prompt of its own; returns the dataset."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    folder.mkdir()
    samples = []
    for at in range(4):
        path = folder / f"photo {at}.png"
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(path)
        box = fo.Detection(label="hand", bounding_box=[0.25, 0.25, 0.25, 0.25])
        samples.append(
            fo.Sample(
                filepath=str(path),
                prompt=f"a photo of number {at}",
                boxes=fo.Detections(detections=[box]),
                scenario=fo.DynamicEmbeddedDocument(time="night"),
            )
        )
    dataset.add_samples(samples, progress=False)
    return dataset


def pixels(path: str) -> np.ndarray:
    """Returns the RGB values of a file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))

"""A dataset to review: drawn pictures, sharp ones and blurred ones, with scores, failures and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

#: the thresholds of the checks whose scores are made up
BLUR, WATERMARK = 0.6, 0.5


def draw(folder: Path, n: int, seed: int = 0) -> list[str]:
    """Draws n pictures of houses under a sky, every other one blurred; returns their paths."""
    rng = np.random.default_rng(seed)
    paths = []
    for number in range(n):
        size = (480, 320) if number % 3 else (300, 400)
        image = Image.new("RGB", size, (150, 190, 225))
        pen = ImageDraw.Draw(image)
        ground = int(size[1] * 0.7)
        pen.rectangle((0, ground, *size), fill=(96, 140, 84))
        for _ in range(4):
            left, width, height = rng.integers(0, size[0] - 60), rng.integers(40, 110), rng.integers(60, 150)
            color = tuple(int(value) for value in rng.integers(90, 220, 3))
            pen.rectangle((left, ground - height, left + width, ground), fill=color)
            for y in range(ground - int(height) + 10, ground - 12, 22):
                pen.rectangle((left + 10, y, left + 22, y + 12), fill=(250, 240, 170))
        pen.text((8, size[1] - 18), f"{number}", fill=(20, 20, 20))
        if number % 2:
            image = image.filter(ImageFilter.GaussianBlur(4))
        path = folder / f"{number:03}.png"
        image.save(path)
        paths.append(str(path))
    return paths


def fill(dataset: Any, paths: Sequence[str], seed: int = 0) -> None:
    """Adds the pictures, with scores of sharpness (three quarters are flagged) and of watermarks with boxes.

    Of the flagged ones those with a low score are really blurred. FiftyOne's random numbers are set, so that the order
    is the same every time.
    """
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores

    rng = np.random.default_rng(seed)
    n = len(paths)
    dataset.add_samples([fo.Sample(filepath=path, prompt=f"houses <b>{at}</b>") for at, path in enumerate(paths)])
    outputs = [registry.failures()[failure][1] for failure in ("blur", "watermark")]
    store_scores.declare(dataset, outputs, boxes_field=["overlays"])
    blurred = np.arange(n) % 2 == 1
    scores = np.where(blurred, rng.uniform(0.2, 0.45, n), rng.uniform(0.42, 0.8, n))
    dataset.set_values("quality.sharpness", np.float32(scores).astype(float).tolist())
    marked = np.arange(n) % 5 == 0
    dataset.set_values("quality.watermark", np.where(marked, 0.9, 0.1).tolist())
    boxes = [
        fo.Detections(
            detections=[fo.Detection(label="watermark <i>", bounding_box=[0.1, 0.72, 0.35, 0.2], check="overlay")]
        )
        if has
        else None
        for has in marked
    ]
    dataset.set_values("overlays", boxes)
    dataset.set_values("checked", [{"sharpness": "made up", "overlay": "made up"}] * n)
    ranks = (rng.random(n) * 0.001 + 0.999).tolist()
    for sample_id, rank in zip(dataset.values("_id"), ranks, strict=True):
        dataset._sample_collection.update_one({"_id": sample_id}, {"$set": {"_rand": rank}})
    loupe.flag(dataset)


def order(dataset: Any, failure: str = "blur") -> list[str]:
    """Returns the ids of the samples that are flagged, by FiftyOne's random numbers."""
    query = {"failures.classifications.label": failure}
    return [str(each["_id"]) for each in dataset._sample_collection.find(query, ["_rand"]).sort("_rand", 1)]

"""Pictures with a few objects: a sharp and a blurred one, one at the border, a tiny one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from scenes import scene

SHARP, SOFT = (0.1, 0.1, 0.3, 0.6), (0.5, 0.1, 0.3, 0.6)
CUT, TINY = (0.0, 0.8, 0.2, 0.2), (0.95, 0.5, 0.02, 0.02)
ODD = 'it\'s "a" $b.c <img src=x onerror=alert(1)> 🐈: d'


def picture_of_objects(path: Path, seed: int) -> Path:
    """A picture of detail, blurred in one box."""
    noise = np.random.default_rng(seed).normal(scale=25, size=(240, 320, 1))
    picture = Image.fromarray(np.clip(scene(seed, 240, 320) + noise, 0, 255).astype(np.uint8))
    left, top = round(SOFT[0] * 320), round(SOFT[1] * 240)
    part = (left, top, left + round(SOFT[2] * 320), top + round(SOFT[3] * 240))
    picture.paste(picture.crop(part).filter(ImageFilter.GaussianBlur(6)), part[:2])
    picture.save(path)
    return path


def boxes(*bounds: tuple[float, ...], label: str = "car") -> Any:
    import fiftyone as fo

    return fo.Detections(detections=[fo.Detection(label=label, bounding_box=list(each)) for each in bounds])


def fill(dataset: Any, folder: Path) -> Any:
    """Adds four pictures with four objects, one with an empty list, one without labels, and one that cannot be read."""
    import fiftyone as fo

    samples = [
        fo.Sample(
            filepath=str(picture_of_objects(folder / f"{at}.png", at)), gt=boxes(SHARP, SOFT, CUT, TINY, label=ODD)
        )
        for at in range(4)
    ]
    samples.append(fo.Sample(filepath=str(picture_of_objects(folder / "empty.png", 9)), gt=fo.Detections()))
    samples.append(fo.Sample(filepath=str(picture_of_objects(folder / "none.png", 10))))
    (folder / "broken.png").write_bytes(b"\x89PNG")
    samples.append(fo.Sample(filepath=str(folder / "broken.png"), gt=boxes(SHARP)))
    dataset.add_samples(samples, progress=False)
    return dataset

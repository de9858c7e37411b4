"""Datasets with ground truths and models' predictions, drawn by chance: no picture is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

CLASSES = ("bus", "car", "person")
SIDE = 640


def detections(
    dataset: Any,
    n: int = 60,
    *,
    models: Sequence[str] = ("yolo", "detr"),
    seed: int = 0,
    files: Any = (),
    crowds: float = 0.05,
) -> None:
    """Adds n samples with boxes, at day or at night, where models miss more, and predictions of each model.

    Args:
        dataset: an empty dataset
        n: how many samples
        models: fields of predictions; each misses a little more than the one before
        seed: decides everything
        files: their pictures, taken in turn; names of files that are not there by default
        crowds: the share of ground truths that are crowds
    """
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    samples = []
    for at in range(n):
        night = bool(rng.random() < 0.4)
        path = str(files[at % len(files)]) if len(files) else f"/nowhere/{at}.png"
        sample = fo.Sample(filepath=path, time="night" if night else "day", video=f"v{at // 4}")
        sample.metadata = fo.ImageMetadata(width=SIDE, height=SIDE)
        truths = []
        for _ in range(rng.poisson(4)):
            size = rng.choice([14.0, 60.0, 160.0]) * rng.uniform(0.8, 1.2, 2)
            corner = rng.uniform(0, SIDE - 200, 2)
            label = str(rng.choice(CLASSES))
            crowd = int(rng.random() < crowds)
            truths.append((label, corner, size, crowd, bool(rng.random() < 0.3)))
        sample["ground_truth"] = fo.Detections(
            detections=[
                fo.Detection(label=label, bounding_box=_box(corner, size), iscrowd=crowd, occluded=hidden)
                for label, corner, size, crowd, hidden in truths
            ]
        )
        for place, model in enumerate(models):
            made = []
            for label, corner, size, _, hidden in truths:
                miss = 0.1 + 0.25 * night + 0.2 * hidden + 0.25 * (size.max() < 32) + 0.08 * place
                if rng.random() < miss:
                    continue
                own = label if rng.random() < 0.9 else str(rng.choice(CLASSES))
                shifted = corner + rng.normal(0, 0.06, 2) * size
                made.append(_prediction(own, shifted, size * np.exp(rng.normal(0, 0.08, 2)), rng.beta(6, 2)))
            for _ in range(rng.poisson(0.6 + 0.6 * night)):
                size = rng.choice([14.0, 60.0, 160.0]) * rng.uniform(0.8, 1.2, 2)
                made.append(_prediction(str(rng.choice(CLASSES)), rng.uniform(0, SIDE - 200, 2), size, rng.beta(2, 4)))
            sample[model] = fo.Detections(detections=made)
        samples.append(sample)
    dataset.add_samples(samples, dynamic=True, progress=False)


def classifications(
    dataset: Any, n: int = 200, *, models: Sequence[str] = ("small", "large"), seed: int = 0, files: Any = ()
) -> None:
    """Adds n samples with a class, at day or at night, and predictions of each model; each errs less than the last."""
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    samples = []
    for at in range(n):
        path = str(files[at % len(files)]) if len(files) else f"/nowhere/{at}.png"
        night = bool(rng.random() < 0.4)
        label = str(rng.choice(CLASSES))
        sample = fo.Sample(filepath=path, time="night" if night else "day", ground_truth=fo.Classification(label=label))
        for place, model in enumerate(models):
            sure = float(np.round(rng.beta(5, 2), 3))
            right = rng.random() < sure - 0.25 * night + 0.1 * place
            other = str(rng.choice([name for name in CLASSES if name != label]))
            sample[model] = fo.Classification(label=label if right else other, confidence=sure)
        samples.append(sample)
    dataset.add_samples(samples, dynamic=True, progress=False)


def _prediction(label: str, corner: np.ndarray, size: np.ndarray, score: float) -> Any:
    import fiftyone as fo

    return fo.Detection(label=label, bounding_box=_box(corner, size), confidence=round(float(score), 3))


def _box(corner: np.ndarray, size: np.ndarray) -> list[float]:
    return [float(each) / SIDE for each in (*corner, *size)]

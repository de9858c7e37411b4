"""Pictures with detail at several scales, and the labels that stand on a dataset."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np


def scene(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((4, 90), (10, 60), (40, 35)):
        noise = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        picture += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def labels(dataset: Any, path: str) -> list[list[str]]:
    return [sorted(of_sample or []) for of_sample in dataset.values(f"{path}.classifications.label")]

"""Small datasets of pictures with vectors and classes, real and synthetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "owl", "pig")
SIZE = 16
_MEANS = np.random.default_rng(5).normal(0, 0.9, (len(CLASSES), SIZE))


def vectors(seed: int, n: int, noise: float = 1.0) -> tuple[np.ndarray, list[str]]:
    """Returns (N, 16) float32 vectors about the mean of their class, and the classes."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % len(CLASSES)
    made = _MEANS[codes] + noise * rng.normal(size=(n, SIZE))
    return made.astype(np.float32), [CLASSES[code] for code in codes]


def dataset(
    folder: Path,
    seed: int,
    n: int,
    *,
    noise: float = 1.0,
    draw: Callable[[np.random.Generator], np.ndarray] | None = None,
    suffix: str = "png",
) -> Any:
    """Returns a dataset of n pictures of 24 x 24 px with ``embeddings`` and ``ground_truth``."""
    import fiftyone as fo

    folder.mkdir(exist_ok=True)
    made, classes = vectors(seed, n, noise)
    rng = np.random.default_rng(seed)
    samples = []
    for at in range(n):
        pixels = rng.integers(0, 256, (24, 24, 3)) if draw is None else draw(rng)
        path = folder / f"{at}.{suffix}"
        Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
        label = fo.Classification(label=classes[at])
        samples.append(fo.Sample(filepath=str(path), ground_truth=label, embeddings=made[at], place=f"p{at % 2}"))
    own = fo.Dataset()
    own.add_samples(samples, progress=False)
    return own


def smooth(rng: np.random.Generator) -> np.ndarray:
    """Returns a picture without fine detail."""
    import cv2

    return np.asarray(
        cv2.resize(rng.integers(0, 256, (4, 4, 3)).astype(np.uint8), (24, 24), interpolation=cv2.INTER_CUBIC)
    )

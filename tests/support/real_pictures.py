"""A real set, and a synthetic one with faults that the panel "Realism" shows: narrow, smooth, with copies, as JPEG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import real_and_synthetic as made

#: synthetic samples with the very vector of a real one
COPIES = 24


def sharp(rng: np.random.Generator) -> np.ndarray:
    """Returns a picture of 64 x 64 px: a disk or a square before a background, under noise."""
    picture = np.full((64, 64, 3), rng.integers(40, 200, 3), np.uint8)
    color = [int(each) for each in rng.integers(0, 256, 3)]
    x, y, size = (int(each) for each in (*rng.integers(16, 48, 2), rng.integers(8, 20)))
    if rng.random() < 0.5:
        cv2.circle(picture, (x, y), size, color, -1)
    else:
        cv2.rectangle(picture, (x - size, y - size), (x + size, y + size), color, -1)
    return np.clip(picture + rng.normal(0, 18, picture.shape), 0, 255).astype(np.uint8)


def smooth(rng: np.random.Generator) -> np.ndarray:
    """Returns such a picture without fine detail."""
    return np.asarray(cv2.GaussianBlur(sharp(rng), (0, 0), 2.2))


def photos(folder: Path, n: int = 300) -> Any:
    """Returns a real dataset whose classes overlap."""
    return made.dataset(folder, 0, n, noise=1.5, draw=sharp)


def faulty(folder: Path, real: Any, n: int = 240) -> Any:
    """Returns a synthetic dataset that is narrower and smoother than the real one; its first samples are copies."""
    own = made.dataset(folder, 2, n, noise=0.5, draw=smooth, suffix="jpg")
    vectors, theirs = own.values("embeddings"), real.values("embeddings")
    own.set_values("embeddings", [*theirs[:COPIES], *vectors[COPIES:]])
    return own

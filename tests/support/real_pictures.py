"""A real set, and a synthetic one with faults that the panel "Realism" shows: narrow, smooth, with copies, as JPEG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import real_and_synthetic as made

#: synthetic samples with the very vector of a real one
COPIES = 24
#: what the generators' set lacks
MISSING = "pig"
GENERATORS = ("CompVis/stable-diffusion-v1-4", "black-forest-labs/FLUX.1-dev", "a-model-of-my-own", "another/fine-tune")


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


def of_generators(folder: Path, real: Any, n: int = 480) -> Any:
    """Returns a synthetic dataset of four generators, by two styles of prompts, without any picture of one class.

    The newest generator is narrow; of two nobody knows when they came out.
    """
    import fiftyone as fo

    own = made.dataset(folder, 3, n, noise=0.9, draw=sharp)
    own.delete_samples([sample.id for sample in own if sample.ground_truth.label == MISSING])
    rng = np.random.default_rng(3)
    for at, sample in enumerate(own):
        model = GENERATORS[at % len(GENERATORS)]
        if model == GENERATORS[1]:
            sample["embeddings"] = (sample["embeddings"] * 0.2 + 0.05 * rng.normal(size=made.SIZE)).astype(np.float32)
        sample["generation"] = fo.DynamicEmbeddedDocument(model=model)
        sample["style"] = ("class name", "caption")[at // len(GENERATORS) % 2]
        sample["prompt"] = f"a photo of a {sample.ground_truth.label}"
        sample.save()
    own.add_dynamic_sample_fields()
    real.set_values("caption", [f"a {name} in the garden, photo {at}" for at, name in _classes(real)])
    return own


def _classes(dataset: Any) -> list[tuple[int, str]]:
    return list(enumerate(dataset.values("ground_truth.label")))


def faulty(folder: Path, real: Any, n: int = 240) -> Any:
    """Returns a synthetic dataset that is narrower and smoother than the real one; its first samples are copies."""
    own = made.dataset(folder, 2, n, noise=0.5, draw=smooth, suffix="jpg")
    vectors, theirs = own.values("embeddings"), real.values("embeddings")
    own.set_values("embeddings", [*theirs[:COPIES], *vectors[COPIES:]])
    return own

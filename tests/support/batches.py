"""The one place where tests make a batch of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from loupe.brain.imaging.batches import ImageBatch


def levels(picture: np.ndarray) -> np.ndarray:
    """Returns (H, W) or (H, W, 3) values in 0 ... 255 as (H, W, 3) uint8, rounded and cut off."""
    made = picture.clip(0, 255).round().astype(np.uint8)
    return np.repeat(made[..., None], 3, 2) if made.ndim == 2 else made


def batch_of(*pictures: np.ndarray, **fields: Sequence[Any]) -> ImageBatch:
    """Returns (H, W, 3) uint8 pictures of one shape as a batch, with a value of each field for each picture."""
    height, width = pictures[0].shape[:2]
    return ImageBatch(
        ids=tuple(map(str, range(len(pictures)))),
        pixels=torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()),
        sizes=((width, height),) * len(pictures),
        fields={name: tuple(values) for name, values in fields.items()},
    )

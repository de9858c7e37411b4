"""The one place where tests make a batch of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from loupe.brain.imaging.batches import ImageBatch


def batch_of(*pictures: np.ndarray, **fields: Sequence[Any]) -> ImageBatch:
    """Returns (H, W, 3) uint8 pictures of one shape as a batch, with a value of each field for each picture."""
    height, width = pictures[0].shape[:2]
    return ImageBatch(
        ids=tuple(map(str, range(len(pictures)))),
        pixels=torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()),
        sizes=((width, height),) * len(pictures),
        fields={name: tuple(values) for name, values in fields.items()},
    )

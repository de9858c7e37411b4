"""The one place that makes a batch of pictures for a check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch

#: (H, W, 3) uint8 sRGB, or an image of Pillow's
Picture = np.ndarray | Image.Image
#: what ``load`` of a check returns
Scorer = Callable[[ImageBatch], Scores]


def batch_of(*pictures: Picture, **fields: Sequence[Any]) -> ImageBatch:
    """Returns a batch of pictures of one shape.

    Args:
        pictures: the pictures
        fields: what a check needs beside the pixels: a value for each picture

    >>> batch = batch_of(np.zeros((2, 3, 3), np.uint8), prompt=["a cat"])
    >>> batch.pixels.shape, batch.sizes, batch.fields
    (torch.Size([1, 3, 2, 3]), ((3, 2),), {'prompt': ('a cat',)})
    """
    arrays = [np.asarray(p.convert("RGB")) if isinstance(p, Image.Image) else p for p in pictures]
    return ImageBatch(
        ids=tuple(map(str, range(len(arrays)))),
        pixels=torch.from_numpy(np.stack(arrays).transpose(0, 3, 1, 2)),  # laid out as the reader lays them out
        sizes=tuple((array.shape[1], array.shape[0]) for array in arrays),
        fields={name: tuple(values) for name, values in fields.items()},
    )

"""JPEG files decoded on a GPU: the file's bytes travel there, not its pixels.

What the device's decoder may see differently is left to the strict reader on the CPU: other formats, grey and CMYK
What the device may see differently is left to the strict reader on the CPU: other formats, grey and CMYK
rounding: by 3 of 255 levels at most places, by more at sharp colour edges, where chroma is interpolated in another way.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

_END = b"\xff\xd9"
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Encoded:
    """A JPEG file that is whole, as it lies on the disk.

    Attributes:
        data: (B,) uint8
        size: (width, height)
    """

    data: np.ndarray
    size: tuple[int, int]


def encoded(path: str | os.PathLike[str]) -> Encoded | None:
    """Returns a file's bytes where the device's decoder sees in them what the strict reader does; else None."""
    from PIL import Image

    try:
        with open(path, "rb") as file:
            data = file.read()
        if not data.startswith(b"\xff\xd8") or not data.rstrip(b"\0").endswith(_END):
            return None
        with Image.open(path) as image:
            if image.format != "JPEG" or image.mode != "RGB" or image.getexif().get(_ORIENTATION, 1) != 1:
                return None
            return Encoded(np.frombuffer(data, dtype=np.uint8), image.size)
    # the strict reader says what is wrong with it
    except Exception:
        return None


def decode(files: Sequence[Encoded], device: str) -> list[Tensor] | None:
    """Returns the (3, H, W) uint8 pixels of each file, on the device; None where the decoder refuses one of them."""
    import warnings

    import torch
    from torchvision.io import ImageReadMode, decode_jpeg  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the arrays are read-only, and are only read
        data = [torch.from_numpy(one.data) for one in files]
    try:
        return list(decode_jpeg(data, mode=ImageReadMode.RGB, device=device))
    except RuntimeError:
        return None

"""Plain JPEG files, decoded without Pillow: by simplejpeg on the CPU, by torchvision on a GPU.

Plain are whole files of three 8-bit channels that need not be turned. Of those simplejpeg gives the same pixels as
Pillow in less time, as both run libjpeg-turbo, and it says where data are missing. A GPU gets the file's bytes, not its
pixels; what it makes of them differs from the CPU's pixels by rounding: by 3 of 255 levels at most places, by more at
sharp colour edges, where chroma is interpolated in another way. Everything else is left to the strict reader.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from loupe.brain.core.errors import ReadError

if TYPE_CHECKING:
    from torch import Tensor

_START, _END = b"\xff\xd8", b"\xff\xd9"
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Encoded:
    """A plain JPEG file, as it lies on the disk.

    Attributes:
        data: (B,) uint8
        size: (width, height)
    """

    data: np.ndarray
    size: tuple[int, int]


def encoded(path: str | os.PathLike[str]) -> Encoded | None:
    """Returns the bytes of a plain JPEG file; None where it is another one, or none."""
    try:
        with open(path, "rb") as file:
            if file.read(2) != _START:
                return None
            data = _START + file.read()
    # the strict reader says what is wrong with it
    except OSError:
        return None
    if not data.rstrip(b"\0").endswith(_END):
        return None
    size = plain_size(data)
    return None if size is None else Encoded(np.frombuffer(data, dtype=np.uint8), size)


def plain_size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height of a JPEG file whose pixels can be taken as they are stored; None for other ones.

    Those are of three channels of 8 bits in YCbCr, baseline or progressive, and not to be turned.

    Args:
        data: the whole file (ITU-T T.81, annex B)
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0xC0, 0xC1, 0xC2):
            precision, height, width, channels = struct.unpack_from(">BHHB", data, at + 4)
            pixels = width * height
            plain = precision == 8 and channels == 3 and 0 < pixels <= (Image.MAX_IMAGE_PIXELS or pixels)
            return (width, height) if plain else None
        # Adobe's segment may say that the channels are no YCbCr; and tables and lengths that are none end the search
        if marker == 0xEE or marker < 0xC0 or 0xD0 <= marker <= 0xDA or length < 2:
            return None
        if marker == 0xE1 and _turned(data):
            return None
        at += 2 + length
    return None


def _turned(data: bytes) -> bool:
    """Whether the file's metadata says that its pixels have to be turned, or cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.getexif().get(_ORIENTATION, 1) != 1
    # Pillow's readers of metadata raise whatever a corrupt file brings up
    except Exception:
        return True


def decode_scaled(file: Encoded, long_side: int | None) -> np.ndarray | None:
    """Returns (H, W, 3) uint8 RGB, at 1/2, 1/4 or 1/8 of the size if the long side allows.

    None where another decoder has to say what is wrong with it, if anything.

    Args:
        file: a plain one
        long_side: in pixels: the least that is needed; None for the file's own size

    Raises:
        ReadError: its data end too early
    """
    import simplejpeg

    width, height = file.size
    min_side = long_side or max(file.size)
    scale = next((scale for scale in (8, 4, 2) if max(file.size) // scale >= min_side), 1)
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(
            file.data, "RGB", min_height=-(-height // scale), min_width=-(-width // scale)
        )
    except ValueError as error:
        # what is left then is half a picture, which other decoders fill up with grey
        if "premature end" in str(error).lower():
            raise ReadError(f"truncated or corrupt: {error}") from None
        return None
    return pixels


def decode(files: Sequence[Encoded], device: str) -> list[Tensor] | None:
    """Returns the (3, H, W) uint8 pixels of each file, on the device; None where the decoder refuses one of them."""
    import warnings

    import torch
    from torchvision.io import ImageReadMode, decode_jpeg  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the arrays are read-only, and are only read
        data = [torch.from_numpy(file.data) for file in files]
    try:
        return list(decode_jpeg(data, mode=ImageReadMode.RGB, device=device))
    except RuntimeError:
        return None

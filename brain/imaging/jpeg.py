"""JPEG files: their header, their pixels by simplejpeg on the CPU, by torchvision on a GPU.

simplejpeg gives the same pixels as Pillow in less time, as both run libjpeg-turbo, and it says where data are missing
or damaged, which Pillow fills up in silence. A GPU gets the bytes of plain files; what it makes of them differs from
the CPU's pixels by rounding: by 3 of 255 levels at most places, by more at sharp color edges, where chroma is
interpolated in another way. Whether a file is whole is decided on the CPU in either case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging.jpeg_header import Header

if TYPE_CHECKING:
    from torch import Tensor

_END = b"\xff\xd9"
#: a run of zeros that no picture brings about, unless a zero means "nothing follows", see ``_lost``
_LOST = bytes(64)
#: times that a file is decoded anew without what is odd about it
_MENDED = 4
#: what libjpeg says of data that are damaged or missing; it says other things of odd headers
_DAMAGED = re.compile("corrupt jpeg data|premature end|inconsistent progression", re.IGNORECASE)
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")


@dataclass(frozen=True)
class Encoded:
    """A plain JPEG file, as it lies on the disk.

    Attributes:
        data: (B,) uint8
        size: (width, height)
    """

    data: np.ndarray
    size: tuple[int, int]


def scale_of(size: tuple[int, int], long_side: int | None) -> int:
    """Returns by how much a JPEG may be decoded smaller, 1, 2, 4 or 8, and not fall below the long side."""
    min_side = long_side or max(size)
    return next((scale for scale in (8, 4, 2) if max(size) // scale >= min_side), 1)


def decode_scaled(data: bytes, header: Header, long_side: int | None) -> np.ndarray | None:
    """Returns (H, W, 3) uint8 pixels, (H, W, 1) of gray ones, at 1/2, 1/4 or 1/8 of the size if the long side allows.

    None where another decoder has to do it: the channels are of another kind, or the header is odd.

    Args:
        data: the whole file
        header: its header
        long_side: in pixels: the least that is needed; None for the file's own size

    Raises:
        ReadError: the data are damaged, or end too early
    """
    if header.channels not in (1, 3):
        return None
    return _decoded(data, header, "GRAY" if header.channels == 1 else "RGB", scale_of(header.size, long_side))


def is_whole(data: bytes, header: Header) -> bool:
    """Returns whether all data of a JPEG are there, as far as they can be told from damaged ones.

    False where another decoder has to say what is wrong with it. Takes a third to three quarters of decoding
    them, the more the more bytes a file has: the bits are read one after the other either way.

    Raises:
        ReadError: the data are damaged, or end too early
    """
    space = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(header.channels)
    return space is not None and _decoded(data, header, space, 8) is not None


def decode(files: Sequence[Encoded], device: str) -> list[Tensor] | None:
    """Returns the (3, H, W) uint8 pixels of each file, on the device; None where the decoder refuses one of them."""
    import warnings

    import torch
    from torchvision.io import ImageReadMode, decode_jpeg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the arrays are read-only, and are only read
        data = [torch.from_numpy(file.data) for file in files]
    try:
        return list(decode_jpeg(data, mode=ImageReadMode.RGB, device=device))
    except RuntimeError as error:
        # a build without the decoder refuses every file: that is slow, and must not be so in silence
        if "nvjpeg" in str(error).lower() or "compiled" in str(error).lower():
            warnings.warn(f"the CPU decodes JPEGs, as {device} does not: {str(error).splitlines()[0]}", stacklevel=2)
        return None


@cache
def _has_simplejpeg() -> bool:
    """Whether it is installed; where it is not, that is said once."""
    import warnings

    try:
        import simplejpeg  # noqa: F401
    except ImportError:
        warnings.warn(
            "simplejpeg is not installed: Pillow decodes JPEGs, more slowly, a GPU decodes none, and data that are "
            "damaged in the midst of a file are not noticed. pip install simplejpeg",
            stacklevel=2,
        )
        return False
    return True


def _decoded(data: bytes, header: Header, space: str, scale: int) -> np.ndarray | None:
    if _lost(data, header):
        raise ReadError("truncated or corrupt: zeros where data should be")
    if not _has_simplejpeg():
        return None
    # what is mended may be odd in another way, or again: the decoder counts without what it has read ahead
    for _ in range(_MENDED):
        try:
            return _strictly(data, header, space, scale)
        except ValueError as error:
            if not _DAMAGED.search(str(error)):
                return None
            message = str(error)
        mended = _mended(data, header, message)
        if mended is None:
            break
        data, header = mended
    raise ReadError(f"truncated or corrupt: {message}")


def _strictly(data: bytes, header: Header, space: str, scale: int) -> np.ndarray:
    import simplejpeg

    width, height = header.size
    pixels: np.ndarray = simplejpeg.decode_jpeg(
        data, space, min_height=-(-height // scale), min_width=-(-width // scale)
    )
    return pixels


def _mended(data: bytes, header: Header, message: str) -> tuple[bytes, Header] | None:
    """Returns the file without what is no part of the picture; None where what is wrong is in the picture itself."""
    if header.junk:
        front = b"".join(data[start:end] for start, end in header.parts)
        return front + data[header.scan :], replace(header, scan=len(front), junk=False)
    if header.progressive:
        return None
    # all data are there and the two bytes that end them are not
    if "premature end of jpeg file" in message.lower() and _END not in data[header.scan :]:
        return data + _END, header
    extraneous = _EXTRANEOUS.search(message)
    if extraneous and extraneous[2] == "d9":
        # some cameras fill up their files with zeros
        n, end = int(extraneous[1]), data.find(_END, header.scan)
        kept = data[: end - n]
        # as many zeros again, taken for values, are a part that was lost
        lost = header.zeros_are_values and kept.endswith(_LOST)
        if end - n > header.scan and not lost and not data[end - n : end].strip(b"\0"):
            return kept + data[end:], header
    return None


def _lost(data: bytes, header: Header) -> bool:
    """Whether a part of the data was written as zeros, as a disk that failed leaves it.

    The decoder takes zeros for values: whether it notices is chance. Where the shortest code of the first channel is
    "the rest of the block is zero", zeros are a plain area; where it is a value, they are a lost part.
    """
    if header.progressive or not header.zeros_are_values:
        return False
    at = data.find(_LOST, header.scan)
    if at < 0:
        return False
    end = data.find(_END, header.scan)
    # zeros up to the end are looked at where the decoder finds them in excess
    return end < 0 or (at < end and bool(data[at:end].strip(b"\0")))

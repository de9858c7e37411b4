"""Which way up a picture is: the Exif orientation, found without taking the rest of the metadata apart.

Metadata are what cameras, editors and accidents made of them. Here one number is looked up; whatever is wrong with the
rest is no concern, and a value that is none of the eight is no orientation.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np

from loupe.brain.imaging.opencv import opencv

_TAG = 0x0112
_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>\s*)([1-8])\b")


def of_exif(data: bytes) -> int | None:
    """Returns the orientation, 1 to 8, that Exif metadata state; None where they state none.

    Args:
        data: a TIFF structure, with or without ``Exif\\0\\0`` before it
    """
    if data.startswith(b"Exif\0"):
        data = data[6:]
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    (first,) = struct.unpack_from(order + "I", data, 4)
    if first + 2 > len(data):
        return None
    (entries,) = struct.unpack_from(order + "H", data, first)
    for at in range(first + 2, min(first + 2 + 12 * entries, len(data) - 11), 12):
        tag, kind, count = struct.unpack_from(order + "HHI", data, at)
        if tag == _TAG:
            size = {1: "B", 3: "H", 4: "I"}.get(kind)
            value = struct.unpack_from(order + size, data, at + 8)[0] if size and count == 1 else 0
            return value if 1 <= value <= 8 else None
    return None


def of_xmp(data: bytes) -> int | None:
    """Returns the orientation, 1 to 8, that an XMP packet states; None where it states none."""
    match = _XMP.search(data)
    return int(match[1]) if match else None


def stated(exif: bytes | None, xmp: bytes | None = None) -> int:
    """Returns the orientation that metadata state: Exif's, else XMP's, else 1.

    >>> stated(b"Exif\\0\\0no metadata"), stated(None, b'<rdf tiff:Orientation="6"/>')
    (1, 6)
    """
    return (of_exif(exif) if exif else None) or (of_xmp(xmp) if xmp else None) or 1


def turns(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Returns (H, W, 3) uint8 pixels the right way up.

    Args:
        pixels: (h, w, 3) uint8 as they are stored
        orientation: 1 to 8, as Exif has it
    """
    if orientation == 1:
        return pixels
    cv2 = opencv()
    if cv2 is None:
        turned = pixels.transpose(1, 0, 2) if turns(orientation) else pixels
        down = -1 if orientation in (3, 4, 7, 8) else 1
        across = -1 if orientation in (2, 3, 6, 7) else 1
        return np.ascontiguousarray(turned[::down, ::across])
    made: np.ndarray = _by_opencv(cv2, pixels, orientation)
    return made


def _by_opencv(cv2: Any, pixels: np.ndarray, orientation: int) -> Any:
    match orientation:
        case 2:
            return cv2.flip(pixels, 1)
        case 3:
            return cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            return cv2.flip(pixels, 0)
        case 5:
            return cv2.transpose(pixels)
        case 6:
            return cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            return cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180)
        case _:
            return cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)

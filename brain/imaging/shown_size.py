"""How large a picture is the way up that people see it, by its header alone."""

from __future__ import annotations

import os

from loupe.brain.imaging import orientation
from loupe.brain.imaging.files import opened


def shown_size(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Returns width and height in pixels, turned as the file's metadata say; None where the file cannot be read.

    Args:
        path: of the file
    """
    from PIL import Image

    try:
        with opened(path) as file, Image.open(file) as image:
            width, height = image.size
            turned = orientation.turns(orientation.stated(image.info.get("exif"), _xmp(image.info.get("xmp"))))
    except Exception:  # whatever is wrong with a file, and whoever reads it breaks on it: its size is not known
        return None
    if width < 1 or height < 1:
        return None
    return (height, width) if turned else (width, height)


def _xmp(packet: bytes | str | None) -> bytes | None:
    return packet.encode() if isinstance(packet, str) else packet

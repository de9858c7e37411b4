"""How large a picture is, by the header of its file: nothing is decoded."""

from __future__ import annotations

import os
import warnings

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import files

#: headers that are short and told by Pillow in no time; others are not opened for this
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def size_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Returns the (width, height) in pixels that a file's header states; None where it states none, or is no regular
    file.

    >>> size_of("/dev/zero") is None
    True
    """
    from PIL import Image

    try:
        # whatever Pillow warns of or stumbles over: a size that cannot be told is no reason to fail
        with files.opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            files.require_small(file)
            with Image.open(file, formats=_FORMATS) as image:
                return image.size
    except (ReadError, Exception):
        return None

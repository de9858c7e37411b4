"""Small pictures for a report, under a budget of bytes."""

from __future__ import annotations

import io

from loupe.brain.core.errors import ReadError
from loupe.brain.report.blocks import Thumbnail

#: pixels of a thumbnail's long side: twice what a page shows, for dense screens
LONG_SIDE = 236
_QUALITY = 78


def of_file(sample_id: str, path: str, caption: str = "") -> Thumbnail:
    """Returns the thumbnail of an image file, as a person sees it; without a picture where it cannot be read."""
    from PIL import Image

    from loupe.brain.engine import reader
    from loupe.brain.imaging.files import printable

    name = printable(path)
    try:
        pixels = reader.read(path, LONG_SIDE).pixels
    except ReadError:
        return Thumbnail(sample_id, name, b"", caption)
    picture = Image.fromarray(pixels)
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return Thumbnail(sample_id, name, file.getvalue(), caption)

"""Bytes that a service sent become a picture, or are none."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

#: an answer with more bytes is none
MAX_BYTES = 128 * 2**20
_MAX_PIXELS = 2**26
_FORMATS = ("PNG", "JPEG", "WEBP")


def decoded(content: bytes) -> Image:
    """Returns the RGB picture of a PNG, JPEG or WebP file; what is transparent lies on white.

    Raises:
        ValueError: it is none, is cut off, or is larger than 64 megapixels
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as file:
            if file.width * file.height > _MAX_PIXELS:
                raise ValueError(f"a picture of {file.width} x {file.height} pixels")
            file.load()
            if file.mode == "RGB":
                image = file.copy()
            elif "A" in file.getbands() or "transparency" in file.info:
                image = Image.alpha_composite(Image.new("RGBA", file.size, "white"), file.convert("RGBA")).convert(
                    "RGB"
                )
            else:
                image = file.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError, ValueError) as error:
        shown = content[:12].hex(" ")
        message = str(error) if isinstance(error, ValueError) else f"{len(content):,} bytes that begin with {shown}"
        raise ValueError(f"no whole PNG, JPEG or WebP file, but {message}") from None
    image.info = {}
    return image

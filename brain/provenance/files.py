"""What stands in a picture's file beside its pixels, whatever its format: texts by name, and its size."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from loupe.brain.provenance import exif, png, xmp
from loupe.brain.provenance.records import MetadataError

#: bytes of Exif or XMP
_MAX_BLOCK = 16 * 2**20


@dataclass
class Embedded:
    """What stands in a file.

    Attributes:
        texts: by name; those of PNG by their keywords, others as ``"Exif UserComment"``, ``"XMP DigitalSourceType"``
        size: (width, height) in pixels; None where the header does not tell
        has_alpha: whether the pixels have an alpha channel, of a PNG
        has_c2pa: whether a C2PA manifest is in it
        problems: what could not be read, and why
    """

    texts: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    has_alpha: bool = False
    has_c2pa: bool = False
    problems: list[str] = field(default_factory=list)


def read(path: Path) -> Embedded:
    """Returns what stands in a file. Its pixels are not decoded.

    Raises:
        MetadataError: it is no picture
        OSError: it cannot be opened
    """
    result = Embedded()
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        if start == png.SIGNATURE:
            parts = png.read(file)
            result.size, result.has_c2pa = parts.size, parts.has_c2pa
            result.has_alpha = parts.color_type == 6
            result.texts.update(parts.texts)
            result.problems += parts.problems
            _add_exif(result, parts.exif)
            _add_xmp(result, parts.texts.get(xmp.KEYWORD, ""))
        else:
            _with_pillow(result, path)
    return result


def _with_pillow(result: Embedded, path: Path) -> None:
    """JPEG, WebP, AVIF, TIFF, GIF: Pillow reads the header only, as long as nobody asks for pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            result.size = image.size
            info = dict(image.info)
            applied = getattr(image, "applist", None) or ()
    except UnidentifiedImageError:
        raise MetadataError("expected a picture, got a file that is none") from None
    except (
        OSError,
        ValueError,
        SyntaxError,
        TypeError,
        struct.error,
        RuntimeError,
        Image.DecompressionBombError,
    ) as error:
        raise MetadataError(f"expected a picture: {str(error)[:200]}") from None
    result.has_c2pa = any(name == "APP11" and b"jumb" in data[:64] for name, data in applied)
    _add_exif(result, info.get("exif") or b"")
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    _add_xmp(result, packet)
    comment = info.get("comment")
    if isinstance(comment, bytes) and comment.strip(b"\0 "):
        result.texts["comment"] = comment[:_MAX_BLOCK].decode("utf-8", "replace").strip("\0")


def _add_exif(result: Embedded, data: bytes) -> None:
    if not data:
        return
    try:
        texts = exif.texts(data[:_MAX_BLOCK])
    except MetadataError as error:
        result.problems.append(str(error))
        return
    result.texts.update({f"Exif {name}": text for name, text in texts.items()})


def _add_xmp(result: Embedded, packet: str | bytes) -> None:
    if not packet:
        return
    try:
        texts = xmp.texts(packet)
    except MetadataError as error:
        result.problems.append(str(error))
        return
    result.texts.update({f"XMP {name}": text for name, text in texts.items()})

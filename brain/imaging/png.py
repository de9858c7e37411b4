"""PNG files, chunk by chunk: what makes the pixels, checked, and what of the metadata is needed.

Pillow takes the metadata apart as it reads, and refuses a file for a large profile or a broken comment that every
viewer passes over. So it is given the chunks that make the pixels, and no other.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import orientation
from loupe.brain.imaging.profiles import MAX_PROFILE_BYTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
#: bytes of a text, unpacked, that is looked at
_MAX_TEXT = 2**20
#: of its metadata: the first of each kind
_KEPT = (b"iCCP", b"eXIf", b"sBIT", b"sRGB")


@dataclass(frozen=True)
class Png:
    """A PNG file.

    Attributes:
        data: the file with the chunks that make its pixels only
        size: (width, height)
        orientation: 1 to 8
        profile: its ICC profile
        significant_bits: of a gray picture, how many bits of each value were there before they were stored, if stated
    """

    data: bytes
    size: tuple[int, int]
    orientation: int
    profile: bytes | None
    significant_bits: int | None


def parsed(data: bytes) -> Png:
    """Returns a PNG file's parts.

    Args:
        data: the whole file (PNG specification, third edition, section 5)

    Raises:
        ReadError: it is truncated, a chunk that makes the pixels is damaged, or it has two headers
    """
    view = memoryview(data)
    pixels: list[memoryview] = [view[:8]]
    metadata: dict[bytes, bytes] = {}
    turned: int | None = None
    size: tuple[int, int] | None = None
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        critical = not kind[0] & 0x20 or kind == b"tRNS"
        if kind == b"IEND":
            break
        if critical:
            _require_whole(view[at:end], kind, length, size)
            if kind == b"IHDR" and length == 13:
                size = struct.unpack_from(">II", data, at + 8)
            pixels.append(view[at:end])
        elif end <= len(data) and length:
            if kind in _KEPT and kind not in metadata:
                metadata[kind] = data[at + 8 : end - 4]
            elif turned is None and kind in (b"tEXt", b"zTXt", b"iTXt"):
                turned = _turned(kind, data[at + 8 : end - 4])
        at = end
    if size is None:
        raise ReadError("damaged PNG: no header")
    bits = metadata.get(b"sBIT", b"")
    return Png(
        b"".join([*pixels, _END]),
        size,
        orientation.of_exif(metadata.get(b"eXIf", b"")) or turned or 1,
        _profile(metadata.get(b"iCCP", b"")) if b"sRGB" not in metadata else None,
        bits[0] if len(bits) == 1 else None,
    )


def _require_whole(chunk: memoryview, kind: bytes, length: int, size: tuple[int, int] | None) -> None:
    """Raises an error unless a chunk that makes the pixels is whole; ``size`` is what was read before, if anything."""
    if kind == b"CgBI":
        raise ReadError("expected a PNG, got one that Apple's tools made for their own devices (CgBI)")
    if len(chunk) < length + 12:
        raise ReadError("truncated PNG")
    if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        raise ReadError(f"damaged PNG: the checksum of a {kind.decode('latin-1')} chunk is wrong")
    if kind == b"IHDR" and size is not None:
        # decoders take the last: what the first says of its cost would not hold
        raise ReadError("damaged PNG: two headers")


def _profile(chunk: bytes) -> bytes | None:
    _, _, packed = chunk.partition(b"\0")
    return _unpacked(packed[1:], MAX_PROFILE_BYTES) if packed else None


def _turned(kind: bytes, chunk: bytes) -> int | None:
    """Returns the orientation that a text states: those of XMP and of ImageMagick's way to keep Exif do."""
    name, _, text = chunk.partition(b"\0")
    if name == b"XML:com.adobe.xmp" and kind == b"iTXt":
        packed, (_, _, rest) = text[:1] == b"\1", text[2:].partition(b"\0")
        rest = rest.partition(b"\0")[2]
        return orientation.of_xmp((_unpacked(rest, _MAX_TEXT) if packed else rest) or b"")
    if name in (b"Raw profile type exif", b"Raw profile type APP1") and kind != b"iTXt":
        text = (_unpacked(text[1:], _MAX_TEXT) or b"") if kind == b"zTXt" else text
        # a line with the name and one with the length come first
        digits = b"".join(text.split(b"\n")[3:])
        try:
            return orientation.of_exif(bytes.fromhex(digits.decode("ascii")))
        except ValueError:
            return None
    return None


def _unpacked(packed: bytes, limit: int) -> bytes | None:
    """Returns at most that many bytes of packed ones; None where there are more, or where they are damaged."""
    decoder = zlib.decompressobj()
    try:
        data = decoder.decompress(packed, limit)
    except zlib.error:
        return None
    return None if decoder.unconsumed_tail else data

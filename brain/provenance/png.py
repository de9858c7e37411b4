"""The texts of a PNG file, read chunk by chunk without its pixels (PNG specification, third edition, 11.3)."""

from __future__ import annotations

import struct
import zlib
from typing import IO

from loupe.brain.provenance.records import MetadataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: bytes of one text, and of all of them, unpacked: a workflow has some 100,000
MAX_TEXT = 16 * 2**20
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
#: chunks without pixels are few; a file that has more of them is made to take time
_MAX_CHUNKS = 100_000


class PngTexts:
    """What stands in a PNG file beside its pixels.

    Attributes:
        size: (width, height)
        color_type: 6 is RGBA
        texts: by keyword; the first of each
        exif: the eXIf chunk
        has_c2pa: whether a C2PA manifest is in it
        problems: why a text, or what follows, could not be read
    """

    def __init__(self) -> None:
        self.size = (0, 0)
        self.color_type = -1
        self.texts: dict[str, str] = {}
        self.exif = b""
        self.has_c2pa = False
        self.problems: list[str] = []


def read(file: IO[bytes]) -> PngTexts:
    """Returns the texts of a PNG file that is open at its beginning.

    Raises:
        MetadataError: it has no header
    """
    result, left = PngTexts(), MAX_TEXT
    if file.read(8) != SIGNATURE:
        raise MetadataError("expected a PNG file, got another kind")
    length_of_file = file.seek(0, 2)
    at = 8
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            if at < length_of_file or not result.size[0]:
                result.problems.append("the file is cut off")
            break
        length, kind = struct.unpack(">I4s", head)
        at += 12 + length
        if kind == b"IEND":
            break
        if at > length_of_file:
            result.problems.append(f"the file is cut off in a {kind.decode('latin-1')!r} chunk of {length:,} bytes")
            break
        if kind == b"IHDR" and length == 13:
            data = file.read(13)
            result.size, result.color_type = (*struct.unpack(">II", data[:8]),), data[9]
        elif kind in _TEXTS:
            left -= _take(result, kind, file, length, left)
        elif kind == b"eXIf" and length <= MAX_TEXT:
            result.exif = result.exif or file.read(length)
        elif kind == b"caBX":
            result.has_c2pa = True
    if not result.size[0]:
        raise MetadataError("damaged PNG: no header")
    return result


def _take(result: PngTexts, kind: bytes, file: IO[bytes], length: int, left: int) -> int:
    """Adds the text of a chunk; returns how many bytes it took."""
    if length > left:
        result.problems.append(
            f"expected at most {MAX_TEXT // 2**20} MB of texts, got a chunk of {length:,} bytes more"
        )
        return 0
    data = file.read(length)
    checksum = file.read(4)
    name, separator, rest = data.partition(b"\0")
    keyword = name.decode("latin-1")
    if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(checksum, "big"):
        result.problems.append(f"the text {keyword[:79]!r} is damaged: its checksum is wrong")
        return length
    if not separator or keyword in result.texts:
        return length
    try:
        text = _decoded(kind, rest, left)
    except MetadataError as error:
        result.problems.append(f"the text {keyword[:79]!r}: {error}")
        return length
    result.texts[keyword] = text
    return max(length, len(text))


def _decoded(kind: bytes, rest: bytes, limit: int) -> str:
    if kind == b"tEXt":
        return _text(rest)
    if kind == b"zTXt":
        return _text(unpacked(rest[1:], limit))
    packed = rest[:1] == b"\1"
    # language and translated keyword stand before the text
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        raise MetadataError("a chunk without its parts")
    data = unpacked(parts[2], limit) if packed else parts[2]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MetadataError("expected UTF-8, got other bytes") from None


def _text(data: bytes) -> str:
    """Latin-1 by the specification; several tools write UTF-8, whose longer sequences hardly are Latin-1 by chance."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def unpacked(packed: bytes, limit: int = MAX_TEXT) -> bytes:
    """Returns the bytes that zlib's or gzip's packed ones hold.

    Raises:
        MetadataError: they are damaged, or there are more than the limit
    """
    decoder = zlib.decompressobj(wbits=47)
    try:
        data = decoder.decompress(packed, limit)
    except zlib.error as error:
        raise MetadataError(f"damaged: {error}") from None
    if decoder.unconsumed_tail:
        raise MetadataError(f"expected at most {limit:,} bytes when unpacked, got more")
    if not decoder.eof:
        raise MetadataError("damaged: it ends too early")
    return data

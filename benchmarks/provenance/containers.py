"""Small pictures with texts in them, in every place that tools write to."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (64, 48)


def picture(mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Returns a small picture."""
    pixels = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], len(mode)), np.uint8)
    return Image.fromarray(pixels, mode)


def png(path: Path, texts: dict[str, str], kind: str = "tEXt", image: Image.Image | None = None) -> Path:
    """Writes a PNG with texts in chunks of one kind: tEXt, iTXt, zTXt (PNG specification, 11.3.3)."""
    stream = io.BytesIO()
    (image or picture()).save(stream, "PNG")
    data = stream.getvalue()
    chunks = b"".join(chunk(kind, name, text) for name, text in texts.items())
    path.write_bytes(data[:33] + chunks + data[33:])
    return path


def chunk(kind: str, name: str, text: str) -> bytes:
    """Returns a text chunk; tEXt and zTXt hold UTF-8 where Latin-1 does not do, as tools write it."""
    body = text.encode("utf-8")
    if kind in ("tEXt", "zTXt"):
        try:
            body = text.encode("latin-1") if not text.isascii() else body
        except UnicodeEncodeError:
            kind = "iTXt" if kind == "tEXt" else kind
    if kind == "zTXt":
        data = name.encode() + b"\0\0" + zlib.compress(text.encode("utf-8"))
    elif kind == "iTXt":
        data = name.encode() + b"\0\0\0\0\0" + text.encode("utf-8")
    else:
        data = name.encode() + b"\0" + body
    return struct.pack(">I", len(data)) + kind.encode() + data + struct.pack(">I", zlib.crc32(kind.encode() + data))


def exif(comment: bytes, little: bool = True, software: bytes = b"") -> bytes:
    """Returns an Exif block with a UserComment, in either byte order (Exif 2.32, 4.6)."""
    order = "<" if little else ">"
    head = (b"II*\0" if little else b"MM\0*") + struct.pack(f"{order}I", 8)
    entries, count, at = b"", 1 + bool(software), 8 + 2 + 12 * (1 + bool(software)) + 4
    if software:
        entries += struct.pack(f"{order}HHII", 305, 2, len(software), at + 18)
    entries += struct.pack(f"{order}HHII", 34665, 4, 1, at)
    sub = struct.pack(f"{order}HHHIII", 1, 37510, 7, len(comment), at + 18 + len(software), 0)
    return (
        b"Exif\0\0"
        + head
        + struct.pack(f"{order}H", count)
        + entries
        + struct.pack(f"{order}I", 0)
        + sub
        + software
        + comment
    )


def comment(text: str, code: str = "UNICODE", order: str = "utf-16-be") -> bytes:
    """Returns a UserComment's bytes."""
    if code == "UNICODE":
        return b"UNICODE\0" + text.encode(order)
    if code == "JIS":
        return b"JIS\0\0\0\0\0" + text.encode("iso2022_jp")
    return b"ASCII\0\0\0" + text.encode("utf-8")

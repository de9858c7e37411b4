"""Hostile files: those that break decoders, stall readers or cost far more than their size, and odd whole ones.

Each is made from scratch. ``print_hostile`` reads them one by one, and then all of them over and over on threads, and
prints what became of each: whether it is readable as it should be, how long it took, and the most bytes that were held.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from loupe.brain.core.errors import ReadError
from loupe.brain.engine import reader
from loupe.brain.imaging.files import printable

#: seconds that one file may take
SECONDS = 10.0


@dataclass(frozen=True)
class Hostile:
    """One file.

    Attributes:
        path: where it is
        readable: whether it is to be read
        says: words that the message has where it is not
    """

    path: str
    readable: bool
    says: str = ""


def photo(seed: int = 0, size: tuple[int, int] = (320, 240), mode: str = "RGB") -> Image.Image:
    """Returns a smooth picture in color."""
    small = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Returns the bytes of a file of that picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """Returns a segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    """Returns a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def exif(orientation: int, more: bytes = b"") -> bytes:
    """Returns Exif metadata that state an orientation, and what else is given as (12-byte) entries."""
    entries = 1 + len(more) // 12
    entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + entry + more + bytes(4)


def files(folder: Path) -> list[Hostile]:
    """Makes the files in a folder, and returns them; a file system that lacks a kind lacks that file."""
    made = [Hostile(*_put(folder, *case)) for case in (*_whole(), *_damaged(), *_costly(), *_no_pictures())]
    return [*made, *_special(folder)]


def _put(folder: Path, name: str, data: bytes, readable: bool, says: str = "") -> tuple[str, bool, str]:
    (folder / name).write_bytes(data)
    return str(folder / name), readable, says


_Case = tuple[str, bytes, bool] | tuple[str, bytes, bool, str]


def _whole() -> Iterator[_Case]:
    plain, png = encoded(photo(), "JPEG", quality=90), encoded(photo(), "PNG")
    odd = exif(6, struct.pack("<HHII", 0x11A, 10, 1, 0xFFFFFF))
    yield "exif-that-cannot-be-rewritten.jpg", plain[:2] + segment(0xE1, odd) + plain[2:], True
    yield "fifty-exif-segments.jpg", plain[:2] + segment(0xE1, odd + bytes(60_000)) * 50 + plain[2:], True
    yield "broken-profile.jpg", plain[:2] + segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(3000)) + plain[2:], True
    yield "junk-between-segments.jpg", plain[:2] + b"junk" + plain[2:], True
    yield "zeros-before-the-end.jpg", plain[:-2] + bytes(20) + plain[-2:], True
    yield "no-end-marker.jpg", plain[:-2], True
    yield "something-behind.jpg", plain + np.random.default_rng(0).bytes(5000), True
    profile = b"display\0\0" + zlib.compress(np.random.default_rng(0).bytes(1000) * 1200)
    yield "large-profile.png", png[:33] + chunk(b"iCCP", profile) + png[33:], True
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80 * 2**20), 9))
    yield "text-that-unpacks-to-80-MB.png", png[:33] + text + png[33:], True
    yield "text-with-a-wrong-checksum.png", png[:33] + chunk(b"tEXt", b"a\0b")[:-4] + b"????" + png[33:], True
    yield "cut-in-the-last-text.png", png[:-12] + chunk(b"tEXt", b"a\0" + b"b" * 99)[:50], True
    yield "cut-before-its-end.png", png[:-12], True


def _damaged() -> Iterator[_Case]:
    for name, options in (
        ("plain", {}),
        ("progressive", {"progressive": True}),
        ("restarts", {"restart_marker_rows": 2}),
    ):
        for mode in ("RGB", "L", "CMYK"):
            data = encoded(photo(1, (640, 480), mode), "JPEG", quality=90, **options)
            middle, noise = len(data) // 2, np.random.default_rng(0).integers(0, 255, 300, dtype=np.uint8)
            damaged = data[:middle] + noise.tobytes() + data[middle + 300 :]
            yield f"damaged-{name}-{mode}.jpg", damaged, False, "corrupt"
            yield f"damaged-{name}-{mode}-and-more.jpg", damaged + b"a trailer", False, "corrupt"
    data = encoded(photo(1, (640, 480)), "JPEG", quality=90)
    yield "a-lost-sector.jpg", data[: len(data) // 2] + bytes(512) + data[len(data) // 2 + 512 :], False, "corrupt"
    turned = data[:2] + segment(0xE1, exif(6)) + data[2:]
    yield "damaged-and-turned.jpg", turned[: len(turned) // 2] + b"?" * 300 + turned[len(turned) // 2 + 300 :], False
    png = encoded(photo(), "PNG", compress_level=0)
    second = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 60, 8, 2, 0, 0, 0))
    yield "two-headers.png", png[:8] + second + png[8:], False, "two headers"
    yield "one-wrong-byte.png", png[:5000] + bytes([png[5000] ^ 1]) + png[5001:], False, "checksum"
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"):
        whole = encoded(photo(), kind)
        yield f"cut.{kind.lower()}", whole[: len(whole) // 2], False
    yield "broken.dds", b"DDS " + struct.pack("<7I", 124, 0x1007, 4, 4, 0, 0, 0) + bytes(44) + bytes(52), False
    twelve = bytearray(encoded(photo(), "JPEG"))
    twelve[twelve.index(b"\xff\xc0") + 4] = 12
    yield "twelve-bits.jpg", bytes(twelve), False, "12-bit JPEG"
    lossless = bytearray(encoded(photo(), "JPEG"))
    lossless[lossless.index(b"\xff\xc0") + 1] = 0xC3
    yield "lossless.jpg", bytes(lossless), False, "lossless"
    yield "for-phones.png", png[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + png[8:], False, "CgBI"


def _costly() -> Iterator[_Case]:
    data = encoded(Image.new("L", (4096, 4096)), "JPEG", progressive=True)
    # the last scan, over and over
    last = data.rindex(b"\xff\xda")
    yield "scan-bomb.jpg", data[:last] + data[last:-2] * 2000 + data[-2:], False, "scans"
    squeezed = zlib.compressobj(9)
    body = b"".join([*(squeezed.compress(bytes(375_100)) for _ in range(300)), squeezed.flush()])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0))
    yield "gigapixel.png", b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b""), False, "at most"
    canvas = struct.pack("<I", 16_382)[:3] * 2
    still = encoded(photo(), "WEBP")[12:]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + still
    yield "gigapixel.webp", b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended, False
    huge = bytearray(encoded(photo(), "JPEG"))
    at = huge.index(b"\xff\xc0")
    huge[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    yield "gigapixel.jpg", bytes(huge), False, "at most"


def _no_pictures() -> Iterator[_Case]:
    yield "empty.jpg", b"", False, "an empty file"
    yield "zeros.png", bytes(5000), False, "a file of zeros"
    yield "page.jpg", b"\n<!DOCTYPE html><html><body>404</body></html>", False, "a web page"
    yield "drawing.png", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", False, "an SVG drawing"
    yield "pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", False, "Git LFS"
    yield "document.png", b"%PDF-1.7\n", False, "a PDF document"
    yield "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", False, "PostScript"
    yield "phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", False, "HEIC"
    yield "film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", False, "a video"


def _special(folder: Path) -> Iterator[Hostile]:
    (folder / "folder.png").mkdir()
    yield Hostile(str(folder / "folder.png"), False, "a folder:")
    yield Hostile(str(folder / "never-there.png"), False, "no file at")
    yield Hostile(str(folder / "nul\0.png"), False, "a name that no file can have")
    yield Hostile(str(folder / ("long" * 200)), False, "file system")
    yield Hostile(str(folder / "lone\ud800.png"), False, "a name that no file can have")
    for kind in (_pipe, _socket, _links, _no_utf8):
        try:
            yield from kind(folder)
        # a system or a file system that has no such thing
        except (OSError, AttributeError):
            continue
    if os.path.exists("/dev/zero"):
        yield Hostile("/dev/zero", False, "a device")


def _pipe(folder: Path) -> Iterator[Hostile]:
    os.mkfifo(folder / "pipe.png")
    yield Hostile(str(folder / "pipe.png"), False, "a pipe")


def _socket(folder: Path) -> Iterator[Hostile]:
    with _inside(folder), socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.png")
    yield Hostile(str(folder / "socket.png"), False, "a socket")


def _links(folder: Path) -> Iterator[Hostile]:
    (folder / "gone.png").symlink_to("blobs/0123")
    (folder / "round.png").symlink_to("round.png")
    (folder / "links").mkdir()
    (folder / "links" / "a.png").symlink_to("../empty.jpg")
    photo().save(folder / "target.png")
    (folder / "linked.png").symlink_to("target.png")
    yield Hostile(str(folder / "gone.png"), False, "a link to a file that is not there")
    yield Hostile(str(folder / "round.png"), False, "file system")
    yield Hostile(str(folder / "links"), False, "a folder of links")
    yield Hostile(str(folder / "linked.png"), True)


def _no_utf8(folder: Path) -> Iterator[Hostile]:
    good, bad = os.fsdecode(b"good\xff.png"), os.fsdecode(b"bad\xff.png")
    photo().save(folder / good)
    (folder / bad).write_bytes(b"no picture")
    yield Hostile(str(folder / good), True)
    yield Hostile(str(folder / bad), False, r"bad\udcff.png")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """The path of a socket has to be short."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def problem(case: Hostile, read: Callable[[str], object] = reader.read) -> str | None:
    """Returns what is wrong with how a file was read; None where all is as it should be."""
    try:
        read(case.path)
    except ReadError as error:
        if case.readable:
            return f"is whole, got {error}"
        return None if case.says in str(error) else f"expected {case.says!r} in {str(error)!r}"
    return None if case.readable else "is damaged, and was read"


def print_hostile() -> None:
    """Prints what became of each file, and of all of them read together.

    Raises:
        SystemExit: something went wrong
    """
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        cases = files(Path(name))
        for case in cases:
            start = time.perf_counter()
            fault = problem(case)
            seconds = time.perf_counter() - start
            fault = fault or (f"took {seconds:.1f} s" if seconds > SECONDS else None)
            wrong += fault is not None
            print(f"{seconds * 1e3:8.1f} ms  {fault or 'as it should be':40}  {printable(case.path)[:40]}")
        rows = [reader.Row(str(at), case.path) for at, case in enumerate(cases * 5)]
        unreadable = {at for part in reader.read_chunks(rows) for at in part.unreadable}
        lost = unreadable ^ {row.id for row, case in zip(rows, cases * 5, strict=True) if not case.readable}
        print(f"{len(rows)} files together: {len(unreadable)} unreadable, {len(lost)} otherwise than alone")
    if wrong or lost:
        raise SystemExit(1)

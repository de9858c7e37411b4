"""Files of every format that the reader takes, whole and small, and how each is changed."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.fuzz import changes, parts
from benchmarks.fuzz.changes import Rng, pick

_SIZES = ((48, 32), (17, 5), (1, 1), (64, 64), (33, 80))
_PLAIN = ("RGB", "L")
#: of each format: the modes that are written, and options
_WRITTEN: Mapping[str, tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]] = {
    "JPEG": (("RGB", "L", "CMYK"), ({}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0})),
    "PNG": (("RGB", "L", "RGBA", "LA", "P", "I;16", "1"), ({}, {"compress_level": 0})),
    "WEBP": (("RGB", "RGBA"), ({}, {"lossless": True}, {"animated": True})),
    "AVIF": (("RGB", "RGBA"), ({"speed": 10},)),
    "GIF": (("P", "L", "RGB"), ({}, {"animated": True}, {"interlace": 0})),
    "TIFF": (
        ("RGB", "L", "RGBA", "CMYK", "I;16", "1", "P", "LAB", "F", "I"),
        ({}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "packbits"},
         {"compression": "jpeg"}, {"compression": "group4"}, {"animated": True}),
    ),
    "BMP": (("RGB", "L", "P", "1", "RGBA"), ({},)),
    "DIB": (_PLAIN, ({},)),
    "PPM": (("RGB", "L", "1", "I;16", "F"), ({},)),
    "TGA": (("RGB", "L", "RGBA", "P"), ({}, {"compression": "tga_rle"})),
    "ICO": (("RGB", "RGBA"), ({}, {"bitmap_format": "bmp"})),
    "ICNS": (("RGBA",), ({},)),
    "JPEG2000": (("RGB", "L", "RGBA", "I;16"), ({}, {"no_jp2": True}, {"irreversible": True})),
    "PCX": (("RGB", "L", "P", "1"), ({},)),
    "DDS": (("RGB", "RGBA", "L"), ({}, {"pixel_format": "DXT1"}, {"pixel_format": "DXT5"}, {"pixel_format": "BC5"})),
    "SGI": (("RGB", "L", "RGBA"), ({}, {"rle": True})),
    "QOI": (("RGB", "RGBA"), ({},)),
    "MPO": (("RGB",), ({"animated": True},)),
    "IM": (("RGB", "L", "P"), ({},)),
    "MSP": (("1",), ({},)),
    "XBM": (("1",), ({},)),
    "SPIDER": (("F",), ({},)),
    "BLP": (("P",), ({},)),
    "EPS": (_PLAIN, ({},)),
}  # fmt: skip
_FITS = (
    b"SIMPLE  =                    T",
    b"BITPIX  =                    8",
    b"NAXIS   =                    2",
    b"NAXIS1  =                    8",
    b"NAXIS2  =                    8",
    b"END",
)
#: formats of which the library only reads: made by hand, or a head that it takes for one
_READ_ONLY: Mapping[str, bytes] = {
    "CUR": b"\0\0\2\0\1\0\x10\x10\0\0\1\0\1\0\x28\1\0\0\x16\0\0\0"
    + struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 24, 0, 0, 0, 0, 0, 0)
    + bytes(900),
    "DCX": struct.pack("<III", 987654321, 12, 0) + b"\x0a\5\1\x08" + struct.pack("<4H", 0, 0, 7, 7) + bytes(416),
    "FITS": b"".join(card.ljust(80) for card in _FITS).ljust(2880) + bytes(64),
    "FLI": struct.pack("<IHHHHHH", 200, 0xAF11, 1, 16, 16, 8, 3).ljust(128, b"\0")
    + struct.pack("<IHH", 72, 0xF1FA, 1)
    + bytes(64),
    "FTEX": b"FTEX" + struct.pack("<10i", 0, 8, 8, 1, 1, 1, 48, 64, 0, 0) + bytes(200),
    "GBR": struct.pack(">5I", 28, 2, 8, 8, 1) + b"GIMP" + struct.pack(">I", 1) + bytes(64),
    "IMT": b"\n  *\nwidth 8\nheight 8\n\x0c" + bytes(64),
    "IPTC": b"\x1c\x03\x3c\0\2\0\0\x1c\x03\x78\0\1\x08\x1c\x08\x0a\0\x04abcd",
    "MCIDAS": b"\0\0\0\0\0\0\0\4" + struct.pack(">62i", *([1] * 62)),
    "PCD": bytes(2048) + b"PCD_" + bytes(2048 * 96),
    "PIXAR": b"\200\350\0\0".ljust(416, b"\0") + struct.pack("<4H", 8, 8, 8, 8).ljust(608, b"\0") + bytes(300),
    "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 8, 8, 8, 3) + bytes(12) + b"\0\0" + bytes(192),
    "SUN": struct.pack(">8I", 0x59A66A95, 8, 8, 24, 192, 1, 0, 0) + bytes(192),
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + struct.pack("<4hH", 0, 0, 100, 100, 72) + bytes(6) + b"\1\0\x09\0" + bytes(60),
    "XPM": b'/* XPM */\nstatic char * x[] = {\n"4 4 2 1",\n"a c #000000",\n"b c #ffffff",\n'
    b'"abab",\n"baba",\n"abab",\n"baba"};\n',
    "XVTHUMB": b"P7 332\n#END_OF_COMMENTS\n8 8 255\n" + bytes(64),
    "MPEG": b"\0\0\1\xb3\x01\x00\x10" + bytes(60),
    "BUFR": b"BUFR" + bytes(60),
    "GRIB": b"GRIB\0\0\0\1" + bytes(60),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(60),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x20meta" + bytes(200),
    "JXL": b"\xff\x0a" + bytes(60),
    "SVG": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
    "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
    "ZIP": b"PK\x03\x04" + bytes(26) + b"../../x" + bytes(40),
    "text": b"no picture at all\n",
    "empty": b"",
}  # fmt: skip
FORMATS = (*_WRITTEN, *_READ_ONLY)
#: those that people have come more often
_COMMON = ("JPEG", "JPEG", "JPEG", "PNG", "PNG", "PNG", "WEBP", "WEBP", "AVIF", "GIF", "TIFF", "TIFF", "BMP")
_BY_PARTS: Mapping[str, Callable[[bytes, Rng], bytes]] = {
    "JPEG": parts.of_jpeg,
    "MPO": parts.of_jpeg,
    "PNG": parts.of_png,
    "WEBP": parts.of_riff,
    "AVIF": parts.of_boxes,
    "JPEG2000": parts.of_boxes,
    "PPM": parts.of_digits,
    "XBM": parts.of_digits,
    "XPM": parts.of_digits,
    "IM": parts.of_digits,
    "IMT": parts.of_digits,
    "XVTHUMB": parts.of_digits,
}


def made(rng: Rng) -> tuple[str, bytes]:
    """Returns a format and a changed file of it; one in thirty is left whole."""
    kind = pick(rng, _COMMON if rng.random() < 0.5 else FORMATS)
    data = _base(kind, rng)
    if rng.random() < 1 / 30:
        return kind, data
    by_parts = _BY_PARTS.get(kind)
    if by_parts is not None and rng.random() < 0.6:
        data = by_parts(data, rng)
        return kind, changes.changed(data, rng, 1) if rng.random() < 0.2 else data
    if rng.random() < 0.05:
        # the head of one format before the body of another
        other = _base(pick(rng, FORMATS), rng)
        at = int(rng.integers(0, 64))
        return kind, data[:at] + other[at:]
    return kind, changes.changed(data, rng)


def _base(kind: str, rng: Rng) -> bytes:
    if kind in _READ_ONLY:
        return _READ_ONLY[kind]
    modes, options = _WRITTEN[kind]
    place = (int(rng.integers(len(modes))), int(rng.integers(len(options))), int(rng.integers(len(_SIZES))))
    return _encoded(kind, *place, int(rng.integers(3)))


# a child process makes each once
@lru_cache(maxsize=4000)
def _encoded(kind: str, mode_at: int, option_at: int, size_at: int, seed: int) -> bytes:
    modes, options = _WRITTEN[kind]
    size = _SIZES[size_at]
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    given = dict(options[option_at])
    if given.pop("animated", False):
        given |= {"save_all": True, "append_images": [image.rotate(90), image]}
    # what a format does not take is written as it takes it
    for mode, own in ((modes[mode_at], given), (modes[0], given), (modes[0], {}), ("RGB", {})):
        buffer = io.BytesIO()
        try:
            _as(image, mode).save(buffer, kind, **own)
            return buffer.getvalue()
        except (OSError, ValueError, KeyError, SystemError, TypeError):
            continue
    return kind.encode()


def _as(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert(mode) if mode != "LAB" else Image.frombytes("LAB", image.size, image.tobytes())

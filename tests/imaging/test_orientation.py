"""The right way up, in any container, whatever the rest of the metadata is."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.engine.reader import read
from loupe.brain.imaging import orientation

#: what undoes each orientation, by Pillow
UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def picture(mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC).convert(mode)


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("jpg", "RGB", {}),
        ("jpg", "L", {}),
        ("jpg", "CMYK", {}),
        ("jpg", "RGB", {"progressive": True}),
        ("png", "RGB", {}),
        ("png", "RGBA", {}),
        ("png", "P", {}),
        ("webp", "RGB", {"lossless": True}),
        ("tif", "RGB", {}),
        ("tif", "L", {}),
        ("tif", "RGB", {"compression": "tiff_lzw"}),
        ("avif", "RGB", {}),
    ],
)
def test_a_picture_is_upright(tmp_path: Path, kind: str, mode: str, options: dict[str, Any], value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    path, plain = tmp_path / f"turned.{kind}", tmp_path / f"plain.{kind}"
    picture(mode).save(path, exif=exif, **options)
    picture(mode).save(plain, **options)
    expected = Image.fromarray(read(plain).pixels)
    if value in UNDO:
        expected = expected.transpose(UNDO[value])
    made = read(path)
    assert made.size == expected.size
    # AVIF is turned before its colors are interpolated
    assert np.abs(made.pixels.astype(int) - np.asarray(expected)).max() <= (3 if kind == "avif" else 0)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", [1, 3, 6, 8])
def test_it_is_found_in_both_byte_orders(order: str, value: int) -> None:
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(order + "HHIHH", 0x10F, 2, 1, 0, 0), struct.pack(order + "HHIHH", 0x112, 3, 1, value, 0)
    data = head + struct.pack(order + "IH", 8, 2) + b"".join(entries)
    assert orientation.of_exif(data) == orientation.of_exif(b"Exif\0\0" + data) == value
    for length in range(len(data)):
        assert orientation.of_exif(data[:length]) in (None, value)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_value_that_is_none_is_no_orientation(value: int) -> None:
    entry = struct.pack("<HHIHH", 0x112, 3, 1, value, 0)
    assert orientation.of_exif(b"II*\0" + struct.pack("<IH", 8, 1) + entry) is None
    assert orientation.stated(b"II*\0" + struct.pack("<IH", 8, 1) + entry) == 1


def test_noise_states_nothing_and_breaks_nothing() -> None:
    rng = np.random.default_rng(0)
    for start in (b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0"):
        for _ in range(200):
            assert orientation.of_exif(start + rng.bytes(int(rng.integers(0, 60)))) in (None, *range(1, 9))


@pytest.mark.parametrize(
    "packet", [b'<x tiff:Orientation="6"/>', b"<tiff:Orientation>6</tiff:Orientation>", b"<x tiff:Orientation='6'/>"]
)
def test_xmp_says_it_where_exif_does_not(packet: bytes) -> None:
    assert orientation.stated(None, packet) == 6
    entry = struct.pack("<HHIHH", 0x112, 3, 1, 3, 0)
    assert orientation.stated(b"II*\0" + struct.pack("<IH", 8, 1) + entry, packet) == 3
    assert orientation.stated(None, packet.replace(b"6", b"16")) == 1

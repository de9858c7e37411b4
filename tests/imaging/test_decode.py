"""What a file becomes: hostile and odd ones, depths that are stated, costs that are known before they are paid."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.faults import hostile
from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import decode as decoding
from loupe.brain.imaging import jpeg_header
from loupe.brain.imaging.decode import decode

pytestmark = pytest.mark.timeout(120)


def test_hostile_files_are_records_and_odd_ones_are_read(tmp_path: Path) -> None:
    cases = hostile.files(tmp_path)
    assert len(cases) > 60
    wrong = {ascii(case.path): fault for case in cases if (fault := hostile.problem(case, decode))}
    assert wrong == {}


def test_they_are_so_for_a_device_too(tmp_path: Path) -> None:
    def for_device(path: str) -> object:
        return decode(path, for_device=True)

    def scaled(path: str) -> object:
        return decode(path, 40)

    for case in hostile.files(tmp_path):
        if case.path.endswith((".jpg", ".jpeg")):
            assert hostile.problem(case, for_device) is None, case.path
            assert hostile.problem(case, scaled) is None, case.path


@pytest.mark.parametrize(
    "error",
    [
        struct.error("unpack"),
        RuntimeError("Decoding of color planes failed"),
        NotImplementedError("DDS"),
        AttributeError("x"),
        MemoryError(),
        RecursionError("deep"),
        UserWarning("Corrupt EXIF data"),
        Image.DecompressionBombError("large"),
        ZeroDivisionError("by zero"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "start"),
    ],
)
def test_whatever_a_decoder_raises_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise error

    hostile.photo().save(tmp_path / "a.gif")
    monkeypatch.setattr(decoding.Image, "open", broken)
    with pytest.raises(ReadError, match=r"cannot decode a\.gif: .") as caught:
        decode(tmp_path / "a.gif")
    assert str(error) in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_who_wants_to_stop_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def interrupted(*args: Any, **options: Any) -> None:
        raise error

    hostile.photo().save(tmp_path / "a.gif")
    monkeypatch.setattr(decoding.Image, "open", interrupted)
    with pytest.raises(error):
        decode(tmp_path / "a.gif")


def test_warnings_as_errors_end_nothing(tmp_path: Path) -> None:
    data = hostile.encoded(hostile.photo(), "JPEG")
    odd = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(30)
    (tmp_path / "a.jpg").write_bytes(data[:2] + hostile.segment(0xE1, odd) + data[2:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(tmp_path / "a.jpg")[1] == (320, 240)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_damage_is_seen_at_every_scale_or_at_none(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    seen = 0
    for seed in range(12):
        data = bytearray(hostile.encoded(hostile.photo(seed, mode=mode), "JPEG", quality=90, **options))
        at = int(rng.integers(len(data) // 3, len(data) - 400))
        data[at : at + 300] = rng.bytes(300)
        (tmp_path / "a.jpg").write_bytes(data)
        answers = set()
        for given in ({}, {"long_side": 100}, {"long_side": 20}, {"for_device": True}):
            try:
                decode(tmp_path / "a.jpg", **given)
                answers.add(True)
            except ReadError:
                answers.add(False)
        assert len(answers) == 1
        seen += answers == {False}
    # the codes of a progressive file may fall into step again by chance
    assert seen >= 9


@pytest.mark.parametrize("n", [64, 512, 4096])
def test_lost_sectors_are_seen(tmp_path: Path, n: int) -> None:
    for seed in range(10):
        data = hostile.encoded(hostile.photo(seed, (640, 480)), "JPEG", quality=90)
        at = len(data) // 3
        (tmp_path / "a.jpg").write_bytes(data[:at] + bytes(n) + data[at + n :])
        with pytest.raises(ReadError, match="corrupt"):
            decode(tmp_path / "a.jpg")
        (tmp_path / "a.jpg").write_bytes(data[:-n] + bytes(n - 2) + data[-2:])
        with pytest.raises(ReadError, match="corrupt"):
            decode(tmp_path / "a.jpg")


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}, {"quality": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_plain_areas_are_no_lost_sectors(tmp_path: Path, level: int, mode: str, options: dict[str, Any]) -> None:
    Image.new("RGB", (1200, 1200), (level,) * 3).convert(mode).save(tmp_path / "a.jpg", **options)
    assert decode(tmp_path / "a.jpg")[1] == (1200, 1200)


def test_a_thumbnail_has_scans_of_its_own(tmp_path: Path) -> None:
    """Only the scans of the picture count: those in the metadata and behind its end cost nothing."""
    data = hostile.encoded(hostile.photo(), "JPEG", progressive=True)
    many = b"\xff\xda\0\2" * 900
    (tmp_path / "a.jpg").write_bytes(data[:2] + hostile.segment(0xE1, b"Exif\0\0" + many) + data[2:] + many)
    assert decode(tmp_path / "a.jpg")[1] == (320, 240)


def test_scans_are_counted_behind_segments_that_look_like_an_end(tmp_path: Path) -> None:
    data = hostile.encoded(hostile.photo(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + (hostile.segment(0xFE, b"\xff\xd9") + data[last:-2]) * 70 + data[-2:]
    (tmp_path / "a.jpg").write_bytes(bomb)
    with pytest.raises(ReadError, match=f"at most {jpeg_header.MAX_SCANS} scans"):
        decode(tmp_path / "a.jpg")


def test_a_tiff_says_how_many_bits_count(tmp_path: Path) -> None:
    twelve = np.linspace(0, 4095, 64 * 48).reshape(48, 64).astype(np.uint16)
    expected = (twelve / 4095 * 255).round().astype(int)
    for tags, white in (({281: 4095}, 4095), ({}, 65535), ({281: 4000}, 65535)):
        Image.fromarray(twelve).save(tmp_path / "a.tif", tiffinfo=tags)
        pixels, _ = decode(tmp_path / "a.tif")
        assert isinstance(pixels, np.ndarray)
        assert np.abs(pixels[..., 0] - expected * 4095 / white).max() <= 1, tags


def test_a_tiff_of_twelve_packed_bits_is_as_bright_as_it_is(tmp_path: Path) -> None:
    values = np.linspace(0, 4095, 64 * 48).astype(np.uint32).reshape(-1, 2)
    packed = np.stack([values[:, 0] >> 4, (values[:, 0] & 15) << 4 | values[:, 1] >> 8, values[:, 1] & 255], axis=1)
    data = packed.astype(np.uint8).tobytes()
    entries = [(256, 64), (257, 48), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 48), (279, len(data))]
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + table + bytes(4))
    pixels, _ = decode(tmp_path / "a.tif")
    assert isinstance(pixels, np.ndarray)
    expected = (values.reshape(48, 64) / 4095 * 255).round()
    assert np.abs(pixels[..., 0] - expected).max() <= 1


@pytest.mark.parametrize(
    ("bits", "high", "shift", "white"),
    [
        (12, 1024, 0, 4095),
        (12, 1024, 4, 65535),
        (12, 250, 4, 65535),  # dark, and scaled as it should be
        (None, 1024, 0, 65535),
        (10, 1024, 0, 1023),
    ],
)
def test_a_png_says_how_many_bits_count(tmp_path: Path, bits: int | None, high: int, shift: int, white: int) -> None:
    """Values that were not scaled are, where the file states it; a dark picture stays dark."""
    values = np.random.default_rng(0).integers(0, high, (48, 64)).astype(np.uint16) << shift
    data = hostile.encoded(Image.fromarray(values), "PNG")
    stated = hostile.chunk(b"sBIT", bytes([bits])) if bits else b""
    (tmp_path / "a.png").write_bytes(data[:33] + stated + data[33:])
    pixels, _ = decode(tmp_path / "a.png")
    assert isinstance(pixels, np.ndarray)
    assert np.abs(pixels[..., 0] - values / white * 255).max() <= 1


def test_large_webps_are_read_the_same_with_less_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode, options in (
        ("lossy", "RGB", {}), ("lossless", "RGB", {"lossless": True}), ("alpha", "RGBA", {"lossless": True}),
        ("frames", "RGB", {"save_all": True, "append_images": [hostile.photo(3)]}),
    ):  # fmt: skip
        path = tmp_path / f"{name}.webp"
        hostile.photo(2).convert(mode).save(path, **options)
        monkeypatch.setattr(decoding, "_LARGE", 2**24)
        expected, _ = decode(path)
        monkeypatch.setattr(decoding, "_LARGE", 1)
        np.testing.assert_array_equal(decode(path)[0], expected)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("GIF", {}), ("TIFF", {})],
)
def test_the_cost_is_known_before_it_is_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, Any]
) -> None:
    data = hostile.encoded(hostile.photo(), kind, **options)
    (tmp_path / "a").write_bytes(data)

    class Refused(Exception):
        pass

    asked: list[int] = []

    def refuse(size: int) -> None:
        asked.append(size)
        raise Refused

    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    monkeypatch.setattr(decoding.jpeg, "decode_scaled", lambda *args: pytest.fail("decoded"))
    with pytest.raises(ReadError):
        decode(tmp_path / "a", reserve=refuse)
    assert len(asked) == 1
    assert asked[0] >= 3 * 320 * 240


def test_lab_is_read(tmp_path: Path) -> None:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    ImageCms.profileToProfile(hostile.photo(), srgb, lab, outputMode="LAB").save(tmp_path / "a.tif")
    pixels, _ = decode(tmp_path / "a.tif")
    assert isinstance(pixels, np.ndarray)
    assert np.abs(pixels.astype(int) - np.asarray(hostile.photo())).mean() < 4


def test_exif_in_the_texts_of_a_png_counts(tmp_path: Path) -> None:
    exif = hostile.exif(6)
    text = b"Raw profile type exif\0\0" + hostile.zlib.compress(
        b"\nexif\n%8d\n" % len(exif) + exif.hex().encode() + b"\n"
    )
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>"
    data = hostile.encoded(hostile.photo(), "PNG")
    for chunk in (hostile.chunk(b"zTXt", text), hostile.chunk(b"iTXt", xmp), hostile.chunk(b"eXIf", exif[6:])):
        (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
        pixels, size = decode(tmp_path / "a.png")
        assert size == (240, 320)
        np.testing.assert_array_equal(pixels, np.rot90(np.asarray(hostile.photo()), -1))

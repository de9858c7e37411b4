"""Embedded profiles: a picture in another color space is read like its sRGB twin, and sRGB costs nothing."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from loupe.brain.engine.reader import read
from loupe.brain.imaging import profiles
from loupe.brain.imaging.decode import decode
from loupe.brain.imaging.jpeg import Encoded

#: primaries (X, Y, Z) of red, green and blue under D50
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))


def icc(gamma: float, primaries: Any = None) -> bytes:
    """Returns a profile of that gamma: RGB with primaries, else gray (ICC.1:2001-04)."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    white = b"XYZ \0\0\0\0" + fixed(0.9642) + fixed(1) + fixed(0.8249)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = [
        (b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"sRGB\0" + bytes(78)),
        (b"cprt", b"text\0\0\0\0none\0"),
        (b"wtpt", white),
    ]
    if primaries:
        names = zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
        tags += [(name, b"XYZ \0\0\0\0" + b"".join(map(fixed, xyz))) for name, xyz in names]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    else:
        tags.append((b"kTRC", curve))
    offset, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags:
        padded = value + b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", offset + len(body), len(padded))
        body += padded
    space = b"RGB " if primaries else b"GRAY"
    date = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    head = struct.pack(">I4sI4s4s4s", 128 + len(table + body), b"none", 0x02400000, b"mntr", space, b"XYZ ") + date
    head += struct.pack(">4s4sI4s4sQI", b"acsp", b"APPL", 0, b"none", b"none", 0, 0)
    head += fixed(0.9642) + fixed(1) + fixed(0.8249)
    return head.ljust(128, b"\0") + table + body


def picture(mode: str = "RGB") -> Image.Image:
    """Muted colors, which all of these spaces have."""
    small = np.random.default_rng(0).integers(60, 200, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC).convert(mode)


def in_space(image: Image.Image, profile: bytes) -> Image.Image:
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), target, outputMode=image.mode)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("png", {}, 3),
        ("tif", {}, 3),
        ("webp", {"lossless": True}, 3),
        ("jpg", {"quality": 100, "subsampling": 0}, 6),
        ("jpg", {"quality": 100, "subsampling": 0, "progressive": True}, 6),
        ("avif", {"quality": 100, "subsampling": "4:4:4"}, 6),
    ],
)
@pytest.mark.parametrize(
    "profile",
    [icc(2.2, P3), icc(2.2, ADOBE), icc(1.8, PROPHOTO), icc(1.5, SRGB)],
    ids=["P3", "Adobe", "ProPhoto", "gamma 1.5"],
)
def test_another_space_is_read_like_its_srgb_twin(
    tmp_path: Path, profile: bytes, kind: str, options: dict[str, Any], tolerance: int
) -> None:
    path = tmp_path / f"a.{kind}"
    stored = in_space(picture(), profile)
    assert np.abs(np.asarray(stored, dtype=int) - np.asarray(picture())).mean() > 4, "the profile has to matter"
    stored.save(path, icc_profile=profile, **options)
    difference = np.abs(read(path).pixels.astype(int) - np.asarray(picture()))
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= tolerance


def test_linear_light_is_read_like_its_srgb_twin(tmp_path: Path) -> None:
    profile = icc(1.0, SRGB)
    in_space(picture(), profile).save(tmp_path / "a.png", icc_profile=profile)
    assert np.abs(read(tmp_path / "a.png").pixels.astype(int) - np.asarray(picture())).mean() < 3


@pytest.mark.parametrize(("kind", "mode"), [("png", "L"), ("png", "LA"), ("jpg", "L"), ("tif", "L")])
def test_gray_profiles_count_too(tmp_path: Path, kind: str, mode: str) -> None:
    linear = (255 * (np.asarray(picture("L")) / 255) ** 2.2).round().astype(np.uint8)
    path = tmp_path / f"a.{kind}"
    Image.fromarray(linear).convert(mode).save(path, icc_profile=icc(1.0), quality=100)
    expected = np.repeat(np.asarray(picture("L"))[..., None], 3, axis=2).astype(int)
    assert np.abs(read(path).pixels - expected).mean() < 3


def test_alpha_stays_beside_a_profile(tmp_path: Path) -> None:
    profile = icc(1.0, SRGB)
    stored = in_space(picture(), profile)
    stored.putalpha(Image.fromarray(np.repeat(np.uint8([[0, 255]]), 32, axis=1).repeat(48, axis=0)))
    stored.save(tmp_path / "a.png", icc_profile=profile)
    pixels = read(tmp_path / "a.png").pixels
    assert (pixels[:, :32] == 255).all()
    assert np.abs(pixels[:, 32:].astype(int) - np.asarray(picture())[:, 32:]).mean() < 3


def test_a_profile_of_another_space_is_left_out(tmp_path: Path) -> None:
    picture("CMYK").save(tmp_path / "a.jpg", icc_profile=icc(2.2, P3))
    picture("CMYK").save(tmp_path / "b.jpg")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg").pixels, read(tmp_path / "b.jpg").pixels)


@pytest.mark.parametrize(
    "profile",
    [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"", b"broken", bytes(5000), icc(2.2)],
    ids=["sRGB", "none", "broken", "zeros", "gray"],
)
@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tif"])
def test_a_profile_that_says_nothing_changes_no_bit(tmp_path: Path, kind: str, profile: bytes) -> None:
    options = {"lossless": True} if kind == "webp" else {}
    picture().save(tmp_path / f"a.{kind}", icc_profile=profile, **options)
    picture().save(tmp_path / f"b.{kind}", **options)
    np.testing.assert_array_equal(read(tmp_path / f"a.{kind}").pixels, read(tmp_path / f"b.{kind}").pixels)


def test_a_name_is_no_proof() -> None:
    assert b"sRGB" in icc(1.0, SRGB)
    assert profiles.changes(icc(1.0, SRGB), "RGB")


def test_each_profile_is_looked_into_once(monkeypatch: pytest.MonkeyPatch) -> None:
    profile, built = icc(1.9, SRGB), []
    real = profiles._built
    monkeypatch.setattr(profiles, "_built", lambda *args: built.append(args) or real(*args))
    for _ in range(3):
        assert profiles.changes(profile, "RGB")
        assert not profiles.changes(b"x" * 200, "RGB")
    assert len(built) == 2
    monkeypatch.setattr(profiles, "_KEPT", 3)
    for gamma in range(5):
        profiles.changes(icc(1 + gamma / 7, SRGB), "RGB")
    assert len(profiles._transforms) <= 3


def test_a_device_gets_only_what_needs_no_conversion(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("srgb.jpg", srgb), ("p3.jpg", icc(2.2, P3))):
        picture().save(tmp_path / name, icc_profile=profile)
    assert isinstance(decode(tmp_path / "srgb.jpg", for_device=True)[0], Encoded)
    assert isinstance(decode(tmp_path / "p3.jpg", for_device=True)[0], np.ndarray)


def test_a_profile_in_parts_is_put_together(tmp_path: Path) -> None:
    """More than 64 KB lie in several segments."""
    profile = icc(1.0, SRGB)
    large = struct.pack(">I", 150_000) + profile[4:].ljust(149_996, b"\0")
    stored = in_space(picture(), profile)
    stored.save(tmp_path / "a.jpg", icc_profile=large, quality=100, subsampling=0)
    assert np.abs(read(tmp_path / "a.jpg").pixels.astype(int) - np.asarray(picture())).mean() < 3

"""JPEGs for a device: here torchvision decodes them on the CPU, so that what is decided is tested without a GPU."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import ReadError
from loupe.brain.engine import reader
from loupe.brain.engine.reader import Row, read, read_chunks
from loupe.brain.imaging import jpeg, jpeg_header
from loupe.brain.imaging.decode import decode
from loupe.brain.imaging.jpeg import Encoded


def picture(seed: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two whole JPEGs, and what is left to the CPU: rotated, gray, CMYK, truncated, PNG, missing."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0).save(tmp_path / "a.jpg", quality=95)
    picture(1).save(tmp_path / "b.jpg", quality=95)
    picture(2).save(tmp_path / "rotated.jpg", exif=exif)
    picture(3).convert("L").save(tmp_path / "grey.jpg")
    picture(4).convert("CMYK").save(tmp_path / "cmyk.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-300])
    picture(5).save(tmp_path / "other.png")
    return [*sorted(tmp_path.iterdir()), tmp_path / "none.jpg"]


def for_device(path: Path) -> Encoded | None:
    """Returns what a device is given of a file."""
    try:
        made, _ = decode(path, for_device=True)
    except ReadError:
        return None
    return made if isinstance(made, Encoded) else None


def test_only_whole_plain_jpegs_go_to_the_device(files: list[Path]) -> None:
    assert [path.name for path in files if for_device(path) is not None] == ["a.jpg", "b.jpg"]


def test_they_are_decoded_like_by_the_reader(files: list[Path]) -> None:
    encoded = [file for file in map(for_device, files[:2]) if file is not None]
    decoded = jpeg.decode(encoded, "cpu")
    assert decoded is not None
    for pixels, path in zip(decoded, files, strict=False):
        difference = pixels.permute(1, 2, 0).int() - torch.from_numpy(read(path).pixels.astype(np.int32))
        assert difference.abs().max() <= 3


def test_a_build_without_the_decoder_is_said(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file is refused in silence, as it is read again and becomes a record."""
    encoded = [file for file in map(for_device, files[:2]) if file is not None]

    def refuse(message: str) -> None:
        def decode_jpeg(*_: Any, **__: Any) -> None:
            raise RuntimeError(message)

        monkeypatch.setattr("torchvision.io.decode_jpeg", decode_jpeg)

    refuse("decode_jpegs_cuda: torchvision not compiled with nvJPEG support")
    with pytest.warns(UserWarning, match="the CPU decodes JPEGs, as cuda does not: .* not compiled"):
        assert jpeg.decode(encoded, "cuda") is None
    refuse("image is truncated")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert jpeg.decode(encoded, "cuda") is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"optimize": True}]
)
def test_it_gives_the_pixels_that_pillow_gives(tmp_path: Path, options: dict[str, Any], mode: str) -> None:
    path = tmp_path / "a.jpg"
    picture(0).resize((801, 603)).convert(mode).save(path, quality=90, **options)
    for long_side, scale in ((None, 1), (700, 1), (400, 2), (320, 2), (200, 4), (50, 8)):
        with Image.open(path) as peer:
            peer.draft(None, (801 // scale, 603 // scale))
            expected = np.asarray(peer.convert("RGB"))
        made = read(path, long_side)
        assert made.size == (801, 603)
        np.testing.assert_array_equal(made.pixels, expected)


def test_half_a_picture_is_none(tmp_path: Path) -> None:
    """Pillow fills up with gray what a file that ends in its midst does not have, and says nothing."""
    path = tmp_path / "half.jpg"
    picture(0).resize((800, 600)).save(path, quality=90)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    with Image.open(path) as peer:
        peer.load()
    with pytest.raises(ReadError, match=r"half\.jpg: truncated or corrupt"):
        read(path)
    # what lies between the segments is no part of the picture
    path.write_bytes(data[:-2] + bytes(20) + data[-2:])
    assert read(path).size == (800, 600)


def test_a_header_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    exif = Image.Exif()
    exif[0x0112] = 1
    picture(0).save(whole, exif=exif)
    data = whole.read_bytes()
    header = jpeg_header.parsed(data)
    assert header is not None
    assert (header.size, header.channels, header.orientation, header.ycbcr) == ((80, 60), 3, 1, True)
    for length in (0, 2, 3, 30, 150):
        assert jpeg_header.parsed(data[:length]) is None
    assert jpeg_header.parsed(data[:2] + b"\xff\xe0\x00\x00" + data[2:]) is None
    picture(0).save(whole, exif=b"Exif\0\0 no metadata at all")
    assert read(whole).size == (80, 60)


@pytest.mark.parametrize("refuses", [False, True])
def test_chunks_are_the_same_with_and_without_a_device(
    files: list[Path], monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    """A device that refuses a batch costs nothing but time."""
    asked: list[int] = []

    def decode(part: Any, device: str) -> Any:
        asked.append(len(part))
        return None if refuses else jpeg.decode(part, "cpu")

    monkeypatch.setattr(reader, "decode", decode)
    rows = [Row(path.name, str(path)) for path in files]
    on_cpu, on_device = list(read_chunks(rows)), list(read_chunks(rows, device="cuda"))
    assert asked == [2]
    assert [chunk.rows for chunk in on_device] == [chunk.rows for chunk in on_cpu]
    assert [chunk.unreadable.keys() for chunk in on_device] == [{"cut.jpg", "none.jpg"}]

    def by_id(chunks: Any) -> dict[str, torch.Tensor]:
        return {
            name: pixels
            for chunk in chunks
            for batch in (bucket.batch() for bucket in chunk.buckets)
            for name, pixels in zip(batch.ids, batch.pixels, strict=True)
        }

    first, second = by_id(on_cpu), by_id(on_device)
    assert first.keys() == second.keys()
    for name in first:
        assert (first[name].int() - second[name].int()).abs().max() <= 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_decodes_within_the_stated_tolerance(files: list[Path]) -> None:
    encoded = [file for file in map(for_device, files[:2]) if file is not None]
    decoded = jpeg.decode(encoded, "cuda")
    assert decoded is not None
    for pixels, path in zip(decoded, files, strict=False):
        difference = pixels.cpu().permute(1, 2, 0).int() - torch.from_numpy(read(path).pixels.astype(np.int32))
        assert difference.abs().float().quantile(0.95) <= 3

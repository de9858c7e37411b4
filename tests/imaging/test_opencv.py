"""Pictures are read without OpenCV and without simplejpeg, too, to the same pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.errors import ReadError
from loupe.brain.engine.reader import read
from loupe.brain.imaging import decode, jpeg, luma, orientation, transparency
from loupe.brain.imaging.ragged import Preview


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes OpenCV and simplejpeg as absent as where they are not installed."""
    for module in (luma, orientation, transparency, decode):
        monkeypatch.setattr(module, "opencv", lambda: None)
    monkeypatch.setattr(jpeg, "_has_simplejpeg", lambda: False)


def pixels(seed: int, height: int = 61, width: int = 300) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_luma_samples_and_extremes(request: pytest.FixtureRequest) -> None:
    image = pixels(0)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    known = Preview.at(image)
    whole, few, ends = luma.luma(tensor), luma.sampled(tensor), luma.extremes(tensor)
    counts, means = luma.histogram(whole), luma.block_means(whole, 4)
    energy, small = luma.gradient_energy(whole), luma.scaled(whole[:, None], 100)
    request.getfixturevalue("without")
    again = Preview.at(image)
    np.testing.assert_array_equal(again.luma, known.luma)
    np.testing.assert_array_equal(again.sample, known.sample)
    assert torch.equal(luma.luma(tensor), whole)
    assert torch.equal(luma.sampled(tensor), few)
    assert all(torch.equal(*pair) for pair in zip(luma.extremes(tensor), ends, strict=True))
    assert torch.equal(luma.histogram(whole), counts)
    assert torch.equal(luma.scaled(whole[:, None], 100), small)
    torch.testing.assert_close(luma.block_means(whole, 4), means)
    torch.testing.assert_close(luma.gradient_energy(whole), energy)


def test_counts_of_a_batch_are_those_of_each_picture() -> None:
    levels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, 20, 30), dtype=np.int32))
    counts = luma.histogram(levels)  # no bytes: counted as on a device
    for at in range(3):
        assert torch.equal(counts[at], torch.bincount(levels[at].flatten(), minlength=256))


@pytest.mark.parametrize("turned", range(1, 9))
def test_orientations(turned: int, request: pytest.FixtureRequest) -> None:
    known = orientation.upright(pixels(turned, 5, 8), turned)
    request.getfixturevalue("without")
    np.testing.assert_array_equal(orientation.upright(pixels(turned, 5, 8), turned), known)


def test_backgrounds(request: pytest.FixtureRequest) -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[10:30, 10:30] = 255
    known = transparency.background_of(rgba)
    assert known != 255
    request.getfixturevalue("without")
    assert transparency.background_of(rgba) == known


def test_files(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, options in (
        ("a.jpg", {}),
        ("turned.jpg", {"exif": exif}),
        ("gray.jpg", {}),
        ("b.png", {}),
        ("c.webp", {}),
    ):
        image = Image.fromarray(pixels(3, 120, 200))
        (image.convert("L") if name == "gray.jpg" else image).save(tmp_path / name, **options)
    known = {path.name: read(path).pixels for path in tmp_path.iterdir()}
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((tmp_path / "a.jpg").read_bytes()[:-500])
    request.getfixturevalue("without")
    for name, expected in known.items():
        np.testing.assert_array_equal(read(tmp_path / name).pixels, expected)
    with pytest.raises(ReadError, match="truncated"):
        read(cut)

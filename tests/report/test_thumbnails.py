"""A thumbnail is small, upright and as a person sees it; a file that cannot be read says so."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from loupe.brain.report import thumbnails


def test_a_picture_is_scaled_and_keeps_its_shape_and_colors(tmp_path: Path) -> None:
    pixels = np.zeros((600, 1200, 3), np.uint8)
    pixels[:, :600], pixels[:, 600:] = (200, 30, 30), (30, 30, 200)
    path = tmp_path / "wide.png"
    Image.fromarray(pixels).save(path)
    small = thumbnails.of_file("an id", str(path), "caption")
    drawn = np.asarray(Image.open(io.BytesIO(small.jpeg)))
    assert drawn.shape == (118, 236, 3)
    assert np.abs(drawn[59, 20].astype(int) - (200, 30, 30)).max() < 12
    assert np.abs(drawn[59, -20].astype(int) - (30, 30, 200)).max() < 12
    assert (small.id, small.name, small.caption) == ("an id", "wide.png", "caption")
    assert len(small.jpeg) < 4000


def test_small_pictures_stay_small(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10), (9, 99, 9)).save(tmp_path / "small.png")
    small = thumbnails.of_file("id", str(tmp_path / "small.png"))
    assert Image.open(io.BytesIO(small.jpeg)).size == (20, 10)


def test_a_file_that_cannot_be_read_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8 nothing")
    assert thumbnails.of_file("id", str(tmp_path / "bad.jpg")).jpeg == b""
    assert thumbnails.of_file("id", str(tmp_path / "gone.jpg")).jpeg == b""

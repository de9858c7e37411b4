"""The size of a picture as people see it, by its header."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from loupe.brain.imaging.shown_size import shown_size


@pytest.mark.parametrize(
    ("orientation", "size"), [(None, (40, 30)), (1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))]
)
def test_it_is_turned_as_the_file_says(tmp_path: Path, orientation: int | None, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 30)).save(path, exif=exif.tobytes())
    assert shown_size(path) == ((30, 40) if orientation in (6, 8) else (40, 30))


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n", None])
def test_what_cannot_be_read_has_none(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "a.png"
    if data is not None:
        path.write_bytes(data)
    assert shown_size(path) is None
    assert shown_size(tmp_path) is None

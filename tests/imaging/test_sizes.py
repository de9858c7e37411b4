"""How large a picture is, by its header: whatever lies at a path, and without waiting."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from loupe.brain.imaging.sizes import size_of


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_the_size_of_each_format(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path)
    assert size_of(path) == (40, 30)


def test_a_header_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert size_of(path) == (400, 300)


def test_a_bomb_says_its_size_or_nothing_and_nothing_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    assert size_of(path) in (None, (60_000, 60_000))


def test_whatever_is_no_picture_has_no_size_and_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with socket.socket(socket.AF_UNIX) as listening:
        name = str(tmp_path / "s")
        if len(name) < 100:
            listening.bind(name)
        odd = ["text.jpg", "empty.png", "pipe.png", "loop.png", "s", "absent.png", ".", "a\0b.png", "x" * 300]
        assert [size_of(tmp_path / name) for name in odd] == [None] * len(odd)
    assert size_of("/dev/zero") is None

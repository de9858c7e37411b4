"""Regular files only, looked at before they are opened; names of all kinds; what is no picture is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import files


def test_a_whole_file_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 9000)
    with files.opened(tmp_path / "a") as file:
        assert file.read(3) == b"abc"
        assert files.contents(file) == b"abc" * 9000


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 10)
    with files.opened(tmp_path / "a") as file, pytest.raises(ReadError, match="at most 10 bytes, got 11"):
        files.contents(file)


def test_what_becomes_another_thing_after_it_was_looked_at_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    status = files.os.stat(tmp_path / "file")
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "stat", lambda path: status)
        with pytest.raises(ReadError, match="a device: zero"), files.opened("/dev/zero"):
            pytest.fail("opened")


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/a/b.png", "b.png"), ("/a/ü.png", "ü.png"), ("a\udcff", "a\\udcff"), ("a\0b", "a\\x00b"), ("a\nb", "a\\nb")],
)
def test_names_can_be_shown_and_stored(path: str, shown: str) -> None:
    assert files.printable(path) == shown
    files.printable(path).encode("utf-8")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "an empty file"),
        (bytes(9), "a file of zeros"),
        (b"\xef\xbb\xbf<HTML>", "a web page"),
        (b"<svg/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<svg/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<note/>", "another format"),
        (b"\0\0\0\x1cftypheix", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif", "a damaged AVIF"),
        (b"\0\0\0\x1cftypisom", "a video"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a damaged WebP"),
        (b"RIFF\0\0\0\0WAVE", "another format"),
    ],
)
def test_what_is_no_picture_is_named(head: bytes, kind: str) -> None:
    assert files.kind_of(head) == kind

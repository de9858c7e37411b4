"""A report is written whole, and never over somebody else's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loupe.brain.core.errors import InputError, OutputError
from loupe.brain.report import files


def test_a_report_replaces_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert files.write(path, "first MARK", "MARK") == path
    files.write(path, "second MARK \ud800", "MARK")
    assert path.read_text(encoding="utf-8") == "second MARK ?"
    assert os.listdir(path.parent) == ["report.html"]


def test_what_is_not_loupes_stays(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("my own notes")
    with pytest.raises(OutputError, match="a file that Loupe did not write"):
        files.write(path, "a card MARK", "MARK")
    assert path.read_text() == "my own notes"
    folder = tmp_path / "folder.html"
    folder.mkdir()
    with pytest.raises(OutputError, match="a folder"):
        files.write(folder, "a card MARK", "MARK")


def test_a_link_to_somewhere_else_is_not_followed(tmp_path: Path) -> None:
    own, link = tmp_path / "own.html", tmp_path / "report.html"
    own.write_text("MARK and mine")
    link.symlink_to(own)
    files.write(link, "report MARK", "MARK")
    assert own.read_text() == "MARK and mine"
    assert link.read_text() == "report MARK"


def test_a_path_is_looked_at_before_the_work(tmp_path: Path) -> None:
    assert files.place(tmp_path / "R.HTML", ".html") == tmp_path / "R.HTML"
    with pytest.raises(InputError, match=r"ends in \.html, \.md, got"):
        files.place(tmp_path / "r.pdf", ".html", ".md")
    with pytest.raises(OutputError, match=r"expected a folder for r\.html, got none"):
        files.place(tmp_path / "gone" / "r.html", ".html")


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="expected a place for a file"):
        files.write(blocked / "report.html", "x", "MARK")

"""Folders of what is under way: those that killed processes left go with the next sweep, and no other ones."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loupe.brain.core import parts

_HOLDS = """
import sys
from pathlib import Path
from loupe.brain.core import parts
with parts.part(Path(sys.argv[1]), "own-") as folder:
    (folder / "inside").mkdir()
    (folder / "inside" / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(inside: Path) -> tuple[subprocess.Popen[str], Path]:
    """Returns another process, and the folder that it holds."""
    command = [sys.executable, "-c", _HOLDS, str(inside)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    return other, Path(other.stdout.readline().strip())


def swept(inside: Path) -> None:
    parts.sweep(inside, "own-", math.inf)


def test_what_a_killed_process_left_goes_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, elsewhere = tmp_path / "inside", tmp_path / "elsewhere"
    first, left = holder(inside)
    second, held = holder(inside)
    for folder in (elsewhere, inside / "own-never locked"):
        folder.mkdir()
        (folder / "file").touch()
        os.utime(folder, (0, 0))
    (elsewhere / "lock").touch()
    (inside / "own-link").symlink_to(elsewhere)
    (left / "inside" / "link").symlink_to(elsewhere)
    (left / "link").symlink_to(elsewhere)
    try:
        first.send_signal(signal.SIGKILL)
        first.wait()
        if hasattr(os, "getuid"):
            with monkeypatch.context() as patch:
                own = os.getuid()
                patch.setattr(os, "getuid", lambda: own + 1)
                swept(inside)
                assert left.is_dir(), "it is another user's"
        swept(inside)
        names = {"own-link", "own-never locked", held.name}
        assert {path.name for path in inside.iterdir()} == names
        assert sorted(path.name for path in elsewhere.iterdir()) == ["file", "lock"]
        assert (held / "inside" / "file").exists()
    finally:
        second.communicate("")
        first.communicate()
    assert not held.exists()


def test_what_cannot_be_removed_yet_goes_with_another_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, left = holder(tmp_path)
    other.kill()
    other.communicate()
    remove = parts.shutil.rmtree

    def busy(path: Path, *given: object, **named: object) -> None:
        raise OSError("directory not empty")

    monkeypatch.setattr(parts.shutil, "rmtree", busy)
    swept(tmp_path)
    assert (left / "lock").exists(), "the next sweep has to find it"
    monkeypatch.setattr(parts.shutil, "rmtree", remove)
    swept(tmp_path)
    assert not left.exists()

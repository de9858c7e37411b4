"""What stands before the C library: files below a folder pause, fail or cannot be written, and the clock jumps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.faults import shim

ROOT = Path(__file__).resolve().parents[2]
_CHILD = """
import datetime, json, os, sys, time
from benchmarks.faults import shim
page, folder = sys.argv[1:]
shim.watch(page)
def tried(call):
    try:
        return call()
    except OSError as error:
        return error.strerror
file = os.path.join(folder, "a")
for line in sys.stdin:
    print(json.dumps([
        tried(lambda: open(file).read()),
        tried(lambda: os.stat(file).st_size),
        tried(lambda: open(os.path.join(folder, "b"), "w").close()),
        tried(lambda: os.replace(file, file)),
        open(folder + "-beside").read(),
        round(time.time() - float(line)) // 10,
        (datetime.datetime.now() - datetime.datetime.fromtimestamp(float(line))).seconds // 600,
    ]), flush=True)
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The compiled library."""
    made = shim.compiled(tmp_path)
    if made is None:
        pytest.skip("needs Linux and a C compiler")
    return made


def test_files_and_the_clock_of_a_process_are_disturbed(library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "a").write_text("x")
    Path(f"{folder}-beside").write_text("y")
    page = shim.Page(tmp_path / "page")
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(page.path), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library)},
    )

    def ask() -> None:
        assert child.stdin is not None
        child.stdin.write(f"{time.time()}\n")
        child.stdin.flush()

    def answer() -> list[object]:
        assert child.stdout is not None
        made: list[object] = json.loads(child.stdout.readline())
        return made

    try:
        ask()
        assert answer() == ["x", 1, None, None, "y", 0, 0]
        page.files(folder, "fail", error=116)
        ask()
        assert answer() == ["Stale file handle"] * 4 + ["y", 0, 0]
        page.files(folder, "read-only")
        page.jump(3600)
        ask()
        assert answer() == ["x", 1, "Read-only file system", "Read-only file system", "y", 360, 6]
        assert page.calls == 6
        page.jump(0)
        page.files(folder, "pause")
        ask()
        end = time.monotonic() + 20
        while page.calls == 6 and time.monotonic() < end:
            time.sleep(0.01)
        assert page.calls == 7  # it waits in its first call
        page.files(folder, "nothing")
        assert answer()[:5] == ["x", 1, None, None, "y"]
    finally:
        child.kill()
        child.wait(10)


def test_a_process_without_it_says_so(tmp_path: Path) -> None:
    page = shim.Page(tmp_path / "page")
    with pytest.raises(OSError, match="not loaded"):
        shim.watch(str(page.path))

"""Model files when something goes wrong: sources that fail, downloads that were killed, files that were changed."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import signal
import ssl
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from small_weights import ADDRESS, CONTENT, MEMBER, WHEEL

from loupe.brain.core import parts
from loupe.brain.core.errors import MissingWeights
from loupe.brain.perception import weights
from loupe.brain.perception.weights_table import Weights, Wheel


@pytest.mark.parametrize(
    "error",
    [
        http.client.IncompleteRead(b"part", 100),
        http.client.BadStatusLine("none"),
        ssl.SSLError("bad record"),
        TimeoutError("timed out"),
        zlib.error("invalid stored block lengths"),
        EOFError("ended early"),
        zipfile.BadZipFile("bad CRC-32"),
        NotImplementedError("compression type 99"),
        RuntimeError("encrypted"),
        struct.error("unpack requires a buffer of 4 bytes"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_source_fails_by_the_next_one_is_tried(
    error: Exception, table: Any, cache: Path, server: Any, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise error
            return super().read(100)

    made = table("small", ADDRESS, WHEEL)
    keep = weights._keep
    monkeypatch.setattr(
        weights, "_keep", lambda stream, entry: keep(Cut(CONTENT) if not index["commands"] else stream, entry)
    )
    server[str(ADDRESS)] = CONTENT
    with pytest.raises(MissingWeights, match=f"{type(error).__name__}.*pip gave no wheel"):
        weights.get("small")
    assert list(cache.iterdir()) == []
    index["commands"].clear()
    index["members"][MEMBER] = CONTENT
    assert weights.get("small").read_bytes() == CONTENT
    assert list(cache.iterdir()) == [weights._in_cache(made)]


def test_a_person_who_stops_it_is_no_failed_source(table: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table("small", ADDRESS, WHEEL)

    def stop(*asked: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "_download", stop)
    with pytest.raises(KeyboardInterrupt):
        weights.get("small")


_DOWNLOADING = """
import sys, time
from pathlib import Path
from loupe.brain.core import parts
with parts.part(Path(sys.argv[1])) as folder:
    (folder / "part").write_bytes(b"half")
    print("now", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def downloading(cache: Path) -> Any:
    """Another process in the middle of a download."""
    with subprocess.Popen([sys.executable, "-c", _DOWNLOADING, str(cache)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "now\n"
        yield other
        other.kill()


@pytest.mark.timeout(120)
def test_what_a_killed_download_left_goes_with_the_next_and_what_another_process_writes_stays(
    table: Any, cache: Path, server: Any, downloading: Any
) -> None:
    made = table("small", ADDRESS)
    server[str(ADDRESS)] = CONTENT
    (cache / ".part-of-0.1.0").write_bytes(b"half a file")
    (part,) = (folder for folder in cache.iterdir() if folder.is_dir())
    file = weights.get("small")
    assert {*cache.iterdir()} == {part, file}, "a download that is under way is left alone"
    assert (part / "part").read_bytes() == b"half"
    downloading.send_signal(signal.SIGKILL)
    downloading.wait()
    assert weights.get("small") == file
    assert {*cache.iterdir()} == {file} == {weights._in_cache(made)}


@pytest.mark.parametrize("sweep", [weights.verify, lambda: weights.get("small")], ids=["verify", "get"])
def test_what_was_never_locked_goes_when_it_is_old(sweep: Any, table: Any, cache: Path) -> None:
    weights._keep(io.BytesIO(CONTENT), table("small"))
    young, old = cache / ".part-young", cache / ".part-old"
    for folder in (young, old):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"half")
    os.utime(old, (time.time() - 3600,) * 2)
    sweep()
    assert {*cache.iterdir()} == {young, weights.path("small")}


def test_a_folder_that_was_swept_before_it_was_locked_is_made_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = parts._locked
    swept: list[Path] = []

    def locked(file: Path, flags: int) -> int | None:
        if not swept:
            swept.append(file.parent)
            file.parent.rmdir()
        return lock(file, flags)

    monkeypatch.setattr(parts, "_locked", locked)
    with parts.part(cache) as folder:
        assert folder.is_dir()
        assert folder != swept[0]
    assert list(cache.iterdir()) == []


def test_where_nothing_can_be_locked_downloads_work_and_none_is_swept(
    table: Any, cache: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*asked: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    table("small", ADDRESS)
    server[str(ADDRESS)] = CONTENT
    (cache / ".part-other").mkdir(parents=True)
    (cache / ".part-other" / "lock").touch()
    file = weights.get("small")
    assert {*cache.iterdir()} == {file, cache / ".part-other"}
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("keep_times", [False, True])
def test_what_path_returns_was_verified(keep_times: bool, table: Any, cache: Path, server: Any) -> None:
    made = table("small", ADDRESS)
    server[str(ADDRESS)] = CONTENT
    file = weights.get("small")
    assert weights.path("small") == file
    for spoilt in (CONTENT[:-1] + b"x", bytes(len(CONTENT))):  # of the same size
        before = file.stat()
        file.write_bytes(spoilt)
        if keep_times:
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(MissingWeights, match="loupe weights get small"):
            weights.path("small")
        assert "loupe weights get small" in weights.lacking(["small"])
        assert [row.path for row in weights.listed()] == [None]
        assert weights.get("small") == file == weights.path("small")
        assert hashlib.sha256(file.read_bytes()).hexdigest() == made.sha256


def test_a_file_is_read_once_in_a_process(table: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights._keep(io.BytesIO(CONTENT), table("small"))
    weights.path("small")
    monkeypatch.setattr(weights, "_hash", lambda file: pytest.fail("read again"))
    weights.path("small")
    assert not weights.lacking(["small"])


def test_a_place_that_cannot_be_looked_at_is_passed_over(
    table: Any, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = table("small")
    good = tmp_path / "good"
    (tmp_path / "folder" / made.file).mkdir(parents=True)
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / made.file)
    good.mkdir()
    (good / made.file).write_bytes(CONTENT)
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / made.file).write_bytes(CONTENT)
    stat = Path.stat

    def refused(self: Path, **options: Any) -> os.stat_result:
        if self.parent == locked:
            raise PermissionError(13, "Permission denied")
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", refused)
    folders = [str(tmp_path / name) for name in ("folder", "pipe", "locked", "x" * 5000, "good")]
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", os.pathsep.join(["~nobody-of-this-name", *folders]))
    assert weights.path("small") == good / made.file


def test_a_damaged_neighbor_in_a_wheel_spoils_nothing(table: Any, index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table("small", WHEEL)
    table("other", Wheel("package", "1.0", "package/other.tflite"), content=b"other")
    index["members"].update({MEMBER: CONTENT, "package/other.tflite": b"other"})
    keep = weights._keep

    def broken(stream: Any, made: Weights) -> None:
        if made.name == "other":
            raise zlib.error("invalid distance")
        keep(stream, made)

    monkeypatch.setattr(weights, "_keep", broken)
    assert weights.get("small").read_bytes() == CONTENT
    assert len(index["commands"]) == 1

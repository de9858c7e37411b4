"""The folder of fetched files: whole or not there, bounded, shared by processes, and full disks are told."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from object_server import Objects

import loupe
from loupe.brain.core.errors import InputError, NotFetched
from loupe.brain.imaging.files import opened
from loupe.brain.media import fetching, settings
from loupe.brain.media.addresses import parsed
from loupe.brain.media.cache import Cache
from loupe.brain.media.stores import Version


def _bytes(address: str) -> bytes:
    with opened(address) as file:
        return file.readall()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _put(cache: Cache, name: str, data: bytes, tag: str = "1") -> Version:
    def write(file: BinaryIO) -> Version:
        file.write(data)
        return Version(tag, len(data))

    return cache.put(parsed(f"s3://bucket/{name}"), write)


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", 1000)
    now = time.time()
    for at in range(12):
        version = _put(cache, f"{at}.png", b"x" * 100)
        path = cache.path(parsed(f"s3://bucket/{at}.png"), version)
        if path.exists():
            os.utime(path, (now - 5000 + at, now - 5000 + at))
        if at == 8:
            os.close(cache.opened(parsed("s3://bucket/0.png"), version) or -1)  # used again
    left = {at for at in range(12) if cache.path(parsed(f"s3://bucket/{at}.png"), Version("1", 100)).exists()}
    assert sum(path.stat().st_size for path in _files(tmp_path)) <= 1000
    assert 0 in left
    assert 1 not in left
    assert {10, 11} <= left


def test_the_folder_is_its_owners_alone(web: Objects, media: Path) -> None:
    web.held["/a.png"] = b"hello"
    _bytes(f"{web.url}/a.png")
    assert media.stat().st_mode & 0o777 == 0o700
    assert "127.0.0.1" not in str(_files(media))


def test_a_file_that_is_not_whole_is_fetched_again(web: Objects, media: Path) -> None:
    web.held["/a.png"] = b"hello"
    _bytes(f"{web.url}/a.png")
    _files(media)[0].write_bytes(b"hel")
    assert _bytes(f"{web.url}/a.png") == b"hello"
    assert web.asked["GET /a.png"] == 2


def test_what_a_killed_process_left_goes_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    cache = Cache(folder, 1000)
    _put(cache, "a.png", b"x")
    old, new = folder / "00" / ".1.part", folder / "00" / ".2.part"
    old.parent.mkdir(exist_ok=True)
    for part in (old, new):
        part.write_bytes(b"x")
    os.utime(old, (1, 1))
    Cache(folder, 1000)._evict(1000)
    assert not old.exists()
    assert new.exists()


def test_a_full_disk_makes_room_and_else_is_told(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", 1000)
    _put(cache, "old.png", b"x" * 600)
    tries = []

    def write(file: BinaryIO) -> Version:
        tries.append(len(_files(tmp_path)))
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(b"new")
        return Version("1", 3)

    cache.put(parsed("s3://bucket/new.png"), write)
    assert tries == [2, 1], "what was kept went before the second try"

    def full(file: BinaryIO) -> Version:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NotFetched, match=r"its disk is full. Make room, or give another folder: loupe.remote_media"):
        cache.put(parsed("s3://bucket/other.png"), full)
    assert [path.name for path in _files(tmp_path) if path.name.endswith(".part")] == []


def test_a_folder_that_cannot_be_made_is_told(web: Objects, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    loupe.remote_media(cache=tmp_path / "file" / "cache")
    web.held["/a.png"] = b"hello"
    with pytest.raises(NotFetched, match="cannot keep fetched pictures in"):
        _bytes(f"{web.url}/a.png")


def test_an_object_larger_than_the_cache_is_told(web: Objects, media: Path) -> None:
    loupe.remote_media(max_bytes=10)
    web.held["/a.png"] = b"x" * 11
    with pytest.raises(NotFetched, match=r"expected a file that the cache has room for .10 bytes., got 11"):
        _bytes(f"{web.url}/a.png")
    assert _files(media) == []


def test_two_processes_on_one_small_cache_read_what_is_there(web: Objects, media: Path) -> None:
    for at in range(30):
        web.held[f"/{at}.png"] = bytes([at]) * 1000
    loupe.remote_media(max_bytes=5000)
    script = (
        "import sys\nfrom loupe.brain.imaging.files import opened\n"
        "for each in range(60):\n    at = each * 7 % 30\n"
        "    with opened(f'{sys.argv[1]}/{at}.png') as file:\n        assert file.readall() == bytes([at]) * 1000, at\n"
    )
    command = [sys.executable, "-c", script, web.url]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(each.communicate()[1], each.returncode) for each in running] == [("", 0)] * 2
    assert sum(path.stat().st_size for path in _files(media)) <= 6000


def test_the_settings_are_those_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = loupe.remote_media(cache="~/pictures", max_bytes=5, private_hosts=["MinIO.local", "b"])
    assert made == settings.RemoteMedia(True, str(Path.home() / "pictures"), 5, 2**30, ("minio.local", "b"))
    assert loupe.remote_media() == made
    assert os.environ["LOUPE_MEDIA_CACHE_BYTES"] == "5"
    assert not loupe.remote_media(False).on
    assert made.to_dict()["cache"] == str(Path.home() / "pictures")
    assert loupe.remote_media(private_hosts="localhost").private_hosts == ("localhost",), "one is a list of one"


@pytest.mark.parametrize(
    "given",
    [{"max_bytes": 0}, {"max_bytes": "many"}, {"max_file_bytes": -1}, {"cache": "s3://bucket"}, {"cache": " "},
     {"private_hosts": 5}, {"max_bytes": True}],
)  # fmt: skip
def test_settings_that_are_none_are_refused(given: dict[str, Any]) -> None:
    before = settings.current()
    with pytest.raises(InputError, match="expected"):
        loupe.remote_media(**given)
    assert settings.current() == before


def test_an_environment_that_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_REMOTE_MEDIA", "perhaps")
    with pytest.raises(InputError, match="expected LOUPE_REMOTE_MEDIA to be 1 or 0, got 'perhaps'"):
        settings.current()
    with pytest.raises(NotFetched):
        fetching.fetcher()

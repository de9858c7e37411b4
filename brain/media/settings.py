"""Whether pictures are fetched from elsewhere, and where they are kept: by the environment, which children inherit."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record

ON, CACHE, CACHE_BYTES = "LOUPE_REMOTE_MEDIA", "LOUPE_MEDIA_CACHE", "LOUPE_MEDIA_CACHE_BYTES"
FILE_BYTES, PRIVATE_HOSTS = "LOUPE_MEDIA_FILE_BYTES", "LOUPE_MEDIA_PRIVATE_HOSTS"
#: what the cache and what one file may take, in bytes
DEFAULT_CACHE_BYTES, DEFAULT_FILE_BYTES = 50 * 2**30, 2**30
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class RemoteMedia(Record):
    """How pictures that lie elsewhere are read.

    Attributes:
        on: whether they are fetched
        cache: the folder that they are kept in
        max_bytes: what it may take; those that were not used for longest go first
        max_file_bytes: what one file may take; a larger one is not fetched
        private_hosts: hosts on this machine or in a private network that http addresses may lead to; ``"*"``: all
    """

    on: bool
    cache: str
    max_bytes: int
    max_file_bytes: int
    private_hosts: tuple[str, ...] = ()


def current() -> RemoteMedia:
    """Returns how pictures that lie elsewhere are read now.

    Raises:
        InputError: a variable of the environment holds something else
    """
    return _read(*(os.environ.get(name, "").strip() for name in (ON, CACHE, CACHE_BYTES, FILE_BYTES, PRIVATE_HOSTS)))


@lru_cache(8)
def _read(on: str, folder: str, cache_bytes: str, file_bytes: str, hosts: str) -> RemoteMedia:
    if on.lower() not in (*_YES, *_NO):
        raise InputError(f"expected {ON} to be 1 or 0, got {on!r}")
    return RemoteMedia(
        on.lower() in _YES,
        str(Path(folder).expanduser().absolute() if folder else Path.home() / ".cache" / "loupe" / "media"),
        _number(CACHE_BYTES, cache_bytes) if cache_bytes else DEFAULT_CACHE_BYTES,
        _number(FILE_BYTES, file_bytes) if file_bytes else DEFAULT_FILE_BYTES,
        tuple(filter(None, (host.strip().lower() for host in hosts.split(",")))),
    )


def is_on() -> bool:
    """Returns whether pictures that lie elsewhere are fetched."""
    return os.environ.get(ON, "").strip().lower() in _YES


def remote_media(
    on: bool | None = None,
    *,
    cache: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
    max_file_bytes: int | None = None,
    private_hosts: Sequence[str] | None = None,
) -> RemoteMedia:
    """Sets whether and how pictures are read whose filepaths lead elsewhere: ``s3://``, ``gs://``, ``https://``.

    Off unless asked for: what a dataset holds decides which addresses are asked, with your rights. It holds for this
    process and those that it starts; the App and ``loupe worker`` take the variables that it sets from their own
    environment (``LOUPE_REMOTE_MEDIA=1`` …), see docs/cloud.md. What is None stays as it is.

    Args:
        on: whether they are fetched
        cache: the folder that they are kept in; ``~/.cache/loupe/media`` by default. It holds copies of your pictures
        max_bytes: what the folder may take; 50 GB by default
        max_file_bytes: what one file may take; 1 GB by default
        private_hosts: names of hosts on this machine or in a private network that http addresses may lead to

    Returns:
        the settings as they are now

    Raises:
        InputError: a number that is none, or a folder that is an address itself, or that cannot be written to

    >>> loupe.remote_media(True, cache="/data/pictures", max_bytes=200 * 2**30)  # doctest: +SKIP
    RemoteMedia(on=True, cache='/data/pictures', max_bytes=214748364800, …)
    """
    given: dict[str, str] = {}
    if on is not None:
        given[ON] = "1" if on else "0"
    if cache is not None:
        if "://" in os.fspath(cache) or not os.fspath(cache).strip():
            raise InputError(f"expected cache to be a folder of this machine, got {os.fspath(cache)!r}")
        folder = Path(cache).expanduser().absolute()
        _require_writable(folder)
        given[CACHE] = str(folder)
    for name, number in ((CACHE_BYTES, max_bytes), (FILE_BYTES, max_file_bytes)):
        if number is not None:
            given[name] = str(_number(name, number))
    if private_hosts is not None:
        if isinstance(private_hosts, str):
            raise InputError(f"expected private_hosts to be a list of names, got the text {private_hosts!r}")
        given[PRIVATE_HOSTS] = ",".join(private_hosts)
    os.environ.update(given)
    from loupe.brain.media import fetching

    # what could not be fetched is asked for again
    fetching.forget()
    return current()


def _require_writable(folder: Path) -> None:
    """Raises an error where nothing can be kept in a folder. It is not made yet: the first picture does that.

    Raises:
        InputError: it cannot be made or written to
    """
    present = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        # to ask for the rights does not do: root has all of them, and cannot write everywhere
        os.rmdir(tempfile.mkdtemp(prefix=".loupe-", dir=present))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"expected cache to be a folder that can be written to, got {str(folder)!r}: {present}: {reason}. Give "
            "another folder"
        ) from error


def _number(name: str, value: int | str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or isinstance(value, bool):
        raise InputError(f"expected {name} to be a number of bytes, 1 or more, got {value!r}")
    return number

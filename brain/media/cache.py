"""A folder of fetched files, which several processes may use at once: a file is whole or not there.

A file is named by a hash of its address and of its version, so that a changed object is another file, and nothing has
to be locked: two that fetch the same write the same. Those that were not used for longest go first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from loupe.brain.core.errors import NotFetched
from loupe.brain.core.hashes import file_hash, hex_hash
from loupe.brain.media.addresses import Address
from loupe.brain.media.stores import Version

_PART = ".part"
#: seconds after which what nobody finished is taken away, and for which a use is not noted again
_OLD, _NOTED = 86_400.0, 3600.0
#: the share of the limit that is left full, and that may be written before all is counted again
_LEFT, _COUNTED = 0.9, 0.05
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Cache:
    """The folder.

    Args:
        folder: made when the first file comes, for its owner alone
        max_bytes: what it may take
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._lock, self._counting = Lock(), Lock()
        #: bytes written since all was counted; None before it first was
        self._written: int | None = None

    def path(self, address: Address, version: Version) -> Path:
        """Returns where a version of an object lies, if it does."""
        key = hex_hash(address.identity)
        return self._folder / key[:2] / key[2:4] / f"{key}-{version.digest}{address.ending}"

    def opened(self, address: Address, version: Version) -> int | None:
        """Returns a descriptor of a version of an object; None where it is not here, or not whole."""
        path = self.path(address, version)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        status = os.fstat(descriptor)
        if version.size is not None and status.st_size != version.size:
            # the machine went down as it was written, or somebody wrote to it
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        if abs(time.time() - status.st_mtime) > _NOTED:
            with contextlib.suppress(OSError):
                os.utime(path)
        return descriptor

    def holds(self, address: Address, version: Version) -> bool:
        """Returns whether a version of an object is here, and whole."""
        try:
            size = os.stat(self.path(address, version)).st_size
        except OSError:
            return False
        return version.size is None or version.size == size

    def latest(self, address: Address) -> str | None:
        """Returns the file of the version that was used last; None where there is none."""
        path = self.path(address, Version("", None))
        start = path.name.partition("-")[0] + "-"
        try:
            with os.scandir(path.parent) as entries:
                own = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.name.startswith(start)]
        except OSError:
            return None
        return max(own)[1] if own else None

    def put(self, address: Address, write: Callable[[BinaryIO], Version]) -> Version:
        """Writes a version of an object, and returns which it is.

        Args:
            address: of the object
            write: writes it to a file, and returns its version

        Raises:
            NotFetched: the folder cannot be written to, or its disk is full
        """
        for is_last in (False, True):
            try:
                return self._put(address, write)
            except OSError as error:
                if error.errno not in _FULL or is_last:
                    raise self._error(error) from error
                # what is kept here may go before what is wanted now
                self._evict(self._max_bytes // 2)
        raise AssertionError("the last try returns or raises")

    def _put(self, address: Address, write: Callable[[BinaryIO], Version]) -> Version:
        folder = self.path(address, Version("", None)).parent
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = folder / f".{secrets.token_hex(8)}{_PART}"
        try:
            with part.open("xb") as file:
                version = write(file)
                size = file.tell()
            if size > self._max_bytes:
                raise NotFetched(
                    f"expected a file that the cache has room for ({self._max_bytes:,} bytes), got {size:,} bytes: "
                    "give max_bytes= of loupe.remote_media"
                )
            if not version.is_stated:
                version = Version(f"content {file_hash(part)}", size)
            os.replace(part, self.path(address, version))
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
        self._count(size)
        return version

    def _error(self, error: OSError) -> NotFetched:
        reason = "its disk is full" if error.errno in _FULL else error.strerror or type(error).__name__
        return NotFetched(
            f"cannot keep fetched pictures in {self._folder}: {reason}. Make room, or give another folder: "
            "loupe.remote_media(cache=…)"
        )

    def _count(self, size: int) -> None:
        with self._lock:
            counted = self._written
            self._written = (counted or 0) + size
            if counted is not None and self._written < _COUNTED * self._max_bytes:
                return
            self._written = 0
        self._evict(self._max_bytes)

    def _evict(self, limit: int) -> None:
        """Takes away what was not used for longest, where all takes more than so many bytes."""
        if not self._counting.acquire(blocking=False):
            return  # another thread is at it
        try:
            files = sorted(self._files())
            total = sum(size for _, size, _ in files)
            if total <= limit:
                return
            for _, size, path in files:
                with contextlib.suppress(OSError):
                    os.unlink(path)
                total -= size
                if total <= _LEFT * limit:
                    return
        finally:
            self._counting.release()

    def _files(self) -> list[tuple[float, int, str]]:
        """Returns time of last use, size and path of each file; what nobody finished goes."""
        files = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    status = os.stat(path)
                except OSError:
                    continue  # another process took it away
                if not name.endswith(_PART):
                    files.append((status.st_mtime, status.st_size, path))
                elif time.time() - status.st_mtime > _OLD:
                    with contextlib.suppress(OSError):
                        os.unlink(path)
        return files

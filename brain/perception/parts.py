"""Folders for downloads that are under way: gone when they end, and, where their process was killed, with the next."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = ".part-"
_LOCK = "lock"
#: how often a folder is made anew that another process swept away before it was locked
_TRIES = 10
#: seconds after which a folder that was never locked is nobody's
_OLD = 60
#: stands for a lock where there is nothing to lock
_NONE = -1


@contextmanager
def part(inside: Path) -> Iterator[Path]:
    """Gives a new folder, made inside of the other one, which is gone afterwards.

    It is locked while its process lives: ``sweep`` in another process leaves it alone.
    """
    inside.mkdir(parents=True, exist_ok=True)
    for left in reversed(range(_TRIES)):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=inside))
        lock = _locked(folder / _LOCK, os.O_RDWR | os.O_CREAT)
        # a file system without locks ends with a folder that has none, and that is never swept
        if folder.is_dir() and (lock is not None or not left):
            break
        _close(lock)
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _close(lock)


def sweep(inside: Path) -> None:
    """Removes what processes that were killed have left of ``part`` in a folder, and the ``.part-`` files of 0.1.0."""
    for left in inside.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another process may sweep, too
            if left.is_dir():
                lock = _locked(left / _LOCK, os.O_RDWR)
                if lock == _NONE and time.time() - left.stat().st_mtime < _OLD:
                    continue
                if lock is not None:
                    shutil.rmtree(left, ignore_errors=True)
            else:
                lock = _locked(left, os.O_RDWR)
                if lock is not None:
                    left.unlink()
            _close(lock)


def _locked(file: Path, flags: int) -> int | None:
    """Returns a file's lock, which ends with this process; ``_NONE`` without a file; None if another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows, which removes no file that is open
        return _NONE
    try:
        handle = os.open(file, flags)
    except FileNotFoundError:
        return _NONE
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _close(lock: int | None) -> None:
    if lock is not None and lock != _NONE:
        os.close(lock)

"""Folders for what is under way: gone when it ends, and, where its process was killed, with the next of its kind."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: how the names of those for downloads begin
_DOWNLOAD = ".part-"
_LOCK = "lock"
#: how often a folder is made anew that another process swept away before it was locked
_TRIES = 10
#: seconds after which a folder that was never locked is nobody's
OLD = 60.0
#: stands for a lock where there is nothing to lock
_NONE = -1


@contextmanager
def part(inside: Path, prefix: str = _DOWNLOAD) -> Iterator[Path]:
    """Gives a new folder, made inside of the other one, which is gone afterwards.

    It is locked while its process lives: ``sweep`` in another process leaves it alone.

    Args:
        inside: where
        prefix: how its name begins
    """
    inside.mkdir(parents=True, exist_ok=True)
    for left in reversed(range(_TRIES)):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
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


def sweep(inside: Path, prefix: str = _DOWNLOAD, old: float = OLD) -> None:
    """Removes what processes that were killed have left of ``part`` in a folder, and the ``.part-`` files of 0.1.0.

    Links, and what is another user's, as others may write to the folder, too, are left alone.

    Args:
        inside: where
        prefix: how its name begins
        old: seconds after which a folder that was never locked is nobody's; infinite: never
    """
    for left in inside.glob(f"{prefix}*"):
        with suppress(OSError):  # another process may sweep, too
            is_folder = _is_own_folder(left)
            if is_folder is None:
                continue
            lock = _locked(left / _LOCK if is_folder else left, os.O_RDWR)
            try:
                if not is_folder and lock is not None:
                    left.unlink()
                elif lock is not None and (lock != _NONE or time.time() - left.stat().st_mtime >= old):
                    _remove(left)
            finally:
                _close(lock)


def _remove(folder: Path) -> None:
    """Removes a folder, its lock last: where something is in the way, another sweep finds it as this one did."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()
    shutil.rmtree(folder)


def _is_own_folder(path: Path) -> bool | None:
    """Returns whether what lies there is a folder; None where it is not this user's, or neither folder nor file."""
    facts = path.lstat()
    if hasattr(os, "getuid") and facts.st_uid != os.getuid():
        return None
    return True if stat.S_ISDIR(facts.st_mode) else False if stat.S_ISREG(facts.st_mode) else None


def _locked(file: Path, flags: int) -> int | None:
    """Returns a file's lock, which ends with this process; ``_NONE`` without a file; None if another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows, which removes no file that is open
        return _NONE
    try:
        handle = os.open(file, flags | os.O_NOFOLLOW)
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

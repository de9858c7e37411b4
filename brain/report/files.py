"""Writes a file: whole or not at all, and never over somebody else's."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from loupe.brain.core.errors import InputError, OutputError
from loupe.brain.media.addresses import require_here

#: how many characters of a file are looked at to tell whose it is
_HEAD = 4000


def place(path: str | os.PathLike[str], *endings: str) -> Path:
    """Returns the path of a file that is to be written.

    Args:
        path: as it was given; ``~`` is the user's own folder
        endings: those it may have

    Raises:
        InputError: it has another ending
        OutputError: its folder is not there, or none of this machine
    """
    require_here(path)
    file = Path(path).expanduser()
    if file.suffix.lower() not in endings:
        raise InputError(f"expected a path that ends in {', '.join(endings)}, got {file.name!r}")
    if not file.parent.is_dir():
        raise OutputError(f"expected a folder for {file.name}, got none at {file.parent}: make it first")
    return file


def write(path: Path, text: str, mark: str | None) -> Path:
    """Writes a file in one step, and returns its path.

    Args:
        path: in a folder that is there
        text: what it holds
        mark: what stands near the beginning of Loupe's own files of this kind: only such a file is replaced; None: no
            file is

    Raises:
        OutputError: it cannot be written, or a file that is not to be replaced is there
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        if path.exists() and (mark is None or not path.is_file() or mark not in _head(path)):
            kind = "a folder" if path.is_dir() else "a file" if mark is None else "a file that Loupe did not write"
            raise OutputError(f"expected a place for a file, got {kind} at {path}: give another path")
        temporary.write_text(text, encoding="utf-8", errors="replace")
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"expected a place for a file, got {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path


def _head(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_HEAD)

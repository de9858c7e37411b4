"""A file to its bytes. Only regular files are opened, so that no pipe, socket or device can hold up a run."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from loupe.brain.core.errors import NotReadNow, ReadError
from loupe.brain.media.addresses import address_of, shown

_PASSING = (
    *("EIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "EINTR", "EBUSY", "ENODEV", "ENXIO", "EREMOTEIO", "ENOLINK", "ECOMM"),
    *("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ENOTCONN", "ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "EPIPE"),
    *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ESHUTDOWN", "EPROTO", "ENONET"),
)
#: errors of a disk, of a network or of this process, which say nothing of the file that was to be read
PASSING = frozenset(number for name in _PASSING if (number := getattr(errno, name, None)) is not None)
#: bytes of a file, at most, that is read whole
MAX_FILE_BYTES = 2**30

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_STARTS = (
    (b"version https://git-lfs", "a Git LFS pointer, whose file was not fetched"),
    (b"/annex/objects", "a git-annex pointer, whose file was not fetched"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript drawing"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\xff\xd8\xff", "a damaged JPEG"),
    (b"\x89PNG", "a damaged PNG"),
    (b"GIF8", "a damaged GIF"),
    (b"BM", "a damaged BMP, or one of a kind that Pillow does not know"),
    (b"II*\0", "a damaged TIFF, or one of a kind that Pillow does not know"),
    (b"MM\0*", "a damaged TIFF, or one of a kind that Pillow does not know"),
)
#: ISO base media files by the brand at byte 8
_BRANDS = {
    b"hei": "a HEIC picture",
    b"hev": "a HEIC picture",
    b"mif": "a HEIC picture",
    b"msf": "a HEIC picture",
    b"avi": "a damaged AVIF",
}


def printable(path: str | os.PathLike[str]) -> str:
    r"""Returns a file's name in characters that can be stored and shown.

    >>> printable("/a/b\udcff\0.png")
    'b\\udcff\\x00.png'
    """
    text = os.fspath(path)
    address = address_of(text)
    # of an address what opens it is not told
    text = text if address is None else shown(address)
    name = os.path.basename(text) or text
    name = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[io.FileIO]:
    """Opens a regular file for reading; one that lies elsewhere is fetched, where that was asked for.

    Raises:
        NotFetched: it lies elsewhere, and cannot be had now
        ReadError: there is none, or something else is there; the message says what
        NotReadNow: a disk or a network fails
    """
    address = address_of(path)
    if address is not None:
        from loupe.brain.media import fetching

        with io.FileIO(fetching.opened(address)) as file:
            yield file
        return
    name = printable(path)
    try:
        # looked at before it is opened: to open a pipe may wait, and to open a device may do things
        _require_regular(os.stat(path), path, name)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if error.errno in PASSING:
            raise not_now(name, error) from error
        raise ReadError(f"expected an image file, got {_missing(path, name, error)}") from None
    # a NUL, or a character that the file system's encoding lacks
    except ValueError as error:
        raise ReadError(f"expected an image file, got a name that no file can have ({error}): {name}") from None
    # unbuffered: most files are read at one go
    with io.FileIO(descriptor) as file:
        _require_regular(os.fstat(descriptor), path, name)
        yield file


def is_readable(path: str | os.PathLike[str]) -> bool:
    """Returns whether a file of this machine can be read now, as far as one byte tells; what lies elsewhere cannot.

    >>> is_readable("/"), is_readable("https://example.com/a.png")
    (False, False)
    """
    if address_of(path) is not None:
        return False
    try:
        with opened(path) as file:
            return bool(file.read(1))
    except (OSError, ReadError, NotReadNow):
        return False


def not_now(name: str, error: OSError) -> NotReadNow:
    """Returns the error of a file whose disk or network failed.

    >>> str(not_now("a.png", OSError(errno.ESTALE, "Stale file handle")))
    'cannot be read now (Stale file handle): a.png. The same call again tries it anew'
    """
    return NotReadNow(f"cannot be read now ({error.strerror or error}): {name}. The same call again tries it anew")


def contents(file: io.FileIO) -> bytes:
    """Returns all bytes of an open file.

    Raises:
        ReadError: there are more than ``MAX_FILE_BYTES``
    """
    require_small(file)
    file.seek(0)
    return file.readall()


def require_small(file: io.FileIO) -> None:
    """Raises an error where an open file has more than ``MAX_FILE_BYTES``.

    Raises:
        ReadError: it has
    """
    size = os.fstat(file.fileno()).st_size
    if size > MAX_FILE_BYTES:
        raise ReadError(f"expected a file of at most {MAX_FILE_BYTES:,} bytes, got {size:,}")


def kind_of(head: bytes) -> str:
    """Returns what a file seems to be that is no readable picture, by its first bytes, in words.

    >>> kind_of(b""), kind_of(b"<!DOCTYPE html><html>"), kind_of(b"hello")
    ('an empty file', 'a web page', 'another format')
    """
    if not head:
        return "an empty file"
    if not head.strip(b"\0"):
        return "a file of zeros"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a damaged WebP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:11], "a video")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg")) and b"<svg" in text):
        return "an SVG drawing"
    return "another format"


def _require_regular(status: os.stat_result, path: str | os.PathLike[str], name: str) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        kind = _folder(path)
    else:
        kind = next((kind for is_kind, kind in _KINDS if is_kind(status.st_mode)), "something else")
    raise ReadError(f"expected an image file, got {kind}: {name}")


def _folder(path: str | os.PathLike[str]) -> str:
    with os.scandir(path) as entries:
        some = list(islice(entries, 20))
    return "a folder of links" if some and all(entry.is_symlink() for entry in some) else "a folder"


def _missing(path: str | os.PathLike[str], name: str, error: OSError) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        if os.path.islink(path):
            return f"a link to a file that is not there: {name} -> {printable(os.readlink(path))}"
        return f"no file at {name}"
    if isinstance(error, PermissionError):
        return f"a file that may not be read: {name}"
    # e.g. a name that is too long, links that lead in a circle, a disk that fails
    return f"an error of the file system ({error.strerror}): {name}"

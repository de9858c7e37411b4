"""The one hash of Loupe: BLAKE2b, the same in every process and version, as keys and fingerprints are stored.

It tells things apart and makes seeds. It keeps no secret and signs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from typing import Any


def raw_hash(data: bytes | str, size: int = 16) -> bytes:
    """Returns the hash of bytes, or of a text's UTF-8: ``size`` bytes, of at most 64."""
    return hashlib.blake2b(data.encode() if isinstance(data, str) else data, digest_size=size).digest()


def hex_hash(data: bytes | str, size: int = 16) -> str:
    """Returns the hash of bytes, or of a text's UTF-8, as ``2 * size`` hexadecimal digits.

    >>> hex_hash("a", 4)
    'ca234c55'
    """
    return raw_hash(data, size).hex()


def parts_hash(parts: Iterable[bytes | memoryview | str], size: int = 16) -> str:
    """Returns the hash of bytes and texts put together, as hexadecimal digits; one after the other is held.

    >>> parts_hash(["a", b"b"]) == hex_hash("ab")
    True
    """
    made = hashlib.blake2b(digest_size=size)
    for part in parts:
        made.update(part.encode() if isinstance(part, str) else part)
    return made.hexdigest()


def json_hash(value: Any, size: int = 16, *, default: Callable[[Any], Any] | None = None) -> str:
    """Returns the hash of a JSON-able value as hexadecimal digits; the order of a mapping's keys does not matter.

    Args:
        value: what is hashed
        size: in bytes
        default: makes JSON-able what is not, e.g. ``str``

    Raises:
        TypeError: the value is not JSON-able, and there is no ``default``

    >>> json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1})
    True
    """
    return hex_hash(json.dumps(value, sort_keys=True, default=default), size)


def number_of(value: Any, size: int = 8) -> int:
    """Returns a number in [0, 256 ** size) that is decided by a JSON-able value: seeds are made so.

    Raises:
        TypeError: the value is not JSON-able
    """
    return int(json_hash(value, size), 16)


def file_hash(path: str | os.PathLike[str], size: int = 16) -> str:
    """Returns the hash of a file's bytes as hexadecimal digits, however large it is.

    Raises:
        OSError: the file cannot be read
    """
    with open(path, "rb") as file:
        return stream_hash(file, size)


def stream_hash(file: Any, size: int = 16) -> str:
    """Returns the hash of what is left of an open file as hexadecimal digits.

    Raises:
        OSError: it cannot be read
    """
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=size)).hexdigest()

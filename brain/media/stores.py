"""What every kind of store answers: which version of an object it has, and its bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from loupe.brain.core.errors import ReadError
from loupe.brain.core.hashes import hex_hash
from loupe.brain.media.addresses import Address

#: seconds until there has to be a connection, and between two pieces of an answer
CONNECT, READ = 10.0, 30.0
#: after so many seconds an object has to come faster than that many bytes a second
PATIENCE, SLOWEST = 60.0, 2**16
PIECE = 2**18
#: objects of a listing that come at once
PAGE = 1000


class Again(Exception):
    """It did not work, and may in a moment; the message says how it went, and holds no secret."""

    def __init__(self, reason: str, after: float | None = None, alive: bool = False, tried: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        #: whether the client has asked several times itself
        self.tried = tried
        #: whether the host answers, if with an error
        self.alive = alive


class Refused(Exception):
    """It does not work, and to ask again is of no use; the message says why, and holds no secret."""


class Missing(Exception):
    """There is no such object; the message says what there is not, where it is something else."""


class TooLarge(ReadError):
    """An object is larger than one may be."""


@dataclass(frozen=True)
class Version:
    """Which version of an object a store has.

    Attributes:
        tag: changes when the object does: its ETag, else the time of its last change; empty where none is stated
        size: in bytes; None where it is not stated
    """

    tag: str
    size: int | None

    @property
    def is_stated(self) -> bool:
        """Whether anything would tell another version from it."""
        return bool(self.tag)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits: the tag, as it may stand in a name."""
        return hex_hash(self.tag, 8)


class Store(Protocol):
    """What every kind of store can be asked."""

    def version(self, address: Address) -> Version:
        """Returns which version it has; nothing is fetched.

        Raises:
            Missing, Refused, Again: see there
        """

    def fetch(self, address: Address, file: BinaryIO, limit: int) -> Version:
        """Writes an object to a file and returns which version it was.

        Raises:
            TooLarge: it has more bytes than ``limit``
            Missing, Refused, Again: see there
        """

    def listed(self, place: Address, recursive: bool) -> Iterator[str]:
        """Yields the keys below a folder.

        Raises:
            Missing, Refused, Again: see there
        """

    def page(self, place: Address, first: str) -> dict[str, Version]:
        """Returns which versions it has of the next ``PAGE`` objects below a folder, in the order of their keys.

        Empty where there are none, or where the store has no such list.

        Args:
            place: the folder; its key may be empty
            first: the key to begin with

        Raises:
            Missing, Refused, Again: see there
        """


def require_size(size: int | None, limit: int) -> None:
    """Raises an error where an object is too large.

    Raises:
        TooLarge: it is
    """
    if size is not None and size > limit:
        raise TooLarge(f"expected a file of at most {limit:,} bytes, got {size:,}")


def copied(pieces: Iterable[bytes], file: BinaryIO, size: int | None, limit: int) -> int:
    """Writes the pieces of an object to a file; returns how many bytes they have.

    Raises:
        TooLarge: more than ``limit``
        Again: they are fewer than were stated, or come too slowly
    """
    started, count = time.monotonic(), 0
    for piece in pieces:
        count += len(piece)
        if count > limit:
            raise TooLarge(f"expected a file of at most {limit:,} bytes, got more")
        file.write(piece)
        if time.monotonic() - started > PATIENCE + count / SLOWEST:
            raise Refused(f"it comes too slowly: {count:,} bytes in {time.monotonic() - started:.0f} s")
    if size is not None and count != size:
        raise Again(f"it broke off after {count:,} of {size:,} bytes")
    return count

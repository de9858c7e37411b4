"""Turns the loss of FiftyOne's database into one clear error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConnectionFailure

from loupe.brain.core.errors import DatabaseGone


@contextmanager
def database_errors() -> Iterator[None]:
    """Raises ``DatabaseGone`` where the block loses its connection to the database.

    >>> with database_errors():
    ...     pass
    """
    try:
        yield
    except ConnectionFailure as error:
        raise DatabaseGone(
            "FiftyOne's database stopped answering. What was stored before is kept: start it again and repeat the same "
            f"call, which goes on from there ({type(error).__name__})"
        ) from error

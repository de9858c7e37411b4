"""Turns the loss of FiftyOne's database, or of what it was told last, into one clear error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConnectionFailure

from loupe.brain.core.errors import DatabaseGone, LoupeError

#: how FiftyOne says that what it has just written is not there
_LOST = "Failed to update "


@contextmanager
def database_errors() -> Iterator[None]:
    """Raises ``DatabaseGone`` where the block loses its connection to the database.

    >>> with database_errors():
    ...     pass
    """
    try:
        yield
    except LoupeError:
        raise
    except Exception as error:
        if not _is_gone(error):
            raise
        raise _gone(error) from error


@contextmanager
def lost_writes() -> Iterator[None]:
    """Raises ``DatabaseGone`` where the database has lost what was written to it last, as one that is killed does.

    For whole verbs: FiftyOne says of a dataset that was deleted the same, which is another error.

    >>> with lost_writes():
    ...     pass
    """
    try:
        yield
    except ValueError as error:
        if isinstance(error, LoupeError) or not str(error).startswith(_LOST):
            raise
        raise _gone(error) from error


def _is_gone(error: BaseException | None) -> bool:
    """Returns whether an error is pymongo's, or one that FiftyOne makes of it."""
    while error is not None:
        if isinstance(error, ConnectionFailure):
            return True
        error = error.__cause__
    return False


def _gone(error: Exception) -> DatabaseGone:
    return DatabaseGone(
        "FiftyOne's database stopped answering. What was stored before is kept: start it again and repeat the same "
        f"call, which goes on from there ({type(error).__name__})"
    )

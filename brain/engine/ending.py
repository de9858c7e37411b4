"""What was begun for a verb ends with it: processes, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: what is to be ended with the block around it
_ends: ContextVar[list[Callable[[], None]] | None] = ContextVar("loupe_ends", default=None)


@contextmanager
def ending() -> Iterator[None]:
    """Ends, as it is left, what was begun in it: a generator that an error left may be kept alive by its traceback."""
    begun: list[Callable[[], None]] = []
    token = _ends.set(begun)
    try:
        yield
    finally:
        _ends.reset(token)
        for end in begun:
            end()


def begun(end: Callable[[], None]) -> None:
    """Says how to end what has begun."""
    ends = _ends.get()
    if ends is not None:
        ends.append(end)

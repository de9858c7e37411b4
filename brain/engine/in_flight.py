"""What threads hold for the one that takes it in order: a budget of bytes over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class _Closed(BaseException):
    """Nobody takes the rest. Not an ``Exception``: what guards against bad files must not take it for one."""


class InFlight(Generic[T]):
    """Results on their way from many threads to one, by place, of at most so many bytes together.

    A thread reserves what it is going to hold and waits until there is room. The result that is being waited for is let
    through at once, whatever its size, as all the others only leave after it: so nothing stands still, and at most the
    limit and one result are held.

    Attributes:
        peak: the most bytes that were held at a time
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = Condition()
        self._sizes: dict[int, int] = {}
        self._results: dict[int, T] = {}
        self._wanted = -1
        self._blocked = 0
        self._closed = False
        self._error: BaseException | None = None
        self.peak = 0

    def reserve(self, place: int, size: int) -> None:
        """Waits until there is room for that many bytes, or until that place is wanted."""
        with self._changed:
            self._blocked += 1
            self._changed.wait_for(lambda: self._closed or place == self._wanted or self._held() + size <= self._limit)
            self._blocked -= 1
            if self._closed:
                raise _Closed
            self._count(place, size)

    def put(self, place: int, result: T, size: int) -> None:
        """Hands over a result, which holds that many bytes from now on."""
        with self._changed:
            self._count(place, size)
            self._results[place] = result
            if place == self._wanted or self._blocked:
                self._changed.notify_all()

    def take(self, place: int) -> T:
        """Returns the result of a place, and waits for it; its bytes are no longer counted.

        Raises:
            BaseException: what a thread was left by, see ``guarded``
        """
        with self._changed:
            self._wanted = place
            if self._blocked:
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or place in self._results)
            if self._error is not None:
                raise self._error
            if self._closed:
                raise _Closed
            self._sizes.pop(place, None)
            if self._blocked:
                self._changed.notify_all()
            return self._results.pop(place)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What leaves a thread by an error is raised where its result is taken: nobody waits for it forever."""
        try:
            yield
        except _Closed:
            pass
        except BaseException as error:
            with self._changed:
                self._error = error
            self.close()

    def close(self) -> None:
        """Lets go of everything: threads that wait end, and so do those that ask for room from now on."""
        with self._changed:
            self._closed = True
            self._results.clear()
            self._changed.notify_all()

    def _held(self) -> int:
        return sum(self._sizes.values())

    def _count(self, place: int, size: int) -> None:
        self._sizes[place] = size
        self.peak = max(self.peak, self._held())

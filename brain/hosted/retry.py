"""How long to wait before the next request, and after one that failed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """When to try again.

    Attributes:
        tries: how often a request is sent at most
        base: seconds before the second try; doubled for each further one, with up to half of it taken off by chance,
            so that requests that failed together do not come back together
        longest: seconds, at most; a service that asks for a longer wait gets it
        poll: seconds between two questions for an accepted image
        patience: seconds that an accepted image is waited for
    """

    tries: int = 6
    base: float = 1.0
    longest: float = 60.0
    poll: float = 1.0
    patience: float = 600.0

    def wait(self, attempt: int) -> float:
        """Returns the seconds to wait after the ``attempt``-th failure, from 1."""
        return min(self.base * 2 ** (attempt - 1), self.longest) * random.uniform(0.5, 1)


USUAL = Policy()


class Pace:
    """Lets requests through, evenly spaced; several threads may ask."""

    def __init__(self, per_minute: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock()

    def turn(self) -> float:
        """Takes the next turn; returns how many seconds there are to it."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now)
            self._next = at + self._gap
            return at - now

    def pause(self, seconds: float) -> None:
        """Lets nothing through for so long: what ``Retry-After`` asks for holds for every request."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


def retry_after(value: str | None, longest: float = 3600.0) -> float | None:
    """Returns the seconds of a ``Retry-After`` header (RFC 9110): a number, or a date.

    >>> retry_after("2")
    2.0
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), longest) if seconds == seconds else None

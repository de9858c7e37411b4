"""Stores what a verb has found while it goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

#: samples that are stored in one go, and seconds after which fewer are: what a killed run has to do again
WRITTEN_AT_ONCE = 512
_MAX_SECONDS = 2.0

T = TypeVar("T")


class Writer(Generic[T]):
    """Stores results, those of several chunks at once where they come fast: each write costs a round trip.

    In a thread of its own, so that the next pictures are decoded meanwhile; one write at a time, in order.

    Args:
        write: stores some of them
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        self._write = write
        self._held: list[T] = []
        self._since = -math.inf  # the first chunk is stored at once: there is something to see
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loupe-writer")
        self._writing: Future[None] | None = None

    def add(self, results: Sequence[T]) -> None:
        """Stores these, now or a little later."""
        self._held += results
        if len(self._held) >= WRITTEN_AT_ONCE or time.monotonic() - self._since > _MAX_SECONDS:
            self._flush()

    def _flush(self) -> None:
        self._wait()
        if self._held:
            self._writing = self._pool.submit(self._write, self._held)
        self._held, self._since = [], time.monotonic()

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def close(self) -> None:
        """Stores the rest, and returns when all is stored."""
        with self._pool:
            self._flush()
            self._wait()

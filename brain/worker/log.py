"""The lines that a job logs: Loupe's own and its warnings, the last of them on the operation, for the App to show."""

from __future__ import annotations

import logging
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bson import ObjectId

import loupe
from loupe.brain.core.errors import DatabaseGone
from loupe.brain.core.shown import plain
from loupe.brain.hosted import secrets
from loupe.brain.store import jobs

#: what is kept of a log, and of one line of it
MAX_BYTES, MAX_LINE = 16_000, 2_000
#: seconds between two writes
_EVERY = 0.5
_OWN = str(Path(loupe.__file__).resolve().parent)


class Lines:
    """The last lines of a log, as many as have ``MAX_BYTES``, without API keys or passwords."""

    def __init__(self, text: str = "", size: int = 0) -> None:
        self._lines = deque(text.splitlines())
        self._kept = sum(len(line.encode()) + 1 for line in self._lines)
        self.size = size or self._kept
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Takes up a text of one or more lines."""
        for line in secrets.hidden(text).splitlines():
            short = line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} …"
            # what the database refuses, and what a terminal takes for an order
            short = plain(short)
            length = len(short.encode()) + 1
            with self._lock:
                self._lines.append(short)
                self._kept, self.size = self._kept + length, self.size + length
                while self._kept > MAX_BYTES and len(self._lines) > 1:
                    self._kept -= len(self._lines.popleft().encode()) + 1

    def text(self) -> str:
        """Returns the lines."""
        with self._lock:
            return "\n".join(self._lines)


class PlainFormatter(logging.Formatter):
    """Formats lines for a terminal: what one takes for an order is written out, names of files are not ours."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return plain(super().format(record))


class _Handler(logging.Handler):
    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.INFO)
        self._lines = lines
        self.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.add(self.format(record))
        except Exception:
            self.handleError(record)


@contextmanager
def kept(job: ObjectId, worker: str) -> Iterator[logging.Logger]:
    """Inside of it what Loupe logs and warns of goes to the operation, about every second; yields the job's own logger.

    What an earlier attempt has logged stays before it. Other people's lines stay where they are.
    """
    lines = Lines(*jobs.log_of(job))
    logger, handler = logging.getLogger("loupe"), _Handler(lines)
    own = logging.getLogger("loupe.job")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    ended = threading.Event()
    writing = threading.Thread(target=_write, args=(job, worker, lines, ended), name="loupe-log", daemon=True)
    writing.start()
    try:
        with _warnings(own):
            yield own
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        ended.set()
        writing.join(10)


def _write(job: ObjectId, worker: str, lines: Lines, ended: threading.Event) -> None:
    written = -1
    while True:
        last = ended.wait(_EVERY)
        size = lines.size
        if size != written:
            try:
                jobs.write_log(job, worker, lines.text(), size)
                written = size
            except DatabaseGone:  # the job hears of it, too
                pass
        if last:
            return


@contextmanager
def _warnings(own: logging.Logger) -> Iterator[None]:
    """Takes up warnings that name a place in Loupe; they are shown as before, too."""
    # what was shown for an earlier job is shown again
    with warnings.catch_warnings():
        before = warnings.showwarning

        def show(message: Any, category: Any, filename: str, *more: Any, **named: Any) -> None:
            if str(Path(filename).resolve()).startswith(_OWN):
                own.warning("%s", message)
            before(message, category, filename, *more, **named)

        warnings.showwarning = show
        yield

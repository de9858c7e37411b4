"""When this process last wrote to the database: a job that is to be ended at once is not ended between two writes."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from pymongo import monitoring

#: seconds without a write after which a job is in the middle of none
QUIET = 0.3
_WRITING = frozenset({"insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop"})
#: what is written of jobs and workers themselves
_OURS = frozenset({"delegated_ops", "loupe_workers", "loupe_worker_status"})


class Writes(monitoring.CommandListener):
    """Hears of each command that goes to the database, and of its end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._going: set[tuple[int, int]] = set()
        self._last = float("-inf")

    def busy(self) -> bool:
        """Returns whether a write is under way, or was right before, as between two of a row."""
        with self._lock:
            return bool(self._going) or time.monotonic() - self._last < QUIET

    def started(self, event: Any) -> None:
        """Is called before a command is sent."""
        # an aggregation that writes says so in its last stage
        stages = event.command.get("pipeline") or [{}]
        writing = event.command_name in _WRITING or bool({"$out", "$merge"} & set(stages[-1]))
        if writing and event.command.get(event.command_name) not in _OURS:
            with self._lock:
                self._going.add((event.operation_id, event.request_id))

    def succeeded(self, event: Any) -> None:
        """Is called with the answer to a command."""
        self._ended(event)

    def failed(self, event: Any) -> None:
        """Is called with the error of a command."""
        self._ended(event)

    def _ended(self, event: Any) -> None:
        with self._lock:
            if (event.operation_id, event.request_id) in self._going:
                self._going.discard((event.operation_id, event.request_id))
                self._last = time.monotonic()


_writes = Writes()


def listen() -> None:
    """Hears of all clients that are made from now on: to be called before FiftyOne is imported, which makes one."""
    monitoring.register(_writes)


def busy() -> bool:
    """Returns whether this process is in the middle of writing."""
    return _writes.busy()

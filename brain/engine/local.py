"""The engine that is this machine: threads of this process, and processes once there is enough to do for them.

A process takes seconds to begin, so that threads do the first rows; by then it is known what a picture costs. Where the
rest is worth it, the processes begin beside them, and take over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from loupe.brain.core import machine
from loupe.brain.engine import threads
from loupe.brain.engine.ending import begun
from loupe.brain.engine.map import Mapped, Task
from loupe.brain.engine.reader import Row, chunk_size
from loupe.brain.engine.row_processes import RowProcesses

#: seconds that threads work before anything is decided: no longer than most chunks take
FIRST = 0.75
#: seconds that it costs to begin processes: so much of the cores has to lie idle in the time that threads need for the
#: rest. The more cores there are, the less of them threads use
COST = 4.0
#: seconds of processor time that a portion may take: that much of each process is lost where a run is stopped. What
#: takes longer is a model's steps, and for these threads need not wait for each other
PORTION = 8.0
#: seconds of processor time that a row has to take on one core, less on more: sending rows and answers takes a fifth of
#: a millisecond or two, and threads judge pictures of 64 pixels in .7 ms (docs/figures.md)
ROW = 0.006
#: bytes that have to be free for each process
MEMORY = 1.5 * 2**30


def run(
    rows: Iterable[Row],
    tasks: Sequence[Task[Any]],
    *,
    device: str,
    batch_size: int,
    workers: int | None,
    torch_threads: int | None,
) -> Iterator[list[Mapped[Any]]]:
    """Yields what became of the rows, see ``map_rows``."""
    source = _Source(rows, chunk_size(batch_size))
    chunks = threads.run(
        source, tasks, device=device, batch_size=batch_size, workers=workers, torch_threads=torch_threads
    )
    # where a model takes all of torch's threads, their number decides bits
    cores = workers or machine.cores()
    if device != "cpu" or torch_threads != 1 or cores < 2:
        yield from chunks
        return
    pace: _Pace | None = None
    processes: RowProcesses | None = None
    taken_over: Iterator[list[Mapped[Any]]] | None = None
    is_decided = False
    try:
        for chunk in chunks:
            yield chunk
            if pace is None:
                # what is loaded once has been loaded by now
                pace = _Pace.now()
                continue
            pace.done += len(chunk)
            if not is_decided and pace.is_known and source.has(pace.rows_in(COST / pace.idle(cores))):
                is_decided = True
                processes = _started(tasks, batch_size, cores, pace)
            if processes is not None and taken_over is not None:
                processes.keep_busy()
            elif processes is not None and processes.is_ready:
                if processes.count < 2:  # the others did not begin: one does less than threads
                    processes.end()
                    processes = None
                else:
                    # they begin as threads end what they have begun
                    taken_over = processes.run(source.rest())
        if taken_over is not None:
            yield from taken_over
    finally:
        if processes is not None:
            processes.end()


def _started(tasks: Sequence[Task[Any]], batch_size: int, cores: int, pace: _Pace) -> RowProcesses | None:
    """Starts processes; returns None where they would not help, or cannot be sent the tasks."""
    count = min(cores, int(machine.free_memory() // MEMORY))
    if count < 2 or pace.processor_time(1) < ROW / count or pace.processor_time(chunk_size(batch_size)) > PORTION:
        return None
    try:
        processes = RowProcesses(tasks, batch_size, count)
    except ValueError:
        return None
    begun(processes.end)
    return processes


@dataclass
class _Pace:
    """How fast threads are.

    Attributes:
        started: when
        used: seconds of processor time that this process had used then
        done: rows since
    """

    started: float
    used: float
    done: int = 0

    @classmethod
    def now(cls) -> _Pace:
        """Begins to look."""
        return cls(time.monotonic(), time.process_time())

    @property
    def is_known(self) -> bool:
        """Whether enough has been seen."""
        return time.monotonic() - self.started >= FIRST

    def rows_in(self, seconds: float) -> int:
        """Returns how many rows are done in so many seconds, at least 1."""
        return max(1, int(seconds * self.done / self._seconds))

    def idle(self, cores: int) -> float:
        """Returns the share of so many cores that lies idle, at least a hundredth."""
        return max(0.01, 1 - (time.process_time() - self.used) / self._seconds / cores)

    def processor_time(self, rows: int) -> float:
        """Returns the seconds of processor time that so many rows take."""
        return rows * (time.process_time() - self.used) / max(1, self.done)

    @property
    def _seconds(self) -> float:
        return max(time.monotonic() - self.started, 1e-9)


class _Source:
    """Rows, the rest of which may be taken from whoever reads them, between two chunks.

    Args:
        rows: the rows
        size: of a chunk
    """

    def __init__(self, rows: Iterable[Row], size: int) -> None:
        self._rows, self._size = iter(rows), size
        self._ahead: deque[Row] = deque()
        self._given = 0

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self._ahead.popleft() if self._ahead else next(self._rows)
        self._given += 1
        return row

    def has(self, count: int) -> bool:
        """Returns whether there are so many more; reads no more than that."""
        self._ahead.extend(islice(self._rows, max(0, count - len(self._ahead))))
        return len(self._ahead) >= count

    def rest(self) -> Iterator[Row]:
        """Returns the rows that come after the chunk that is being read; that one's are the last ones here."""
        left = -self._given % self._size
        self.has(left)
        after = chain(islice(self._ahead, left, None), self._rows)
        self._ahead, self._rows = deque(islice(self._ahead, left)), iter(())
        return after

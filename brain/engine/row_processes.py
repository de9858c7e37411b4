"""Processes of this machine that work through portions of the rows, as many as there are cores.

Threads of one process share an interpreter: where a picture costs hundreds of short steps they wait for each other more
than they compute. What a process is sent is a chunk of the local engine's, and it does with it what threads do here:
the scores are the same, bit for bit. A process that breaks on a picture costs that picture alone; where memory is too
short for so many, they get fewer, and at last threads of this process do the rest.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from loupe.brain.core import interrupts
from loupe.brain.engine import own_process, threads
from loupe.brain.engine.dealing import dealt
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.map import Mapped, Task
from loupe.brain.engine.portions import Piece, Portions, entry, mapped
from loupe.brain.engine.reader import Row, chunk_size
from loupe.brain.engine.row_process import Begun
from loupe.brain.engine.row_work import Order

#: pieces that a process has been sent: the one it works at, and the next one
SENT = 2
#: portions that may be open for each process
_AHEAD = 4
#: seconds between two looks at whether somebody wants to stop
_EVERY = 0.1
#: the status of a process that SIGKILL has ended
_KILLED = -9
#: the memory of a picture is kept for the next one: to give it back to the system and ask for it again takes up to a
#: twentieth of the time of all pixel checks. Variables of the C library of Linux; others do not read them
_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**29)}


@dataclass(eq=False)
class _Process:
    """One of the processes.

    Attributes:
        popen: the process
        has_begun: whether it can answer
        pieces: what it was sent and has not answered, in order
    """

    popen: subprocess.Popen[bytes]
    has_begun: bool = False
    pieces: deque[Piece] = field(default_factory=deque)


class RowProcesses:
    """Some processes; they end with ``end``, and with this one.

    Args:
        tasks: what to apply
        batch_size: as for ``map_rows``
        count: how many

    Raises:
        ValueError: the tasks cannot be sent to another process
    """

    def __init__(self, tasks: Sequence[Task[Any]], batch_size: int, count: int) -> None:
        self._tasks, self._batch_size = tasks, batch_size
        try:
            # each step here is a small one: a thread computes it
            self._order = pickle.dumps(Order(tasks, "cpu", batch_size, {**torch_settings(), "threads": 1}))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(str(error)) from error
        if b"__main__" in self._order:
            raise ValueError("what a script or a notebook defines is in no module")
        self._heard: queue.SimpleQueue[tuple[_Process, bytes | None]] = queue.SimpleQueue()
        self._warned: set[str] = set()
        self._portions: Portions | None = None
        self._processes = [self._start() for _ in range(count)]

    @property
    def is_ready(self) -> bool:
        """Whether all that are left can answer, if only as none is left."""
        self._hear(0)
        return all(process.has_begun for process in self._processes)

    @property
    def count(self) -> int:
        """How many are left."""
        return len(self._processes)

    def run(self, rows: Iterator[Row]) -> Iterator[list[Mapped[Any]]]:
        """Sends the first rows, and returns what yields what became of all of them, chunk by chunk, in order.

        Raises:
            InputError: a row waits for a task that is not given
            Stopped: somebody wants to stop; what is under way is lost
        """
        size = chunk_size(self._batch_size)
        portions = Portions(iter(lambda: tuple(islice(rows, size)), ()), {task.name for task in self._tasks})
        self._portions = portions
        self._deal(portions)
        return self._results(portions)

    def keep_busy(self) -> None:
        """Sends what comes next to those that have answered; for whoever does not ask for results just now."""
        self._hear(0)
        if self._portions is not None:
            self._deal(self._portions)

    def _results(self, portions: Portions) -> Iterator[list[Mapped[Any]]]:
        while True:
            self._deal(portions)
            for done, chunks in portions.finished():
                # whoever takes it has much to do with it, such as writing
                for chunk in mapped(done, chunks):
                    yield chunk
                    self.keep_busy()
            if portions.done:
                return
            interrupts.point()
            if self._processes:
                self._hear(_EVERY)
            elif (piece := portions.take(_AHEAD)) is not None:
                self._here(portions, piece)

    def end(self) -> None:
        """Ends the processes, whatever they are doing."""
        ended, self._processes = self._processes, []
        for process in ended:
            process.popen.kill()
        for process in ended:
            process.popen.wait()

    def _start(self) -> _Process:
        process = _Process(own_process.start("loupe.brain.engine.row_process", _MEMORY))
        own_process.send_packed(process.popen, self._order)
        threading.Thread(target=self._listen, args=(process,), name="loupe-rows", daemon=True).start()
        return process

    def _listen(self, process: _Process) -> None:
        for answer in own_process.answers(process.popen):
            self._heard.put((process, answer))
        self._heard.put((process, None))

    def _deal(self, portions: Portions) -> None:
        ready = [process for process in self._processes if process.has_begun]
        # the last ones are for whoever is idle first
        sent = SENT if portions.has(len(ready)) else 1
        for process, piece in dealt(portions, ready, sent, _AHEAD * len(ready)):
            process.pieces.append(piece)
            own_process.send(process.popen, portions.sent(piece))

    def _hear(self, seconds: float) -> None:
        """Takes up all that was answered; waits so long for the first answer."""
        try:
            self._take(*self._heard.get(timeout=seconds) if seconds else self._heard.get_nowait())
            while True:
                self._take(*self._heard.get_nowait())
        except queue.Empty:
            return

    def _take(self, process: _Process, answer: bytes | None) -> None:
        if process not in self._processes:
            return
        if answer is None:
            self._lost(process)
            return
        message = pickle.loads(answer)
        if isinstance(message, Begun):
            process.has_begun = not message.error
            if message.error:
                self._leave_out(process)
            return
        assert self._portions is not None
        if message.error is not None:
            raise message.error
        for text, kind in message.warnings:
            if text not in self._warned:
                self._warned.add(text)
                warnings.warn(text, kind, stacklevel=2)
        self._portions.put(process.pieces.popleft(), message.chunks)

    def _lost(self, process: _Process) -> None:
        """A process has ended: what it was working at was not answered, and may be why."""
        status = process.popen.wait()
        self._leave_out(process)
        portions = self._portions
        if portions is None or not process.pieces:
            return
        first, *others = process.pieces
        for piece in reversed(others):
            portions.again(piece)
        if status == _KILLED:
            # the system does that where memory is short: no picture is to blame, and fewer processes need less
            portions.again(first)
        else:
            portions.lost(first, own_process.ended(status))
            self._processes.append(self._start())

    def _leave_out(self, process: _Process) -> None:
        self._processes.remove(process)
        process.popen.kill()
        process.popen.wait()

    def _here(self, portions: Portions, piece: Piece) -> None:
        """Works at a piece in this process, as none is left."""
        chunks = threads.run(
            piece.rows, self._tasks, device="cpu", batch_size=self._batch_size, workers=None, torch_threads=1
        )
        portions.put(piece, [[entry(each) for each in chunk] for chunk in chunks])

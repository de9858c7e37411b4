"""How a worker knows the process that runs its jobs."""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.errors import ProcessLost
from loupe.brain.engine import own_process
from loupe.brain.worker import memory

#: seconds that a process has to be ready in: it imports FiftyOne and torch
_READY = 300.0
_LEAVE = 5.0


@dataclass(frozen=True)
class Gone:
    """The process has ended."""

    status: int

    def __str__(self) -> str:
        return own_process.ended(self.status)


class Runner:
    """A process that runs jobs; where it has ended, the next one is started by ``start``.

    Args:
        device: as it was asked for; None for the best there is
    """

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._popen: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[bytes | Gone] = queue.SimpleQueue()

    def start(self) -> Any:
        """Starts the process where it does not run, and returns its ``Ready``; None where it runs.

        Raises:
            ProcessLost: it ended, or it did not get ready
            InputError: the device is not there
        """
        from loupe.brain.worker.child import Failed, Order

        if self._popen is not None and self._popen.poll() is None:
            return None
        self._answers = queue.SimpleQueue()
        self._popen = own_process.start("loupe.brain.worker.begin")
        arguments = self._popen, self._answers
        threading.Thread(target=_listen, args=arguments, name="loupe-runner", daemon=True).start()
        self.send(Order(self._device))
        answer = self.next(_READY)
        if isinstance(answer, Failed):
            self.end()
            raise answer.error
        if answer is None or isinstance(answer, Gone):
            self.end()
            raise ProcessLost(f"expected a process that runs jobs, got none: {answer or 'it does not get ready'}")
        return answer

    def send(self, message: object) -> None:
        """Sends a job, or a wish."""
        if self._popen is not None:
            own_process.send(self._popen, message)

    def next(self, seconds: float) -> Any:
        """Returns the next answer, ``Gone`` where the process has ended, and None after so many seconds."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            return None
        return answer if isinstance(answer, Gone) else pickle.loads(answer)

    def memory(self) -> int:
        """Returns the bytes that the process takes, with those that it started."""
        return memory.used(self._popen.pid) if self._popen is not None and self._popen.poll() is None else 0

    def kill(self) -> None:
        """Ends the process at once; those that it started end with it."""
        if self._popen is not None:
            self._popen.kill()

    def end(self) -> None:
        """Ends the process, which is to run nothing, and waits for that."""
        if self._popen is None:
            return
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        try:
            self._popen.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._popen = None


def _listen(popen: subprocess.Popen[bytes], heard: queue.SimpleQueue[bytes | Gone]) -> None:
    for answer in own_process.answers(popen):
        heard.put(answer)
    heard.put(Gone(popen.wait()))

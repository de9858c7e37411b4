"""A Python process that works for this one: a pipe each way, and the end of one is the end of the process."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import loupe

# signals that ask this process to end reach its group: the others end with it, when it has stored what they did
_START = """
import signal
for name in ("SIGINT", "SIGTERM"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
import importlib, pickle, runpy, sys
sys.path[:], package, module = pickle.load(sys.stdin.buffer)
runpy.run_path(package)
importlib.import_module(module).main()
"""


def start(module: str, more: Mapping[str, str] = MappingProxyType({})) -> subprocess.Popen[bytes]:
    """Starts a process that calls a module's ``main``, with this one's path, environment and ``loupe``.

    What it reads are pickles of bytes that ``send`` wrote; what it prints to its standard output is read as such, too.

    Args:
        module: its dotted name
        more: variables of its environment that this one's does not set
    """
    # it shares the cores with others: torch's threads must not keep a core busy while they wait for each other
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **more, **os.environ}
    command = [sys.executable, "-c", _START]
    popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert popen.stdin is not None
    with contextlib.suppress(OSError):
        pickle.dump((sys.path, loupe.__file__, module), popen.stdin)
    return popen


def send(popen: subprocess.Popen[bytes], message: object) -> None:
    """Sends a message; where the process is dying, its end is heard of elsewhere."""
    send_packed(popen, pickle.dumps(message))


def send_packed(popen: subprocess.Popen[bytes], message: bytes) -> None:
    """Sends a message that is a pickle already."""
    assert popen.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        pickle.dump(message, popen.stdin)
        popen.stdin.flush()


def ended(status: int) -> str:
    """Returns how a process ended, in words, by its exit status.

    >>> ended(-9)
    'its process was ended by SIGKILL, as the system does where memory is short'
    """
    if status >= 0:
        return f"its process broke (status {status}); what it printed last says more"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    why = ", as the system does where memory is short" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{why}"


def answers(popen: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yields what a process answers, message by message, until its end, by which it is killed; blocks meanwhile."""
    assert popen.stdout is not None
    with popen.stdout as stream:
        while True:
            try:
                yield pickle.load(stream)
            except (EOFError, pickle.UnpicklingError):  # the end, or half an answer of a process that was killed
                break
    popen.kill()
    popen.wait()


class Link:
    """The pipes to the process that started this one, as this one has them.

    What comes in is a life line, too: where it ends, the other process has ended, and this one ends at once, in the
    middle of whatever it does.

    Args:
        noted: called with each message as it comes, in a thread of its own, whatever this one is doing: returns whether
            that was all; None: each is for ``next``
    """

    def __init__(self, noted: Callable[[Any], bool] | None = None) -> None:
        self._noted = noted
        self._answers = os.fdopen(os.dup(1), "wb")
        # what libraries print must not come between the answers
        os.dup2(2, 1)
        self._inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self) -> Any:
        """Returns the next message; waits for it."""
        return pickle.loads(self._inbox.get())

    def answer(self, message: object) -> None:
        """Sends an answer."""
        pickle.dump(pickle.dumps(message), self._answers)
        self._answers.flush()

    def _listen(self) -> None:
        while True:
            try:
                sent = pickle.load(sys.stdin.buffer)
            except (EOFError, pickle.UnpicklingError):
                os._exit(0)
            if self._noted is None or not self._noted(pickle.loads(sent)):
                self._inbox.put(sent)

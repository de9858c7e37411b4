"""A Python process that works for this one: a pipe each way, and the end of one is the end of the process."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys

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


def start(module: str) -> subprocess.Popen[bytes]:
    """Starts a process that calls a module's ``main``, with this one's path, environment and ``loupe``.

    What it reads are pickles of bytes that ``send`` wrote; what it prints to its standard output is read as such, too.
    """
    # it shares the cores with others: torch's threads must not keep a core busy while they wait for each other
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    command = [sys.executable, "-c", _START]
    popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert popen.stdin is not None
    with contextlib.suppress(OSError):
        pickle.dump((sys.path, loupe.__file__, module), popen.stdin)
    return popen


def send(popen: subprocess.Popen[bytes], message: object) -> None:
    """Sends a message; where the process is dying, its end is heard of elsewhere."""
    assert popen.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        pickle.dump(pickle.dumps(message), popen.stdin)
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

"""A worker that is asked to end: a batch has some seconds; what only signs off is not ended on the way."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, signal, sys, time
from loupe.brain.worker import signals

with signals.heard(0.1, lambda: print("put back", flush=True), lambda: sys.argv[1] == "busy"):
    os.kill(os.getpid(), signal.SIGTERM)
    signals.stopping.wait()
    time.sleep(2)
    print("signed off", flush=True)
"""


@pytest.mark.parametrize(("state", "status", "message"), [("busy", 1, "put back"), ("idle", 0, "signed off")])
def test_only_a_job_that_runs_is_ended_after_its_seconds(state: str, status: int, message: str) -> None:
    """Found by the fault campaign: a job ended just in time, and the worker was ended as it signed off."""
    done = subprocess.run([sys.executable, "-c", CODE, state], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.split("\n")) == (status, [message, ""]), done.stderr

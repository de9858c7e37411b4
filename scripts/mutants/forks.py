"""Runs pytest in a child of this process, which goes on from what is imported here already (see warm.py)."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: of one run; a mutant may ask for all there is
_MEMORY_BYTES = 12 * 1024**3
#: a run may take so many times its processor's time, as others work beside it
_PATIENCE = 3
#: a run in which nothing has moved for so long waits for what never comes
_IDLE_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """How a run of pytest ended.

    Attributes:
        code: pytest's exit status; negative: the signal that ended it; None: it hung
        failed: the tests that failed
        seconds: how long each test file took
        passed: the slow tests that passed, and the seconds that each of them took
        output: the end of what was printed
    """

    code: int | None
    failed: tuple[str, ...]
    seconds: dict[str, float]
    passed: dict[str, float]
    output: str


@dataclass(frozen=True)
class Slow:
    """Which slow tests run.

    Attributes:
        names: those that run after all that are not slow
        seconds: if given, slow tests run alone, one after the other until so much of the processor's time is over
    """

    names: Collection[str] = ()
    seconds: float | None = None


class _Recorder:
    def __init__(self, slow: Slow) -> None:
        self.failed: list[str] = []
        self.seconds: dict[str, float] = {}
        self.passed: dict[str, float] = {}
        self._slow, self._names = slow, set(slow.names)
        self._took: dict[str, float] = {}
        self._began = time.process_time()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        slow = [item for item in items if item.get_closest_marker("slow") is not None]
        if self._slow.seconds is None:
            fast = [item for item in items if item not in slow]
            items[:] = [*fast, *(item for item in slow if item.nodeid in self._names)]
        else:
            items[:] = slow
        self._names |= {item.nodeid for item in slow}

    def pytest_runtest_teardown(self, item: Any) -> None:
        if self._slow.seconds is not None and time.process_time() > self._began + self._slow.seconds:
            item.session.shouldstop = "the time is over"

    def pytest_runtest_logreport(self, report: Any) -> None:
        path = report.nodeid.partition("::")[0]
        self.seconds[path] = self.seconds.get(path, 0.0) + report.duration
        self._took[report.nodeid] = self._took.get(report.nodeid, 0.0) + report.duration
        if report.passed and report.when == "call" and report.nodeid in self._names:
            self.passed[report.nodeid] = self._took[report.nodeid]
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(f"{report.nodeid}::")


def run(
    project: Path,
    tests: Sequence[str],
    folder: Path,
    *,
    limit: float,
    first_only: bool = True,
    slow: Slow = Slow(),
) -> Outcome:
    """Runs the tests of these files, of the slow ones those alone that are asked for.

    Args:
        folder: for the run's own files; emptied before
        limit: seconds of the processor that it may take; it and what it started are killed then
        first_only: ends with the first test that fails
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_a_run(project, tests, folder, first_only, slow, math.ceil(limit))
    try:
        code = _wait(child, _PATIENCE * limit)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and what the tests left running
    output = (folder / "output").read_text(encoding="utf-8", errors="replace") if (folder / "output").exists() else ""
    recorded: dict[str, Any] = {"failed": [], "seconds": {}, "passed": {}}
    with suppress(OSError, ValueError):
        recorded = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))
    return Outcome(code, tuple(recorded["failed"]), recorded["seconds"], recorded["passed"], output[-3000:])


def _wait(child: int, limit: float) -> int | None:
    began = moved = time.monotonic()
    used = 0
    while (now := time.monotonic()) < min(began + limit, moved + _IDLE_SECONDS):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return None if code == -signal.SIGXCPU else code
        if now > moved + 1 and (until_now := _processor_time(child)) != used:
            moved, used = now, until_now
        time.sleep(0.02 if now < began + 5 else 0.2)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _processor_time(group: int) -> int:
    """Returns the ticks that the processes of a group have used; where nobody says, another number each time."""
    if not Path("/proc/self/stat").is_file():
        return time.monotonic_ns()
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            # the name, in brackets, may hold spaces
            facts = stat.read_text().rpartition(")")[2].split()
            used += int(facts[11]) + int(facts[12]) if int(facts[2]) == group else 0
    return used


def _be_a_run(project: Path, tests: Sequence[str], folder: Path, first_only: bool, slow: Slow, limit: int) -> None:
    code = 3
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT, 0o600)
        for standard, target in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
            os.dup2(target, standard)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
        # a mutant's bytecode must not be taken for the file's own later
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.environ["FIFTYONE_DATABASE_NAME"] = name = f"run-{os.getpid()}"
        if "fiftyone" in sys.modules:
            sys.modules["fiftyone"].config.database_name = name
        recorder = _Recorder(slow)
        options = ["-q", "-p", "no:cacheprovider", "--basetemp", str(folder / "tmp")]
        if first_only:
            options.append("-x")
        code = int(pytest.main([*options, "--rootdir", str(project), *tests], plugins=[recorder]))
        recorded = {"failed": recorder.failed, "seconds": recorder.seconds, "passed": recorder.passed}
        (folder / "recorded.json").write_text(json.dumps(recorded), encoding="utf-8")
        _drop_database()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if code >= 0 else 3)


def _drop_database() -> None:
    database = sys.modules.get("fiftyone.core.odm.database")
    if database is not None and database.get_db_client() is not None:
        database.drop_database()

"""Each thing that is measured runs in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    Attributes:
        wall: seconds
        cpu: CPU seconds of its process, and of those that this one started and that have ended
        before, peak: GiB that the process had taken before the work, and at most
        database: CPU seconds of MongoDB meanwhile
        others: GiB that the processes that it started took at most, together; what they share does not count
    """

    wall: float
    cpu: float
    before: float
    peak: float
    database: float = 0.0
    others: float = 0.0


def peak_gib() -> float:
    """Returns the most memory that this process has had, in GiB."""
    # Linux counts what the parent held when it started this process to the other figure
    return memory_of(os.getpid()) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def of_process(pid: int) -> float:
    """Returns the CPU seconds that a process has taken; 0 where that cannot be told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Returns the most memory that a process has had, in GiB; 0 where that cannot be told."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM")), 0.0)


def timed(work: Callable[[], object]) -> Cost:
    """Returns what the work took in this process."""
    before = peak_gib()
    with _others() as maximum:
        wall, cpu = time.perf_counter(), sum(os.times()[:4])
        work()
        took = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
    return Cost(*took, before, peak_gib(), others=maximum[0])


@contextmanager
def _others() -> Iterator[list[float]]:
    """Yields the most GiB that the processes which this one starts take together, looked at twice a second."""
    maximum, is_over = [0.0], threading.Event()

    def look() -> None:
        while not is_over.wait(0.5):
            with suppress(psutil.Error):
                taken = [child.memory_info() for child in psutil.Process().children(recursive=True)]
                maximum[0] = max(maximum[0], sum(each.rss - each.shared for each in taken) / 2**30)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield maximum
    finally:
        is_over.set()
        thread.join()


def tell(cost: Cost, **facts: str) -> None:
    """Prints the cost, and what else there is to tell, as the last line of this process, for ``apart_with``."""
    print(json.dumps({"cost": asdict(cost), "facts": facts}), flush=True)


def apart(module: str, *arguments: str, database: int | None = None) -> Cost:
    """Returns what a module that ends with ``tell`` took; the rest as for ``apart_with``."""
    return apart_with(module, *arguments, database=database)[0]


def apart_with(module: str, *arguments: str, database: int | None = None) -> tuple[Cost, dict[str, str]]:
    """Returns what a module that ends with ``tell`` took, in a process of its own, and what else it tells.

    Args:
        module: its name
        arguments: of its command line
        database: the process id of MongoDB, whose CPU seconds are told too

    Raises:
        RuntimeError: it failed
    """
    before = of_process(database) if database else 0.0
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False, timeout=7200
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed: {done.stderr[-2000:]}")
    reported = json.loads(done.stdout.strip().splitlines()[-1])
    after = of_process(database) if database else 0.0
    return Cost(**{**reported["cost"], "database": after - before}), reported["facts"]

"""The peak memory of the default checks: as a module of its own, of this process."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.speed.checks import run
from benchmarks.speed.pictures import default_checks, write_files


def print_memory() -> None:
    """Prints the peak memory over 500 and over 2,000 pictures, each in a process of its own."""
    for n in (500, 2000):
        peak = subprocess.check_output([sys.executable, "-m", "benchmarks.speed.memory", str(n)], text=True)
        print(f"{n} pictures: peak memory {float(peak):.0f} MiB")


def peak_of(n: int) -> float:
    """Returns this process's peak memory in MiB, after checking n pictures."""
    with tempfile.TemporaryDirectory() as folder:
        run(write_files(Path(folder) / "a", 100, ".jpg") * (n // 100), default_checks())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    print(peak_of(int(sys.argv[1])))

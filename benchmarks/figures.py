"""How the benchmarks print: a share never without its interval and its n, a table never without its machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from loupe.brain.stats.intervals import wilson


def share(hits: int, n: int) -> str:
    """Returns a share with its 95 % Wilson interval and its n.

    >>> share(3, 4)
    '0.750 [0.301, 0.954] (3/4)'
    """
    if not n:
        return "– (0)"
    low, high = (float(end) for end in wilson(hits, n))
    return f"{hits / n:.3f} [{low:.3f}, {high:.3f}] ({hits}/{n})"


def machine() -> str:
    """Returns what the figures were measured on: processor, cores, Python and the libraries that decide the speed."""
    names = ("torch", "onnxruntime", "numpy", "Pillow", "opencv-python-headless", "fiftyone")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()

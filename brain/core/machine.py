"""What this process may use of its machine: cores and memory, as far as its container has less than the machine."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (_CGROUP / "memory.max", _CGROUP / "memory" / "memory.limit_in_bytes")
_USED = (_CGROUP / "memory.current", _CGROUP / "memory" / "memory.usage_in_bytes")


def cores(quota: Path = _CGROUP / "cpu.max") -> int:
    """Returns the cores that this process may use, at least 1: of the machine, or the share that its container has.

    Args:
        quota: microseconds of processor time in a period of so many, as the second version of Linux's cgroups has it
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = map(int, quota.read_text().split())
    except (OSError, ValueError):  # none, or "max"
        return here
    # half a core more is not worth a thread
    return max(1, min(here, allowed // period))


def memory(limits: tuple[Path, ...] = _LIMITS) -> int:
    """Returns the bytes that there are for this process: of the machine, or of its container where that has less."""
    return min([_memory()[0], *_numbers(limits)])


def free_memory(limits: tuple[Path, ...] = _LIMITS, used: tuple[Path, ...] = _USED) -> int:
    """Returns the bytes that nobody uses now, of the machine or of the container, whichever are less."""
    free = _memory()[1]
    for limit, taken in zip(_numbers(limits), _numbers(used), strict=False):
        free = min(free, limit - taken)
    return max(0, free)


def _memory() -> tuple[int, int]:
    """Returns the machine's bytes, and how many of them nobody uses."""
    try:
        import psutil
    except ImportError:  # on a GPU machine that has little but torch; what caches hold counts as used there
        page = os.sysconf("SC_PAGE_SIZE")
        return os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    whole = psutil.virtual_memory()
    return int(whole.total), int(whole.available)


def _numbers(files: tuple[Path, ...]) -> list[int]:
    """Returns the numbers that files hold; there is none, or it says "max", where there is no limit."""
    numbers = []
    for file in files:
        try:
            numbers.append(int(file.read_text()))
        except (OSError, ValueError):
            continue
    return numbers

"""How much memory a process may take here, and how much it takes."""

from __future__ import annotations

import re

import psutil

from loupe.brain.core import machine
from loupe.brain.core.errors import InputError

#: of what there is, what a worker may take by default
SHARE = 0.8
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SMALLEST = 10**8


def limit(given: str | None) -> int:
    """Returns the bytes that a worker may take.

    Args:
        given: as "12GB", "800 MB" or "16GiB"; None: 80 % of what there is

    Raises:
        InputError: it is no such size, or one that nothing runs in

    >>> limit("1.5GB"), limit("2GiB")
    (1500000000, 2147483648)
    """
    if given is None:
        return int(SHARE * machine.memory())
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", given.lower())
    size = 0 if parts is None else int(float(parts[1]) * _UNITS[parts[2] or ""])
    if size < _SMALLEST:
        raise InputError(f"expected an amount of memory of at least 100 MB, as '12GB' or '16GiB', got {given!r}"[:300])
    return size


def free(limit: int, own: int) -> int:
    """Returns the bytes that a job may take here now.

    Args:
        limit: what it may take at most
        own: what the process that runs it takes already
    """
    return min(limit, psutil.virtual_memory().available + own)


def words(size: float) -> str:
    """Returns a size in words.

    >>> words(13_100_000_000), words(640_000_000)
    ('13.1 GB', '640 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def used(process: int) -> int:
    """Returns the bytes that a process and those that it started take; files that are only mapped do not count."""
    try:
        first = psutil.Process(process)
        return sum(map(_own, [first, *first.children(recursive=True)]))
    except psutil.Error:
        return 0


def _own(process: psutil.Process) -> int:
    try:
        facts = process.memory_info()
    except psutil.Error:
        return 0
    return int(facts.rss - getattr(facts, "shared", 0))

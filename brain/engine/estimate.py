"""How long checks will take on this machine, told before they run: by their stated costs and by how fast it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import cache

import numpy as np

from loupe.brain.core.specs import Check

#: milliseconds that reading a JPEG of 1024 x 1024 pixels takes on one core of the machine that the costs were taken on
_READING = 11.0
#: milliseconds of the probe there
_PROBE = 0.57
_TRIES = 5


def seconds(checks: Iterable[Check], n: int, *, speed: float | None = None, cores: int | None = None) -> float:
    """Returns about how many seconds n pictures of 1024 x 1024 pixels take on the CPU.

    Args:
        checks: what is to run
        n: how many pictures
        speed: of a core, 1 where the costs were measured; that of this machine by default
        cores: how many there are; those of this process by default

    >>> from loupe.brain.checks.sharpness import Sharpness
    >>> seconds([Sharpness()], 1000, speed=1, cores=1) > 2 * seconds([Sharpness()], 1000, speed=2, cores=2)
    True
    """
    costs = [_READING, *(check.cost for check in checks)]
    # a check runs on one core at a time: the dearest of them is the least that a picture takes
    cost = max(sum(costs) / (_cores() if cores is None else cores), *costs)
    return n * cost / 1000 / (core_speed() if speed is None else speed)


@cache
def core_speed() -> float:
    """Returns how fast a core is; the best of a few short tries, in all some hundredths of a second."""
    numbers = np.random.default_rng(0).random(65536, dtype=np.float32)
    best = min(_timed(numbers) for _ in range(_TRIES))
    return _PROBE / 1000 / best


def _timed(numbers: np.ndarray) -> float:
    started = time.perf_counter()
    np.sort(numbers)
    np.sqrt(numbers * numbers + 1).cumsum()
    sum(range(20_000))
    return max(time.perf_counter() - started, 1e-6)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

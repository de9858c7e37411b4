"""How long checks will take on this machine, told before they run: by their stated costs and by how fast it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from loupe.brain.core import machine
from loupe.brain.core.specs import Check

#: milliseconds that reading a JPEG of 1024 x 1024 pixels takes on one core of the machine that the costs were taken on,
#: and what reading and judging take of a picture however small it is
_READING, _EACH_READ, _EACH_JUDGED = 11.0, 0.5, 0.3
#: milliseconds of the probe there
_PROBE = 0.57
_TRIES = 5
#: a check that takes so many milliseconds is a network: of its cost that share is left for a picture of 32 x 32 pixels
_NETWORK, _NETWORK_SHARE = 10.0, 0.2
#: pixels of the pictures that the costs were taken of
_MEGAPIXEL = 1024 * 1024


def seconds(
    checks: Iterable[Check],
    n: int,
    *,
    megapixels: Sequence[float] = (),
    speed: float | None = None,
    cores: int | None = None,
) -> float:
    """Returns about how many seconds n pictures take on the CPU.

    Args:
        checks: what is to run
        n: how many pictures
        megapixels: how large some of them are, in millions of pixels; without any 1024 x 1024 pixels
        speed: of a core, 1 where the costs were measured; that of this machine by default
        cores: how many there are; those of this process by default

    >>> from loupe.brain.checks.sharpness import Sharpness
    >>> seconds([Sharpness()], 1000, speed=1, cores=1) > 2 * seconds([Sharpness()], 1000, speed=2, cores=2)
    True
    >>> seconds([Sharpness()], 1000, megapixels=[0.001], speed=1) < seconds([Sharpness()], 1000, speed=1) / 4
    True
    """
    pixels = [each * 1e6 for each in megapixels] or [_MEGAPIXEL]
    reading = _EACH_READ + _READING * _mean(pixels) / _MEGAPIXEL
    costs = [(_EACH_JUDGED + check.cost * _share(check, pixels), check.reentrant()) for check in checks]
    # a check that keeps state runs on one core at a time: the dearest of them is the least that a picture takes
    alone = [cost for cost, reentrant in costs if not reentrant]
    total = reading + sum(cost for cost, _ in costs)
    cost = max(total / (machine.cores() if cores is None else cores), reading, *alone)
    return n * cost / 1000 / (core_speed() if speed is None else speed)


def _share(check: Check, pixels: Sequence[float]) -> float:
    """Returns the share of its cost that a check has: it looks at no more than its resolution has."""
    if check.long_side is None:
        return _mean(pixels) / _MEGAPIXEL
    max_pixels = min(check.long_side**2, _MEGAPIXEL)
    share = _mean([min(each, max_pixels) for each in pixels]) / max_pixels
    return max(share, _NETWORK_SHARE) if check.cost >= _NETWORK else share


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


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

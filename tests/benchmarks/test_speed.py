"""``benchmarks.speed each``: what is computed for several counts for itself, and not for the one that asks first."""

from __future__ import annotations

import time
from functools import cached_property

import numpy as np
import pytest

from benchmarks.speed.each import ratio
from benchmarks.speed.laps import Clock


def busy(seconds: float) -> None:
    """Keeps this thread's core for that much processor time, however long that takes."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Batch:
    """Two checks share a part."""

    @cached_property
    def part(self) -> int:
        """Takes longer than what asks for it."""
        busy(0.3)
        return 1


def test_what_is_shared_is_told_apart_from_who_asks_first() -> None:
    clock = Clock()
    clock.watch(Batch, "")

    def check(batch: Batch) -> int:
        busy(0.02)
        return batch.part

    first, second = clock.charged("first", check), clock.charged("second", check)
    batch = Batch()
    assert first(batch) + second(batch) == 2
    assert set(clock.seconds) == {"first", "second", "shared: part"}
    assert clock.seconds["shared: part"] >= 0.3
    assert 0.02 <= clock.seconds["first"] < 0.2
    assert 0.02 <= clock.seconds["second"] < 0.2


def test_a_part_that_breaks_leaves_the_clock_right() -> None:
    clock = Clock()

    def breaks() -> None:
        raise ValueError("no")

    def outer() -> None:
        with pytest.raises(ValueError, match="no"):
            clock.charged("inner", breaks)()
        busy(0.3)

    clock.charged("outer", outer)()
    assert clock.seconds["outer"] >= 0.3
    assert clock.seconds["inner"] < 0.2


def test_the_ratio_is_of_the_sums_and_its_interval_of_rounds_in_pairs() -> None:
    before, now = np.array([2.0, 4.0, 3.0]), np.array([1.0, 2.0, 1.5])
    assert ratio(before, now) == (2.0, 2.0, 2.0)
    middle, low, high = ratio(before, np.array([1.0, 4.0, 1.5]))
    assert low < middle < high

"""What `benchmarks.faults workers --needs` says of jobs: where they ran, how often, and whether one was passed over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from benchmarks.faults.needing import NEEDS, WORKERS, Ran, judged

_START = datetime(2026, 1, 1)


def ran(need: str, by: str, queued: float, started: float, ended: float, error: str = "") -> Ran:
    """A job, by seconds; the workers that began it are parted by commas."""
    times = (_START + timedelta(seconds=seconds) for seconds in (queued, started, ended))
    return Ran(need, tuple(by.split(",")), error, *times)


def test_what_is_right_is_said_to_be() -> None:
    made = judged(
        [
            ran("nothing", "none", 0, 1, 5),
            ran("cuda:1", "80 GB", 1, 2, 6),
            # the next ones wait for the only one that may run them, and for nobody else
            ran("40 GB free", "80 GB", 2, 6.5, 9),
            ran("any GPU", "24 GB", 3, 3.5, 4),
            ran("a worker by name", "none", 3.5, 5.5, 7),
        ]
    )
    assert (made.n, made.once) == (5, 5)
    assert (made.failed, made.elsewhere, made.passed) == ([], [], [])
    assert made.idle == pytest.approx([1, 1, 0.5, 0.5, 0.5])


def test_what_is_wrong_is_said() -> None:
    made = judged(
        [
            ran("nothing", "none,24 GB", 0, 1, 5),
            ran("cuda:1", "24 GB", 1, 6, 7, "broken"),
            ran("40 GB free", "80 GB", 2, 3, 4),
        ]
    )
    assert made.once == 1
    assert made.failed == ["cuda:1: broken"]
    assert made.elsewhere == ["cuda:1 on 24 GB"]
    assert made.passed == ["cuda:1 by 40 GB free on 80 GB"]


def test_each_need_is_of_workers_that_there_are() -> None:
    assert all(fit and fit <= set(WORKERS) for _, _, _, fit in NEEDS.values())

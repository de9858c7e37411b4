"""Two real processes work on one dataset at the same moment: nothing is lost, doubled or half."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(600)]

SITUATIONS = ("verdicts", "thresholds", "runs", "fields", "generate", "import")


@pytest.fixture(scope="module")
def sides(database: str) -> Iterator[Any]:
    from benchmarks.faults.writers import Side

    both = Side("left"), Side("right")
    yield both
    for side in both:
        side.end()


@pytest.mark.parametrize("name", SITUATIONS)
def test_two_writers_lose_and_double_nothing(sides: Any, name: str) -> None:
    from benchmarks.faults.writers import tried

    assert {key: count for key, count in tried(name, sides, 3).items() if count} == {}


@pytest.mark.parametrize("name", ["runs", "generate", "import"])
def test_what_a_killed_writer_left_is_finished_by_the_next(database: str, name: str) -> None:
    from benchmarks.faults.writers import killed

    assert {key: count for key, count in killed(name, 1).items() if count} == {}


def test_the_list_of_situations_is_whole(database: str) -> None:
    from benchmarks.faults import writers

    assert tuple(writers.SITUATIONS) == SITUATIONS

"""What `benchmarks.cluster` reckons with; its engines run in tests/engine/test_ray.py, where a cluster is up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from benchmarks.cluster import database, plan
from benchmarks.cluster.engines import _Clock


def test_cpu_is_that_of_processes_that_are_there_now() -> None:
    before = _Clock(10.0, 1.0, {(7, 100.0): 5.0, (8, 100.0): 2.0})
    # one has ended, another one has its number, a third is new
    after = _Clock(14.0, 1.5, {(7, 100.0): 5.5, (8, 120.0): 0.25, (9, 130.0): 1.0})
    assert after.since(before) == pytest.approx((4.0, 0.5, 0.5 + 0.25 + 1.0))


def test_a_plan_multiplies(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @contextlib.contextmanager
    def nothing() -> Iterator[None]:
        yield

    steps = [database.Stored("bare", 1000, 2000, 40, 1.0), database.Stored("scores", 7000, 9000, 10, 1.0)]
    monkeypatch.setattr(plan, "own_database", nothing)
    monkeypatch.setattr(plan, "measured", lambda n: steps)
    plan.print_plan(250.0, 10_000.0, 0.1, 20_000)
    lines = capsys.readouterr().out.splitlines()
    billion = next(line for line in lines if "1,000,000,000" in line)
    cells = [cell.strip() for cell in billion.strip("|").split("|")]
    # a billion images by 250 a second are 1,111 core-hours; by 5,000 a second that the driver takes in, 55.6 hours
    assert cells == ["1,000,000,000", "100", "1,111.1", "93", "55.6", "8 TB", "11 TB", "50 GB"]
    assert any(line.startswith("One driver takes in 5,000 images a second: as many as 20 cores") for line in lines)

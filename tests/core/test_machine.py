"""What there is of the machine for this process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from loupe.brain.core import machine


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("", None), ("6400000000 100000", None)],
)
def test_cores_are_those_of_the_container(tmp_path: Path, quota: str, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert mine is not None
    assert machine.cores(file) == (cores or mine)
    assert machine.cores(tmp_path / "none") == mine


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not pin processes to cores")
def test_cores_are_those_that_this_process_is_pinned_to(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert machine.cores(tmp_path / "none") == 1
    finally:
        os.sched_setaffinity(0, before)


def test_memory_is_that_of_the_container(tmp_path: Path) -> None:
    total = psutil.virtual_memory().total
    small, unlimited, broken, used = (tmp_path / name for name in ("small", "unlimited", "broken", "used"))
    small.write_text("1000000000\n")
    unlimited.write_text("max\n")
    broken.write_text("")
    used.write_text("999000000\n")
    assert machine.memory((small, unlimited)) == 10**9
    assert machine.memory((unlimited, broken, tmp_path / "none")) == total
    assert machine.free_memory((small,), (used,)) == 10**6
    used.write_text("1000000001\n")
    assert machine.free_memory((small,), (used,)) == 0
    assert 0 < machine.free_memory((unlimited,), (used,)) <= total


def test_memory_without_psutil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a GPU machine that has little but torch."""
    whole = psutil.virtual_memory()
    monkeypatch.setitem(sys.modules, "psutil", None)
    none = (tmp_path / "none",)
    assert machine.memory(none) == pytest.approx(whole.total, rel=0.01)
    assert 0 < machine.free_memory(none, none) < whole.total

"""Processes that take over from threads as soon as there is anything to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from loupe.brain.core import machine
from loupe.brain.engine import local, row_processes
from loupe.brain.engine.reader import Row


def at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets them begin at once, two of them; returns where it is noted with how many each run goes on."""
    for name in ("FIRST", "COST", "ROW"):
        monkeypatch.setattr(local, name, 0.0)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    noted: list[int] = []
    run = row_processes.RowProcesses.run

    def spy(self: row_processes.RowProcesses, rows: Iterator[Row]) -> Iterator[Any]:
        noted.append(self.count)
        return run(self, rows)

    monkeypatch.setattr(row_processes.RowProcesses, "run", spy)
    return noted

"""What `benchmarks.faults workers` cancels: its settings are taken by the forms, and what it says is counted right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults import cancels


@pytest.mark.database
def test_each_call_is_taken_by_its_form(database: str, tmp_path: Path) -> None:
    from loupe.brain.store import jobs

    with cancels.known(tmp_path, 40) as dataset:
        for verb in cancels.LONG:
            assert jobs.cancel(cancels.scheduled(dataset, verb, tmp_path)), verb


def test_seconds_are_told_and_what_nobody_looked_at_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancels, "_jobs", list)
    made = cancels.Cancelled("embed", 3.0, half=None)
    for seconds, cpu in ((1.0, 0.2), (3.0, 0.4)):
        made.take((seconds, cpu))
    words = str(made).split()
    assert words == ["embed", "3.0", "2", "2.00", "3.00", "0.30", "0.40", "0", "2", "-", "0"]
    assert str(cancels.Cancelled("embed", np.nan, failed="no field")) == "embed fails undisturbed: no field"

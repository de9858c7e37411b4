"""The benchmark that tells which verb's time grows faster than the samples."""

from __future__ import annotations

import argparse
import math
from contextlib import nullcontext

import pytest

from benchmarks.scale import growth


def _run(monkeypatch: pytest.MonkeyPatch, taken: dict[str, list[float]]) -> None:
    monkeypatch.setattr(growth, "own_database", nullcontext)
    monkeypatch.setattr(growth, "measured", lambda numbers, only: taken)
    growth.run(argparse.Namespace(n=[1000, 4000], only=None))


def test_what_grows_with_the_square_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"too steep: b$"):
        _run(monkeypatch, {"a": [0.1, 1.0, 4.0], "b": [0.1, 1.0, 16.0], "find_outliers": [0.1, 1.0, 16.0]})
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "| a | 1.00 | 4.00 | 1.00 |",
        "| b | 1.00 | 16.00 | 2.00 |",
        "| find_outliers | 1.00 | 16.00 | 2.00 |",
    ]


def test_what_was_refused_is_told_and_steep_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, {"a": [0.1, 1.0, math.nan]})
    assert capsys.readouterr().out.splitlines()[-1] == "| a | 1.00 | nan | – (too quick to tell, or refused) |"


def test_what_is_quick_or_known_to_compare_all_with_all_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, {"quick": [0.0, 0.01, 0.4], "find_leaks": [0.1, 1.0, 16.0]})


@pytest.mark.parametrize("numbers", [[100], [200, 100], [100, 100]])
def test_numbers_that_tell_nothing_are_refused(numbers: list[int]) -> None:
    with pytest.raises(SystemExit, match="expected two or more numbers of samples, ascending"):
        growth.run(argparse.Namespace(n=numbers, only=None))


@pytest.mark.slow
@pytest.mark.database
def test_each_call_runs_on_few_samples(database: str) -> None:
    taken = growth.measured([300])
    assert list(taken) == list(growth.calls())
    assert all(len(seconds) == 1 and min(seconds) >= 0 for seconds in taken.values())
    assert max(taken["equal files"]) > 0
    assert set(taken) >= growth.ALL_WITH_ALL, "what may be steep is called what it is called in the table"

"""The hostile campaign: it notices what goes wrong, goes on where it was ended, and a sample comes out clean."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fuzz import campaign, kinds, pool


def test_all_kinds_come_in_each_hundred() -> None:
    for start in (0, 700):
        names = [kinds.kind_of(number) for number in range(start, start + 100)]
        assert {name: names.count(name) for name in kinds.KINDS} == {
            name: kind.share for name, kind in kinds.KINDS.items()
        }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads /proc")
def test_what_goes_wrong_is_noticed_and_its_input_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that raises, crashes, hangs, holds too much, starts a program, runs a text as code or opens a file."""
    monkeypatch.setattr(pool, "SECONDS", 1.0)
    support = Path(__file__).resolve().parents[1] / "support"
    monkeypatch.setenv("PYTHONPATH", f"{support}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    child = pool.Child(tmp_path / "own", "wrong_cases")
    try:
        rows = child.block(3, 0, 9, tmp_path / "kept")
    finally:
        child.end()
    assert [row["case"] for row in rows] == list(range(9))
    messages = [row["wrong"].replace('"', "'") for row in rows]
    expected = [
        *("", "KeyError: ''x'' at wrong_cases.py", "crashed: the process ended with -11"),
        *(
            "hung: 1 s of processor time",
            "memory: held ",
            "did 'subprocess.Popen",
            "did '",
            "did 'open /etc/hostname",
            "",
        ),
    ]
    for message, start in zip(messages, expected, strict=True):
        assert message.startswith(start) and bool(message) == bool(start), messages  # noqa: PT018
    assert "<string>" in messages[6]
    kept = {path.name: sorted(file.name for file in path.iterdir()) for path in (tmp_path / "kept").iterdir()}
    assert kept["3-1"] == kept["3-2"] == ["input.txt", "wrong"]
    assert sorted(kept) == [f"3-{number}" for number in range(1, 8)]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads /proc")
def test_a_sample_comes_out_clean_and_goes_on_where_it_was_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = 90_000
    first = campaign.run(seed, 200, tmp_path, workers=2)
    path = tmp_path / f"seed-{seed}.jsonl"
    with path.open("a") as file:
        file.write('{"first": 200, "cou')  # killed while it wrote
    path.write_text(path.read_text() + "\n")
    rows = campaign.run(seed, 1500, tmp_path, workers=2)
    assert rows[:2] == first
    assert len([line for line in path.read_text().splitlines() if json.loads(line if line[-1] == "}" else "0")]) == 15
    assert campaign.print_table(rows) == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    total = next(line for line in out.splitlines() if line.startswith("| all |"))
    assert total.split("|")[2].strip() == "1,500"
    assert "0, at most 0.002 |" in total


def test_a_wrong_case_ends_the_command_with_how_to_try_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"of": "PNG", "came": "wrong", "wrong": "crashed: -11", "s": 0.1, "mib": 3, "case": 4711}]
    rows.append({"of": "PNG", "came": "ok", "wrong": "", "s": 0.2, "mib": 3, "case": 4712})
    monkeypatch.setattr(pool, "tried", lambda *_: (each for each in [(0, rows)]))
    with pytest.raises(SystemExit):
        campaign.print_campaign(5, 100, tmp_path, 1, None)
    printed = capsys.readouterr()
    assert "| PNG | 2 | 1 | 0 | 1 | 0 | 0 | 0 | 0.500 [0.095, 0.905] (1/2) |" in printed.out
    assert "python -m benchmarks.fuzz one --seed 5 4711" in printed.err


@pytest.mark.database
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hostile_names_are_letters_in_records_pages_a_panel_and_a_form(database: str, tmp_path: Path) -> None:
    """A sample of ``shown``: two panels and two operators; what is left unescaped in one of them is noticed."""
    from benchmarks.fuzz import app

    made = app.tried(1, tmp_path, ("overview", "failures_by_scenario"), ("slice", "report"))
    assert made.wrong == []
    assert made.drawn > 40


@pytest.mark.database
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_panel_that_is_not_escaped_is_noticed(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.fuzz import app
    from loupe.panels.failures_by_scenario import bars, layout, plot

    for module in (bars, layout, plot):
        for name in ("plotly", "escape"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, str)
    monkeypatch.setattr(app, "_filled", _checked)
    monkeypatch.setattr(app, "_files", lambda _: ())
    made = app.tried(2, tmp_path, ("failures_by_scenario",), ())
    assert any("failures_by_scenario" in each for each in made.wrong), made.drawn


def _checked(own: Any, _: Any) -> Iterator[tuple[str, Any]]:
    import loupe

    yield "check", loupe.check(own.made, ["exposure", "sharpness"])

"""``loupe check FOLDER``: from a folder to a table and a page, by one command."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from loupe.brain import cli
from loupe.brain.core.results import Rate, Rates, Slice

pytestmark = pytest.mark.database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, one of them black, in a folder whose name is no good as markup."""
    made = tmp_path / "<b>my pictures"
    made.mkdir()
    rng = np.random.default_rng(0)
    for index in range(4):
        pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels * (index != 0)).save(made / f"{index}.png")
    return made


def test_a_folder_becomes_a_table_and_a_page(
    database: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "out.html"
    given = ["check", str(folder), "--checks", "dark", "bright", "--report", str(report), "--quiet"]
    assert cli.main(given) == 0
    printed = capsys.readouterr()
    head = next(line for line in printed.out.splitlines() if line.startswith("slice"))
    row = next(line for line in printed.out.splitlines() if " dark " in line)
    assert row.split()[:2] == ["all", "dark"]
    # so few samples stand in brackets
    assert "(25.0 %)" in row
    for column, value in (("failed", 1), ("judged", 4), ("unknown", 0), ("unchecked", 0)):
        end = head.index(column) + len(column)
        assert row[:end].split()[-1] == str(value)
    page = report.read_text(encoding="utf-8")
    assert "<b>my" not in page
    assert "&lt;b&gt;my pictures</h1>" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page), "it needs nothing else"
    assert "1 of 4 judged" in page

    # again: nothing is judged anew, and nothing is added
    assert cli.main(given) == 0
    assert capsys.readouterr().out == printed.out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["check", "/nowhere/at/all"], "expected a folder of images, got nothing at /nowhere/at/all"),
        (["check", "{folder}", "--checks", "blury", "--quiet"], "Did you mean 'blur'?"),
        (["check", "{folder}", "--checks", "dark", "--report", "/nowhere/out.html", "--quiet"], "none at /nowhere"),
        (["check", "{folder}", "--checks", "dark", "--report", "out.pdf", "--quiet"], "ends in .html"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    database: str, folder: Path, capsys: pytest.CaptureFixture[str], given: list[str], message: str
) -> None:
    assert cli.main([part.replace("{folder}", str(folder)) for part in given]) == 1
    error = capsys.readouterr().err
    assert "loupe check: " in error
    assert message in error
    assert "Traceback" not in error


def test_the_worst_stands_first_and_what_nobody_judged_last() -> None:
    def made(failure: str, failures: int, n: int) -> Rate:
        return Rate(Slice({}), failure, n, failures, 0, 0, failures / n if n else float("nan"), 0.0, 1.0)

    rates = [made("blur", 0, 0), made("dark", 1, 10), made("bright", 5, 10)]
    assert [rate.failure for rate in cli.by_rate(rates)] == ["bright", "dark", "blur"]
    assert isinstance(cli.by_rate(rates), Rates)

"""The command line with arguments that cannot be meant, and after Ctrl+C: one clear line, and nothing left over."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.database, pytest.mark.timeout(600)]

#: arguments, the status that the command ends with, and what it says; {…} is a place of the test's own
WRONG: list[tuple[list[str], int, str]] = [
    (["nonsense"], 2, "invalid choice: 'nonsense'"),
    (["check"], 2, "required: folder"),
    (["check", ""], 1, "got an empty text"),
    (["check", "/nowhere"], 1, "expected a folder of images, got nothing"),
    (["check", "\x00"], 1, "expected a folder of images, got nothing"),
    (["check", "{file}"], 1, "expected a folder of images, got a file"),
    (["check", "{empty}", "--quiet"], 1, "got none"),
    (["check", "{pictures}", "--checks", "sharpnes", "--quiet"], 1, "Did you mean 'sharpness'?"),
    (["check", "{pictures}", "--report", "x.pdf", "--quiet"], 1, "expected a path that ends in .html"),
    (["check", "{pictures}", "--report", "/nowhere/x.html", "--quiet"], 1, "none at /nowhere: make it first"),
    (["check", "{pictures}", "--prompts", "/nowhere.csv", "--quiet"], 1, "expected a readable prompt file"),
    (["check", "{pictures}", "--prompts", "{file}", "--quiet"], 1, "expected a .jsonl, .json, .csv"),
    (["check", "{pictures}", "--dataset", "?", "--quiet"], 1, "expected another name for a dataset than '?'"),
    (["experiment", "/nowhere.toml"], 1, "expected a plan, a .toml file"),
    (["experiment", "{empty}"], 1, "Is a directory"),
    (["experiment", "{file}"], 1, "expected TOML"),
    (["experiment", "{file}", "--measure", "x"], 2, "invalid int value"),
    (["worker", "--once", "--device", "nonsense"], 1, "expected a device such as"),
    (["worker", "--once", "--poll", "nan"], 1, "expected positive numbers of seconds"),
    (["worker", "--once", "--grace", "-5"], 1, "expected positive numbers of seconds"),
    (["worker", "--once", "--max-memory", "lots"], 1, "expected an amount of memory"),
    (["weights", "get", "nonsense"], 1, "nonsense"),
    (["weights", "remove"], 2, "invalid choice: 'remove'"),
    (["doctor", "x"], 2, "unrecognized arguments"),
]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl+C as in a terminal: what runs in the background may have been started so that it ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def places(pictures: list[Path], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "file.toml").write_text("not = [toml")
    (tmp_path / "empty").mkdir()
    folder = pictures[0].parent
    return {"{file}": str(tmp_path / "file.toml"), "{empty}": str(tmp_path / "empty"), "{pictures}": str(folder)}


@pytest.mark.parametrize(("arguments", "status", "says"), WRONG)
def test_a_wrong_argument_is_one_clear_line_and_leaves_nothing(
    database: str,
    places: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    says: str,
) -> None:
    import fiftyone as fo

    from loupe.brain.cli import main

    before = fo.list_datasets()
    try:
        ended = main([places.get(each, each) for each in arguments])
    except SystemExit as end:  # argparse's own
        ended = int(str(end.code))
    text = capsys.readouterr().err
    assert (ended, fo.list_datasets()) == (status, before), text
    assert says in text
    assert "Traceback" not in text
    if status == 1:
        assert len(text.strip().splitlines()) == 1, text


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_is_one_line(
    database: str, places: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    from loupe.brain import api, cli

    def interrupted(*args: Any, **kwargs: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    before = fo.list_datasets()
    monkeypatch.setattr(sys.modules[api.import_images.__module__], "import_images", interrupted)
    assert cli.main(["check", places["{pictures}"], "--dataset", "stopped", "--quiet"]) == 130
    text = capsys.readouterr().err
    assert text == "loupe check: stopped by you. What was done so far is kept; the same command goes on from there\n"
    assert fo.list_datasets() == before, "a dataset without a sample is no progress"


def test_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    from loupe.brain import cli

    for command in cli._COMMANDS:
        with pytest.raises(SystemExit) as end:
            cli.main([command, "--help"])
        assert end.value.code == 0
        assert len(capsys.readouterr().out) > 200, command

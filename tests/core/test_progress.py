"""What ``progress=`` may be."""

from __future__ import annotations

import pytest

from loupe.brain.core.progress import reporter
from loupe.brain.core.records import Progress


def test_a_function_is_called_itself() -> None:
    seen: list[Progress] = []
    report = reporter(seen.append, "check")
    report(Progress(1, 2))
    assert seen == [Progress(1, 2)]


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_unless_asked_for(progress: bool | None, capsys: pytest.CaptureFixture[str]) -> None:
    reporter(progress, "check")(Progress(1, 1, "reading"))
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_how_far_it_is_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    report = reporter(True, "check")
    report(Progress(1, 4, "reading"))
    shown = capsys.readouterr().err
    assert "check:  25%" in shown
    assert "1/4" in shown
    assert "reading" in shown
    assert "\n" not in shown, "it goes on in its line"
    report(Progress(4, 4, "reading"))
    assert "4/4" in capsys.readouterr().err
    report(Progress(4, 4, "reading"))
    assert "5" not in capsys.readouterr().err

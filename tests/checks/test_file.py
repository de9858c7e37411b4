"""The check that a file can be decoded, through the reader and the runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from loupe.brain.checks.file import File
from loupe.brain.core import registry
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row


def test_only_a_file_that_cannot_be_decoded_is_unreadable(pictures: list[Path], tmp_path: Path) -> None:
    whole = pictures[0].read_bytes()
    paths = {"good": pictures[0], "half": tmp_path / "half.png", "text": tmp_path / "text.png", "gone": tmp_path / "no"}
    paths["half"].write_bytes(whole[: len(whole) // 2])
    paths["text"].write_text("this is no picture")
    pending = frozenset({"file", "sharpness"})
    rows = [Row(name, str(path), pending=pending) for name, path in paths.items()]
    checks = [File(), registry.checks()["sharpness"]()]
    verdicts = {verdict.row.id: verdict for verdicts in runner.run(rows, checks) for verdict in verdicts}
    assert {name: verdict.scores["unreadable"] for name, verdict in verdicts.items()} == {
        "good": 0.0, "half": 1.0, "text": 1.0, "gone": 1.0,
    }  # fmt: skip
    # what cannot be decoded is a failure here, and unknown to every other check
    for name in ("half", "text", "gone"):
        assert "file" not in verdicts[name].reasons
        assert verdicts[name].scores["sharpness"] != verdicts[name].scores["sharpness"]
        assert verdicts[name].reasons["sharpness"].startswith("unreadable: ")


@pytest.mark.parametrize(("score", "failed"), [(0.0, False), (1.0, True)])
def test_the_default_threshold(score: float, failed: bool) -> None:
    import numpy as np

    threshold = File.outputs[0].default_threshold
    assert threshold is not None
    assert threshold.violates(np.array([score]))[0] == failed

"""Checks that stay loaded: several pictures of one sample have each their own scores, and a check is loaded once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from loupe.brain.checks.exposure import Exposure
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import Row


def test_pictures_of_one_sample_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for level in (30, 90, 240):
        path = tmp_path / f"{level}.png"
        Image.fromarray(np.full((40, 40, 3), level, np.uint8)).save(path)
        rows.append(Row("the same", str(path), {}, frozenset({"exposure"}), {"exposure": "key"}))
    loads = []
    real = Exposure.load
    monkeypatch.setattr(Exposure, "load", lambda self, device: loads.append(device) or real(self, device))
    loaded = Loaded([Exposure()], "cpu")
    for _ in range(2):
        verdicts = loaded.verdicts(rows)
        assert [verdict.row for verdict in verdicts] == rows
        assert [round(verdict.scores["brightness_p95"] * 255) for verdict in verdicts] == [30, 90, 240]
    assert loads == ["cpu"]

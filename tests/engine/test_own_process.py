"""A process that works for this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from loupe.brain.engine import own_process


@pytest.mark.parametrize(("own", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_its_threads_do_not_spin_unless_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, policy: str
) -> None:
    (tmp_path / "tells.py").write_text("import os\ndef main(): print(os.environ['OMP_WAIT_POLICY'])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if own is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)
    output, _ = own_process.start("tells").communicate(timeout=120)
    assert output.decode().strip() == policy


def test_what_the_user_has_set_is_not_set_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tells.py").write_text("import os\ndef main(): print(os.environ['FIRST'], os.environ['SECOND'])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("FIRST", "user")
    output, _ = own_process.start("tells", {"FIRST": "loupe", "SECOND": "loupe"}).communicate(timeout=120)
    assert output.decode().split() == ["user", "loupe"]

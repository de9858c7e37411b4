"""A table of model files, a cache, a server and a package index of the tests' own."""

from __future__ import annotations

import io
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_weights import CONTENT, entry

from loupe.brain.perception import weights_table
from loupe.brain.perception.weights_table import Source, Weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; no table, no further folders, and not offline."""
    for name in ("LOUPE_OFFLINE", "HF_HUB_OFFLINE", "LOUPE_WEIGHTS_DIRS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "cache"
    monkeypatch.setenv("LOUPE_WEIGHTS", str(folder))
    monkeypatch.setattr(weights_table, "TABLE", {})
    return folder


@pytest.fixture
def table(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Weights]:
    """Puts an entry into the table."""

    def put(name: str, *sources: Source, content: bytes = CONTENT) -> Weights:
        made = entry(name, *sources, content=content)
        monkeypatch.setitem(weights_table.TABLE, name, made)
        return made

    return put


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What stands behind which address; any other cannot be reached."""
    answers: dict[str, bytes] = {}

    class Opener:
        def open(self, request: urllib.request.Request, timeout: float) -> io.BytesIO:
            assert timeout > 0
            if request.full_url not in answers:
                raise urllib.error.URLError("no such host")
            return io.BytesIO(answers[request.full_url])

    monkeypatch.setattr(urllib.request, "build_opener", lambda *handlers: Opener())
    return answers


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What pip finds: the members of the wheel; and the commands that it was run with."""
    state: dict[str, Any] = {"members": {}, "commands": []}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        state["commands"].append(command)
        if not state["members"]:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution found\n")
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "package-1.0-py3-none-any.whl", "w") as archive:
            for name, content in state["members"].items():
                archive.writestr(name, content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return state

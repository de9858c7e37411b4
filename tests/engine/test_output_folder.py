"""The folder of generated images: whole files with their provenance, one writer, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from loupe.brain.core.errors import OutputError
from loupe.brain.engine import output_folder

KEY = "0" * 31 + "a"
FACTS = {
    "key": KEY,
    "prompt": "a red fox",
    "negative_prompt": "text",
    "steps": 20,
    "scheduler": "ddim",
    "guidance": 7.5,
    "seed": 3,
    "width": 5,
    "height": 4,
    "model": "tiny",
}


@pytest.fixture
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8))


def test_what_is_written_is_read_again(tmp_path: Path, image: Image.Image) -> None:
    path = output_folder.write(tmp_path, KEY, image, FACTS)
    assert path == output_folder.image_path(tmp_path, KEY) == tmp_path / f"{KEY}.png"
    assert [file.name for file in tmp_path.iterdir()] == [f"{KEY}.png"]
    with Image.open(path) as again:
        np.testing.assert_array_equal(np.asarray(again), np.asarray(image))
    # the size is the file's own, whatever was asked for
    assert output_folder.read_facts(path, KEY) == {**FACTS, "width": 5, "height": 4}
    output_folder.write(tmp_path, KEY, image, {"key": KEY, "prompt": "a red fox", "width": 99, "height": 98})
    assert output_folder.read_facts(path, KEY) == {"key": KEY, "prompt": "a red fox", "width": 5, "height": 4}


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        (
            FACTS,
            [
                "a red fox",
                "Negative prompt: text",
                "Steps: 20, Sampler: ddim, CFG scale: 7.5, Seed: 3, Size: 5x4, Model: tiny",
            ],
        ),
        ({"prompt": "a red fox", "negative_prompt": "", "seed": 0}, ["a red fox", "Seed: 0, Size: NonexNone"]),
    ],
)
def test_other_tools_find_the_prompt_and_the_settings(
    tmp_path: Path, image: Image.Image, facts: dict[str, Any], lines: list[str]
) -> None:
    with Image.open(output_folder.write(tmp_path, KEY, image, facts)) as written:
        assert written.info["parameters"].splitlines() == lines


def test_a_file_of_another_key_or_none_or_no_whole_image_is_not_taken(tmp_path: Path, image: Image.Image) -> None:
    path = output_folder.write(tmp_path, KEY, image, FACTS)
    assert output_folder.read_facts(path, "b") is None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 30])
    assert output_folder.read_facts(path, KEY) is None
    path.write_bytes(b"no image")
    assert output_folder.read_facts(path, KEY) is None
    path.unlink()
    assert output_folder.read_facts(path, KEY) is None
    image.save(path)
    assert output_folder.read_facts(path, KEY) is None
    for text in ("[1]", "no json"):
        info = PngInfo()
        info.add_text(output_folder.METADATA, text)
        image.save(path, pnginfo=info)
        assert output_folder.read_facts(path, KEY) is None


def test_of_an_image_that_cannot_be_written_nothing_is_left(tmp_path: Path, image: Image.Image) -> None:
    class Broken(Image.Image):
        def save(self, *_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

    whole = output_folder.write(tmp_path, KEY, image, FACTS).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        output_folder.write(tmp_path, KEY, Broken(), FACTS)
    assert [file.name for file in tmp_path.iterdir()] == [f"{KEY}.png"]
    assert output_folder.image_path(tmp_path, KEY).read_bytes() == whole


def test_a_folder_is_made_and_what_was_half_written_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    with output_folder.opened(folder):
        assert (folder / ".loupe.lock").read_text() == str(os.getpid())
    for name in (f".{KEY}.png.tmp", f".{KEY}.png.tmp2", ".mine.png.tmp", f"{KEY}.png"):
        (folder / name).touch()
    with output_folder.opened(folder):
        left = sorted(file.name for file in folder.iterdir())
    assert left == sorted([".loupe.lock", f".{KEY}.png.tmp2", ".mine.png.tmp", f"{KEY}.png"])


def test_there_is_one_writer_at_a_time(tmp_path: Path) -> None:
    waiting = """if True:
        import sys
        from pathlib import Path
        from loupe.brain.engine import output_folder
        with output_folder.opened(Path(sys.argv[1])):
            print("open", flush=True)
            sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", waiting, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with (
            pytest.raises(OutputError, match=f"but process {other.pid} does so now. Wait until it has ended"),
            output_folder.opened(tmp_path),
        ):
            pass
        other.kill()
    with output_folder.opened(tmp_path):
        assert (tmp_path / ".loupe.lock").read_text() == str(os.getpid()), "the lock ended with its process"


def test_where_nothing_can_be_locked_a_warning_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with output_folder.opened(tmp_path):
        pass
    assert "cannot be locked" in caplog.text


def test_what_cannot_be_removed_is_an_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: Any) -> None:
        raise PermissionError(errno.EACCES, "permission denied", path)

    (tmp_path / f".{KEY}.png.tmp").touch()
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="it may not be written"), output_folder.opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with (
            pytest.raises(OutputError, match=r"there is a file in its place\. Move that file"),
            output_folder.opened(folder),
        ):
            pass


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EDQUOT, "the disk is full. Free some space"),
        (errno.EROFS, "it may not be written. Give it write access"),
        (errno.EACCES, "it may not be written. Give it write access"),
        (errno.EPERM, "it may not be written. Give it write access"),
        (errno.EEXIST, "there is a file in its place. Move that file"),
        (errno.EIO, "Input/output error. Look into it"),
    ],
)
def test_an_error_says_what_to_do(code: int, reason: str) -> None:
    message = str(output_folder.writing_error(Path("out"), OSError(code, os.strerror(code))))
    assert message.startswith(f"expected a folder to write images to, but out: {reason}")
    assert message.endswith(", and repeat the same call")
    kept = str(output_folder.writing_error(Path("out"), OSError(code, os.strerror(code)), "3 images are kept. "))
    assert kept.endswith(", and repeat the same call, which goes on from there")
    assert "3 images are kept. " in kept


def test_an_error_without_a_number_is_quoted() -> None:
    assert "out: no such luck. Look into it" in str(output_folder.writing_error(Path("out"), OSError("no such luck")))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
def test_names_are_synced_through_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    before = len(os.listdir("/proc/self/fd"))
    output_folder.sync(tmp_path)
    assert synced == [str(tmp_path)]
    assert len(os.listdir("/proc/self/fd")) == before

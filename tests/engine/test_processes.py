"""Several processes that draw: the same files as one draws, and none is left, whatever happens to them."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from noise import Noise
from troubled import Troubled

from loupe.brain.core.errors import InputError, LoupeError, ModelError, ProcessLost, Stopped, UnknownName
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator
from loupe.brain.engine import drawing, drawing_process, processes
from loupe.brain.engine.drawing import Finished, Here, Item

pytestmark = pytest.mark.slow

TWO = ("cpu", "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    made.mkdir()
    return made


def wanted(*prompts: str) -> list[Item]:
    return [Item(f"{number:032x}", Request(prompt, number)) for number, prompt in enumerate(prompts)]


def many(count: int) -> list[Item]:
    return wanted(*(f"prompt {number}" for number in range(count)))


def drawn(
    spec: Generator, folder: Path, items: Sequence[Item], size: int = 4, devices: Sequence[str] = TWO
) -> tuple[list[Finished], dict[str, object], dict[str, str]]:
    with processes.opened(spec, folder, devices, lambda: None) as several:
        done = [each for each in several.run(drawing.batches(items, size)) if each is not None]
        return done, *several.account()


def gone(pids: Sequence[int]) -> bool:
    """Returns whether none of the processes is there in 20 seconds; a zombie of somebody else's is not."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def pids(notes: Path) -> list[int]:
    return [int(path.name) for path in notes.iterdir() if path.name.isdigit()]


def test_the_same_images_as_one_process_draws(folder: Path, notes: Path, tmp_path: Path) -> None:
    spec, items = Troubled(folder=str(notes)), many(22)
    done, account, lost = drawn(spec, folder, items)
    assert lost == {}
    assert sorted(len(each.images) for each in done) == [2, 4, 4, 4, 4, 4]
    assert sum(each["images"] for each in account["devices"]) == 22  # type: ignore[attr-defined]
    assert [each["device"] for each in account["devices"]] == ["cpu", "cpu"]  # type: ignore[attr-defined]
    alone = tmp_path / "alone"
    alone.mkdir()
    here = Here(spec, alone, spec.load("cpu"))
    by_key = {
        image.facts["key"]: image for each in here.run(drawing.batches(items, 4)) if each for image in each.images
    }
    seconds = {"seconds": 0}
    for image in (image for each in done for image in each.images):
        same = by_key.pop(image.facts["key"])
        assert {**image.facts, **seconds} == {**same.facts, **seconds}
        assert (image.prompt, image.factors) == (same.prompt, same.factors)
        pixels = [drawing.output_folder.read_facts(path, same.facts["key"]) for path in (image.path, same.path)]
        assert all(pixels)
        assert _pixels(image.path) == _pixels(same.path)
    assert not by_key
    assert len(pids(notes)) == 3, "two processes, and this one"
    assert gone([pid for pid in pids(notes) if pid != os.getpid()])


def _pixels(path: Path) -> bytes:
    from PIL import Image

    with Image.open(path) as image:
        return image.tobytes()


def test_what_is_there_is_adopted(folder: Path) -> None:
    items = many(8)
    Here(Noise(), folder, Noise().load("cpu"))
    before = drawing.finish(folder, Noise(), Noise().load("cpu"), items[:3]).images
    times = [image.path.stat().st_mtime_ns for image in before]
    done, *_ = drawn(Noise(), folder, items)
    assert sum(len(each.images) for each in done) == 8
    assert [image.path.stat().st_mtime_ns for image in before] == times


def test_a_batch_whose_process_is_killed_is_drawn_by_another(folder: Path, notes: Path) -> None:
    items = wanted(*(f"prompt {number}" for number in range(9)), "trouble", *(f"more {number}" for number in range(6)))
    # "first" is whoever loads first: the file is there already, and is taken away as soon as both have loaded
    spec = Troubled(trouble="dies once", folder=str(notes), pause=0.02)
    with processes.opened(spec, folder, TWO, lambda: None) as several:
        (notes / "first").unlink()
        done = [each for each in several.run(drawing.batches(items, 2)) if each is not None]
        account, lost = several.account()
    assert sorted(image.facts["key"] for each in done for image in each.images) == [item.key for item in items]
    assert {path.name for path in folder.iterdir()} == {f"{item.key}.png" for item in items}
    assert len(lost) == 1
    assert "SIGKILL" in next(iter(lost.values()))
    assert sum(each["images"] for each in account["devices"]) == len(items)  # type: ignore[attr-defined]


def test_images_that_cost_a_process_each_time_end_it(folder: Path, notes: Path) -> None:
    items = wanted(*(f"prompt {number}" for number in range(8)), "trouble", *(f"more {number}" for number in range(40)))
    spec = Troubled(trouble="dies", folder=str(notes))
    with pytest.raises(ProcessLost, match=r"cpu: its process was ended by SIGKILL.*the same call"):
        drawn(spec, folder, items, 2, ("cpu", "cpu", "cpu"))
    assert gone(pids(notes))
    assert not list(folder.glob("*.tmp"))


def test_a_process_that_exits_is_said_with_its_status(folder: Path, notes: Path) -> None:
    with pytest.raises(ProcessLost, match=r"cpu: its process broke \(status 3\)"):
        drawn(Troubled(trouble="exits", folder=str(notes)), folder, wanted("trouble"))


@pytest.mark.parametrize(
    ("trouble", "kind", "says"),
    [
        ("does not load", ModelError, "no room on cpu"),
        ("dies as it loads", ProcessLost, "SIGKILL, as the system does where memory is short, while it loaded"),
        ("cannot be sent back", InputError, "unknown model 'noisy'"),
        ("differs", ModelError, "expected the same generator on each device, got dtype='float"),
    ],
)
def test_what_cannot_be_loaded_is_one_error_and_all_end(
    folder: Path, notes: Path, trouble: str, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        drawn(Troubled(trouble=trouble, folder=str(notes)), folder, many(4))
    assert gone(pids(notes))
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("trouble", "kind", "says"),
    [("out of memory", ModelError, "memory of cuda:1"), ("breaks", ZeroDivisionError, "division by zero")],
)
def test_what_drawing_raises_comes_back(
    folder: Path, notes: Path, trouble: str, kind: type[Exception], says: str
) -> None:
    done, *_ = drawn(Troubled(trouble=trouble, folder=str(notes)), folder, wanted("a", "b", "trouble", "d"), 2)
    (error,) = [each.error for each in done if each.error is not None]
    assert isinstance(error, kind)
    assert says in str(error)
    if kind is ZeroDivisionError:
        assert "in _trouble" in error.__notes__[0], "where it was raised"


def test_a_stop_while_they_load_or_draw(folder: Path, notes: Path) -> None:
    def stop() -> None:
        raise Stopped("enough")

    with (
        pytest.raises(Stopped),
        processes.opened(Troubled(trouble="never loads", folder=str(notes)), folder, TWO, stop),
    ):
        pytest.fail("it has loaded")
    assert gone(pids(notes))
    items = many(40)
    with processes.opened(Noise(pause=0.02), folder, TWO, lambda: None) as several:
        keys = []
        for each in several.run(drawing.batches(items, 4)):
            keys += [image.facts["key"] for image in each.images] if each else []
            several.stop()
    # what was under way as it was stopped is there, too, and no more
    assert len(keys) in (8, 12)
    assert {path.stem for path in folder.iterdir()} == set(keys)


def test_warnings_come_here_and_each_once(folder: Path, notes: Path) -> None:
    with pytest.warns(UserWarning, match="a prompt is too long") as caught:
        drawn(Troubled(trouble="warns", folder=str(notes)), folder, many(12), 2)
    assert len(caught) == 1, [str(each.message) for each in caught]


def test_a_full_disk_comes_back_as_what_it_is(folder: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        done, *_ = drawn(Noise(size=64), folder, many(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert {type(each.error) for each in done} == {OSError}
    assert {each.error.errno for each in done} == {errno.EFBIG}  # type: ignore[union-attr]
    assert not list(folder.iterdir())


def test_a_generator_that_others_cannot_import(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Local(Noise):
        """Of a function."""

    with pytest.raises(InputError, match=r"sent to other processes, got noise: .*Name one device"):
        drawn(Local(), folder, many(2))
    monkeypatch.setattr(Local, "__module__", "__main__")
    with pytest.raises(InputError, match="got Local of a notebook or script: put it into a module"):
        drawn(Local(), folder, many(2))
    monkeypatch.setattr(sys, "path", [each for each in sys.path if not each.endswith("support")])
    with pytest.raises(InputError, match="other processes can import, and that goes wrong: No module named 'noise'"):
        drawn(Noise(), folder, many(2))


def test_settings_of_torch_are_taken_over() -> None:
    import torch

    before = drawing_process.torch_settings()
    other = {
        "threads": before["threads"] + 1,
        "precision": "high",
        "deterministic": True,
        "cudnn": {name: not value for name, value in before["cudnn"].items()},
    }
    try:
        drawing_process.set_torch(other, "cpu")
        assert drawing_process.torch_settings() == other
        assert torch.get_num_threads() == before["threads"] + 1
    finally:
        drawing_process.set_torch(before, "cpu")
    assert drawing_process.torch_settings() == before


def test_errors_that_another_process_can_read() -> None:
    class Odd(RuntimeError):
        """Cannot be pickled."""

    for error, kind in (
        (ModelError("x"), ModelError),
        (OSError(28, "full", "a"), OSError),
        (UnknownName("check", "sharpnes", ["sharpness"]), InputError),
        (Odd("x"), RuntimeError),
    ):
        made = pickle.loads(pickle.dumps(drawing_process.portable(error)))
        assert type(made) is kind
        assert str(error) in str(made)
        assert isinstance(error, (LoupeError, OSError)) or "Odd: x" in made.__notes__[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("when", ["loading", "drawing"])
def test_they_end_with_the_process_that_started_them(folder: Path, notes: Path, when: str) -> None:
    process = subprocess.Popen([sys.executable, __file__, when, str(folder), str(notes)], env=_environment())
    deadline = time.monotonic() + 120
    ready: Callable[[], bool] = (
        (lambda: len(pids(notes)) == 2) if when == "loading" else (lambda: len(list(folder.glob("*.png"))) > 4)
    )
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all(alive(pid) for pid in pids(notes))
    process.kill()
    process.wait(30)
    assert gone(pids(notes))
    for path in folder.glob("*.png"):
        assert drawing.output_folder.read_facts(path, path.stem), "whole files only"


def _environment() -> dict[str, str]:
    support = str(Path(__file__).parents[1] / "support")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}


def main(when: str, folder: str, notes: str) -> None:
    """What a process that is killed runs."""
    spec: Any = Troubled(trouble="never loads" if when == "loading" else "", folder=notes, pause=0.1)
    drawn(spec, Path(folder), many(4000), 4)


if __name__ == "__main__":
    main(*sys.argv[1:])

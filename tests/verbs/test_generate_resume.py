"""``loupe.generate``: nothing is lost, doubled or half there, whatever happens in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import FACTORS, TEMPLATE, Noise, whole
from PIL import Image

import loupe
from loupe.brain.core.errors import DatabaseGone, OutputError, Stopped
from loupe.brain.core.records import Progress, Request
from loupe.brain.engine import output_folder

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


def test_a_stop_keeps_what_is_done_and_the_same_call_goes_on(dataset: Any, folder: Path) -> None:
    def stop(step: Progress) -> None:
        steps.append((step.done, step.total))
        if step.done >= 8:
            raise Stopped("enough")

    steps: list[tuple[int, int]] = []
    prompts = [f"prompt {number}" for number in range(20)]
    with pytest.raises(Stopped):
        loupe.generate(dataset, prompts, model=Noise(), output_dir=folder, progress=stop)
    assert steps == [(0, 20), (4, 20), (8, 20)]
    before = whole(dataset, folder, 8)
    steps.clear()
    run = loupe.generate(
        dataset, prompts, model=Noise(), output_dir=folder, progress=lambda s: steps.append((s.done, s.total))
    )
    assert (run.n, run.skipped) == (12, 8)
    assert steps == [(8, 20), (12, 20), (16, 20), (20, 20)]
    assert before.items() <= whole(dataset, folder, 20).items()


def test_a_file_without_its_sample_is_adopted(dataset: Any, folder: Path) -> None:
    loupe.generate(dataset, TEMPLATE, factors=FACTORS, model=Noise(), output_dir=folder)
    before = whole(dataset, folder, 6)
    facts = {sample.generation.key: sample.generation.to_dict() for sample in dataset}
    times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    dataset.delete_samples(dataset.take(4, seed=1))
    cut, foreign = (folder / f"{key}.png" for key in list(before)[:2])
    cut.write_bytes(cut.read_bytes()[:-40])
    Image.new("RGB", (16, 16)).save(foreign)
    (folder / f".{'0' * 32}.png.tmp").write_bytes(b"half")
    dataset.delete_samples(dataset.match({"filepath": {"$in": [str(cut), str(foreign)]}}))
    run = loupe.generate(dataset, TEMPLATE, factors=FACTORS, model=Noise(), output_dir=folder)
    assert run.n + run.skipped == 6
    assert whole(dataset, folder, 6) == before
    untouched = {path.name for path in folder.glob("*.png") if path.stat().st_mtime_ns == times[path.name]}
    assert untouched == set(times) - {cut.name, foreign.name}
    for sample in dataset.match({"filepath": {"$nin": [str(cut), str(foreign)]}}):
        assert sample.generation.to_dict() == facts[sample.generation.key]
        assert sample.scenario.color in sample.prompt


def test_the_facts_of_an_adopted_file_are_not_believed_blindly(dataset: Any, folder: Path) -> None:
    loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder)
    sample = dataset.first()
    facts = json.loads(Image.open(sample.filepath).text["loupe"])
    evil = {**facts, "seconds": {"$gt": 0}, "model": 3, "width": 10**9, "prompt": "other", "_id": "x", "tags": ["x"]}
    image = Noise().image(Request("x", facts["seed"]))
    dataset.delete_samples([sample.id])
    output_folder.write(folder, facts["key"], image, evil)
    loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder)
    adopted = dataset.first()
    assert (adopted.prompt, adopted.generation.width) == ("x", 16)
    assert adopted.generation["seconds"] is None
    assert adopted.generation["model"] is None
    assert adopted.tags == []


def test_a_deleted_file_is_drawn_again(dataset: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loupe.generate(dataset, ["a", "b"], model=Noise(), output_dir=folder)
    before = whole(dataset, folder, 2)
    Path(dataset.first().filepath).unlink()
    # the file says how long it took, and is some bytes longer now
    drawn = Noise.image
    monkeypatch.setattr(Noise, "image", lambda self, request: (time.sleep(0.123), drawn(self, request))[1])
    assert loupe.generate(dataset, ["a", "b"], model=Noise(), output_dir=folder).n == 1
    assert whole(dataset, folder, 2) == before


def test_a_full_disk(dataset: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a limit on the size of files is the nearest to a full disk that a test may bring about
    import resource

    sizes = [8, 8, 8, 8, 8, 300]

    def image(self: Noise, request: Request) -> Image.Image:
        size = sizes[int(request.prompt)]
        rng = np.random.default_rng(request.seed)
        return Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8))

    monkeypatch.setattr(Noise, "image", image)
    prompts = [str(number) for number in range(6)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"5 of 6 images are there, each with its sample\. .* the same call"):
            loupe.generate(dataset, prompts, model=Noise(), output_dir=folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    kept = whole(dataset, folder, 5)
    run = loupe.generate(dataset, prompts, model=Noise(), output_dir=folder)
    assert (run.n, run.skipped) == (1, 5)
    assert kept.items() <= whole(dataset, folder, 6).items()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_space_left_is_called_so(folder: Path) -> None:
    folder.mkdir()
    (folder / f".{'a' * 32}.png.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        output_folder.write(folder, "a" * 32, Noise().image(Request("x", 0)), {"prompt": "x"})
    assert list(folder.iterdir()) == []
    error = output_folder.writing_error(folder, caught.value, "2 of 6 images are there. ")
    assert "the disk is full. 2 of 6 images are there. Free some space" in str(error)


def test_a_folder_that_cannot_be_written(dataset: Any, folder: Path) -> None:
    folder.write_text("a file in the folder's place")
    with pytest.raises(OutputError, match="there is a file in its place"):
        loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder)
    with pytest.raises(OutputError, match="there is a file in its place"):
        loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder / "below")
    with pytest.raises(OutputError, match="images to, but /proc/loupe"):
        loupe.generate(dataset, ["x"], model=Noise(), output_dir="/proc/loupe")
    assert len(dataset) == 0


def test_two_writers_at_once(new_dataset: Callable[[], Any], folder: Path) -> None:
    def second(step: Progress) -> None:
        if step.done == 4:
            with pytest.raises(OutputError, match=rf"process {os.getpid()} does so now"):
                loupe.generate(new_dataset(), ["x"], model=Noise(), output_dir=folder)
            tried.append(True)

    tried: list[bool] = []
    dataset = new_dataset()
    loupe.generate(dataset, list("abcdefgh"), model=Noise(), output_dir=folder, progress=second)
    assert tried
    assert loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder).n == 1


def test_two_folders_give_no_doubles(dataset: Any, folder: Path) -> None:
    def second(step: Progress) -> None:
        if step.done == 0 and not step.message.startswith("x"):
            loupe.generate(dataset, list("abc"), model=Noise(), output_dir=folder / "other")

    loupe.generate(dataset, list("abc"), model=Noise(), output_dir=folder, progress=second)
    keys = dataset.values("generation.key")
    assert len(keys) == len(set(keys)) == 3


def child(name: str, folder: str, count: str, pause: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo

    def say(step: Progress) -> None:
        sys.stdout.write(f"{step.done}\n")
        sys.stdout.flush()

    prompts = [f"prompt {number}" for number in range(int(count))]
    noise = Noise(pause=float(pause))
    loupe.generate(fo.load_dataset(name), prompts, model=noise, output_dir=folder, progress=say)


def child_that_loses_its_database(folder: str, mongod: str) -> None:
    import fiftyone as fo

    def kill(step: Progress) -> None:
        if step.done == 8 and mongod:
            os.kill(int(mongod), signal.SIGKILL)

    dataset = fo.load_dataset("gone") if fo.dataset_exists("gone") else fo.Dataset("gone", persistent=True)
    prompts = [str(number) for number in range(20)]
    try:
        run = loupe.generate(dataset, prompts, model=Noise(), output_dir=folder, progress=kill)
    except DatabaseGone as error:
        sys.stdout.write(f"gone: {error}")
        return
    whole(dataset, Path(folder), 20)
    sys.stdout.write(f"{run.n} {run.skipped}")


def start(function: Callable[..., None], *arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, function.__name__, *map(str, arguments)]
    support = str(Path(__file__).parents[1] / "support")
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**inherited, **environment})


@pytest.mark.slow
def test_kill_9_at_any_moment(new_dataset: Callable[[], Any], folder: Path) -> None:
    dataset, rng = new_dataset(), random.Random(0)
    dataset.persistent = True
    reached = []
    for _ in range(40):
        process = start(child, dataset.name, folder, 40, 0.01)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.25))
        process.kill()
        process.stdout.close()
        if process.wait(60) == 0:
            break
        assert process.returncode == -signal.SIGKILL
        files = list(folder.glob("*.png"))
        for path in files:
            with Image.open(path) as image:
                image.load()
        dataset.reload()
        keys = dataset.values("generation.key")
        assert len(keys) == len(set(keys)) <= len(files)
        assert {f"{key}.png" for key in keys} <= {path.name for path in files}
        reached.append(len(keys))
        if len(keys) == 40:
            break
    assert len(reached) >= 3
    assert reached == sorted(reached)
    process = start(child, dataset.name, folder, 40, 0.01)
    process.communicate(timeout=120)
    assert process.returncode == 0
    dataset.reload()
    pixels = whole(dataset, folder, 40)
    alone = new_dataset()
    prompts = [f"prompt {number}" for number in range(40)]
    loupe.generate(alone, prompts, model=Noise(pause=0.01), output_dir=folder / "alone")
    (folder / "alone").rename(folder.parent / "alone")
    for key, drawn in pixels.items():
        with Image.open(folder.parent / "alone" / f"{key}.png") as image:
            assert image.tobytes() == drawn


@pytest.mark.slow
def test_the_database_gone_in_the_middle(database: str, tmp_path: Path, start_own_mongod: Any) -> None:
    """A process of its own with a mongod of its own, which is killed and started again."""
    mongod, uri = start_own_mongod(tmp_path / "db")
    own = {"FIFTYONE_DATABASE_URI": f"{uri}/?serverSelectionTimeoutMS=2000"}

    def call(pid: object) -> str:
        process = start(child_that_loses_its_database, tmp_path.resolve() / "images", pid, **own)
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0
        return output

    assert call(mongod.pid).startswith("gone: FiftyOne's database stopped answering. What was stored before is kept")
    mongod.wait(30)
    start_own_mongod(tmp_path / "db", int(uri.rsplit(":", 1)[1]))
    # the last samples before the kill may be in no journal yet: then their files are adopted
    made, skipped = map(int, call("").split())
    assert made + skipped == 20
    assert made >= 12


if __name__ == "__main__":
    functions = {function.__name__: function for function in (child, child_that_loses_its_database)}
    functions[sys.argv[1]](*sys.argv[2:])


@pytest.mark.parametrize("when", ["the file is written", "the picture is drawn"])
def test_a_folder_that_goes_in_the_middle_is_one_clear_error(
    when: str, dataset: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the fault campaign: between a file and its sample it was a FileNotFoundError."""
    name = "sync" if when == "the file is written" else "write"
    call, calls = getattr(output_folder, name), []

    def disturbed(*given: Any) -> Any:
        calls.append(given)
        result = call(*given) if name == "sync" else None
        if len(calls) == 2:
            folder.rename(folder.with_name("aside"))
        return call(*given) if name == "write" else result

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, name, disturbed)
        with pytest.raises(OutputError, match=r"images are there, each with its sample.*repeat the same call"):
            loupe.generate(dataset, [f"prompt {number}" for number in range(10)], model=Noise(), output_dir=folder)
    folder.with_name("aside").rename(folder)
    run = loupe.generate(dataset, [f"prompt {number}" for number in range(10)], model=Noise(), output_dir=folder)
    assert run.n + run.skipped == 10
    whole(dataset, folder, 10)

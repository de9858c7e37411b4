"""``loupe.generate`` on several devices: a process each, the bits of one, nothing lost, doubled or half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from noise import Noise, facts, prompts, whole
from PIL import Image
from troubled import Troubled

import loupe
from loupe.brain.core.errors import InputError, ModelError, OutputError, ProcessLost, Stopped
from loupe.brain.core.records import Progress

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    made.mkdir()
    return made


def test_two_processes_draw_the_bits_of_one(new_dataset: Callable[[], Any], tmp_path: Path) -> None:
    template, values = (
        'a {color} sign that says "{text}", {time}, clear',
        {
            "color": ["red", "blue"],
            "text": range(10, 15),
            "time": ["day", "night"],
        },
    )
    made = {}
    for name, device in (("one", "cpu"), ("two", "cpu,cpu")):
        dataset, folder, steps = new_dataset(), tmp_path.resolve() / name, []
        run = loupe.generate(
            dataset, template, factors=values, steps=2, batch_size=8, output_dir=folder, device=device,
            progress=steps.append,
        )  # fmt: skip
        assert (run.n, run.skipped, run.device) == (20, 0, device)
        made[name] = whole(dataset, folder, 20), facts(dataset)
    assert made["one"] == made["two"]
    assert {each["device"] for each in made["two"][1].values()} == {"cpu"}
    assert [each["device"] for each in run.params["devices"]] == ["cpu", "cpu"]
    assert sum(each["images"] for each in run.params["devices"]) == 20
    assert steps[0] == Progress(0, 20, "loading the model 2 times")
    drawing = [step for step in steps if step.message == "generating"]
    assert drawing[0] == Progress(0, 20, "generating")
    assert [step.done for step in drawing] == sorted(step.done for step in drawing)
    assert steps[-1] == Progress(20, 20, "generated")
    # the keys are the same: nothing is drawn again, whatever the devices
    run = loupe.generate(dataset, template, factors=values, steps=2, output_dir=folder, device=["cpu", "cpu", "cpu"])
    assert (run.n, run.skipped) == (0, 20)


def test_few_images_are_shared_out(dataset: Any, folder: Path) -> None:
    run = loupe.generate(
        dataset, prompts(4), model=Noise(batch_size=100, pause=0.2), output_dir=folder, device="cpu,cpu"
    )
    assert sorted(each["images"] for each in run.params["devices"]) == [2, 2]
    whole(dataset, folder, 4)


def test_a_stop_keeps_what_is_done_and_the_same_call_goes_on(dataset: Any, folder: Path) -> None:
    def stop(step: Progress) -> None:
        if step.done >= 8:
            raise Stopped("enough")

    noise = Noise(pause=0.01)
    with pytest.raises(Stopped, match="enough"):
        loupe.generate(dataset, prompts(40), model=noise, output_dir=folder, device="cpu,cpu", progress=stop)
    done = len(dataset)
    assert 8 <= done <= 20
    before = whole(dataset, folder, done)
    run = loupe.generate(dataset, prompts(40), model=noise, output_dir=folder, device="cpu,cpu")
    assert (run.n, run.skipped) == (40 - done, done)
    assert before.items() <= whole(dataset, folder, 40).items()


def test_one_process_is_killed_and_the_others_draw_its_images(dataset: Any, folder: Path, notes: Path) -> None:
    def kill(step: Progress) -> None:
        if step.done >= 8 and not killed:
            killed.append(next(int(path.name) for path in notes.iterdir() if path.name.isdigit()))
            os.kill(killed[0], signal.SIGKILL)

    killed: list[int] = []
    spec = Troubled(folder=str(notes), pause=0.02)
    run = loupe.generate(dataset, prompts(60), model=spec, output_dir=folder, device="cpu,cpu", progress=kill)
    assert (run.n, run.errors) == (60, 0)
    assert [text for text in run.messages.values() if "SIGKILL" in text], run.messages
    whole(dataset, folder, 60)
    assert sum(each["images"] for each in run.params["devices"]) == 60


def test_all_processes_are_killed(dataset: Any, folder: Path, notes: Path) -> None:
    def kill(step: Progress) -> None:
        if step.done >= 8:
            for path in notes.iterdir():
                if path.name.isdigit() and Path(f"/proc/{path.name}").exists():
                    os.kill(int(path.name), signal.SIGKILL)

    spec = Troubled(folder=str(notes), pause=0.02)
    with pytest.raises(ProcessLost, match=r"too few are left.*repeat the same call, which goes on"):
        loupe.generate(dataset, prompts(60), model=spec, output_dir=folder, device="cpu,cpu", progress=kill)
    done = len(dataset)
    assert 8 <= done < 60
    run = loupe.generate(dataset, prompts(60), model=spec, output_dir=folder)
    assert (run.n, run.skipped) == (60 - done, done)
    whole(dataset, folder, 60)


def test_an_error_of_one_process_ends_all_and_what_is_written_is_taken_up(
    dataset: Any, folder: Path, notes: Path
) -> None:
    asked = [*prompts(12), "trouble"]
    spec = Troubled(trouble="out of memory", folder=str(notes), pause=0.02)
    with pytest.raises(ModelError, match="does not fit into the memory"):
        loupe.generate(dataset, asked, model=spec, output_dir=folder, device="cpu,cpu")
    assert not dataset.list_runs()
    times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert len(dataset) <= len(times) <= 12
    loupe.generate(dataset, prompts(12), model=spec, output_dir=folder)
    whole(dataset, folder, 12)
    assert all((folder / name).stat().st_mtime_ns == at for name, at in times.items())


def test_a_full_disk(dataset: Any, folder: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"0 of 6 images are there, each with its sample\. .* the same call"):
            loupe.generate(dataset, prompts(6), model=Noise(size=64), output_dir=folder, device="cpu,cpu")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    run = loupe.generate(dataset, prompts(6), model=Noise(size=64), output_dir=folder)
    assert run.n == 6
    whole(dataset, folder, 6)


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("cpu,cuda:77", "'cuda:77' is not on this machine"),
        ("cpu,", "expected 'all', a device, or 1 to 64"),
        ([], "expected 'all', a device, or 1 to 64"),
        ([0, 1], "expected 'all', a device, or 1 to 64"),
        (7, "expected device to be a text or a list or None, got 7"),
        (["cpu"] * 65, "expected 'all', a device, or 1 to 64"),
    ],
)
def test_devices_that_are_none(dataset: Any, folder: Path, device: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder, device=device)
    assert not folder.exists()


def test_a_hosted_service_has_devices_of_its_own(dataset: Any, folder: Path) -> None:
    with pytest.raises(InputError, match=r"expected no device, got cpu,cpu: .* draws on its own machines"):
        loupe.generate(dataset, ["x"], model="openai:gpt-image-1", output_dir=folder, device="cpu,cpu")


@pytest.mark.parametrize("verb", ["check", "embed"])
def test_other_verbs_take_one_device(dataset: Any, folder: Path, verb: str) -> None:
    loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder)
    for device, says in (("cpu,cpu", "expected a device such as"), (["cpu", "cpu"], "expected device to be a text")):
        with pytest.raises(InputError, match=says):
            getattr(loupe, verb)(dataset, device=device)


def child(name: str, folder: str, notes: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo

    def say(step: Progress) -> None:
        sys.stdout.write(f"{step.done}\n")
        sys.stdout.flush()

    spec = Troubled(folder=notes, pause=0.01)
    loupe.generate(fo.load_dataset(name), prompts(80), model=spec, output_dir=folder, progress=say, device="cpu,cpu")


def test_kill_9_at_any_moment(new_dataset: Callable[[], Any], folder: Path, notes: Path) -> None:
    dataset, rng, reached = new_dataset(), random.Random(0), [0]
    dataset.persistent = True
    support = str(Path(__file__).parents[1] / "support")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, __file__, dataset.name, str(folder), str(notes)]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        while int(process.stdout.readline() or 80) <= reached[-1]:
            pass
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.stdout.close()
        process.wait(60)
        assert _ended(notes), "no process is left"
        files = list(folder.glob("*.png"))
        for path in files:
            with Image.open(path) as image:
                image.load()
        dataset.reload()
        keys = dataset.values("generation.key")
        assert len(keys) == len(set(keys)) <= len(files)
        assert {f"{key}.png" for key in keys} <= {path.name for path in files}
        reached.append(len(keys))
        if len(keys) == 80:
            break
    assert len(reached) >= 2
    assert reached == sorted(reached)
    loupe.generate(dataset, prompts(80), model=Troubled(folder=str(notes), pause=0.01), output_dir=folder)
    pixels = whole(dataset, folder, 80)
    alone, other = new_dataset(), folder.parent / "alone"
    loupe.generate(alone, prompts(80), model=Troubled(folder=str(notes), pause=0.01), output_dir=other)
    assert whole(alone, other, 80) == pixels


def _ended(notes: Path) -> bool:
    deadline = time.monotonic() + 20
    own = [path for path in notes.iterdir() if path.name.isdigit() and path.name != str(os.getpid())]
    while any(Path(f"/proc/{path.name}").exists() for path in own):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    child(*sys.argv[1:])

"""``loupe.generate``: what it writes, and that nothing is lost, doubled or half there whatever happens in between."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

import loupe
from loupe.brain import output_folder, registry
from loupe.brain.errors import DatabaseGone, InputError, OutputError, PromptError, Stopped
from loupe.brain.records import Progress, Request
from loupe.brain.specs import Generator, GeneratorSession, param

pytestmark = pytest.mark.database

TEMPLATE = "a {color} sign, {time}"
FACTORS = {"color": ["red", "blue", "green"], "time": ["day", "night"]}


@dataclass(frozen=True)
class Noise(Generator):
    """Noise of its own for each request."""

    name: ClassVar[str] = "noise"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "numpy"
    licence: ClassVar[str] = "BSD-3-Clause"

    size: int = param(16, "Side in pixels.")
    steps: int = param(1, "Does nothing but count as a setting.")
    batch_size: int = param(4, "Images between two reports.")
    pause: float = param(0.0, "Seconds for each image.")

    def load(self, device: str) -> GeneratorSession:
        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            time.sleep(self.pause * len(requests))
            return [self.image(request) for request in requests]

        facts = {"model": "noise", "steps": self.steps, "width": self.size, "height": self.size, "device": device}
        return GeneratorSession(facts=facts, draw=draw, batch_size=self.batch_size)

    def image(self, request: Request) -> Image.Image:
        text = f"{request.prompt}|{request.negative_prompt}|{request.seed}"
        rng = np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))
        return Image.fromarray(rng.integers(0, 256, (self.size, self.size, 3), dtype=np.uint8))


def whole(dataset: Any, folder: Path, count: int) -> dict[str, bytes]:
    """Asserts that there is one sample and one whole file for each key and nothing else; returns pixels by key."""
    keys, paths, sizes = dataset.values(["generation.key", "filepath", "metadata.size_bytes"])
    assert len(keys) == len(set(keys)) == count
    assert sorted(paths) == sorted(str(folder / f"{key}.png") for key in keys)
    left = {path.name for path in folder.iterdir()} - {f"{key}.png" for key in keys}
    assert left == {".loupe.lock"}
    pixels = {}
    for key, path, size in zip(keys, paths, sizes, strict=True):
        assert Path(path).stat().st_size == size
        with Image.open(path) as image:
            pixels[key] = image.tobytes()
            assert json.loads(image.text["loupe"])["key"] == key
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


@pytest.fixture
def new_dataset(database: str) -> Any:
    import fiftyone as fo

    made: list[Any] = []

    def new() -> Any:
        made.append(fo.Dataset())
        return made[-1]

    yield new
    for one in made:
        one.delete()


def test_the_fields(dataset: Any, folder: Path) -> None:
    import fiftyone as fo

    run = loupe.generate(
        dataset,
        [{"prompt": 'a sign that says "42"', "time": "night"}, {"prompt": "ein Schild", "negative_prompt": "Nebel"}],
        model=Noise(),
        per_prompt=2,
        output_dir=folder,
        negative_prompt="blur",
        device="cpu",
    )
    assert (run.verb, run.n, run.skipped, run.errors, run.device) == ("generate", 4, 0, 0, "cpu")
    assert run.key in dataset.list_runs()
    whole(dataset, folder, 4)
    first, other, last = dataset.first(), dataset.skip(1).first(), dataset.last()
    assert (first.prompt, first.scenario.time, first.generation.negative_prompt) == (
        'a sign that says "42"',
        "night",
        "blur",
    )
    facts = first.generation
    assert facts.seed != other.generation.seed
    assert (last.prompt, last.generation.negative_prompt) == ("ein Schild", "Nebel")
    assert dataset.values("scenario.time") == ["night", "night", None, None]
    assert facts.nsfw is None
    assert (facts.model, facts.generator, facts.steps, facts.width, facts.height, facts.device) == (
        "noise",
        "noise",
        1,
        16,
        16,
        "cpu",
    )
    assert facts.seconds >= 0
    assert facts.loupe_version == loupe.__version__
    assert (first.metadata.width, first.metadata.height, first.metadata.num_channels) == (16, 16, 3)
    schema = dataset.get_field_schema(flat=True)
    assert isinstance(schema["generation.seed"], fo.IntField)
    assert isinstance(schema["scenario.time"], fo.StringField)
    assert all(seed < 2**53 for seed in dataset.values("generation.seed"))


def test_the_file_carries_its_provenance(dataset: Any, folder: Path) -> None:
    loupe.generate(
        dataset, [{"prompt": "дом 猫", "time": "day"}], model=Noise(), output_dir=folder, negative_prompt="n"
    )
    sample = dataset.first()
    with Image.open(sample.filepath) as image:
        facts = json.loads(image.text["loupe"])
        readable = image.text["parameters"]
    assert facts["prompt"] == "дом 猫"
    assert facts["factors"] == {"time": "day"}
    for name in ("seed", "steps", "model", "key", "seconds", "negative_prompt", "loupe_version"):
        assert facts[name] == sample.generation[name]
    assert readable.splitlines()[:2] == ["дом 猫", "Negative prompt: n"]
    assert f"Seed: {sample.generation.seed}, Size: 16x16, Model: noise" in readable


def test_a_template_by_the_diffusion_model(dataset: Any, folder: Path, tiny_model: Path) -> None:
    import torch

    torch.set_num_threads(1)
    run = loupe.generate(
        dataset, TEMPLATE, factors=FACTORS, model=tiny_model, steps=1, batch_size=4, device="cpu", output_dir=folder
    )
    assert run.n == 6
    pixels = whole(dataset, folder, 6)
    assert len(set(pixels.values())) == 6
    assert dataset.count_values("scenario.color") == {"red": 2, "blue": 2, "green": 2}
    sample = dataset.first()
    assert sample.prompt == f"a {sample.scenario.color} sign, {sample.scenario.time}"
    assert (sample.generation.generator, sample.generation.model) == ("diffusion", "tiny-random")
    assert (sample.generation.scheduler, sample.generation.dtype) == ("DDIMScheduler", "float32")
    assert sample.generation.prompt_truncated is False
    assert sample.generation.guidance == 7.5


def test_the_default_folder_is_the_datasets_own(dataset: Any) -> None:
    import fiftyone as fo

    dataset.name = f"a name/../with {os.getpid()}"
    loupe.generate(dataset, ["x"], model=Noise())
    path = Path(dataset.first().filepath)
    assert path.parent.parent == Path(fo.config.default_dataset_dir).resolve()


def test_the_same_call_makes_nothing_again(dataset: Any, folder: Path) -> None:
    def call(**extra: Any) -> Any:
        return loupe.generate(dataset, TEMPLATE, factors=FACTORS, model=Noise(), output_dir=folder, **extra)

    call()
    before = whole(dataset, folder, 6)
    times = {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert (call().n, call(batch_size=1).skipped) == (0, 6)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.png")} == times
    more = call(per_prompt=3)
    assert (more.n, more.skipped) == (12, 6)
    assert before.items() <= whole(dataset, folder, 18).items()
    assert call(seed=1).n == call(steps=2).n == call(negative_prompt="fog").n == 6


def test_seeds_do_not_depend_on_order_or_neighbours(new_dataset: Callable[[], Any], tmp_path: Path) -> None:
    def drawn(prompts: list[Any], **extra: Any) -> dict[str, bytes]:
        dataset, folder = new_dataset(), tmp_path.resolve() / str(time.monotonic_ns())
        run = loupe.generate(dataset, prompts, model=Noise(), output_dir=folder, **extra)
        return whole(dataset, folder, run.n)

    prompts = [f"prompt {number}" for number in range(9)]
    both = drawn(prompts, per_prompt=2)
    assert drawn(prompts[::-1], per_prompt=2, batch_size=3) == both
    assert drawn(prompts[:3]).items() <= both.items()
    assert drawn(["a", "b", "a"]).items() == {**drawn(["a"], per_prompt=2), **drawn(["b"])}.items()
    factors = [{"prompt": "a", "time": "day"}, {"prompt": "a", "time": "night"}]
    assert len(set(drawn(factors).values())) == 2


def test_a_seed_of_its_own(dataset: Any, folder: Path) -> None:
    rows = [{"prompt": "a", "seed": 7}, {"prompt": "b", "seed": 2**63 - 1}]
    loupe.generate(dataset, rows, model=Noise(), per_prompt=2, output_dir=folder)
    seeds = dataset.values("generation.seed")
    assert (seeds[0], seeds[2]) == (7, 2**63 - 1)
    assert len(set(seeds)) == 4
    clash = [{"prompt": "a", "seed": 7, "time": "day"}, {"prompt": "a", "seed": 7, "time": "night"}]
    with pytest.raises(PromptError, match="with seed 7 twice"):
        loupe.generate(dataset, clash, model=Noise(), output_dir=folder)
    assert len(dataset) == 4


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


def test_a_deleted_file_is_drawn_again(dataset: Any, folder: Path) -> None:
    loupe.generate(dataset, ["a", "b"], model=Noise(), output_dir=folder)
    before = whole(dataset, folder, 2)
    Path(dataset.first().filepath).unlink()
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


@pytest.mark.parametrize(
    ("prompts", "extra", "error", "reason"),
    [
        (["x" * 10_000], {}, PromptError, "at most 4,000 characters, got 10,000"),
        ([], {}, PromptError, "at least one prompt"),
        (["x"], {"per_prompt": 0}, InputError, "per_prompt"),
        (["x"], {"seed": -1}, InputError, "seed"),
        (["x"], {"seed": 2**63}, InputError, "seed"),
        (["x"], {"guidance": 3.0}, InputError, "expected settings of noise .*got 'guidance'"),
        (["x"], {"device": "tpu9"}, InputError, "device"),
        ("{a}", {"factors": {"a": ["x"]}, "sample": 2}, PromptError, "sample"),
    ],
)
def test_bad_calls_leave_nothing_behind(
    dataset: Any, folder: Path, prompts: Any, extra: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        loupe.generate(dataset, prompts, model=Noise(), output_dir=folder, **extra)
    assert not folder.exists()
    assert len(dataset) == 0
    assert dataset.list_runs() == []


def test_a_model_that_is_not_there(dataset: Any, folder: Path) -> None:
    with pytest.raises(loupe.errors.ModelError, match="no such folder"):
        loupe.generate(dataset, ["x"], model="tiny-sings", output_dir=folder)
    assert len(dataset) == 0


def test_a_dataset_that_cannot_take_images(dataset: Any, folder: Path) -> None:
    import fiftyone as fo

    with pytest.raises(InputError, match="got DatasetView"):
        loupe.generate(dataset.view(), ["x"], model=Noise(), output_dir=folder)
    dataset.add_sample_field("prompt", fo.IntField)
    with pytest.raises(InputError, match="'prompt' to be a StringField, the dataset has a IntField"):
        loupe.generate(dataset, ["x"], model=Noise(), output_dir=folder)
    video = fo.Dataset()
    video.media_type = "video"
    with pytest.raises(InputError, match="media type 'video'"):
        loupe.generate(video, ["x"], model=Noise(), output_dir=folder)
    video.delete()


def test_a_registered_generator_is_found_by_its_name(
    dataset: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**registry.generators(), "noise": Noise}
    monkeypatch.setattr(registry, "generators", lambda: known)
    assert loupe.generate(dataset, ["x"], model="noise", output_dir=folder).params["generator"] == "noise"


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
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


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
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 0
        return said

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

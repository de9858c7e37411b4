"""``loupe.generate``: what it writes, from which seeds, and what it refuses."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from noise import FACTORS, TEMPLATE, Noise, whole
from PIL import Image

import loupe
from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, PromptError

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


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


def test_seeds_do_not_depend_on_order_or_neighbors(new_dataset: Callable[[], Any], tmp_path: Path) -> None:
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
    with pytest.raises(InputError, match="'prompt' is an IntField and would have to be a StringField"):
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


def test_a_prompt_as_people_write_it(dataset: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "animal.txt").write_text("cat\ndog\n", encoding="utf-8")
    raw = "a {red|blue} (__animal__:1.3), <lora:felt:0.8> --no fog --v 6"
    arguments: dict[str, Any] = {"model": Noise(), "per_prompt": 3, "output_dir": folder, "wildcards": tmp_path}
    run = loupe.generate(dataset, [raw, "a cat (sitting)"], **arguments)
    assert run.n == 6
    assert set(run.left_out) == {"weights", "loras", "flags"}
    assert "weights: left out of 1 prompt, for noise does not read them: (" in repr(run)
    assert run.params["syntax"] == "plain"
    whole(dataset, folder, 6)
    asked = {f"a {color} {animal}" for color in ("red", "blue") for animal in ("cat", "dog")}
    assert set(dataset.values("prompt")[:3]) <= asked
    assert dataset.values("prompt")[3:] == ["a cat (sitting)"] * 3
    assert dataset.values("generation.written") == [raw] * 3 + [None] * 3
    assert dataset.values("generation.negative_prompt") == ["fog"] * 3 + [""] * 3
    assert all("<lora:felt:0.8>" in text for text in dataset.values("generation.dropped")[:3])
    assert [
        value in prompt
        for value, prompt in zip(dataset.values("scenario.animal")[:3], dataset.values("prompt")[:3], strict=True)
    ]
    with Image.open(dataset.first().filepath) as image:
        assert json.loads(image.text["loupe"])["written"] == raw
    again = loupe.generate(dataset, [raw, "a cat (sitting)"], **arguments)
    assert (again.n, again.skipped) == (0, 6)
    # nothing of this is drawn: it is refused before
    with pytest.raises(PromptError, match="noise does not understand"):
        loupe.generate(dataset, [raw], syntax="refuse", **arguments)
    with pytest.raises(InputError, match="syntax"):
        loupe.generate(dataset, [raw], syntax="other", **arguments)
    assert len(dataset) == 6


def test_sizes_of_single_prompts(dataset: Any, folder: Path) -> None:
    prompts = ["a red sign --ar 1:1", "a red sign", "a blue sign --width 64 --height 32", "a green sign --ar 1:1"]
    run = loupe.generate(dataset, prompts, model="tiny-signs", steps=1, output_dir=folder, device="cpu")
    assert run.n == 4
    raw, widths, heights = dataset.values(["generation.written", "generation.width", "metadata.height"])
    sizes = dict(zip(raw, zip(widths, heights, strict=True), strict=True))
    assert sizes == {prompts[0]: (56, 56), None: (96, 32), prompts[2]: (64, 32), prompts[3]: (56, 56)}
    assert loupe.generate(dataset, prompts, steps=1, output_dir=folder, device="cpu").skipped == 4

"""The diffusion generator on a small pipeline with random weights: real networks, so that the bits are real."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.diffusion.locating import MODELS
from loupe.brain.generators.diffusion import Diffusion

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

REQUESTS = [
    Request(f'a red sign that says "{index}"'[: 6 + 2 * index], seed=1000 + index, negative_prompt="fog" * (index % 2))
    for index in range(9)
]


def pixels(session: GeneratorSession, size: int) -> np.ndarray:
    images = [image for at in range(0, 9, size) for image in session.draw(REQUESTS[at : at + size])]
    return np.stack([np.asarray(image) for image in images])


@pytest.fixture(scope="module")
def session(tiny_model: Path) -> GeneratorSession:
    return Diffusion(str(tiny_model), steps=2).load("cpu")


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def test_an_image_does_not_depend_on_the_batch_size(session: GeneratorSession) -> None:
    alone = pixels(session, 1)
    assert alone.shape == (9, 32, 32, 3)
    assert alone.dtype == np.uint8
    assert len({image.tobytes() for image in alone}) == 9
    for size in (3, 8):
        assert np.array_equal(pixels(session, size), alone)


@pytest.mark.parametrize("images_per_call", [1, 4])
def test_the_networks_see_one_shape_whatever_the_batch_size(
    tiny_model: Path, images_per_call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import UNet2DConditionModel

    shapes = []
    forward = UNet2DConditionModel.forward

    def watched(self: object, sample: object, *args: object, **kwargs: object) -> object:
        shapes.append(tuple(sample.shape))
        return forward(self, sample, *args, **kwargs)

    monkeypatch.setattr(UNet2DConditionModel, "forward", watched)
    session = Diffusion(str(tiny_model), steps=1, images_per_call=images_per_call).load("cpu")
    for size in (1, 3, 9):
        session.draw(REQUESTS[:size])
    assert set(shapes) == {(2 * images_per_call, 4, 16, 16)}


def test_an_image_does_not_depend_on_its_neighbors_when_several_are_drawn_at_once(tiny_model: Path) -> None:
    session = Diffusion(str(tiny_model), steps=2, images_per_call=4).load("cpu")
    whole = pixels(session, 9)
    assert np.array_equal(pixels(session, 1), whole)
    assert np.array_equal(pixels(session, 3), whole)
    backwards = np.stack([np.asarray(image) for image in session.draw(REQUESTS[::-1])])[::-1]
    assert np.array_equal(backwards, whole)


def test_it_draws_what_diffusers_itself_draws(session: GeneratorSession, tiny_model: Path) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_model)
    for request, ours in zip(REQUESTS[:2], session.draw(REQUESTS[:2]), strict=True):
        theirs = pipeline(
            request.prompt,
            negative_prompt=request.negative_prompt,
            num_inference_steps=2,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(request.seed),
        ).images[0]
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_everything_that_it_is_asked_for_changes_the_pixels(session: GeneratorSession, tiny_model: Path) -> None:
    base = Request("a sign", 1)
    others = [Request("a sigh", 1), Request("a sign", 2), Request("a sign", 1, negative_prompt="x")]
    drawn = [np.asarray(image).tobytes() for image in session.draw([base, *others, base])]
    assert drawn[0] == drawn[-1]
    assert len(set(drawn)) == 4
    guided = Diffusion(str(tiny_model), steps=2, guidance=2).load("cpu")
    assert np.asarray(guided.draw([base])[0]).tobytes() != drawn[0]


def test_the_facts(session: GeneratorSession, tiny_model: Path) -> None:
    facts = dict(session.facts)
    assert len(facts.pop("fingerprint")) == 32
    assert facts == {
        "model": "tiny-random",
        "family": "Stable Diffusion",
        "license": None,
        "steps": 2,
        "guidance": 7.5,
        "guidance_kind": "classifier-free",
        "width": 32,
        "height": 32,
        "scheduler": "DDIMScheduler",
        "dtype": "float32",
        "device": "cpu",
        "images_per_call": 1,
    }
    other = Diffusion(str(tiny_model), width=48, height=16, dtype="bfloat16", guidance=0, batch_size=2).load("cpu")
    assert other.facts["dtype"] == "bfloat16"
    assert other.facts["guidance"] == 0
    assert other.facts["steps"] == 50
    assert other.batch_size == 2


def test_another_size(tiny_model: Path) -> None:
    session = Diffusion(str(tiny_model), steps=1, width=48, height=16).load("cpu")
    assert session.draw(REQUESTS[:1])[0].size == (48, 16)


def test_a_folder_has_defaults_of_its_own(copy: Path, session: GeneratorSession) -> None:
    (copy / "loupe.json").write_text('{"steps": 4, "guidance": 3, "width": 40, "images_per_call": 2}')
    (copy / "README.md").write_text("a model card")
    own = Diffusion(str(copy)).load("cpu")
    assert [own.facts[name] for name in ("steps", "guidance", "width", "height", "images_per_call")] == [
        4,
        3.0,
        40,
        32,
        2,
    ]
    assert own.facts["fingerprint"] == session.facts["fingerprint"]
    assert Diffusion(str(copy), steps=2).load("cpu").facts["steps"] == 2
    (copy / "loupe.json").write_text('{"steps": "many"}')
    with pytest.raises(ModelError, match="numbers steps, guidance"):
        Diffusion(str(copy)).load("cpu")


def test_one_changed_weight_is_another_model(copy: Path, session: GeneratorSession) -> None:
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(bytes(data))
    assert Diffusion(str(copy)).load("cpu").facts["fingerprint"] != session.facts["fingerprint"]


def test_a_prompt_that_is_cut_is_recorded_and_warned_of_once(tiny_model: Path) -> None:
    session = Diffusion(str(tiny_model), steps=1).load("cpu")
    fits, cut = Request("x" * 22, 0), Request("x" * 23, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [image.info["prompt_truncated"] for image in session.draw([fits])] == [False]
    with pytest.warns(UserWarning, match="longer than .* reads"):
        images = session.draw([fits, cut, Request("x", 0, negative_prompt="y" * 23)])
    assert [image.info["prompt_truncated"] for image in images] == [False, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.draw([cut])


def test_what_the_tokenizer_does_not_know_is_drawn_all_the_same(session: GeneratorSession) -> None:
    assert session.draw([Request("дом 猫 🏠", 0)])[0].size == (32, 32)


def test_it_is_quiet(tiny_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import diffusers.utils.logging

    before = diffusers.utils.logging.get_verbosity(), diffusers.utils.logging.is_progress_bar_enabled()
    session = Diffusion(str(tiny_model), steps=2).load("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.draw([Request("x" * 100, 0)])
    assert capfd.readouterr() == ("", "")
    assert (diffusers.utils.logging.get_verbosity(), diffusers.utils.logging.is_progress_bar_enabled()) == before


def test_what_the_safety_checker_says_is_recorded(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    vision = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config={**vision, "image_size": 32, "patch_size": 16}))
    size = {"shortest_edge": 32}
    pipeline = StableDiffusionPipeline.from_pretrained(
        tiny_model,
        safety_checker=checker,
        feature_extractor=CLIPImageProcessor(size=size, crop_size=32),
        requires_safety_checker=True,
    )
    for threshold, flagged in ((2.0, False), (-2.0, True)):
        torch.nn.init.constant_(checker.concept_embeds_weights, threshold)
        torch.nn.init.constant_(checker.special_care_embeds_weights, threshold)
        pipeline.save_pretrained(tmp_path / str(flagged))
        image = Diffusion(str(tmp_path / str(flagged)), steps=1).load("cpu").draw(REQUESTS[:1])[0]
        assert image.info["nsfw"] is flagged
        assert bool(np.asarray(image).max() == 0) is flagged


def test_without_a_safety_checker_nothing_is_recorded(session: GeneratorSession) -> None:
    assert set(session.draw(REQUESTS[:1])[0].info) == {"prompt_truncated"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"steps": 0}, "steps to be a number from 1 to 1000"),
        ({"steps": 2.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"guidance": -1}, "guidance"),
        ({"guidance": float("nan")}, "guidance"),
        ({"width": 30}, "multiple of 8, got 30. Near is 32"),
        ({"height": 100_000}, "height"),
        ({"dtype": "int8"}, "one of auto, float32"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": None}, "batch_size"),
        ({"images_per_call": 0}, "images_per_call"),
    ],
)
def test_settings_out_of_bounds(tiny_model: Path, settings: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Diffusion(str(tiny_model), **settings).load("cpu")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("tiny-sings", "there is no such folder"),
        ("", "the name of a model"),
        ("a\0b", "the name of a model"),
        ("nobody/nothing", r"cache or on the hub, got neither .*hf download nobody/nothing"),
        ("nobody/nothing/at/all", "there is no such folder"),
    ],
)
def test_a_model_that_is_not_there(model: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        Diffusion(model).load("cpu")


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model_index\.json .* an empty folder"):
        Diffusion(str(tmp_path)).load("cpu")
    (tmp_path / "cat.jpg").write_bytes(b"")
    with pytest.raises(ModelError, match=r"got cat\.jpg"):
        Diffusion(str(tmp_path)).load("cpu")
    with pytest.raises(ModelError, match="got the file"):
        Diffusion(str(tmp_path / "cat.jpg")).load("cpu")


@pytest.mark.parametrize(
    "index",
    [
        "{",
        "[]",
        "{}",
        '{"_class_name": ["evil", "Pipe"]}',
        '{"_class_name": "NoSuchPipeline"}',
        '{"_class_name": "StableDiffusionPipeline"}',
        '{"_class_name": "StableDiffusionPipeline", "unet": ["os", "system"]}',
    ],
)
def test_a_broken_index(copy: Path, index: str) -> None:
    (copy / "model_index.json").write_text(index)
    with pytest.raises(ModelError):
        Diffusion(str(copy)).load("cpu")


def test_broken_weights(copy: Path) -> None:
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        Diffusion(str(copy)).load("cpu")


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize(
    ("part", "weights", "pickled"),
    [
        ("unet", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("text_encoder", "model.safetensors", "pytorch_model.bin"),
    ],
)
def test_a_pickle_is_never_opened(copy: Path, tmp_path: Path, part: str, weights: str, pickled: str) -> None:
    trap = tmp_path / "trap"
    (copy / part / weights).unlink()
    (copy / part / pickled).write_bytes(pickle.dumps(_Evil(str(trap))))
    with pytest.raises(ModelError, match=rf"expected {part} as safetensors, got \.bin only"):
        Diffusion(str(copy)).load("cpu")
    assert not trap.exists()


def test_code_that_comes_with_a_model_is_not_run(copy: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    index = json.loads((copy / "model_index.json").read_text())
    index["unet"] = ["evil", "Evil"]
    (copy / "model_index.json").write_text(json.dumps(index))
    code = f"import pathlib\npathlib.Path({str(trap)!r}).touch()\nclass Evil: pass\n"
    for place in (copy / "unet" / "evil.py", copy / "evil.py"):
        place.write_text(code)
        with pytest.raises(ModelError):
            Diffusion(str(copy)).load("cpu")
        place.unlink()
    assert not trap.exists()


@pytest.mark.slow
def test_the_same_on_a_gpu(tiny_model: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    for images_per_call in (1, 4):
        session = Diffusion(str(tiny_model), steps=2, images_per_call=images_per_call).load("cuda")
        assert (session.facts["device"], session.facts["dtype"]) == ("cuda", "float16")
        alone = pixels(session, 1)
        assert np.array_equal(pixels(session, 3), alone)
        assert np.array_equal(pixels(session, 9), alone)


@pytest.mark.slow
def test_the_built_in_model_loads_in_every_pipeline() -> None:
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting
    from PIL import Image

    folder = MODELS / "tiny-signs"
    if not (folder / "model_index.json").is_file():
        pytest.skip(f"the built-in model is not in {folder}")
    prompt = 'a red sign that says "42", day, clear'
    drawn = Diffusion("tiny-signs", steps=2).load("cpu").draw([Request(prompt, 0)])[0]
    assert min(drawn.size) >= 32
    changed = AutoPipelineForImage2Image.from_pretrained(folder, use_safetensors=True)(
        prompt, image=drawn, strength=0.5, num_inference_steps=4
    ).images[0]
    filled = AutoPipelineForInpainting.from_pretrained(folder, use_safetensors=True)(
        prompt,
        image=drawn,
        mask_image=Image.new("L", drawn.size, 255),
        num_inference_steps=2,
        width=drawn.width,
        height=drawn.height,
    ).images[0]
    assert changed.size == filled.size == drawn.size


def test_it_stops_between_two_steps_and_its_pixels_stay(session: GeneratorSession, tiny_model: Path) -> None:
    from loupe.brain.core import interrupts
    from loupe.brain.core.errors import Stopped

    asked: list[int] = []

    def after_one() -> Stopped | None:
        asked.append(1)
        return Stopped("cancelled") if len(asked) == 1 else None

    slow = Diffusion(str(tiny_model), steps=50).load("cpu")
    with interrupts.asking(after_one), pytest.raises(Stopped, match="cancelled"):
        slow.draw(REQUESTS[:1])
    assert len(asked) == 1, "49 steps are left"
    asked.clear()
    with interrupts.asking(lambda: asked.append(1)):
        watched = np.asarray(session.draw(REQUESTS[:1])[0])
    assert len(asked) == 2, "after each step"
    assert (watched == np.asarray(session.draw(REQUESTS[:1])[0])).all()

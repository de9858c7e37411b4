"""What a model is changed by: LoRAs, schedulers, fewer bits, where it lies; and what is known of published ones."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pipelines

from loupe.brain.core.errors import InputError, MissingDependency, ModelError, UnknownName
from loupe.brain.core.records import Request
from loupe.brain.diffusion import checkpoints, locating, lora, memory
from loupe.brain.diffusion.lora import Lora
from loupe.brain.generators.diffusion import Diffusion

SIGN = Request("a red sign", 3)
GIB = 2**30


def drawn(folder: Path, **settings: Any) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(Diffusion(str(folder), steps=2, **settings).load("cpu").draw([SIGN])[0])


def adapter(model: Path, folder: Path, part: str = "unet", seed: int = 0) -> Path:
    """Writes a LoRA of random weights that fits a model."""
    import torch
    from diffusers import AutoPipelineForText2Image
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline = AutoPipelineForText2Image.from_pretrained(model)
    network = getattr(pipeline, part)
    torch.manual_seed(seed)
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
    pipeline.save_lora_weights(folder, **{f"{part}_lora_layers": layers})
    return folder / "pytorch_lora_weights.safetensors"


@pytest.mark.slow
@pytest.mark.parametrize("part", ["unet", "transformer"])
def test_a_lora_changes_the_image_by_its_weight(part: str, tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="LoRAs need peft")
    model = tiny_model if part == "unet" else tiny_pipelines.build("flux-1-dev", tmp_path)
    file = adapter(model, tmp_path / "one", part)
    plain, none, half, full = (drawn(model, loras=text) for text in ("", f"{file}:0", f"{file}:0.5", f"{file.parent}"))
    assert np.array_equal(plain, none)
    assert len({image.tobytes() for image in (plain, half, full)}) == 3
    changes = Diffusion(str(model), loras=f"{file}:0.5").load("cpu").facts["changes"]
    assert re.fullmatch(r"LoRA pytorch_lora_weights\.safetensors [0-9a-f]{16}:0\.5", changes)
    other = adapter(model, tmp_path / "two", part, seed=1)
    assert Diffusion(str(model), loras=f"{other}:0.5").load("cpu").facts["changes"] != changes
    both = drawn(model, loras=f"{file}:0.5, {other}:0.5")
    assert not np.array_equal(both, half)
    assert "changes" not in Diffusion(str(model)).load("cpu").facts


@pytest.mark.slow
def test_a_lora_of_another_family_or_format_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="LoRAs need peft")
    flux = tiny_pipelines.build("flux-1-dev", tmp_path)
    file = adapter(flux, tmp_path / "lora", "transformer")
    with pytest.raises(ModelError, match=r"LoRA|cannot be put on"):
        drawn(tiny_model, loras=str(file))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ModelError, match="cannot be put on"):
        drawn(tiny_model, loras=str(broken))
    pickled = tmp_path / "evil.pt"
    pickled.write_bytes(b"")
    with pytest.raises(ModelError, match=r"expected a LoRA as \.safetensors, got evil\.pt"):
        drawn(tiny_model, loras=str(pickled))
    with pytest.raises(ModelError, match="a folder with one, or a hub id, got 'nowhere'"):
        drawn(tiny_model, loras="nowhere")


def test_loras_are_read_as_people_write_them() -> None:
    assert lora.parse("a.safetensors:0.8,b") == (Lora("a.safetensors", 0.8), Lora("b", 1.0))
    assert lora.parse("C:\\models\\a.safetensors") == (Lora("C:\\models\\a.safetensors", 1.0),)
    assert lora.parse("C:\\a.safetensors:-1") == (Lora("C:\\a.safetensors", -1.0),)
    for text, reason in (
        (",", "expected a LoRA as"),
        ("a:much", "expected a weight behind the colon"),
        ("a:nan", "a weight from -10 to 10"),
        ("a:1e999", "a weight from -10 to 10"),
        ("a:0.5, a:0.6", "each LoRA once"),
    ):
        with pytest.raises(InputError, match=reason):
            lora.parse(text)


def test_without_its_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'loupe-fiftyone\[lora\]'"):
        lora.load(None, (Lora("a"),), "m")
    with pytest.raises(MissingDependency, match=r"pip install 'loupe-fiftyone\[quantize\]'"):
        memory.quantization("int8", None, "cpu", {})
    with pytest.raises(InputError, match="expected a GPU for quantize='nf4', got cpu: use quantize='int8'"):
        memory.quantization("nf4", None, "cpu", {})


@pytest.mark.slow
def test_whole_numbers_of_eight_bits_draw_nearly_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torchao", reason="int8 needs torchao, an extra of this package")
    model = tiny_pipelines.build("flux-1-dev", tmp_path)
    plain, int8 = (drawn(model, quantize=kind).astype(int) for kind in ("none", "int8"))
    assert 0 < np.abs(plain - int8).mean() < 3
    assert Diffusion(str(model), quantize="int8").load("cpu").facts["changes"] == "int8"


@pytest.mark.slow
def test_a_scheduler_by_the_names_of_other_tools(tiny_model: Path) -> None:
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_model)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config, use_karras_sigmas=True)
    theirs = pipeline("a red sign", num_inference_steps=2, generator=torch.Generator().manual_seed(3)).images[0]
    assert np.array_equal(drawn(tiny_model, scheduler="dpm++ 2M Karras"), np.asarray(theirs))
    facts = Diffusion(str(tiny_model), scheduler="DPM++ 2M Karras").load("cpu").facts
    assert (facts["scheduler"], facts["changes"]) == (
        "DPMSolverMultistepScheduler",
        "use_karras_sigmas=True",
    )
    with pytest.raises(UnknownName, match="euler a"):
        Diffusion(str(tiny_model), scheduler="euler b").load("cpu")


def test_where_a_model_goes_by_what_is_free() -> None:
    parts = {"transformer": 24 * GIB, "text_encoder_2": 9 * GIB, "vae": GIB // 4}
    assert memory.placement(parts, None) == "resident"
    assert memory.placement(parts, 80 * GIB) == "resident"
    assert memory.placement(parts, 32 * GIB) == "offload"
    assert memory.placement(parts, 12 * GIB) == "sequential"


@pytest.mark.slow
def test_the_bytes_of_its_parts_are_those_of_the_loaded_model(tiny_model: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_model)
    for name, size in memory.weights(tiny_model, 4).items():
        assert size == 4 * sum(weight.numel() for weight in getattr(pipeline, name).state_dict().values())
    halved = memory.weights(tiny_model, 2, "int8")
    assert halved["unet"] == memory.weights(tiny_model, 2)["unet"] // 2
    assert halved["vae"] == memory.weights(tiny_model, 2)["vae"]


@pytest.mark.slow
def test_only_a_gpu_has_parts_wait_elsewhere(tiny_model: Path) -> None:
    for where in ("offload", "sequential"):
        with pytest.raises(InputError, match="expected a GPU"):
            Diffusion(str(tiny_model), placement=where).load("cpu")


@pytest.mark.slow
def test_tiles_are_decoded_and_recorded(tiny_model: Path) -> None:
    large = {"width": 96, "height": 96}
    assert not np.array_equal(drawn(tiny_model, **large), drawn(tiny_model, vae_tiling=True, **large))
    assert Diffusion(str(tiny_model), vae_tiling=True).load("cpu").facts["changes"] == "decoded in tiles"


def test_what_is_known_of_published_models() -> None:
    turbo = checkpoints.of("stabilityai/stable-diffusion-3.5-large-turbo", "StableDiffusion3Pipeline")
    large = checkpoints.of("stabilityai/stable-diffusion-3.5-large", "StableDiffusion3Pipeline")
    assert (turbo.steps, turbo.guidance, large.steps, large.guidance) == (4, 0.0, 28, 3.5)
    assert checkpoints.of("Qwen/Qwen-Image", "QwenImagePipeline").license == "Apache-2.0"
    own = checkpoints.of("/models/mine", "ZImagePipeline")
    assert (own.family, own.license, own.steps) == ("Z-Image", "", None)
    assert checkpoints.of("somebody/new", "NovelPipeline").family == ""
    names = [known.name for known in checkpoints.CHECKPOINTS]
    assert len(set(names)) == len(names)
    assert all(known.name == known.name.casefold() and known.family for known in checkpoints.CHECKPOINTS)


@pytest.mark.slow
def test_a_folder_says_its_family_and_license(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    own = Path(shutil.copytree(tiny_model, tmp_path / "own"))
    (own / "loupe.json").write_text(json.dumps({"family": "mine", "license": "MIT"}))
    facts = Diffusion(str(own)).load("cpu").facts
    assert (facts["family"], facts["license"]) == ("mine", "MIT")
    (own / "loupe.json").write_text('{"license": 3}')
    with pytest.raises(ModelError, match="the texts family and license"):
        locating.own_defaults(own)

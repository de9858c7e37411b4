"""ControlNets of every family that has them, on pipelines of random weights: diffusers' own bits."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_controls
import tiny_pipelines
from PIL import Image

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.diffusion import controlnets
from loupe.brain.diffusion.conditioned import noised
from loupe.brain.generators.diffusion import Diffusion

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

SIDE, STEPS, SCALE = 64, 3, 0.7
#: what beside a control picture each family draws from: diffusers has pipelines for these, or blends
TAKES = {
    "stable-diffusion": {"image", "mask"},
    "stable-diffusion-xl": {"image", "mask"},
    "stable-diffusion-3": {"mask"},
    "flux-1-dev": {"image", "mask"},
    "qwen-image": set(),
    "sana": {"mask"},
}


@pytest.fixture(scope="module", params=TAKES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(family: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if family == "stable-diffusion":
        return tiny_model
    return tiny_pipelines.build(family, tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def network(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_controls.controlnet(model, tmp_path_factory.mktemp("controlnets") / "edges")


def picture(seed: int, side: int = SIDE) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def right_half() -> Image.Image:
    mask = Image.new("L", (SIDE, SIDE), 0)
    mask.paste(255, (SIDE // 2, 0, SIDE, SIDE))
    return mask


def load(model: Path, network: Path | str, **settings: Any) -> Any:
    own = {"steps": STEPS, "width": SIDE, "height": SIDE, "controlnet": f"{network}:{SCALE}", **settings}
    return Diffusion(str(model), **own).load("cpu")


def drawn(session: Any, *requests: Request) -> list[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.asarray(image) for image in session.draw(requests)]


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b))


def theirs(model: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, dict[str, Any]]:
    """diffusers' own pipeline of a model and a ControlNet, and what of its call families differ in."""
    import diffusers
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    plain = diffusers.DiffusionPipeline.from_pretrained(str(model))
    family = controlnets.FAMILIES[type(plain).__name__]
    net = getattr(diffusers, family.network).from_pretrained(str(network))
    made = getattr(diffusers, family.pipeline).from_pretrained(str(model), controlnet=net)
    made.set_progress_bar_config(disable=True)
    asked: dict[str, Any] = {"controlnet_conditioning_scale": SCALE, "num_inference_steps": STEPS}
    asked |= {"width": SIDE, "height": SIDE, "prompt": "a red sign"}
    if "QwenImage" in type(made).__name__:
        asked["negative_prompt"] = " "
    if "StableDiffusion3" in type(made).__name__:
        # it encodes the control picture by chance, without a seed: ours is what is most likely
        monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda own, generator=None: own.mode())
    return made, asked


def test_it_draws_what_diffusers_itself_draws(
    family: str, model: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    session = load(model, network)
    ours = drawn(session, Request("a red sign", 7, control=picture(0)), Request("a red sign", 7, control=picture(1)))
    assert ours[0].shape == (SIDE, SIDE, 3)
    assert not alike(*ours)
    pipeline, asked = theirs(model, network, monkeypatch)
    asked["image" if family in ("stable-diffusion", "stable-diffusion-xl") else "control_image"] = picture(0)
    image = pipeline(generator=torch.Generator().manual_seed(7), **asked).images[0]
    assert alike(ours[0], np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_with_a_picture_to_begin_with_it_draws_what_diffusers_draws_or_refuses(
    family: str, model: Path, network: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    session = load(model, network)
    assert set(session.takes) == {*TAKES[family], "control"}
    assert session.needs == ("control",)
    mask = {"mask": right_half()} if kind == "mask" else {}
    requests = [Request("a red sign", 7, image=picture(2), control=picture(at), **mask) for at in (0, 1)]
    if kind not in TAKES[family]:
        with pytest.raises(InputError, match="takes no image"):
            session.draw(requests)
        return
    ours = drawn(session, *requests)
    assert not alike(*ours)
    assert alike(ours[0], drawn(session, *requests[::-1])[1])
    if "image" not in TAKES[family]:
        return  # diffusers has no such pipeline: it is blended
    pipeline, asked = theirs(model, network, monkeypatch)
    auto = AutoPipelineForInpainting if mask else AutoPipelineForImage2Image
    asked |= {"image": picture(2), "control_image": picture(0), "strength": 1.0 if mask else 0.6}
    asked |= {"mask_image": mask["mask"]} if mask else {}
    image = auto.from_pipe(pipeline)(generator=torch.Generator().manual_seed(7), **asked).images[0]
    assert alike(ours[0], np.asarray(image.convert("RGB")))


def test_an_image_does_not_depend_on_what_is_drawn_beside_it(model: Path, network: Path) -> None:
    session = load(model, network, images_per_call=2)
    requests = [
        Request(text, seed, control=picture(seed)) for text, seed in (("a sign", 1), ("two dogs", 2), ("fog", 3))
    ]
    together, backwards = drawn(session, *requests), drawn(session, *requests[::-1])[::-1]
    alone = [drawn(session, request)[0] for request in requests]
    assert all(map(alike, together, backwards))
    assert all(map(alike, together, alone))
    assert len({image.tobytes() for image in together}) == 3


def test_the_control_says_how_large_the_image_is(model: Path, network: Path) -> None:
    session = load(model, network)
    wide = Image.fromarray(np.zeros((SIDE, 2 * SIDE, 3), np.uint8))
    assert drawn(session, Request("a sign", 1, control=wide))[0].shape == (SIDE, 2 * SIDE, 3)
    with pytest.raises(InputError, match="to be a multiple of"):
        drawn(session, Request("a sign", 1, control=picture(0, SIDE + 1)))


def test_a_control_is_asked_for_and_taken_by_these_models_only(model: Path, network: Path) -> None:
    with pytest.raises(InputError, match=r"expected control beside the prompt, got none: .* a model with a ControlNet"):
        load(model, network).draw([Request("a sign", 1)])
    with pytest.raises(InputError, match=r"a model with a ControlNet, but .* takes no control: .*controlnet="):
        load(model, "", controlnet="").draw([Request("a sign", 1, control=picture(0))])


def test_what_a_pipeline_of_the_family_does_not_read_is_refused(tmp_path: Path) -> None:
    flux = tiny_pipelines.build("flux-1-dev", tmp_path)
    net = tiny_controls.controlnet(flux, tmp_path / "net")
    session = load(flux, net, true_guidance=3)
    drawn(session, Request("a sign", 1, negative_prompt="fog", control=picture(0)))
    with pytest.raises(InputError, match=r"no true_cfg_scale of .*FluxControlNetImg2ImgPipeline takes none"):
        session.draw([Request("a sign", 1, image=picture(2), control=picture(0))])
    with pytest.raises(InputError, match="reads a negative prompt only with true_guidance"):
        load(flux, net).draw([Request("a sign", 1, negative_prompt="fog", image=picture(2), control=picture(0))])


def test_an_inpainting_model_keeps_to_a_control(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel

    parts = StableDiffusionPipeline.from_pretrained(str(tiny_model)).components
    parts["unet"] = UNet2DConditionModel.from_config({**parts["unet"].config, "in_channels": 9})
    StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False).save_pretrained(str(tmp_path / "inpaints"))
    session = load(tmp_path / "inpaints", own)
    assert set(session.needs) == {"image", "mask", "control"}
    begin = {"image": picture(2), "mask": right_half()}
    made = drawn(session, *(Request("a sign", 1, control=picture(at), **begin) for at in (0, 1)))
    assert not alike(*made)
    with pytest.raises(InputError, match="expected control beside the prompt, got none"):
        session.draw([Request("a sign", 1, **begin)])


@pytest.fixture(scope="module")
def own(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_controls.controlnet(tiny_model, tmp_path_factory.mktemp("controlnets") / "edges")


def test_its_files_and_its_scale_stand_in_the_facts(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    facts = load(tiny_model, own).facts["changes"]
    assert facts.startswith("ControlNet edges ")
    assert facts.endswith(":0.7")
    assert load(tiny_model, Path(shutil.copytree(own, tmp_path / "edges"))).facts["changes"] == facts
    other = tiny_controls.controlnet(tiny_model, tmp_path / "other" / "edges", seed=2)
    assert load(tiny_model, other).facts["changes"] != facts
    assert load(tiny_model, own, controlnet=f"{own}:0.5").facts["changes"] != facts
    assert "changes" not in load(tiny_model, own, controlnet="").facts


def test_a_scale_of_nothing_draws_as_without(tiny_model: Path, own: Path) -> None:
    control, request = Request("a sign", 1, control=picture(0)), Request("a sign", 1)
    without = drawn(load(tiny_model, own, controlnet=""), request)[0]
    assert alike(drawn(load(tiny_model, own, controlnet=f"{own}:0"), control)[0], without)
    assert not alike(drawn(load(tiny_model, own, controlnet=str(own)), control)[0], without)


@pytest.mark.parametrize("scale", ["-0.1", "2.1", "1e9", "nan", "inf", "much", ""])
def test_a_scale_that_is_none_is_refused(tiny_model: Path, own: Path, scale: str) -> None:
    with pytest.raises(InputError, match="a weight"):
        load(tiny_model, own, controlnet=f"{own}:{scale}")


def test_a_network_of_another_family_is_refused_before_drawing(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    xl = tiny_pipelines.build("stable-diffusion-xl", tmp_path)
    with pytest.raises(ModelError, match=r"whose cross_attention_dim is 32, got .*, made for another family with 16"):
        load(xl, own)
    flux = tiny_pipelines.build("flux-1-dev", tmp_path)
    with pytest.raises(ModelError, match=r"a FluxControlNetModel, got .*, a ControlNetModel: name one of its family"):
        load(flux, own)
    lumina = tiny_pipelines.build("lumina-2", tmp_path)
    with pytest.raises(InputError, match=r"diffusers has ControlNets for .*, got .*, a Lumina2Pipeline"):
        load(lumina, own)
    net = tiny_controls.controlnet(flux, tmp_path / "union")
    config = json.loads((net / "config.json").read_text())
    (net / "config.json").write_text(json.dumps({**config, "num_mode": 5}))
    with pytest.raises(ModelError, match="a union of several kinds"):
        load(flux, net)


def broken(own: Path, folder: Path, how: str) -> Path:
    made = Path(shutil.copytree(own, folder / how))
    weights = made / "diffusion_pytorch_model.safetensors"
    if how == "pickled":
        weights.rename(weights.with_suffix(".bin"))
    elif how == "empty":
        weights.unlink()
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "no json":
        (made / "config.json").write_text("{")
    elif how == "no class":
        (made / "config.json").write_text("[]")
    elif how == "no folder":
        shutil.rmtree(made)
    elif how == "no config":
        (made / "config.json").unlink()
    return made


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("pickled", r"as safetensors, got \.bin only, which can run code when loaded"),
        ("empty", "as safetensors, got no weights"),
        ("cut", "cannot be loaded as one"),
        ("no json", "readable JSON in config.json"),
        ("no class", "names its _class_name"),
        ("no folder", "a folder with config.json or a hub id, got .*: nothing"),
        ("no config", "a folder with config.json or a hub id, got .*: a folder without"),
    ],
)
def test_what_is_no_controlnet_is_an_error_of_the_model(
    tiny_model: Path, own: Path, tmp_path: Path, how: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        load(tiny_model, broken(own, tmp_path, how))


@pytest.mark.parametrize("name", ["~nobody-of-this-name/net", "a/" * 3000, "b" * 300])
def test_a_path_that_cannot_be_is_an_error_of_the_model(tiny_model: Path, name: str) -> None:
    with pytest.raises(ModelError, match="expected a ControlNet, got"):
        load(tiny_model, "", controlnet=name)
    with pytest.raises(ModelError, match="expected an IP-Adapter, got"):
        load(tiny_model, "", controlnet="", ip_adapter=name)
    with pytest.raises(ModelError, match="expected a LoRA, got"):
        load(tiny_model, "", controlnet="", loras=name)


@pytest.mark.parametrize("name", ["a\0b", "a\0b:0.5", ":0.5"])
def test_a_name_that_is_none_is_refused(tiny_model: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a ControlNet as"):
        load(tiny_model, "", controlnet=name)


def test_flow_matching_puts_a_picture_back_as_it_is_at_that_time() -> None:
    import torch
    from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

    known, noise = torch.full((2, 1, 2, 2), 3.0), torch.full((2, 1, 2, 2), -1.0)
    flow = FlowMatchEulerDiscreteScheduler()
    flow.set_timesteps(4)
    share = flow.sigmas[2]
    made = noised(flow, known, noise, flow.timesteps[2:3].repeat(2))
    assert torch.allclose(made, share * noise + (1 - share) * known)
    steps = DDIMScheduler()
    steps.set_timesteps(4)
    kept = steps.alphas_cumprod[steps.timesteps[2]]
    made = noised(steps, known, noise, steps.timesteps[2:3].repeat(2))
    assert torch.allclose(made, kept.sqrt() * known + (1 - kept).sqrt() * noise)

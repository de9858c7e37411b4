"""IP-Adapters, on pipelines of random weights: diffusers' own bits."""

from __future__ import annotations

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
from loupe.brain.generators.diffusion import Diffusion

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

SIDE, STEPS = 64, 2
FAMILIES = ("stable-diffusion", "stable-diffusion-xl", "flux-1-dev")


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(family: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if family == "stable-diffusion":
        return tiny_model
    return tiny_pipelines.build(family, tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_controls.ip_adapter(model, tmp_path_factory.mktemp("adapters"))


@pytest.fixture(scope="module")
def own(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_controls.ip_adapter(tiny_model, tmp_path_factory.mktemp("adapters"))


def picture(seed: int, size: tuple[int, int] = (40, 50)) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def load(model: Path, adapter: Path | str, scale: str = ":0.6", **settings: Any) -> Any:
    own = {"steps": STEPS, "width": SIDE, "height": SIDE, "ip_adapter": f"{adapter}{scale}", **settings}
    return Diffusion(str(model), **own).load("cpu")


def drawn(session: Any, *requests: Request) -> list[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.asarray(image) for image in session.draw(requests)]


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b))


def test_it_draws_what_diffusers_itself_draws(family: str, model: Path, adapter: Path) -> None:
    import torch
    from diffusers import AutoPipelineForText2Image

    session = load(model, adapter)
    assert (session.takes, session.needs) == (("image", "mask", "reference"), ("reference",))
    ours = drawn(session, *(Request("a red sign", 7, reference=picture(at)) for at in (0, 1)))
    assert not alike(*ours)
    pipeline = AutoPipelineForText2Image.from_pretrained(str(model))
    pipeline.set_progress_bar_config(disable=True)
    more: dict[str, Any] = {"image_encoder_folder": "image_encoder"}
    if family == "flux-1-dev":
        encoder = str(adapter.parent / "image_encoder")
        more = {"image_encoder_pretrained_model_name_or_path": encoder, "image_encoder_dtype": torch.float32}
    pipeline.load_ip_adapter(str(adapter.parent), subfolder="", weight_name=adapter.name, **more)
    pipeline.set_ip_adapter_scale(0.6)
    asked = {"num_inference_steps": STEPS, "width": SIDE, "height": SIDE, "ip_adapter_image": picture(0)}
    image = pipeline("a red sign", generator=torch.Generator().manual_seed(7), **asked).images[0]
    assert alike(ours[0], np.asarray(image.convert("RGB")))


def test_an_image_does_not_depend_on_what_is_drawn_beside_it(model: Path, adapter: Path) -> None:
    session = load(model, adapter, images_per_call=2)
    requests = [Request("a sign", seed, reference=picture(at)) for seed, at in ((1, 0), (2, 1), (3, 0))]
    together, backwards = drawn(session, *requests), drawn(session, *requests[::-1])[::-1]
    assert all(map(alike, together, backwards))
    assert all(map(alike, together, [drawn(session, request)[0] for request in requests]))
    assert len({image.tobytes() for image in together}) == 3


def test_with_a_picture_and_a_control_it_counts_too(family: str, model: Path, adapter: Path, tmp_path: Path) -> None:
    mask = Image.new("L", (SIDE, SIDE), 0)
    mask.paste(255, (SIDE // 2, 0, SIDE, SIDE))
    begin, control = picture(2, (SIDE, SIDE)), picture(3, (SIDE, SIDE))
    session = load(model, adapter, steps=4)
    for further in ({}, {"mask": mask}):
        made = drawn(session, *(Request("a", 1, image=begin, reference=picture(at), **further) for at in (0, 1)))
        assert not alike(*made)
    session = load(model, adapter, controlnet=str(tiny_controls.controlnet(model, tmp_path / "net")))
    assert set(session.needs) == {"control", "reference"}
    made = drawn(session, *(Request("a", 1, control=control, reference=picture(at)) for at in (0, 1)))
    assert not alike(*made)
    made = drawn(session, *(Request("a", 1, control=picture(at, (SIDE, SIDE)), reference=begin) for at in (0, 1)))
    assert not alike(*made)
    # FLUX has no pipeline for a ControlNet, a picture and a reference together
    assert ("image" in session.takes) == (family != "flux-1-dev")


def test_a_reference_is_asked_for_and_taken_by_these_models_only(tiny_model: Path, own: Path) -> None:
    with pytest.raises(InputError, match=r"expected reference beside the prompt, got none: .* with an IP-Adapter"):
        load(tiny_model, own).draw([Request("a sign", 1)])
    with pytest.raises(InputError, match=r"a model with an IP-Adapter, but .* takes no reference: .*ip_adapter="):
        load(tiny_model, "", "").draw([Request("a sign", 1, reference=picture(0))])


def test_its_files_and_its_scale_stand_in_the_facts(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    facts = load(tiny_model, own).facts["changes"]
    assert facts.startswith("IP-Adapter adapter.safetensors ")
    assert facts.endswith(":0.6")
    assert load(tiny_model, own, ":0.5").facts["changes"] != facts
    copy = Path(shutil.copytree(own.parent, tmp_path / "copy"))
    assert load(tiny_model, copy / own.name).facts["changes"] == facts
    config = copy / "image_encoder" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert load(tiny_model, copy / own.name).facts["changes"] != facts


def test_the_image_encoder_may_lie_above(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(own.parent, tmp_path / "copy"))
    (copy / "inner").mkdir()
    moved = (copy / own.name).rename(copy / "inner" / own.name)
    request = Request("a sign", 1, reference=picture(0))
    assert alike(drawn(load(tiny_model, moved), request)[0], drawn(load(tiny_model, own), request)[0])


@pytest.mark.parametrize("scale", [":-0.1", ":2.1", ":1e9", ":nan", ":much", ":"])
def test_a_scale_that_is_none_is_refused(tiny_model: Path, own: Path, scale: str) -> None:
    with pytest.raises(InputError, match="a weight"):
        load(tiny_model, own, scale)


def test_what_does_not_fit_is_refused_before_drawing(tiny_model: Path, own: Path, tmp_path: Path) -> None:
    xl = tiny_pipelines.build("stable-diffusion-xl", tmp_path)
    with pytest.raises(ModelError, match=r"an IP-Adapter that fits .*, and .* cannot be put on it"):
        load(xl, own)
    sana = tiny_pipelines.build("sana", tmp_path)
    with pytest.raises(InputError, match=r"diffusers has IP-Adapters for .*, got .*, a SanaPipeline"):
        load(sana, own)
    with pytest.raises(InputError, match="expected an IP-Adapter as"):
        load(tiny_model, "a\0b", "")
    copy = Path(shutil.copytree(own.parent, tmp_path / "copy"))
    pickled = Path(shutil.copy(own, copy / "adapter.bin"))
    with pytest.raises(ModelError, match=r"as \.safetensors, got adapter\.bin: other formats can run code"):
        load(tiny_model, pickled)
    for name in ("nothing.safetensors", "."):
        with pytest.raises(ModelError, match=r"an IP-Adapter as a \.safetensors file"):
            load(tiny_model, copy / name)
    (copy / own.name).write_bytes(b"{}")
    with pytest.raises(ModelError, match="cannot be put on it"):
        load(tiny_model, copy / own.name)
    shutil.copy(own, copy / own.name)
    weights = copy / "image_encoder" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(ModelError, match="a folder image_encoder with safetensors weights"):
        load(tiny_model, copy / own.name)

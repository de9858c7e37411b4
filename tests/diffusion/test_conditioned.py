"""Drawing from a picture and within a mask, on small pipelines of random weights, and on tiny-signs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.diffusion import conditioned
from loupe.brain.generators.diffusion import Diffusion

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8))


@pytest.fixture(scope="module")
def right_half() -> Image.Image:
    mask = Image.new("L", (32, 32), 0)
    mask.paste(255, (16, 0, 32, 32))
    return mask


@pytest.fixture(scope="module")
def session(tiny_model: Path) -> GeneratorSession:
    return Diffusion(str(tiny_model), steps=4).load("cpu")


@pytest.fixture(scope="module")
def inpainting_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same parts with a U-Net of nine channels: a model that was trained for inpainting."""
    import torch
    from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(1)
    parts = StableDiffusionPipeline.from_pretrained(str(tiny_model))
    settings = {**parts.unet.config, "in_channels": 9}
    made = StableDiffusionInpaintPipeline(
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        unet=UNet2DConditionModel.from_config(settings),
        scheduler=parts.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    folder = tmp_path_factory.mktemp("models") / "inpainting"
    made.save_pretrained(str(folder))
    return folder


def arrays(images: list[Image.Image]) -> list[np.ndarray]:
    return [np.asarray(image).astype(int) for image in images]


def test_a_session_says_what_it_takes(session: GeneratorSession) -> None:
    assert (session.takes, session.needs, session.size) == (("image", "mask"), (), (32, 32))


def test_the_drawn_image_has_the_pictures_size_and_depends_on_all_that_was_asked(
    session: GeneratorSession, picture: Image.Image, right_half: Image.Image
) -> None:
    wide = picture.resize((48, 32))
    asked = [
        Request("a cup", 1, image=picture, mask=right_half),
        Request("a cup", 2, image=picture, mask=right_half),
        Request("a cup", 1, image=picture),
        Request("a cup", 1, image=picture, strength=0.9),
        Request("a cup", 1, image=wide),
        Request("a cup", 1),
        Request("a cup", 1, image=picture.rotate(90), mask=right_half),
    ]
    images = session.draw(asked)
    assert [image.size for image in images] == [(32, 32)] * 4 + [(48, 32), (32, 32), (32, 32)]
    assert len({image.tobytes() for image in images}) == len(asked)
    again = session.draw(asked[::-1])[::-1]
    assert [image.tobytes() for image in again] == [image.tobytes() for image in images]


def test_several_at_once_are_drawn_as_one_by_one(
    tiny_model: Path, picture: Image.Image, right_half: Image.Image
) -> None:
    several = Diffusion(str(tiny_model), steps=2, images_per_call=3).load("cpu")
    asked = [Request("a cup", seed, image=picture, mask=right_half) for seed in range(4)]
    whole = several.draw(asked)
    assert [several.draw([each])[0].tobytes() for each in asked] == [image.tobytes() for image in whole]


def test_a_masked_region_changes_more_than_what_is_around_it(picture: Image.Image) -> None:
    sign = Diffusion("tiny-signs", steps=6).load("cpu")
    prompt = 'a red sign that says "42", day, clear'
    original = sign.draw([Request(prompt, 1)])[0]
    mask = Image.new("L", original.size, 0)
    mask.paste(255, (28, 0, 48, 32))
    other = sign.draw([Request(prompt.replace("42", "92"), 2, image=original, mask=mask)])[0]
    before, after = arrays([original, other])
    change = np.abs(before - after).mean((0, 2))
    assert change[28:48].mean() > 5 * change[56:].mean()


def test_an_inpainting_model_draws_regions_and_nothing_else(
    inpainting_model: Path, picture: Image.Image, right_half: Image.Image
) -> None:
    own = Diffusion(str(inpainting_model), steps=2).load("cpu")
    assert (own.takes, own.needs) == (("image", "mask"), ("image", "mask"))
    assert own.draw([Request("a cup", 1, image=picture, mask=right_half)])[0].size == (32, 32)
    with pytest.raises(InputError, match=r"image and mask beside the prompt, got none: .* for inpainting"):
        own.draw([Request("a cup", 1)])


def test_a_family_without_an_inpainting_pipeline_is_blended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioned, "_sibling", lambda *_: None)
    own = Diffusion("tiny-signs", steps=6).load("cpu")
    assert own.takes == ("mask",)
    prompt = 'a red sign that says "42", day, clear'
    original = own.draw([Request(prompt, 1)])[0]
    mask = Image.new("L", original.size, 0)
    mask.paste(255, (28, 0, 48, 32))
    request = Request(prompt.replace("42", "92"), 2, image=original, mask=mask)
    before, after, plain = arrays([original, *own.draw([request, Request(prompt.replace("42", "92"), 2)])])
    change = np.abs(before - after).mean((0, 2))
    assert change[28:48].mean() > 5 * change[56:].mean()
    assert np.abs(before - plain).mean((0, 2))[56:].mean() > 2 * change[56:].mean()
    assert own.draw([request])[0].tobytes() == own.draw([request])[0].tobytes()
    with pytest.raises(InputError, match="strength=1"):
        own.draw([Request(prompt, 1, image=original, mask=mask, strength=0.5)])
    with pytest.raises(InputError, match="a model for image-to-image, but tiny-signs takes no image"):
        own.draw([Request(prompt, 1, image=original)])


def test_what_cannot_be_drawn_is_refused(session: GeneratorSession, picture: Image.Image) -> None:
    with pytest.raises(InputError, match="multiples of 8, got 30 x 32"):
        session.draw([Request("a cup", 1, image=picture.resize((30, 32)))])
    with pytest.raises(InputError, match="leaves a step of 4"):
        session.draw([Request("a cup", 1, image=picture, strength=0.1)])


def test_a_generator_that_takes_no_picture_says_so(picture: Image.Image, right_half: Image.Image) -> None:
    own = GeneratorSession({"model": "m"}, lambda requests: [], 1)
    own.require([Request("a cup", 1)])
    with pytest.raises(InputError, match="a model for image-to-image, but m takes no image"):
        own.require([Request("a cup", 1, image=picture)])
    with pytest.raises(InputError, match="a model for inpainting, but m takes no image and no mask"):
        own.require([Request("a cup", 1, image=picture, mask=right_half)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mask": Image.new("L", (8, 8), 255)}, "beside an image only"),
        ({"strength": 0.5}, "beside an image only"),
        ({"image": Image.new("L", (8, 8))}, "an RGB image"),
        ({"image": Image.new("RGB", (8, 8)), "mask": Image.new("L", (4, 8), 255)}, "of the image's size"),
        ({"image": Image.new("RGB", (8, 8)), "mask": Image.new("L", (8, 8), 127)}, "got an empty one"),
        ({"image": Image.new("RGB", (8, 8)), "strength": 0}, "strength in"),
        ({"image": Image.new("RGB", (8, 8)), "strength": float("nan")}, "strength in"),
    ],
)
def test_a_request_whose_parts_do_not_go_together_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Request("a cup", 1, **given)


def test_the_inputs_of_a_request_are_hashes_of_pixels(picture: Image.Image, right_half: Image.Image) -> None:
    assert Request("a cup", 1).inputs() == {}
    own = Request("a cup", 1, image=picture, mask=right_half, strength=0.5)
    assert own.inputs().keys() == {"image", "mask", "strength"}
    assert own.inputs() == Request("a dog", 2, image=picture.copy(), mask=right_half, strength=0.5).inputs()
    assert own.inputs() != Request("a cup", 1, image=picture.rotate(90), mask=right_half, strength=0.5).inputs()
    assert own.to_dict()["image"] == own.inputs()["image"]


def test_a_model_whose_files_are_gone_is_an_error_of_the_model(tiny_model: Path, tmp_path: Path) -> None:
    from loupe.brain.core.errors import ModelError

    copy = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    shutil.rmtree(copy / "vae")
    with pytest.raises(ModelError):
        Diffusion(str(copy)).load("cpu")

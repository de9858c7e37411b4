"""What holds for every family of text-to-image models, on pipelines of random weights: real code, real bits."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pipelines
from PIL import Image

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.generators.diffusion import Diffusion

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

SIZE = {"width": 64, "height": 64}
#: what its guidance is, and whether it reads a negative prompt by itself
KINDS = {
    "stable-diffusion-xl": ("classifier-free", True),
    "stable-diffusion-3": ("classifier-free", True),
    "flux-1-dev": ("distilled", False),
    "flux-1-schnell": ("none", False),
    "flux-2-klein": ("none", False),
    "qwen-image": ("classifier-free", True),
    "z-image": ("classifier-free", True),
    "sana": ("classifier-free", True),
    "pixart-sigma": ("classifier-free", True),
    "lumina-2": ("classifier-free", True),
    "kandinsky-3": ("classifier-free", True),
}


@pytest.fixture(scope="module", params=tiny_pipelines.FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipelines.build(family, tmp_path_factory.mktemp("families"))


def drawn(folder: Path, *requests: Request, **settings: Any) -> list[np.ndarray]:
    session = Diffusion(str(folder), **{"steps": 2, **SIZE, **settings}).load("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.asarray(image) for image in session.draw(requests)]


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b))


def test_every_family_is_here(family: str) -> None:
    assert set(KINDS) == set(tiny_pipelines.FAMILIES)


def test_it_draws_what_diffusers_itself_draws(folder: Path) -> None:
    import torch
    from diffusers import AutoPipelineForText2Image

    pipeline = AutoPipelineForText2Image.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    asked = {"num_inference_steps": 2, **SIZE}
    if "QwenImage" in type(pipeline).__name__:
        asked["negative_prompt"] = " "  # without one its guidance would be off: so says its documentation
    theirs = pipeline(prompt="a red sign", generator=torch.Generator().manual_seed(7), **asked).images[0]
    (ours,) = drawn(folder, Request("a red sign", 7))
    assert ours.shape == (64, 64, 3)
    assert len(np.unique(ours)) > 20
    assert alike(ours, np.asarray(theirs.convert("RGB")))


def test_an_image_does_not_depend_on_what_is_drawn_beside_it(family: str, folder: Path) -> None:
    reads = KINDS[family][1]
    requests = [Request("a sign", 1), Request("two dogs", 2, negative_prompt="fog" * reads), Request("a sign", 3)]
    together = drawn(folder, *requests, images_per_call=2)
    backwards = drawn(folder, *requests[::-1], images_per_call=2)[::-1]
    assert all(map(alike, together, backwards))
    assert len({image.tobytes() for image in together}) == 3


def test_guidance_changes_the_image_or_is_refused(family: str, folder: Path) -> None:
    kind, _ = KINDS[family]
    facts = Diffusion(str(folder), **SIZE).load("cpu").facts
    assert facts["guidance_kind"] == kind
    if kind == "none":
        assert facts["guidance"] is None
        with pytest.raises(InputError, match="distilled and takes no guidance: leave it out, got 6"):
            drawn(folder, Request("a sign", 1), guidance=6)
    else:
        assert facts["guidance"] > 1
        weak, strong = (drawn(folder, Request("a sign", 1), guidance=number)[0] for number in (2, 6))
        assert not alike(weak, strong)


def test_a_negative_prompt_changes_the_image_or_is_refused(family: str, folder: Path) -> None:
    plain, negative = Request("a sign", 1), Request("a sign", 1, negative_prompt="fog and rain")
    if KINDS[family][1]:
        assert not alike(*drawn(folder, plain, negative, guidance=5))
        off = 0 if family == "z-image" else 1
        with pytest.raises(InputError, match=f"only with guidance above {off}, got {off}"):
            drawn(folder, negative, guidance=off)
    else:
        with pytest.raises(InputError, match="negative prompt"):
            drawn(folder, negative)


def test_a_second_guidance_reads_a_negative_prompt_of_flux(family: str, folder: Path) -> None:
    plain, negative = Request("a sign", 1), Request("a sign", 1, negative_prompt="fog and rain")
    if not family.startswith("flux-1"):
        with pytest.raises(InputError, match="has no second guidance beside its"):
            drawn(folder, plain, true_guidance=3)
        return
    alone = drawn(folder, plain, true_guidance=3)[0]
    beside, other = drawn(folder, plain, negative, true_guidance=3, images_per_call=2)
    assert not alike(beside, other)
    assert not alike(alone, drawn(folder, plain)[0])
    assert alike(beside, drawn(folder, plain, plain, true_guidance=3, images_per_call=2)[0])
    with pytest.raises(InputError, match=r"only with true_guidance above 1, got none: set it"):
        drawn(folder, negative)


@pytest.mark.parametrize("size", [(72, 80), (96, 32)])
def test_an_image_has_the_size_that_was_asked_for_or_the_size_is_refused(folder: Path, size: tuple[int, int]) -> None:
    model, (width, height) = Diffusion(str(folder), width=size[0], height=size[1], steps=1), size
    with contextlib.suppress(InputError):
        (image,) = model.load("cpu").draw([Request("a sign", 1)])
        assert image.size == (width, height)
        return
    with pytest.raises(InputError, match=r"to be a multiple of \d+, got \d+\. Near is \d+"):
        model.load("cpu")


def test_a_prompt_that_is_cut_is_said_and_only_such_a_one(folder: Path) -> None:
    session = Diffusion(str(folder), steps=1, **SIZE).load("cpu")
    texts = ["sign", "sigh", "x" * 3000 + "sign", "x" * 3000 + "sigh"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = session.draw([Request(text, 1) for text in texts])
    assert [image.info["prompt_truncated"] for image in images] == [False, False, True, True]
    pixels = [np.asarray(image) for image in images]
    assert not alike(pixels[0], pixels[1])
    assert alike(pixels[2], pixels[3]), "what is left out decides nothing"


def test_another_scheduler_fits_or_is_refused(family: str, folder: Path) -> None:
    from diffusers import AutoPipelineForText2Image

    names = sorted({each.__name__ for each in AutoPipelineForText2Image.from_pretrained(folder).scheduler.compatibles})
    assert names
    with pytest.raises(InputError, match="scheduler"):
        drawn(folder, Request("a sign", 1), scheduler="Euler Z")
    if "EulerAncestralDiscreteScheduler" in names and family == "stable-diffusion-xl":
        own, other = drawn(folder, Request("a sign", 1)), drawn(folder, Request("a sign", 1), scheduler="Euler a")
        assert not alike(own[0], other[0])
        assert alike(other[0], drawn(folder, Request("a sign", 1), scheduler="EulerAncestralDiscreteScheduler")[0])
    elif "EulerAncestralDiscreteScheduler" not in names:
        with pytest.raises(InputError, match="expected a scheduler that fits"):
            drawn(folder, Request("a sign", 1), scheduler="Euler a")


@pytest.mark.parametrize("masked", [False, True])
def test_a_picture_is_drawn_on_or_refused(folder: Path, masked: bool) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (32, 0, 64, 64))
    request = Request("a sign", 1, image=picture, mask=mask if masked else None)
    session = Diffusion(str(folder), steps=4, **SIZE).load("cpu")
    if ("mask" if masked else "image") not in session.takes:
        with pytest.raises(InputError, match="takes no"):
            session.draw([request])
        return
    again = [np.asarray(session.draw([request, Request("a sign", 1)])[0]) for _ in range(2)]
    assert again[0].shape == (64, 64, 3)
    assert alike(*again)
    other = np.asarray(session.draw([Request("a sign", 2, image=picture, mask=request.mask)])[0])
    assert not alike(again[0], other)


def test_every_parameter_of_the_call_that_loupe_sets_is_one_of_the_pipelines(folder: Path) -> None:
    from diffusers import AutoPipelineForText2Image

    call = inspect.signature(AutoPipelineForText2Image.from_pretrained(folder).__call__).parameters
    assert {"prompt", "generator", "output_type", "num_inference_steps", "width", "height"} <= set(call)

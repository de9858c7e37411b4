"""Drawing that begins with a picture, with the parts of a text-to-image pipeline: image-to-image and inpainting.

Where diffusers has a pipeline for that of the model's family, it is used, on the same weights. Where it has none, a
masked region is drawn by the text-to-image pipeline itself: after each step, what lies outside of the mask is put back
as it would be at that step (blended latent diffusion, Avrahami, Fried & Lischinski, SIGGRAPH 2023,
https://arxiv.org/abs/2206.02779). A model that draws four-channel latents becomes an inpainting model by the same rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request

if TYPE_CHECKING:
    from PIL.Image import Image

#: strengths where the request names none: of a whole picture something is to be left, of a masked region nothing
STRENGTH = {"image": 0.6, "mask": 1.0}
# what diffusers raises where a family has no such pipeline, or lacks a part for it
_NO_PIPELINE = (ValueError, TypeError, AttributeError, KeyError, ImportError)


@dataclass(frozen=True)
class Pipelines:
    """What of a model draws from what.

    Attributes:
        text: the text-to-image pipeline; None for an inpainting model
        image: begins with a picture; None where the family has none
        mask: draws a masked region; None where neither the family nor blending can
        blends: whether ``mask`` is the text-to-image pipeline, blended
        multiple: of how many pixels width and height have to be a multiple
    """

    text: Any
    image: Any
    mask: Any
    blends: bool
    multiple: int

    @property
    def takes(self) -> tuple[str, ...]:
        """What a request may bring."""
        return tuple(name for name, pipe in (("image", self.image or self.mask), ("mask", self.mask)) if pipe)

    @property
    def needs(self) -> tuple[str, ...]:
        """What a request has to bring."""
        return () if self.text else ("image", "mask")


def is_inpainting(index: dict[str, Any]) -> bool:
    """Returns whether a model folder's index names an inpainting pipeline, whose networks need picture and mask.

    >>> is_inpainting({"_class_name": "StableDiffusionInpaintPipeline"})
    True
    """
    return "Inpaint" in str(index.get("_class_name"))


def pipelines(pipe: Any, inpainting: bool) -> Pipelines:
    """Returns what a loaded pipeline's weights can draw from.

    Args:
        pipe: a text-to-image pipeline, or an inpainting one
        inpainting: which of the two
    """
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    # transformers put two latents each way into a token
    tokens = 2 if getattr(pipe, "transformer", None) is not None else 1
    multiple = max(8, int(getattr(pipe, "vae_scale_factor", 8) or 8) * tokens)
    if inpainting:
        return Pipelines(None, None, pipe, False, multiple)
    of_image = _sibling(AutoPipelineForImage2Image, pipe)
    of_mask = _sibling(AutoPipelineForInpainting, pipe)
    blends = of_mask is None and _can_blend(pipe)
    return Pipelines(pipe, of_image, pipe if blends else of_mask, blends, multiple)


def _sibling(auto: Any, pipe: Any) -> Any:
    try:
        made = auto.from_pipe(pipe)
    except _NO_PIPELINE:
        return None
    made.set_progress_bar_config(disable=True)
    return made


def _can_blend(pipe: Any) -> bool:
    call = inspect.signature(pipe.__call__).parameters
    noise = hasattr(pipe.scheduler, "add_noise") or hasattr(pipe.scheduler, "scale_noise")
    vae = getattr(pipe, "vae", None)
    return {"latents", "callback_on_step_end"} <= call.keys() and noise and hasattr(vae, "encode")


def draw(
    made: Pipelines, requests: Sequence[Request], at_once: int, call: Callable[[Any, Sequence[Request], dict], list]
) -> list[Image]:
    """Returns an image for each request that begins with a picture, in order.

    Args:
        made: the model's pipelines
        requests: each with an image; those that can go through the networks together do
        at_once: how many go through them at once
        call: draws up to that many with a pipeline and further arguments of it, as one batch of ``at_once``

    Raises:
        InputError: a size or a strength that the model cannot draw
        ModelError: what the pipeline raised
    """
    for request in requests:
        _require_size(request, made.multiple)
    images: list[Image] = []
    for (_, masked, _), group in groupby(requests, key=_kind):
        alike = list(group)
        for start in range(0, len(alike), at_once):
            part = alike[start : start + at_once]
            images += _drawn(made, masked, part, call)
    return images


def _kind(request: Request) -> tuple[Any, bool, float | None]:
    assert request.image is not None
    return request.image.size, request.mask is not None, request.strength


def _drawn(made: Pipelines, masked: bool, part: Sequence[Request], call: Callable[..., list]) -> list[Image]:
    strength = part[0].strength
    if strength is None:
        strength = STRENGTH["mask" if masked else "image"]
    if masked and made.blends:
        if strength < 1:
            raise InputError(f"expected strength=1 of a model whose family has no inpainting pipeline, got {strength}")
        return call(made.text, part, {"blend": True})
    pipe = made.mask if masked else made.image
    whole = pipe is None
    if whole:  # no image-to-image pipeline, but an inpainting one: a mask of everything
        pipe = made.mask
    return call(pipe, part, {"strength": strength, "masked": masked, "whole": whole})


def _require_size(request: Request, multiple: int) -> None:
    assert request.image is not None
    width, height = request.image.size
    if width % multiple or height % multiple:
        raise InputError(
            f"expected a picture whose width and height are multiples of {multiple}, got {width} x {height}: scale it"
        )


def arguments(pipe: Any, requests: Sequence[Request], how: dict[str, Any], steps: int | None) -> dict[str, Any]:
    """Returns what a pipeline is called with beside texts, seeds and the model's settings.

    Args:
        pipe: an image-to-image or inpainting pipeline
        requests: of one size
        how: what ``draw`` gave: strength, and whether there is a mask
        steps: denoising steps of the whole way

    Raises:
        InputError: so small a strength that no step is left
    """
    from PIL.Image import new

    strength = how["strength"]
    if steps is not None and int(steps * strength) < 1:
        raise InputError(f"expected a strength that leaves a step of {steps}, got {strength}: give more steps")
    pictures = [request.image for request in requests]
    size = pictures[0].size  # type: ignore[union-attr]
    own: dict[str, Any] = {"image": pictures, "strength": strength}
    if how["masked"]:
        own["mask_image"] = [_binary(request.mask) for request in requests]
    elif how["whole"]:
        own["mask_image"] = [new("L", size, 255) for _ in requests]
    known = inspect.signature(pipe.__call__).parameters
    if "height" in known:
        own |= {"width": size[0], "height": size[1]}
    return {name: value for name, value in own.items() if name in known}


def _binary(mask: Any) -> Any:
    return mask.point(lambda value: 255 if value >= 128 else 0)


def blending(pipe: Any, requests: Sequence[Request]) -> dict[str, Any]:
    """Returns what makes a text-to-image pipeline draw a masked region only: a callback, and the first noise.

    Raises:
        ModelError: its latents are no grid, or its encoder is of an unknown kind
    """
    import numpy as np
    import torch

    size = requests[0].image.size  # type: ignore[union-attr]
    pixels = np.stack([np.asarray(request.image) for request in requests]).astype(np.float32) / 127.5 - 1
    masks = np.stack([np.asarray(_binary(request.mask)) for request in requests]).astype(np.float32) / 255
    device, dtype = pipe.vae.device, pipe.vae.dtype
    with torch.no_grad():
        known = _encoded(pipe.vae, torch.from_numpy(pixels).permute(0, 3, 1, 2).to(device, dtype))
    mask = torch.nn.functional.interpolate(
        torch.from_numpy(masks)[:, None].to(device, known.dtype), size=known.shape[-2:], mode="nearest"
    )
    noise = torch.cat(
        [
            torch.randn((1, *known.shape[1:]), generator=torch.Generator("cpu").manual_seed(request.seed))
            for request in requests
        ]
    ).to(device, known.dtype)
    add = getattr(pipe.scheduler, "scale_noise", None) or pipe.scheduler.add_noise

    def put_back(pipe: Any, step: int, _: Any, held: dict[str, Any]) -> dict[str, Any]:
        latents = held["latents"]
        if latents.shape != known.shape:
            raise ModelError(f"expected latents of {tuple(known.shape)} to inpaint with, got {tuple(latents.shape)}")
        times = pipe.scheduler.timesteps[step + 1 : step + 2]
        outside = add(known, noise, times.repeat(len(requests))) if len(times) else known
        return {"latents": (mask * latents + (1 - mask) * outside).to(latents.dtype)}

    return {
        "latents": noise.clone(),
        "callback_on_step_end": put_back,
        "callback_on_step_end_tensor_inputs": ["latents"],
        "width": size[0],
        "height": size[1],
    }


def _encoded(vae: Any, pixels: Any) -> Any:
    out = vae.encode(pixels)
    if hasattr(out, "latent_dist"):
        latents = out.latent_dist.mode()
    elif hasattr(out, "latent"):
        latents = out.latent
    else:
        raise ModelError(f"expected an encoder that gives latents, got {type(vae).__name__}: choose another model")
    if latents.ndim != 4:
        raise ModelError(f"expected latents of a picture to inpaint with, got {latents.ndim} dimensions")
    return (latents - (getattr(vae.config, "shift_factor", None) or 0.0)) * vae.config.scaling_factor

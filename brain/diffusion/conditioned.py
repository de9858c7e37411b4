"""Drawing that begins with a picture, with the parts of a text-to-image pipeline: image-to-image and inpainting.

Where diffusers has a pipeline for that of the model's family, it is used, on the same weights. Where it has none, a
masked region is drawn by the text-to-image pipeline itself: after each step, what lies outside of the mask is put back
as it would be at that step (blended latent diffusion, Avrahami, Fried & Lischinski, SIGGRAPH 2023,
https://arxiv.org/abs/2206.02779). A model that draws four-channel latents becomes an inpainting model by the same rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.diffusion.loading import multiple_of

#: strengths where the request names none: of a whole picture something is to be left, of a masked region nothing
STRENGTH = {"image": 0.6, "mask": 1.0}
_REFERENCE = "ip_adapter_image"
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
        control: whether each of them draws by a control picture (``controlnets``)
        reference: whether each of them looks at a reference (``ip_adapters``)
    """

    text: Any
    image: Any
    mask: Any
    blends: bool
    multiple: int
    control: bool = False
    reference: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """What a request may bring: blending draws within a mask only."""
        of_image = self.image or (self.mask and not self.blends)
        kinds = {"image": of_image, "mask": self.mask, "control": self.control, "reference": self.reference}
        return tuple(name for name, pipe in kinds.items() if pipe)

    @property
    def needs(self) -> tuple[str, ...]:
        """What a request has to bring."""
        kinds = {"image": not self.text, "mask": not self.text, "control": self.control, "reference": self.reference}
        return tuple(name for name, needed in kinds.items() if needed)


def is_inpainting(index: dict[str, Any]) -> bool:
    """Returns whether a model folder's index names an inpainting pipeline, whose networks need picture and mask.

    >>> is_inpainting({"_class_name": "StableDiffusionInpaintPipeline"})
    True
    """
    return "Inpaint" in str(index.get("_class_name"))


def pipelines(pipe: Any, inpainting: bool, reference: bool = False) -> Pipelines:
    """Returns what a loaded pipeline's weights can draw from.

    Args:
        pipe: a text-to-image pipeline, or an inpainting one; that of a ControlNet where there is one
        inpainting: which of the two
        reference: whether it has an IP-Adapter
    """
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    multiple, control = multiple_of(pipe), getattr(pipe, "controlnet", None) is not None
    if inpainting:
        return Pipelines(None, None, pipe, False, multiple, control, reference)
    of_image = _sibling(AutoPipelineForImage2Image, pipe, reference)
    of_mask = _sibling(AutoPipelineForInpainting, pipe, reference)
    blends = of_mask is None and _can_blend(pipe)
    return Pipelines(pipe, of_image, pipe if blends else of_mask, blends, multiple, control, reference)


def _sibling(auto: Any, pipe: Any, reference: bool) -> Any:
    try:
        made = auto.from_pipe(pipe)
    except _NO_PIPELINE:
        return None
    call = inspect.signature(made.__call__).parameters
    # one that is called without a picture to begin with is for a ControlNet that was trained for inpainting
    if "image" not in call or (reference and _REFERENCE not in call):
        return None
    made.set_progress_bar_config(disable=True)
    return made


def _can_blend(pipe: Any) -> bool:
    call = inspect.signature(pipe.__call__).parameters
    noise = hasattr(pipe.scheduler, "add_noise") or hasattr(pipe.scheduler, "scale_noise")
    vae = getattr(pipe, "vae", None)
    return {"latents", "callback_on_step_end"} <= call.keys() and noise and _is_plain(vae)


def _is_plain(vae: Any) -> bool:
    """Returns whether a picture's latents are its encoder's, scaled by one number: FLUX.2 normalizes each channel."""
    return hasattr(vae, "encode") and "scaling_factor" in getattr(vae, "config", {})


@dataclass(frozen=True)
class Way:
    """How a request is drawn; requests of one way can go through the networks together.

    Attributes:
        size: of the picture that it begins with; None: it begins with noise
        masked: whether a part of the picture is drawn
        strength: how much of what stands there is given up, in (0, 1]
        blends: whether the text-to-image pipeline draws it, blended
        whole: whether an inpainting pipeline draws all of it, for want of an image-to-image one
        asked: (width, height) of an image that begins with noise; None: the model's own
        reference: the hash of the reference: pipelines look at one for all that they draw at once
    """

    size: tuple[int, int] | None = None
    masked: bool = False
    strength: float = 1.0
    blends: bool = False
    whole: bool = False
    asked: tuple[int, int] | None = None
    reference: str = ""


def way_of(made: Pipelines, request: Request) -> Way:
    """Returns how a request is drawn.

    Raises:
        InputError: a size or a strength that the model cannot draw
    """
    reference = request.inputs().get("reference", "") if request.reference is not None else ""
    size = request.size if request.control is None else request.control.size
    if request.image is None:
        return Way(asked=None if size is None else (int(size[0]), int(size[1])), reference=reference)
    _require_size(request, made.multiple)
    masked = request.mask is not None
    strength = STRENGTH["mask" if masked else "image"] if request.strength is None else request.strength
    blends = masked and made.blends
    if blends and strength < 1:
        raise InputError(f"expected strength=1 of a model whose family has no inpainting pipeline, got {strength}")
    whole = not masked and made.image is None
    return Way(request.image.size, masked, strength, blends, whole, reference=reference)


def pipeline_of(made: Pipelines, way: Way) -> Any:
    """Returns the pipeline that draws in such a way."""
    if way.size is None or way.blends:
        return made.text
    return made.mask if way.masked or way.whole else made.image


def _require_size(request: Request, multiple: int) -> None:
    assert request.image is not None
    width, height = request.image.size
    if width % multiple or height % multiple:
        raise InputError(
            f"expected a picture whose width and height are multiples of {multiple}, got {width} x {height}: scale it"
        )


def arguments(pipe: Any, requests: Sequence[Request], way: Way, steps: int | None) -> dict[str, Any]:
    """Returns what a pipeline is called with beside texts, seeds and the model's settings.

    Args:
        pipe: the one of ``pipeline_of``
        requests: of this way
        way: how they are drawn
        steps: denoising steps of the whole way

    Raises:
        InputError: so small a strength that no step is left
    """
    from PIL.Image import new

    beside = _beside(pipe, requests)
    if way.size is None:
        return beside
    if way.blends:
        return {**beside, **_blending(pipe, requests)}
    strength, size = way.strength, way.size
    if steps is not None and int(steps * strength) < 1:
        raise InputError(f"expected a strength that leaves a step of {steps}, got {strength}: give more steps")
    own: dict[str, Any] = {"image": [request.image for request in requests], "strength": strength}
    if way.masked:
        own["mask_image"] = [_binary(request.mask) for request in requests]
    elif way.whole:
        own["mask_image"] = [new("L", size, 255) for _ in requests]
    known = inspect.signature(pipe.__call__).parameters
    if "height" in known:
        own |= {"width": size[0], "height": size[1]}
    if "strength" not in known and any(request.strength is not None for request in requests):
        raise InputError(f"expected no strength of a model that looks at the picture as a whole, got {strength}")
    return {**beside, **{name: value for name, value in own.items() if name in known}}


def _beside(pipe: Any, requests: Sequence[Request]) -> dict[str, Any]:
    """Returns the control pictures and the reference of requests, as a pipeline is called with them."""
    made: dict[str, Any] = {}
    if requests[0].control is not None:
        own = "control_image" if "control_image" in inspect.signature(pipe.__call__).parameters else "image"
        made[own] = [request.control for request in requests]
    if requests[0].reference is not None:
        made[_REFERENCE] = requests[0].reference
    return made


def _binary(mask: Any) -> Any:
    return mask.point(lambda value: 255 if value >= 128 else 0)


def _blending(pipe: Any, requests: Sequence[Request]) -> dict[str, Any]:
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

    def put_back(pipe: Any, step: int, _: Any, held: dict[str, Any]) -> dict[str, Any]:
        latents = held["latents"]
        if latents.shape != known.shape:
            raise ModelError(f"expected latents of {tuple(known.shape)} to inpaint with, got {tuple(latents.shape)}")
        times = pipe.scheduler.timesteps[step + 1 : step + 2]
        outside = noised(pipe.scheduler, known, noise, times.repeat(len(requests))) if len(times) else known
        return {"latents": (mask * latents + (1 - mask) * outside).to(latents.dtype)}

    # what draws another size, and scales it, would not fit to these latents
    binning = "use_resolution_binning" in inspect.signature(pipe.__call__).parameters
    return {
        "latents": noise.clone(),
        "callback_on_step_end": put_back,
        "callback_on_step_end_tensor_inputs": ["latents"],
        "width": size[0],
        "height": size[1],
        **({"use_resolution_binning": False} if binning else {}),
    }


def noised(scheduler: Any, known: Any, noise: Any, times: Any) -> Any:
    """Returns latents as they would be at times of a schedule: of flow matching, or of diffusion.

    Args:
        scheduler: of diffusers
        known, noise: (N, C, h, w)
        times: (N,) of the scheduler's timesteps
    """
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(known, times, noise)
    return scheduler.add_noise(known, noise, times)


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

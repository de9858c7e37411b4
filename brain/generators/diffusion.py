"""Text-to-image diffusion models through diffusers: any hub id or local folder, and the embedded ``tiny-signs``."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param
from loupe.brain.generation import conditioned
from loupe.brain.generation.model_files import LOADING, locate, own_defaults, own_size, quiet, read_index
from loupe.brain.generation.model_files import MODELS as MODELS

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Diffusion(Generator):
    """Diffusion model.

    The image of a request depends on the model, the prompts, the seed and the settings, and on nothing else: not on the
    batch size, nor on what is drawn beside it. To the last bit that is only so when the networks always see inputs of
    one shape (kernels sum in another order for other shapes: measured on a CPU, one value in each of two of 24 images
    came out differently in batches of 3, 8, 16 and 24 than alone). So the model draws ``images_per_call`` images at
    once, one if nothing else is said, and a shorter rest is filled up; ``batch_size`` only says how many images lie
    between two reports.

    Only safetensors weights are loaded, and no code that comes with a model is run. ``HF_HUB_OFFLINE`` is honoured.
    A local folder may hold a ``loupe.json`` with its own defaults: ``{"steps": 20, "guidance": 3.0, "width": 96,
    "height": 32, "images_per_call": 8}``.

    >>> session = Diffusion("tiny-signs", steps=10).load("cpu")  # doctest: +SKIP
    >>> session.draw([Request('a red sign that says "42", day, clear', seed=1)])[0].size  # doctest: +SKIP
    (96, 32)
    """

    name: ClassVar[str] = "diffusion"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://huggingface.co/docs/diffusers"
    license: ClassVar[str] = "Apache-2.0"

    model: str = param("tiny-signs", "A hub id, a local folder in diffusers' format, or tiny-signs, which is built in.")
    steps: int | None = param(None, "Denoising steps; the model's own number if empty.", low=1, high=1000)
    guidance: float | None = param(
        None, "How strongly the prompt is followed; the model's own number if empty.", low=0, high=100
    )
    width: int | None = param(None, "Width in pixels, a multiple of 8; the model's own if empty.", low=8, high=8192)
    height: int | None = param(None, "Height in pixels, a multiple of 8; the model's own if empty.", low=8, high=8192)
    dtype: str = param(
        "auto",
        "Number format of the weights; auto is float32 on a CPU and 16 bits on a GPU.",
        choices=("auto", "float32", "float16", "bfloat16"),
    )
    batch_size: int = param(16, "Images between two progress reports; changes no pixel.", low=1, high=1024)
    images_per_call: int | None = param(
        None,
        "Images drawn at once; more can be faster, and is another setting. The model's own if empty.",
        low=1,
        high=256,
    )

    def load(self, device: str) -> GeneratorSession:
        """Returns the loaded model; its images' ``info`` has ``prompt_truncated``, and ``nsfw`` from a safety checker.

        Raises:
            InputError: a setting is out of its bounds
            ModelError: the model cannot be loaded
        """
        import torch

        self._check()
        folder, fingerprint = locate(self.model)
        index = read_index(folder, self.model)
        kind = torch.device(device).type
        dtype = self.dtype if self.dtype != "auto" else _dtype_for(kind, index)
        inpainting = conditioned.is_inpainting(index)
        pipe = _load(folder, self.model, dtype, device, inpainting)
        with quiet():
            made = conditioned.pipelines(pipe, inpainting)
        call = inspect.signature(pipe.__call__).parameters
        own = own_defaults(folder)
        size = own_size(folder)
        at_once = self.images_per_call or own.get("images_per_call") or 1
        settings = {
            "num_inference_steps": _first(self.steps, own.get("steps"), _default(call, "num_inference_steps")),
            "guidance_scale": _first(self.guidance, own.get("guidance"), _default(call, "guidance_scale")),
            "width": _first(self.width, own.get("width"), size[0]),
            "height": _first(self.height, own.get("height"), size[1]),
        }
        facts = {
            "model": folder.name if Path(self.model).is_dir() else self.model,
            "fingerprint": fingerprint,
            "steps": settings["num_inference_steps"],
            "guidance": None if settings["guidance_scale"] is None else float(settings["guidance_scale"]),
            "width": settings["width"],
            "height": settings["height"],
            "scheduler": type(pipe.scheduler).__name__,
            "dtype": dtype,
            "device": kind,
            "images_per_call": at_once,
        }
        settings = {key: value for key, value in settings.items() if value is not None and key in call}
        warned: set[str] = set()

        def call_pipe(pipe: Any, part: Sequence[Request], how: dict[str, Any] | None = None) -> list[Image]:
            return _draw(pipe, part, at_once, self.model, settings, how)

        def draw(requests: Sequence[Request]) -> list[Image]:
            if "negative_prompt" not in call and any(request.negative_prompt for request in requests):
                raise InputError(f"{self.model} takes no negative prompt: leave it out")
            session.require(requests)
            images: list[Image] = []
            with quiet():
                if requests and all(request.image is None for request in requests):
                    for start in range(0, len(requests), at_once):
                        images += call_pipe(pipe, requests[start : start + at_once])
                else:
                    images += _draw_mixed(made, requests, at_once, call_pipe)
            if any(image.info["prompt_truncated"] for image in images) and not warned:
                warned.add("truncated")
                warnings.warn(
                    f"a prompt is longer than {self.model} reads: the rest of it is left out "
                    "(generation.prompt_truncated says where)",
                    stacklevel=2,
                )
            return images

        made_for = (facts["width"], facts["height"]) if facts["width"] and facts["height"] else _usual_size(pipe)
        session = GeneratorSession(facts, draw, self.batch_size, made.takes, made.needs, made_for, made.multiple)
        return session

    def _check(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            low, high = field.metadata["low"], field.metadata["high"]
            if field.metadata["choices"] and value not in field.metadata["choices"]:
                raise InputError(f"expected {name} to be one of {', '.join(field.metadata['choices'])}, got {value!r}")
            if low is None or (value is None and field.default is None):
                continue
            kinds = (int, float) if name == "guidance" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InputError(f"expected {name} to be a number from {low} to {high}, got {value!r}")
            if name in ("width", "height") and value % 8:
                raise InputError(f"expected {name} to be a multiple of 8, got {value}. Near is {round(value / 8) * 8}")


def _usual_size(pipe: Any) -> tuple[int, int] | None:
    """Returns the size that a pipeline draws where nobody names one; None where that is not known."""
    latents, scale = getattr(pipe, "default_sample_size", None), getattr(pipe, "vae_scale_factor", None)
    return (latents * scale, latents * scale) if isinstance(latents, int) and isinstance(scale, int) else None


def _draw_mixed(made: conditioned.Pipelines, requests: Sequence[Request], at_once: int, call: Any) -> list[Image]:
    """Draws requests of which some begin with a picture: each kind by itself, in the order of the requests."""
    images: list[Image] = []
    for begins, group in groupby(requests, key=lambda request: request.image is not None):
        part = list(group)
        if begins:
            images += conditioned.draw(made, part, at_once, call)
        else:
            for start in range(0, len(part), at_once):
                images += call(made.text, part[start : start + at_once])
    return images


def _draw(
    pipe: Any,
    requests: Sequence[Request],
    at_once: int,
    model: str,
    settings: dict[str, Any],
    how: dict[str, Any] | None = None,
) -> list[Image]:
    import torch

    # always the same shape, see the class; what is filled up is thrown away
    filled = [*requests, *[requests[-1]] * (at_once - len(requests))]
    extra: dict[str, Any] = {}
    if how is not None and how.get("blend"):
        extra = conditioned.blending(pipe, filled)
    elif how is not None:
        extra = conditioned.arguments(pipe, filled, how, settings.get("num_inference_steps"))
    if how is not None:  # the picture says how large the image is
        settings = {name: value for name, value in settings.items() if name not in ("width", "height")}
    if any(request.negative_prompt for request in requests):
        extra["negative_prompt"] = [request.negative_prompt for request in filled]
    try:
        output = pipe(
            prompt=[request.prompt for request in filled],
            # noise from the CPU is the same noise on every device
            generator=[torch.Generator("cpu").manual_seed(request.seed) for request in filled],
            output_type="pil",
            **settings,
            **extra,
        )
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{model} does not fit into the memory of {pipe.device}: choose a smaller width and height, "
            "images_per_call=1, or dtype='float16'"
        ) from error
    except (ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise ModelError(f"{model} cannot draw with {settings}: {error}"[:1000]) from error
    flagged = output.get("nsfw_content_detected")
    images = []
    for position, request in enumerate(requests):
        image = output.images[position].convert("RGB")
        image.info = {"prompt_truncated": _is_truncated(pipe, request)}
        if flagged is not None:
            image.info["nsfw"] = bool(flagged[position])
        images.append(image)
    return images


def _is_truncated(pipe: Any, request: Request) -> bool:
    """Returns whether every text encoder gets less than the whole of one of the prompts."""
    tokenizers = [part for name, part in pipe.components.items() if name.startswith("tokenizer") and part is not None]
    return any(
        bool(tokenizers) and all(len(part(text).input_ids) > part.model_max_length for part in tokenizers)
        for text in (request.prompt, request.negative_prompt)
    )


def _dtype_for(kind: str, index: dict[str, Any]) -> str:
    if kind != "cuda":
        return "float32"
    # diffusion transformers are trained in bfloat16 and overflow in float16; U-Nets lose fewer bits in float16
    return "bfloat16" if "transformer" in index else "float16"


def _load(folder: Path, model: str, dtype: str, device: str, inpainting: bool) -> Any:
    import torch
    from diffusers import AutoPipelineForInpainting, AutoPipelineForText2Image
    from safetensors import SafetensorError

    auto = AutoPipelineForInpainting if inpainting else AutoPipelineForText2Image
    try:
        with quiet():
            pipe = auto.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            ).to(device)
    except (*LOADING, SafetensorError) as error:
        raise ModelError(
            f"expected a text-to-image model in diffusers' format, and {model} cannot be loaded as one: "
            f"{type(error).__name__}: {error}"[:1000]
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _default(call: Any, name: str) -> Any:
    parameter = call.get(name)
    return None if parameter is None or parameter.default is inspect.Parameter.empty else parameter.default


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)

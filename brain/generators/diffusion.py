"""Text-to-image diffusion models through diffusers: any hub id or local folder, and the embedded ``tiny-signs``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param
from loupe.brain.core.warned import warn
from loupe.brain.core.written import PromptSyntax
from loupe.brain.diffusion import (
    checkpoints,
    conditioned,
    controlnets,
    guidance,
    ip_adapters,
    loading,
    locating,
    lora,
    memory,
    schedulers,
)
from loupe.brain.diffusion.drawing import Drawer
from loupe.brain.diffusion.guidance import Guidance
from loupe.brain.diffusion.quiet import quiet

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
    "height": 32, "images_per_call": 8, "family": "own", "license": "MIT"}``; for published checkpoints those of their
    pages stand in ``loupe.brain.diffusion.checkpoints``.

    >>> session = Diffusion("tiny-signs", steps=10).load("cpu")  # doctest: +SKIP
    >>> session.draw([Request('a red sign that says "42", day, clear', seed=1)])[0].size  # doctest: +SKIP
    (96, 32)
    """

    name: ClassVar[str] = "diffusion"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "https://huggingface.co/docs/diffusers"
    license: ClassVar[str] = "Apache-2.0"
    # no pipeline of diffusers reads weights, LoRAs or flags in a prompt
    syntax: ClassVar[PromptSyntax] = PromptSyntax(takes=("size", "negative"))

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
    true_guidance: float | None = param(
        None,
        "Classifier-free guidance of a model whose own guidance is distilled (FLUX.1): above 1 it reads a negative "
        "prompt, in twice the time. Off if empty.",
        low=0,
        high=100,
    )
    scheduler: str = param("", "The sampler, e.g. 'DPM++ 2M Karras' or a class of diffusers; the model's own if empty.")
    loras: str = param("", "LoRAs with their weights, e.g. 'details.safetensors:0.8, somebody/style:0.5'.")
    controlnet: str = param(
        "",
        "A ControlNet with its scale, e.g. 'lllyasviel/sd-controlnet-openpose:0.8': images keep to a control picture.",
    )
    ip_adapter: str = param(
        "", "An IP-Adapter with its scale, e.g. 'folder/ip-adapter.safetensors:0.6': images take over a picture's look."
    )
    placement: str = param(
        "auto",
        "Where the parts of the model wait: auto offloads to the machine's memory what the GPU cannot hold.",
        choices=memory.PLACEMENTS,
    )
    quantize: str = param(
        "none",
        "Weights in fewer bits: int8 by torchao, nf4 by bitsandbytes on a GPU.",
        choices=memory.QUANTIZED,
    )
    vae_tiling: bool = param(False, "Decodes the image in tiles, for large ones; changes pixels near their borders.")
    compiled: bool = param(False, "Compiles the network: a slow first image, faster others. Changes pixels.")

    def load(self, device: str) -> GeneratorSession:
        """Returns the loaded model; its images' ``info`` has ``prompt_truncated``, and ``nsfw`` from a safety checker.

        Raises:
            InputError: a setting is out of its bounds
            ModelError: the model cannot be loaded
        """
        self._check()
        adapters = lora.parse(self.loras) if self.loras.strip() else ()
        net = controlnets.parse(self.controlnet) if self.controlnet.strip() else None
        look = ip_adapters.parse(self.ip_adapter) if self.ip_adapter.strip() else None
        folder, fingerprint = locating.locate(self.model)
        index = locating.read_index(folder, self.model)
        own = locating.own_defaults(folder)
        known = checkpoints.of(self.model, index["_class_name"])
        kind = device.partition(":")[0]
        dtype = self.dtype if self.dtype != "auto" else loading.dtype_for(kind, index)
        inpainting = conditioned.is_inpainting(index)
        beside: list[str] = []

        def put_beside(pipe: Any, kind: Any) -> Any:
            if look is not None:
                beside.append(ip_adapters.put_on(pipe, look, self.model, kind))
            if net is not None:
                pipe, fact = controlnets.put_beside(pipe, net, self.model, kind)
                beside.append(fact)
            return pipe

        pipe = loading.load(
            folder,
            self.model,
            index,
            dtype,
            device,
            inpainting=inpainting,
            placed=self.placement,
            quantized=self.quantize,
            change=put_beside,
        )
        changes = "; ".join([each for each in (self._change(pipe, adapters), *beside) if each])
        with quiet():
            pipelines = conditioned.pipelines(pipe, inpainting, reference=look is not None)
        call = inspect.signature(pipe.__call__).parameters
        guided = guidance.of(pipe, call)
        size = known.size or (locating.own_size(folder) if "unet" in index else loading.own_size(pipe))
        at_once = self.images_per_call or own.get("images_per_call") or 1
        steps = _first(self.steps, own.get("steps"), known.steps, _default(call, "num_inference_steps"))
        value = self._guidance(guided, own, known, call)
        width, height = _first(self.width, own.get("width"), size[0]), _first(self.height, own.get("height"), size[1])
        loading.require_size(pipe, self.model, width, height)
        numbers = guidance.arguments(guided, self.model, value, self.true_guidance)
        facts = {
            "model": folder.name if Path(self.model).is_dir() else self.model,
            "fingerprint": fingerprint,
            "family": own.get("family") or known.family or None,
            "license": own.get("license") or known.license or None,
            "steps": steps,
            "guidance": None if value is None else float(value),
            "guidance_kind": guided.kind,
            "width": width,
            "height": height,
            "scheduler": type(pipe.scheduler).__name__,
            "dtype": dtype,
            "device": kind,
            "images_per_call": at_once,
        }
        if changes:
            facts["changes"] = changes
        given = {"num_inference_steps": steps, "width": width, "height": height, **numbers}
        if net is not None:
            given["controlnet_conditioning_scale"] = net.scale
        if known.max_tokens is not None:
            given["max_sequence_length"] = known.max_tokens
        settings = {key: number for key, number in given.items() if number is not None and key in call}
        tokens = _first(settings.get("max_sequence_length"), _default(call, "max_sequence_length"))
        blank = guided.blank if guidance.is_on(guided, value, self.true_guidance) else None
        drawer = Drawer(pipelines, self.model, at_once, settings, blank, tokens)
        warned: set[str] = set()

        def draw(requests: Sequence[Request]) -> list[Image]:
            session.require(requests)
            if any(request.negative_prompt for request in requests):
                guidance.require_negative(guided, self.model, value, self.true_guidance)
            images = drawer.draw(requests)
            if any(image.info["prompt_truncated"] for image in images) and not warned:
                warned.add("truncated")
                warn(
                    f"a prompt is longer than {self.model} reads: the rest of it is left out "
                    "(generation.prompt_truncated says where)"
                )
            return images

        made_for = (width, height) if width and height else None
        takes, needs = pipelines.takes, pipelines.needs
        session = GeneratorSession(facts, draw, self.batch_size, takes, needs, made_for, pipelines.multiple)
        return session

    def _guidance(
        self, guided: Guidance, own: Mapping[str, Any], known: checkpoints.Checkpoint, call: Any
    ) -> float | None:
        """Returns the number that was asked for, else the model's own; None where it takes none."""
        if self.guidance is not None or guided.argument is None:
            return self.guidance
        usual = _first(own.get("guidance"), known.guidance, _default(call, guided.argument))
        return None if usual is None else float(usual)

    def _change(self, pipe: Any, adapters: Sequence[lora.Lora]) -> str:
        """Changes a pipeline as it was asked for; returns by what, as far as that decides pixels."""
        made = []
        if self.scheduler:
            schedulers.change(pipe, self.scheduler, self.model)
            made.append(schedulers.settings(self.scheduler))
        if adapters:
            made += [f"LoRA {each}" for each in lora.load(pipe, adapters, self.model)]
        if self.true_guidance is not None:
            made.append(f"true guidance {self.true_guidance:g}")
        if self.quantize != "none":
            made.append(self.quantize)
        if self.vae_tiling:
            pipe.vae.enable_tiling()
            made.append("decoded in tiles")
        if self.compiled:
            loading.compile_networks(pipe)
            made.append("compiled")
        return "; ".join(each for each in made if each)

    def price(self) -> float:
        """Returns 0: it is drawn on one's own machine."""
        return 0.0

    def _check(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            low, high = field.metadata["low"], field.metadata["high"]
            if field.metadata["choices"] and value not in field.metadata["choices"]:
                raise InputError(f"expected {name} to be one of {', '.join(field.metadata['choices'])}, got {value!r}")
            if low is None:
                kind = type(field.default)
                if not isinstance(value, kind):
                    raise InputError(f"expected {name} to be a {kind.__name__}, got {value!r}")
                continue
            if value is None and field.default is None:
                continue
            kinds = (int, float) if name in ("guidance", "true_guidance") else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InputError(f"expected {name} to be a number from {low} to {high}, got {value!r}")
            if name in ("width", "height") and value % 8:
                raise InputError(f"expected {name} to be a multiple of 8, got {value}. Near is {round(value / 8) * 8}")


def _default(call: Any, name: str | None) -> Any:
    parameter = call.get(name)
    return None if parameter is None or parameter.default is inspect.Parameter.empty else parameter.default


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)

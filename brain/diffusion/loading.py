"""Loads a text-to-image pipeline of diffusers from a folder: safetensors only, no code of the model's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import InputError, LoupeError, ModelError
from loupe.brain.diffusion import memory
from loupe.brain.diffusion.locating import LOADING
from loupe.brain.diffusion.quiet import quiet

#: what takes its latents in patches of two cells by two, by how a pipeline's class begins
_PATCHED = ("Flux", "QwenImage", "ZImage", "AuraFlow", "Lumina", "Chroma", "Ovis", "NucleusMoE", "CogView4")
#: and what knows no number of pixels a cell, but draws multiples of
_STEPS = {"Kandinsky": 64}


def dtype_for(kind: str, index: Mapping[str, Any]) -> str:
    """Returns the number format of a model that is asked for none: float32 on a CPU, 16 bits on a GPU."""
    if kind != "cuda":
        return "float32"
    # diffusion transformers are trained in bfloat16 and overflow in float16; U-Nets lose fewer bits in float16
    return "bfloat16" if "transformer" in index else "float16"


def load(
    folder: Path,
    model: str,
    index: Mapping[str, Any],
    dtype: str,
    device: str,
    *,
    inpainting: bool = False,
    placed: str = "auto",
    quantized: str = "none",
    change: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Returns the pipeline, on the device or where it waits for it.

    Args:
        folder: of the model
        model: its name, for errors
        index: of the folder
        dtype: of the weights
        device: e.g. "cuda:0"
        inpainting: whether it is a model for inpainting
        placed: one of ``memory.PLACEMENTS``
        quantized: one of ``memory.QUANTIZED``
        change: gives, of the pipeline that was loaded and the weights' number format, the one that is to be placed

    Raises:
        ModelError: it cannot be loaded as a text-to-image model
        InputError: it cannot lie where it was asked to
    """
    import torch
    from diffusers import AutoPipelineForInpainting, AutoPipelineForText2Image
    from safetensors import SafetensorError

    kind = getattr(torch, dtype)
    try:
        config = memory.quantization(quantized, kind, device, index)
        with quiet():
            auto = AutoPipelineForInpainting if inpainting else AutoPipelineForText2Image
            pipeline = auto.from_pretrained(
                str(folder),
                dtype=kind,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                **({} if config is None else {"quantization_config": config}),
            )
            if change is not None:
                pipeline = change(pipeline, kind)
            where: Any = placed
            if placed == "auto":
                free = memory.free_bytes(device)
                parts = memory.weights(folder, kind.itemsize, quantized)
                where = "resident" if free is None else memory.placement(memory.beside(pipeline, parts), free)
            memory.place(pipeline, where, device, model)
    except LoupeError:
        raise
    except (*LOADING, SafetensorError) as error:
        raise ModelError(
            f"expected a text-to-image model in diffusers' format, and {model} cannot be loaded as one: "
            f"{type(error).__name__}: {error}"[:1000]
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def multiple_of(pipeline: Any) -> int:
    """Returns what the sides of an image are multiples of."""
    name = type(pipeline).__name__
    step = next((pixels for begins, pixels in _STEPS.items() if name.startswith(begins)), 8)
    patch = 2 if name.startswith(_PATCHED) else getattr(pipeline, "patch_size", None) or 1
    cell = int(getattr(pipeline, "vae_scale_factor", step)) * int(patch)
    return max(step, cell)


def require_size(pipeline: Any, model: str, width: int | None, height: int | None) -> None:
    """Raises an error unless the model can draw images of such a size; some pipelines would draw another one.

    Raises:
        InputError: with the nearest size that it can draw
    """
    step = multiple_of(pipeline)
    for name, value in (("width", width), ("height", height)):
        if value is not None and value % step:
            near = max(step, round(value / step) * step)
            raise InputError(f"expected {name} of {model} to be a multiple of {step}, got {value}. Near is {near}")


def own_size(pipeline: Any) -> tuple[int | None, int | None]:
    """Returns the (width, height) that a transformer's pipeline draws if not asked; None: it does not say."""
    sample, scale = getattr(pipeline, "default_sample_size", None), getattr(pipeline, "vae_scale_factor", None)
    if isinstance(sample, int) and isinstance(scale, int):
        return sample * scale, sample * scale
    return None, None


def compile_networks(pipeline: Any) -> None:
    """Compiles the network that is run at each step: block by block where its blocks are alike, which is quicker."""
    for name in ("transformer", "unet"):
        network = getattr(pipeline, name, None)
        if network is not None:
            if getattr(network, "_repeated_blocks", None):
                network.compile_repeated_blocks()
            else:
                network.compile()

"""How a model fits into a GPU: what stays there, what waits in the machine's memory, and numbers of fewer bits."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from loupe.brain.core.errors import InputError, MissingDependency, ModelError

Placement = Literal["resident", "offload", "sequential"]
PLACEMENTS = ("auto", "resident", "offload", "sequential")
#: how weights are stored: whole numbers of 8 bits, or the 4 bits of T. Dettmers et al., "QLoRA", NeurIPS 2023
QUANTIZED = ("none", "int8", "nf4")
#: and the bytes of a number: nf4's come with a scale for every 64
_BYTES = {"int8": 1.0, "nf4": 0.57}
#: a reserve for what drawing takes beside the weights; a guess, no GPU was at hand to measure it
_WORKING = 3 * 2**30
#: the parts whose weights are numbers enough to be worth it
_LARGE = ("transformer", "unet", "text_encoder_2", "text_encoder_3", "text_encoder")


def weights(folder: Path, dtype_bytes: int, quantized: str = "none") -> dict[str, int]:
    """Returns the bytes of each part of a model as it is loaded, by its safetensors files.

    Args:
        folder: of the model
        dtype_bytes: of a number as it is loaded
        quantized: one of ``QUANTIZED``
    """
    made: dict[str, int] = {}
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        numbers = sum(_numbers(file) for file in _files(part))
        if numbers:
            each = _BYTES.get(quantized, dtype_bytes) if part.name in _LARGE else dtype_bytes
            made[part.name] = int(numbers * each)
    return made


def beside(pipeline: Any, parts: Mapping[str, int]) -> dict[str, int]:
    """Returns the bytes of each part, with those that were put beside a model after it was loaded."""
    further = {
        name: sum(each.numel() * each.element_size() for each in part.parameters())
        for name, part in pipeline.components.items()
        if name not in parts and hasattr(part, "parameters")
    }
    return {**parts, **further}


def placement(parts: Mapping[str, int], free: int | None) -> Placement:
    """Returns where a model of such parts goes: all of it on the device, one part at a time, or one layer at a time.

    Args:
        parts: the bytes of each part
        free: the bytes that the device has free; None: it has no memory of its own

    >>> placement({"transformer": 24 * 2**30, "text_encoder": 9 * 2**30}, 32 * 2**30)
    'offload'
    """
    if free is None or sum(parts.values()) + _WORKING <= free:
        return "resident"
    return "offload" if max(parts.values(), default=0) + _WORKING <= free else "sequential"


def free_bytes(device: str) -> int | None:
    """Returns the bytes that are free on a GPU; None for other devices."""
    import torch

    kind = torch.device(device)
    return int(torch.cuda.mem_get_info(kind)[0]) if kind.type == "cuda" else None


def place(pipeline: Any, where: Placement, device: str, model: str) -> Any:
    """Puts a pipeline where ``placement`` says; returns it.

    Raises:
        InputError: only a GPU has its parts wait elsewhere
    """
    if where == "resident":
        return pipeline.to(device)
    if not device.startswith("cuda"):
        raise InputError(f"expected a GPU to keep {model} off it for a while, got {device}: use memory='resident'")
    if where == "offload":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.enable_sequential_cpu_offload(device=device)
    return pipeline


def quantization(kind: str, dtype: Any, device: str, index: Mapping[str, Any]) -> Any:
    """Returns diffusers' configuration for weights of fewer bits: int8 by torchao, nf4 by bitsandbytes; None for none.

    Args:
        kind: one of ``QUANTIZED``
        dtype: of torch, in which is calculated
        device: nf4 needs a GPU
        index: of the model: which parts it has, and whose classes they are

    Raises:
        MissingDependency: the package is not installed
        InputError: the device cannot
    """
    if kind == "none":
        return None
    package = "torchao" if kind == "int8" else "bitsandbytes"
    if kind == "nf4" and not device.startswith("cuda"):
        raise InputError(f"expected a GPU for quantize='nf4', got {device}: use quantize='int8', or none")
    if importlib.util.find_spec(package) is None:
        raise MissingDependency(
            f"quantize={kind!r} needs the package {package}: pip install 'loupe-fiftyone[quantize]'"
        )
    import diffusers
    import transformers

    mapping: dict[str, Any] = {}
    for name in _LARGE:
        library = index[name][0] if isinstance(index.get(name), list) else None
        if library in ("diffusers", "transformers"):
            owner = diffusers if library == "diffusers" else transformers
            mapping[name] = _int8(owner) if kind == "int8" else _nf4(owner, dtype)
    return diffusers.PipelineQuantizationConfig(quant_mapping=mapping)


def _int8(owner: Any) -> Any:
    from torchao.quantization import Int8WeightOnlyConfig

    return owner.TorchAoConfig(Int8WeightOnlyConfig())


def _nf4(owner: Any, dtype: Any) -> Any:
    return owner.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _files(part: Path) -> list[Path]:
    """Returns the safetensors files of a part, without the copies in other number formats."""
    files = sorted(part.glob("*.safetensors"))
    plain = [file for file in files if ".fp16" not in file.name and ".bf16" not in file.name]
    return plain or files


def _numbers(file: Path) -> int:
    """Returns how many numbers a safetensors file holds, by its header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            sizes = [opened.get_slice(key).get_shape() for key in opened.keys()]  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file}: expected readable weights: {error}") from error
    total = 0
    for shape in sizes:
        count = 1
        for length in shape:
            count *= length
        total += count
    return total

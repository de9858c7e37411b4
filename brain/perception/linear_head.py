"""A head on vectors: a chain of linear layers in a file, put together into one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from loupe.brain.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def load(path: Path) -> tuple[Tensor, float]:
    """Returns the (D,) float32 weights and the bias of what maps a vector to one number.

    Layers that have nothing but a product between them are one product. LAION's heads are such: one layer, or five
    that were trained with dropout alone between them.

    Args:
        path: of a .safetensors file, or a .pth or .pt of weights only; keys end in ``weight`` and ``bias``

    Raises:
        ModelError: there is no such file, or it holds something else
    """
    try:
        state = _read(path)
        weight, bias = _composed(state)
        if len(weight) != 1:
            raise ValueError(f"the last layer gives {len(weight)} numbers")
    except Exception as error:  # torch and safetensors raise what they like for a file that holds something else
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ModelError(
            f"{path}: expected a head: linear layers that follow each other and end in one number, as "
            f"safetensors or as a .pth of weights only; got {reason}"
        ) from error
    return weight[0].float(), float(bias[0])


def _read(path: Path) -> Mapping[str, Tensor]:
    import torch
    from safetensors.torch import load_file

    if path.suffix == ".safetensors":
        return load_file(path)
    state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _composed(state: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the (outputs, D) weights and the (outputs,) biases of all layers together, float64."""
    import torch

    others = [key for key in state if not re.search(r"(^|\.)(weight|bias)$", key)]
    if others or not state:
        raise ValueError(f"its keys are {', '.join(sorted(state)[:4]) or 'none'}")
    names = sorted({key.removesuffix("weight").removesuffix("bias") for key in state}, key=_in_order)
    weight: Tensor | None = None
    bias = torch.zeros(0)
    for name in names:
        layer = state[f"{name}weight"].double()
        own = state[f"{name}bias"].double() if f"{name}bias" in state else torch.zeros(len(layer), dtype=torch.float64)
        weight, bias = (layer, own) if weight is None else (layer @ weight, layer @ bias + own)
    assert weight is not None
    if not (torch.isfinite(weight).all() and torch.isfinite(bias).all()):
        raise ValueError("it holds numbers that are not finite")
    return weight, bias


def _in_order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]

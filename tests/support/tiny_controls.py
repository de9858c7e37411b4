"""ControlNets and IP-Adapters with random weights for the tiny pipelines."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

#: what a family's ControlNet has beside its network's own settings
_CONTROLNETS: dict[str, dict[str, Any]] = {
    "ControlNetModel": {"conditioning_embedding_out_channels": (8, 16)},
    "SD3ControlNetModel": {"num_layers": 1, "num_extra_conditioning_channels": 0},
    "FluxControlNetModel": {
        "num_layers": 1,
        "num_single_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
    },
    "QwenImageControlNetModel": {"num_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2},
}
#: how long the image encoder's vectors are
_EMBEDDED = 8


def controlnet(model: Path, folder: Path, seed: int = 1, **config: Any) -> Path:
    """Writes a ControlNet for a model's network to a folder; returns it.

    Args:
        model: the folder of a text-to-image pipeline
        folder: where to
        seed: of what a fresh ControlNet has as zeros, with which it would do nothing
        config: of its configuration, in the place of what it says
    """
    import diffusers
    import torch

    from loupe.brain.diffusion.controlnets import FAMILIES

    pipeline = diffusers.DiffusionPipeline.from_pretrained(str(model))
    kind = FAMILIES[type(pipeline).__name__].network
    torch.manual_seed(seed)
    if kind == "ControlNetModel":
        made = diffusers.ControlNetModel.from_unet(pipeline.unet, **_CONTROLNETS[kind])
    elif kind == "SanaControlNetModel":
        known = inspect.signature(diffusers.SanaControlNetModel.__init__).parameters
        settings = {name: value for name, value in pipeline.transformer.config.items() if name in known}
        made = diffusers.SanaControlNetModel(**settings)
    else:
        owner = getattr(diffusers, kind)
        made = owner.from_transformer(pipeline.transformer, load_weights_from_transformer=False, **_CONTROLNETS[kind])
    with torch.no_grad():
        for number in made.parameters():
            if not number.any():
                number.normal_(std=0.3)
    made.register_to_config(**config)
    made.save_pretrained(str(folder))
    return folder


def ip_adapter(model: Path, folder: Path) -> Path:
    """Writes an IP-Adapter for a model's network with its image encoder to a folder; returns its file."""
    import diffusers
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    pipeline = diffusers.DiffusionPipeline.from_pretrained(str(model))
    torch.manual_seed(3)
    encoder = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        projection_dim=_EMBEDDED,
    )
    CLIPVisionModelWithProjection(encoder).save_pretrained(str(folder / "image_encoder"))
    weights = _of_unet(pipeline.unet) if hasattr(pipeline, "unet") else _of_flux(pipeline.transformer)
    save_file(weights, str(folder / "adapter.safetensors"))
    return folder / "adapter.safetensors"


def _projection(width: int) -> dict[str, Any]:
    import torch

    return {
        "image_proj.proj.weight": torch.randn(4 * width, _EMBEDDED),
        "image_proj.proj.bias": torch.randn(4 * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }


def _of_unet(unet: Any) -> dict[str, Any]:
    import torch

    width = unet.config.cross_attention_dim
    made, number = _projection(width), 1
    channels = unet.config.block_out_channels
    for name in unet.attn_processors:
        if name.endswith("attn1.processor"):
            continue
        block = name.split(".")
        hidden = channels[-1]
        if block[0] == "down_blocks":
            hidden = channels[int(block[1])]
        elif block[0] == "up_blocks":
            hidden = channels[::-1][int(block[1])]
        for part in ("to_k_ip", "to_v_ip"):
            made[f"ip_adapter.{number}.{part}.weight"] = torch.randn(hidden, width)
        number += 2
    return made


def _of_flux(transformer: Any) -> dict[str, Any]:
    import torch

    width = transformer.config.joint_attention_dim
    made = _projection(width)
    for number in range(transformer.config.num_layers):
        for part in ("to_k_ip", "to_v_ip"):
            made[f"ip_adapter.{number}.{part}.weight"] = torch.randn(transformer.inner_dim, width)
            made[f"ip_adapter.{number}.{part}.bias"] = torch.randn(transformer.inner_dim)
    return made

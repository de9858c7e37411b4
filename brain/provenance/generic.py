"""A mapping that names its values plainly, as many tools write beside their pictures: ``prompt``, ``seed``, ``steps``.

Easy Diffusion, diffusers' users, A1111's API, deforum and others. A name is only taken for what it says; a mapping
with ``prompt`` and nothing else of a generation is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.records import Reading

_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "Prompt", "positive_prompt"),
    "negative_prompt": ("negative_prompt", "Negative Prompt", "negative prompt", "negativePrompt", "uc"),
    "seed": ("seed", "Seed"),
    "steps": ("steps", "num_inference_steps", "Steps", "sampling_steps"),
    "guidance": ("guidance_scale", "cfg_scale", "CFG scale", "cfgScale", "Guidance Scale", "cfg"),
    "scheduler": ("sampler_name", "sampler", "Sampler", "sampler_index"),
    "model": ("model", "sd_model_name", "use_stable_diffusion_model", "Stable Diffusion model", "Model", "checkpoint"),
    "model_hash": ("model_hash", "sd_model_hash", "Model hash"),
    "width": ("width", "Width", "W"),
    "height": ("height", "Height", "H"),
    "upscaler": ("use_upscale", "upscaler"),
    "denoise": ("denoising_strength", "strength"),
}
_SIGNS = ("seed", "steps", "guidance", "scheduler", "model")


def read(value: Mapping[str, Any], source: str) -> Reading | None:
    """Returns what such a mapping states; None where it is none."""
    values: dict[str, Any] = {}
    for name, spelled in _NAMES.items():
        present = [value[key] for key in spelled if isinstance(value.get(key), (str, int, float))]
        # two keys that mean one thing and differ: neither is taken
        if present and all(other == present[0] for other in present):
            values[name] = present[0]
    if not isinstance(values.get("prompt"), str) or not any(name in values for name in _SIGNS):
        return None
    if values.get("seed") in (-1, "-1"):
        del values["seed"]
    values["tool"] = plain.as_text(value.get("app"))
    # by how much, is written in ways of their own
    return Reading(source, values, scale=float("nan") if values.get("upscaler") else 1.0)
